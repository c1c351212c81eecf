import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { needs } from '../monitoring/programs.ts';
import { startChild } from '../support/child-process.ts';
import { startReceiver } from '../support/receiver-process.ts';
import type { Checkout } from './library.ts';
import { installLibrary } from './library.ts';
import type { Block } from './markdown.ts';
import { ROOT, readPage } from './markdown.ts';
import type { StandIn } from './stand-in.ts';
import { startStandIn } from './stand-in.ts';

/** What stands behind `sh` in an info string, and what the block then needs. */
const MARKERS: Readonly<Record<string, string>> = {
  '': 'run, against a service',
  'rolled-back': 'run, against a service that has no exporter any more',
  variables: 'not run: the test has its own values',
  docker: 'not run: needs Docker, and images from the network',
  kubernetes: 'not run: needs a cluster',
};

const TOKEN = 'a-token';
const SHELLS = ['sh', 'bash', 'shell', 'console'];
const blocks = readPage('docs/TELEMETRY.md').blocks.filter(({ language }) => SHELLS.includes(language));
const run = (marker: string) => blocks.filter((block) => block.marker === marker);

describe('shell blocks of the guide', () => {
  let checkout: Checkout;
  let service: StandIn;
  let rolledBack: StandIn;
  let receiver: Awaited<ReturnType<typeof startReceiver>>;

  beforeAll(async () => {
    checkout = await installLibrary();
    service = await startStandIn(TOKEN, true);
    rolledBack = await startStandIn(TOKEN, false);
    receiver = await startReceiver({ protocol: 'http' });
  });
  afterAll(async () => {
    await receiver?.close();
    await service?.[Symbol.asyncDispose]();
    await rolledBack?.[Symbol.asyncDispose]();
    checkout?.remove();
  });

  /** Runs a block as a shell that stops at the first failure. */
  async function execute({ code }: Pick<Block, 'code'>, url: string) {
    const env = {
      ...process.env,
      PATH: `${ROOT}/node_modules/.bin:${process.env['PATH']}`,
      SERVICE: url,
      COLLECTOR: receiver.url,
      APP_ADMIN_TOKEN: TOKEN,
    };
    await using shell = await startChild('bash', ['-euo', 'pipefail', '-c', code], {
      cwd: checkout.folder,
      env,
      ownGroup: true,
    });
    shell.process.stdin?.end();
    const { code: status } = await shell.exited;
    return { status, output: [...shell.lines, ...shell.errorLines].join('\n') };
  }

  it('are all known: run, or not run for a reason', () => {
    expect(blocks.map(({ language }) => language)).toEqual(blocks.map(() => 'sh'));
    expect(blocks.filter(({ marker }) => !(marker in MARKERS))).toEqual([]);
    expect(Object.keys(MARKERS).filter((marker) => run(marker).length === 0)).toEqual([]);
    expect(run('').length).toBeGreaterThan(6);
  });

  it.for(run(''))('line $line: runs', async (block, context) => {
    needs(context, ...programsOf(block));
    expect(await execute(block, service.url)).toEqual({ status: 0, output: expect.any(String) });
  });

  it.for(run('rolled-back'))('line $line: runs after the rollback', async (block, context) => {
    needs(context, ...programsOf(block));
    expect(await execute(block, rolledBack.url)).toEqual({ status: 0, output: expect.any(String) });
  });

  it('are proofs: before the rollback they fail', async () => {
    for (const block of run('rolled-back')) {
      expect(await execute(block, service.url)).not.toMatchObject({ status: 0 });
    }
  });

  it('ask a collector, and say what it answered', async () => {
    const [block] = run('').filter(({ code }) => code.includes('$COLLECTOR'));
    expect(await execute(block as Block, service.url)).toMatchObject({
      output: expect.stringMatching(/^200 in /),
    });
  });

  it.each(blocks)('line $line: is a script that a shell can read', async ({ code }) => {
    await using shell = await startChild('bash', ['-n', '-c', code]);
    expect(await shell.exited).toMatchObject({ code: 0 });
  });
});

/** The programs that a block wants and that a machine may not have. */
function programsOf({ code }: Block): string[] {
  return ['promtool', 'amtool', 'jq', 'curl'].filter((program) => code.includes(program));
}

describe('the guide', () => {
  it('names every alert, every environment variable and every admin route as they are', () => {
    const guide = readFileSync(`${ROOT}/docs/TELEMETRY.md`, 'utf8');
    const rules = readFileSync(`${ROOT}/examples/monitoring/rules.yml`, 'utf8');
    const alerts = [...rules.matchAll(/- alert: (\S+)/g)].map((match) => match[1] as string);
    expect(alerts.filter((alert) => !guide.includes(`| \`${alert}\` |`))).toEqual([]);
    const known = ['examples/node-service/.env.example', 'examples/docker-compose.yml', 'src/adapters/env.ts']
      .map((file) => readFileSync(`${ROOT}/${file}`, 'utf8'))
      .join('\n');
    const variables = guide.match(/\b(?:APP_|OTEL_CIRCUIT_BREAKER_)[A-Z_]+\b/g) ?? [];
    expect(variables.length).toBeGreaterThan(5);
    expect(variables.filter((variable) => !known.includes(variable))).toEqual([]);
    const admin = readFileSync(`${ROOT}/examples/node-service/admin.mjs`, 'utf8');
    const routes = [...guide.matchAll(/\/admin\/circuit\/([a-z-]+)/g)].map((match) => match[1] as string);
    expect(routes.length).toBeGreaterThan(1);
    expect(
      routes.filter((route) => !admin.includes(`${route}: `) && !admin.includes(`'${route}': `)),
    ).toEqual([]);
  });
});
