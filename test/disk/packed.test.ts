import { once } from 'node:events';
import { copyFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { text as textOf } from 'node:stream/consumers';
import { expect, it } from 'vitest';
import { cleanEnv, must } from '../compat/command.ts';
import { installApp } from '../compat/install-app.ts';
import type { SdkLine } from '../compat/lines.ts';
import { lines } from '../compat/lines.ts';
import type { Child } from '../support/child-process.ts';
import { startNode } from '../support/child-process.ts';
import { deadPort } from '../support/dead-port.ts';
import { waitUntilEmpty } from './run-service.ts';

const sdk = lines.find(({ name }) => name === 'sdk-2.12') as SdkLine;

interface Accepted {
  readonly n: number;
  readonly traceId: string;
  readonly spanId: string;
}

function acceptedBy(service: Child): Accepted[] {
  return service.lines.flatMap((line) => {
    const [word, n, traceId = '', spanId = ''] = line.split(' ');
    return word === 'accepted' ? [{ n: Number(n), traceId, spanId }] : [];
  });
}

/** An OTLP receiver that keeps what it gets as it is. */
async function startCollector(port: number): Promise<AsyncDisposable & { readonly bodies: string[] }> {
  const bodies: string[] = [];
  const server = createServer(async (request, response) => {
    bodies.push(await textOf(request));
    response.setHeader('Content-Type', 'application/json').end('{}');
  }).listen(port, '127.0.0.1');
  await once(server, 'listening');
  return {
    bodies,
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
    },
  };
}

/** The spans in requests of OTLP/JSON, by id, each with its resource and scope. */
function received(requests: readonly string[]): Map<string, object> {
  const spans = new Map<string, object>();
  for (const request of requests)
    for (const { resource, scopeSpans } of JSON.parse(request).resourceSpans)
      for (const { scope, spans: some } of scopeSpans)
        for (const span of some) spans.set(span.spanId, { resource: resource.attributes, scope, span });
  return spans;
}

const text = (key: string, stringValue: string) => ({ key, value: { stringValue } });

/** What OTLP has to say of a span of the service. */
function expected({ n, traceId, spanId }: Accepted) {
  return {
    resource: [text('service.name', 'shop'), text('service.version', '4.2.0')],
    scope: { name: 'orders', version: '1.2.3' },
    span: {
      traceId,
      spanId,
      name: 'GET /orders/:id',
      kind: 2,
      startTimeUnixNano: expect.stringMatching(/^\d{19}$/),
      endTimeUnixNano: expect.stringMatching(/^\d{19}$/),
      attributes: [
        { key: 'n', value: { intValue: n } },
        text('http.route', '/orders/:id'),
        { key: 'ratio', value: { doubleValue: 0.25 } },
        { key: 'cached', value: { boolValue: n % 2 === 0 } },
        { key: 'tags', value: { arrayValue: { values: [{ stringValue: 'a' }, { stringValue: `b${n}` }] } } },
      ],
      events: [
        {
          name: 'cache.miss',
          timeUnixNano: expect.stringMatching(/^\d{19}$/),
          attributes: [text('key', `order-${n}`)],
        },
      ],
      links: [
        {
          traceId: '0af7651916cd43dd8448eb211c80319c',
          spanId: 'b7ad6b7169203331',
          attributes: [text('kind', 'follows')],
        },
      ],
      status: { code: 2, message: `order ${n} is late` },
    },
  };
}

it('from the packed library: kill -9 in an outage, a look with the tool, a new start, the collector is back: whole spans', async () => {
  const { folder } = await installApp(sdk, 'npm');
  const script = join(folder, 'shop.mjs');
  copyFileSync(join(import.meta.dirname, 'in-app', 'shop.mjs'), script);
  const directory = join(folder, 'telemetry');
  const spool = (...args: string[]): Promise<string> =>
    must('npx', ['--no-install', 'otel-circuit-breaker-spool', directory, ...args], { cwd: folder });
  await using dead = await deadPort();
  const env = { ...cleanEnv(), COLLECTOR: `${dead.url}/v1/traces`, DIRECTORY: directory };
  await using service = await startNode(script, [], { cwd: folder, env: { ...env, SPANS: '1000000' } });
  await service.waitForLine('accepted 500 ', { timeoutMillis: 120_000 });
  await service.kill('SIGKILL');
  const accepted = acceptedBy(service);
  expect(accepted.length).toBeGreaterThan(500);

  const [, row = ''] = (await spool()).split('\n');
  expect(row).toMatch(new RegExp(`^traces +spans .* process ${service.pid}, dead$`));
  const exported = received((await spool('--export')).trimEnd().split('\n'));

  await dead.release();
  await using collector = await startCollector(dead.port);
  await using next = await startNode(script, [], {
    cwd: folder,
    // What is taken over is sent without the random wait.
    env: { ...env, SPANS: '0', NODE_OPTIONS: '--import=data:text/javascript,Math.random=()=>0' },
  });
  await next.waitForLine('ready', { timeoutMillis: 60_000 });
  await waitUntilEmpty(directory, 120_000);
  const arrived = received(collector.bodies);
  for (const each of accepted) {
    expect(exported.get(each.spanId)).toMatchObject(expected(each));
    expect(arrived.get(each.spanId)).toMatchObject(expected(each));
    expect(arrived.get(each.spanId)).toEqual(exported.get(each.spanId));
  }
  expect((await spool()).trim()).toBe('nothing is kept here');
});
