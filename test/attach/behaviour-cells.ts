import { deepStrictEqual, match, ok, strictEqual } from 'node:assert/strict';
import { once as event } from 'node:events';
import { cpSync, mkdirSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { Cell } from '../compat/cell.ts';
import { cleanEnv, must, run } from '../compat/command.ts';
import { library } from '../compat/library.ts';
import { newFolder } from '../compat/scratch.ts';
import { deadPort } from '../support/dead-port.ts';
import { startReceiver } from '../support/receiver-process.ts';
import { waitFor } from '../support/wait-for.ts';
import { npmApp, OBSERVER, volume } from './install.ts';
import { startApp } from './live.ts';
import { ATTACH, cell, NODE, QUIET, REGISTER } from './one-cell.ts';

/** What attach does where there is nothing to protect, and around the exporters. */
export function behaviourCells(): Cell[] {
  return [
    cell('npm under NODE_OPTIONS is left alone', async () => {
      const cwd = await npmApp('auto-2');
      const { code, output } = await run('npm', ['--version'], {
        cwd,
        env: { NODE_OPTIONS: `--import ${ATTACH}` },
      });
      strictEqual(code, 0);
      match(output, /^\d+\.\d+\.\d+$/, 'npm says its version, and nobody anything else');
      return 'not a word';
    }),

    cell('the API without an exporter is one line', async () => {
      const cwd = await npmApp('auto-2');
      const { code, output } = await run(NODE, ['--import', ATTACH, 'no-exporter.cjs'], { cwd });
      strictEqual(code, 0);
      match(
        output,
        /^done\notel-circuit-breaker: found no exporter to protect \(no provider is registered\)\. [^\n]*$/,
      );
      return 'one warning after the last look';
    }),

    cell('the same copy twice is silent, another copy says so', async () => {
      const [cwd, other] = await Promise.all([npmApp('auto-2'), volume()]);
      const copy = join(other, 'node_modules', 'otel-circuit-breaker', 'dist', 'attach.cjs');
      const twice = await run(NODE, ['--require', ATTACH, '--import', ATTACH, '-e', '0'], { cwd });
      deepStrictEqual([twice.code, twice.output], [0, '']);
      const { code, output } = await run(NODE, ['--require', ATTACH, '--require', copy, '-e', '0'], { cwd });
      strictEqual(code, 0);
      match(
        output,
        /^otel-circuit-breaker: \S+ is attached to this process already; the copy in \S+ does nothing$/,
      );
      return 'one attach in a process';
    }),

    cell('without @opentelemetry/api beside it, the application runs', async () => {
      const [sdk, { folder: unpacked }] = await Promise.all([npmApp('auto-2'), library()]);
      const alone = join(newFolder('alone'), 'node_modules', 'otel-circuit-breaker');
      mkdirSync(alone, { recursive: true });
      cpSync(unpacked, alone, { recursive: true });
      for (const flags of [
        ['--require', join(alone, 'dist', 'attach.cjs')],
        ['--import', join(alone, 'dist', 'attach.js')],
      ]) {
        await using app = await startApp({
          node: NODE,
          args: ['--require', OBSERVER, '--require', REGISTER, ...flags, 'app.cjs'],
          cwd: sdk,
          env: { ...cleanEnv(), OTEL_NODE_RESOURCE_DETECTORS: 'none', OTEL_EXPORTER_OTLP_TIMEOUT: '100' },
        });
        const line = await waitFor(() => app.child.errorLines[0], { what: 'a warning' });
        match(
          line,
          /^otel-circuit-breaker: does nothing, the application is not affected: Cannot find (module|package) '@opentelemetry\/api'/,
        );
        deepStrictEqual((await app.look()).exporters, []);
        await app.terminate();
        strictEqual(app.child.errorLines.length, 1);
      }
      return 'one warning';
    }),

    cell('each worker thread has its own', async () => {
      const cwd = await npmApp('sdk-2.12');
      await using dead = await deadPort();
      const env = { ...QUIET, OTEL_EXPORTER_OTLP_ENDPOINT: dead.url };
      const output = await must(NODE, ['--import', ATTACH, 'worker.mjs'], { cwd, env });
      const names = ['traces', 'metrics', 'logs'];
      deepStrictEqual(JSON.parse(output), { main: names, worker: names });
      return 'main thread and worker: traces, metrics, logs';
    }),

    cell('health and metrics on a port of their own', async () => {
      const cwd = await npmApp('auto-2');
      await using receiver = await startReceiver({ protocol: 'http' });
      const port = await freePort();
      const env = {
        ...cleanEnv(),
        OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
        OTEL_NODE_RESOURCE_DETECTORS: 'none',
        OTEL_BSP_SCHEDULE_DELAY: '300',
        OTEL_CIRCUIT_BREAKER_NAME: 'shop',
        OTEL_CIRCUIT_BREAKER_HEALTH_PORT: String(port),
      };
      const args = ['--require', OBSERVER, '--require', REGISTER, '--require', ATTACH, 'app.cjs'];
      await using app = await startApp({ node: NODE, args, cwd, env });
      await app.until('the exporters', ({ exporters }) => exporters.length === 3);
      const refused = await fetch(`http://127.0.0.1:${port}/metrics`).then(
        () => 'answered',
        () => 'refused',
      );
      strictEqual(refused, 'refused', 'closed before the first batch');

      await app.emit(1, 1);
      const response = await waitFor(() => fetch(`http://127.0.0.1:${port}/health/telemetry`), {
        what: 'the port',
      });
      deepStrictEqual([response.status, response.headers.get('connection')], [200, 'close']);
      const { circuit_breakers: circuits } = (await response.json()) as {
        circuit_breakers: { name: string }[];
      };
      deepStrictEqual(
        circuits.map(({ name }) => name),
        ['shop/traces', 'shop/metrics', 'shop/logs'],
      );
      match(
        await (await fetch(`http://127.0.0.1:${port}/metrics`)).text(),
        /otel_circuit_breaker_state\{name="shop\/traces",state="closed"\} 1/,
      );

      await using second = await startApp({ node: NODE, args, cwd, env });
      await second.until('the exporters', ({ exporters }) => exporters.length === 3);
      await second.emit(2, 2);
      await waitFor(
        () => second.child.errorLines.some((line) => line.includes(`127.0.0.1:${port} (EADDRINUSE)`)),
        { what: 'a warning' },
      );

      await app.emit(3, 3);
      await waitFor(async () => (await receiver.stats()).distinct === 3, { what: 'the spans' });
      const served = Object.keys((await receiver.stats()).names).filter((name) => name.startsWith('GET'));
      deepStrictEqual(served, [], 'a probe of the health port is no span');
      const { exitMillis } = await app.terminate();
      ok(exitMillis < 5_000, `the port holds nobody: ended after ${exitMillis} ms`);
      return 'opened by the first batch; a port that is taken is one warning; no spans of its own';
    }),

    cell('Azure Monitor, which deletes the API and keeps what fails on its own disk', async () => {
      const cwd = await npmApp('azure');
      await using dead = await deadPort();
      const env = {
        ...cleanEnv(),
        ...QUIET,
        OTEL_BSP_SCHEDULE_DELAY: '300',
        APPLICATIONINSIGHTS_CONNECTION_STRING: `InstrumentationKey=${'0'.repeat(8)}-0000-0000-0000-${'0'.repeat(12)};IngestionEndpoint=${dead.url}/;LiveEndpoint=${dead.url}/`,
        APPLICATION_INSIGHTS_NO_STATSBEAT: '1',
      };
      await using app = await startApp({
        node: NODE,
        args: ['--require', OBSERVER, '--import', ATTACH, 'azure.cjs'],
        cwd,
        env,
      });
      await app.until('the exporters', ({ exporters }) => exporters.length === 3);
      for (let n = 1; n <= 50; n += 10) {
        await app.emit(n, n + 9);
        await new Promise((resolve) => setTimeout(resolve, 300));
      }
      const { exporters } = await app.until('successes', (look) =>
        look.exporters.some(({ name, delivery }) => name === 'traces' && delivery.delivered.items > 0),
      );
      deepStrictEqual(
        exporters.map(({ name, state }) => `${name} ${state}`),
        ['traces CLOSED', 'metrics CLOSED', 'logs CLOSED'],
      );
      return 'found; nobody listens, the exporter answers with success all the same, and no circuit opens';
    }),
  ];
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await event(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await event(server, 'close');
  return port;
}
