import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, inject, test } from 'vitest';
import type { Child } from '../../support/child-process.ts';
import { startChild } from '../../support/child-process.ts';
import { deadPort } from '../../support/dead-port.ts';
import { startReceiver } from '../../support/receiver-process.ts';
import { waitFor, within } from '../../support/wait-for.ts';

const folder = join(inject('examplesFolder'), 'nextjs');
const NEXT = join(folder, 'node_modules/next/dist/bin/next');

/** The Next.js of the example, with nothing of the tests' environment. */
function next(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Child> {
  return startChild(process.execPath, [NEXT, ...args], {
    cwd: folder,
    env: { PATH: process.env['PATH'], HOME: folder, NEXT_TELEMETRY_DISABLED: '1', ...env },
    ownGroup: true,
  });
}

interface HealthBody {
  readonly circuit_breaker: {
    readonly state: string;
    readonly delivery: Readonly<Record<'delivered' | 'kept' | 'lost', { readonly items: number }>>;
  };
}

interface RunningApp extends AsyncDisposable {
  readonly child: Child;
  health(): Promise<HealthBody & { readonly httpStatus: number }>;
  /** Asks for the page until the health report is so. */
  serveUntil(
    what: string,
    holds: (health: HealthBody & { readonly httpStatus: number }) => boolean,
  ): Promise<void>;
}

/** As `npm start` does. */
async function start(endpoint: string): Promise<RunningApp> {
  const held = await deadPort();
  await held.release();
  const child = await next(['start', '--hostname', '127.0.0.1', '--port', String(held.port)], {
    NEXT_MANUAL_SIG_HANDLE: 'true',
    OTEL_EXPORTER_OTLP_ENDPOINT: endpoint,
    OTEL_EXPORTER_OTLP_TIMEOUT: '500',
    OTEL_BSP_SCHEDULE_DELAY: '50',
    OTEL_CIRCUIT_BREAKER_COOLDOWN: '100',
    OTEL_CIRCUIT_BREAKER_PROBE_EVERY: '1',
    OTEL_NODE_RESOURCE_DETECTORS: 'none',
  });
  await child.waitForLine('Ready in', { timeoutMillis: 60_000 });
  const get = (path: string) => fetch(`http://127.0.0.1:${held.port}${path}`);
  const health: RunningApp['health'] = async () => {
    const response = await get('/health/telemetry');
    return { httpStatus: response.status, ...((await response.json()) as HealthBody) };
  };
  return {
    child,
    health,
    async serveUntil(what, holds) {
      const look = async (): Promise<boolean> => {
        expect(await (await get('/')).text()).toContain('hello');
        const now = await health();
        if (holds(now)) return true;
        throw new Error(JSON.stringify(now));
      };
      await waitFor(look, { what, timeoutMillis: 30_000, intervalMillis: 50 });
    },
    [Symbol.asyncDispose]: child[Symbol.asyncDispose],
  };
}

describe.each([
  ['Turbopack', []],
  ['webpack', ['--webpack']],
])('built by %s', (_, flags) => {
  test('the health route shows the exporter of instrumentation.ts through an outage', async () => {
    rmSync(join(folder, '.next'), { recursive: true, force: true });
    await using building = await next(['build', ...flags]);
    const built = await within(building.exited, { what: 'the build', timeoutMillis: 200_000 });
    expect([built, building.errorLines]).toEqual([{ code: 0, signal: null }, expect.any(Array)]);
    await using collector = await startReceiver({ protocol: 'http' });
    await using app = await start(collector.url);

    await app.serveUntil('spans to be delivered', ({ circuit_breaker }) => {
      return circuit_breaker.state === 'CLOSED' && circuit_breaker.delivery.delivered.items > 0;
    });
    await waitFor(async () => (await collector.stats()).names['GET /'], { what: 'the span of a page' });
    await collector.kill();
    await app.serveUntil('the route to be red', ({ httpStatus, circuit_breaker }) => {
      return httpStatus === 503 && circuit_breaker.delivery.kept.items > 0;
    });
    await collector.restart();
    await app.serveUntil('all that was kept to be delivered', ({ httpStatus, circuit_breaker }) => {
      return httpStatus === 200 && circuit_breaker.delivery.kept.items === 0;
    });
    expect((await app.health()).circuit_breaker.delivery.lost).toEqual({ batches: 0, items: 0 });
    expect(await app.child.kill('SIGTERM')).toEqual({ code: 0, signal: null });
  });

  test('SIGTERM ends the service during an outage', async () => {
    await using dead = await deadPort();
    await using app = await start(dead.url);
    await app.serveUntil('the circuit to open', ({ httpStatus }) => httpStatus === 503);
    const began = performance.now();
    expect(await app.child.kill('SIGTERM')).toEqual({ code: 0, signal: null });
    expect(performance.now() - began).toBeLessThan(5_000);
  });
});
