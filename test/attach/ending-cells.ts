import { deepStrictEqual, ok } from 'node:assert/strict';
import type { Cell } from '../compat/cell.ts';
import { cleanEnv } from '../compat/command.ts';
import { newFolder } from '../compat/scratch.ts';
import { startChild } from '../support/child-process.ts';
import { missingNumbers } from '../support/receiver/seen.ts';
import { startReceiver } from '../support/receiver-process.ts';
import { waitFor, within } from '../support/wait-for.ts';
import { npmApp, OBSERVER } from './install.ts';
import { startApp } from './live.ts';
import { ATTACH, cell, NODE, QUIET, REGISTER } from './one-cell.ts';

/** What attach does when a process ends. */
export function endingCells(): Cell[] {
  return [
    cell('a signal that nobody listens to ends the process', async () => {
      const cwd = await npmApp('sdk-2.12');
      const script = `new (require('@opentelemetry/sdk-node').NodeSDK)().start(); setInterval(() => {}, 1_000); setTimeout(() => console.log('up'), 300);`;
      for (const more of ['', `process.once('SIGTERM', () => process.kill(process.pid, 'SIGTERM'));`]) {
        const env = { ...cleanEnv(), ...QUIET, OTEL_TRACES_EXPORTER: 'otlp' };
        await using child = await startChild(NODE, ['--import', ATTACH, '-e', script + more], { cwd, env });
        await child.waitForLine('up');
        deepStrictEqual(await within(child.kill('SIGTERM'), { what: 'SIGTERM to end it' }), {
          code: null,
          signal: 'SIGTERM',
        });
      }
      return 'also by itself, after a handler of its own';
    }),

    cell('no probe begins once SIGTERM has arrived', async () => {
      const cwd = await npmApp('sdk-2.12');
      await using receiver = await startReceiver({ protocol: 'http' });
      await receiver.kill();
      const env = {
        ...cleanEnv(),
        ...QUIET,
        OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
        OTEL_EXPORTER_OTLP_TIMEOUT: '200',
        OTEL_METRICS_EXPORTER: 'none',
        OTEL_LOGS_EXPORTER: 'none',
        OTEL_BSP_SCHEDULE_DELAY: '100',
        OTEL_CIRCUIT_BREAKER_COOLDOWN: '200',
      };
      const args = ['--require', OBSERVER, '--require', ATTACH, 'stays.cjs'];
      await using app = await startApp({ node: NODE, args, cwd, env });
      await app.until('the exporter', ({ exporters }) => exporters.length === 1);
      let last = 0;
      const emitFor = async (millis: number): Promise<void> => {
        for (const until = performance.now() + millis; performance.now() < until; ) {
          last += 1;
          await app.emit(last, last);
          await new Promise((resolve) => setTimeout(resolve, 100));
        }
      };
      await waitFor(
        async () => {
          await emitFor(200);
          return (await app.look()).exporters[0]?.state === 'OPEN';
        },
        { what: 'the circuit to open', timeoutMillis: 20_000 },
      );
      app.child.process.kill('SIGTERM');
      await app.child.waitForLine('SIGTERM');
      // A probe that had begun before has failed by then.
      await emitFor(500);
      await receiver.restart();
      await emitFor(3_000);
      deepStrictEqual(
        [(await receiver.stats()).requests, (await app.look()).exporters[0]?.state],
        [0, 'OPEN'],
      );
      return 'the backend is back, and nobody asks it';
    }),

    cell('what a process keeps on disk, the next one delivers', async () => {
      const cwd = await npmApp('auto-2');
      await using receiver = await startReceiver({ protocol: 'http' });
      await receiver.kill();
      const env = {
        ...cleanEnv(),
        ...QUIET,
        OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
        OTEL_NODE_RESOURCE_DETECTORS: 'none',
        OTEL_METRICS_EXPORTER: 'none',
        OTEL_LOGS_EXPORTER: 'none',
        OTEL_BSP_SCHEDULE_DELAY: '200',
        OTEL_CIRCUIT_BREAKER_RETENTION_DIR: newFolder('spool'),
        OBSERVER_EXITS: '1',
      };
      const args = ['--require', OBSERVER, '--require', REGISTER, '--require', ATTACH, 'app.cjs'];
      {
        await using first = await startApp({ node: NODE, args, cwd, env });
        await first.until('the exporter', ({ exporters }) => exporters.length === 1);
        for (let n = 1; n <= 50; n += 10) {
          await first.emit(n, n + 9);
          await new Promise((resolve) => setTimeout(resolve, 300));
        }
        await first.terminate();
      }
      await receiver.restart();
      await using second = await startApp({ node: NODE, args, cwd, env });
      await second.until('the exporter', ({ exporters }) => exporters.length === 1);
      const began = performance.now();
      let last = 50;
      // A jittered wait of up to 30 s, so that a fleet that restarts does not send at once.
      await waitFor(
        async () => {
          last += 1;
          await second.emit(last, last);
          return missingNumbers((await receiver.stats()).seen, 1, 50).length === 0;
        },
        { what: 'the 50 spans of the first process', timeoutMillis: 60_000, intervalMillis: 500 },
      ).catch(async (error: Error) => {
        throw new Error(`${error.message}; ${JSON.stringify(await second.look())}`);
      });
      return `50 of 50 spans, ${((performance.now() - began) / 1_000).toFixed(0)} s after the second one's start`;
    }),

    cell('an event loop that runs dry', async () => {
      const cwd = await npmApp('auto-2');
      await using receiver = await startReceiver({ protocol: 'http' });
      const env = {
        ...cleanEnv(),
        ...QUIET,
        OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
        OTEL_NODE_RESOURCE_DETECTORS: 'none',
        OTEL_BSP_SCHEDULE_DELAY: '300',
        OTEL_METRICS_EXPORTER: 'none',
        OTEL_LOGS_EXPORTER: 'none',
      };
      const args = ['--require', OBSERVER, '--require', REGISTER, '--require', ATTACH, 'app.cjs'];
      await using app = await startApp({ node: NODE, args, cwd, env });
      await app.until('the exporter', ({ exporters }) => exporters.length === 1);
      // The first success of a process can be slow; then the exporter is patient for longer.
      for (let n = 1; n <= 10; n++) {
        await app.emit(n, n);
        await waitFor(async () => (await receiver.stats()).distinct === n, { what: `span ${n}` });
      }
      await receiver.kill();
      await app.emit(11, 20);
      await app.until(
        'a batch to be in flight',
        ({ exporters }) => (exporters[0]?.delivery.inFlight.items ?? 0) > 0,
      );
      const { shutdownMillis = Number.POSITIVE_INFINITY, exitMillis } = await app.terminate();
      ok(shutdownMillis <= 1_500, `shutdown() took ${shutdownMillis} ms`);
      ok(exitMillis <= 12_000, `the process took ${exitMillis} ms`);
      return `shutdown() ${(shutdownMillis / 1_000).toFixed(1)} s; the exporter's own retries hold the process for ${(exitMillis / 1_000).toFixed(1)} s`;
    }),
  ];
}
