import { describe, expect, it } from 'vitest';
import type { ChildExit } from '../support/child-process.ts';
import { startChild } from '../support/child-process.ts';
import { within } from '../support/wait-for.ts';

const LIBRARY = new URL('../../src/index.ts', import.meta.url).href;

/** Runs a program that has an exporter around a backend that hangs, and nothing else that keeps it alive. */
async function run(program: string): Promise<{ exit: ChildExit; lines: readonly string[]; millis: number }> {
  const startedAt = performance.now();
  await using child = await startChild(process.execPath, [
    '--input-type=module',
    '--eval',
    `import { CircuitBreakerExporter } from '${LIBRARY}';
    const hangs = () => new Promise(() => {});
    const backend = { export() {}, forceFlush: hangs, shutdown: hangs };
    const exporter = new CircuitBreakerExporter(backend, {
      retention: { idleMillis: 20 }, closedShutdownTimeoutMillis: 300, shutdownTimeoutMillis: 300, exportTimeoutMillis: 30_000,
    });
    ${program}`,
  ]);
  child.process.stdin?.end();
  const exit = await within(child.exited, { what: 'the program to end', timeoutMillis: 20_000 });
  expect(child.errorLines).toEqual([]);
  return { exit, lines: child.lines, millis: performance.now() - startedAt };
}

const OK: ChildExit = { code: 0, signal: null };

describe('a program whose last line awaits', { concurrent: true }, () => {
  // Node ends with code 13 where nothing is left to do and the await is not settled.
  it.for([
    ['shutdown() while CLOSED', `exporter.export([1], () => {}); await exporter.shutdown();`],
    [
      'shutdown() while OPEN',
      `exporter.breaker.forceOpen(); exporter.export([1], () => {}); await exporter.shutdown();`,
    ],
    ['forceFlush()', `exporter.export([1], () => {}); await exporter.forceFlush();`],
    [
      'redeliver()',
      `exporter.breaker.forceOpen(); exporter.export([1], () => {}); exporter.breaker.reset();
      backend.export = (_, callback) => setTimeout(callback, 300, { code: 0 }).unref();
      await exporter.redeliver();`,
    ],
  ] as const)('%s ends normally', async ([, program]) => {
    const { exit, lines } = await run(`${program} console.log('awaited');`);
    expect(exit).toEqual(OK);
    expect(lines).toEqual(['awaited']);
  });
});

describe('nothing of the exporter keeps a process alive', { concurrent: true }, () => {
  it.for([
    ['an export that hangs', `exporter.export([1], () => {});`],
    [
      'what is handed over',
      `for (let i = 0; i < 4; i++) exporter.export([i], () => {}); setTimeout(() => {}, 1_200);`,
    ],
    ['what is kept, and its ticks', `exporter.breaker.forceOpen(); exporter.export([1], () => {});`],
    ['what was given up at a shutdown', `exporter.export([1], () => {}); await exporter.shutdown();`],
  ] as const)('%s', async ([, program]) => {
    const { exit, millis } = await run(program);
    expect(exit).toEqual(OK);
    // Long before the time-out of the export.
    expect(millis).toBeLessThan(15_000);
  });
});
