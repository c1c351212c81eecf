import { test } from 'vitest';
import { numberIn, runBench } from './run-bench.ts';

test.concurrent('bench: calls, rendering, growth and memory have their numbers', async ({ expect }) => {
  const { document } = await runBench('overhead', [
    ...['--parts', 'calls,rendering,growth,memory', '--rounds', '1', '--millis', '5', '--exports', '10000'],
  ]);

  // No bounds: on a busy machine a round of 5 ms says nothing.
  for (const row of ['OPEN, to cockatiel', 'OPEN, to opossum', 'ours, CLOSED ', '`renderPrometheus`'])
    expect(numberIn(document, row), row).toBeGreaterThan(0);
  expect(numberIn(document, 'CLOSED, beyond two readings of the clock')).not.toBeNaN();
  expect(document).toContain('| 10,000 |');
  expect(numberIn(document, 'heap they cost')).toBeGreaterThan(5);
  expect(numberIn(document, 'heap they cost')).toBeLessThan(100);
  expect(document).toContain('`npm run bench -- --parts calls,rendering,growth,memory --rounds 1 ');
});

test.concurrent('bench: the reference service answers under load, and its spans arrive', async ({
  expect,
}) => {
  const { document, files } = await runBench('overhead', [
    ...['--parts', 'service', '--service-rounds', '1', '--seconds', '1'],
  ]);

  for (const exporter of ['the bare OTLP exporter', 'breaker switched off', 'through the breaker']) {
    const row = `\`GET /orders/1\`, traced, ${exporter}`;
    for (const column of [1, 5, 7]) expect(numberIn(document, row, column), row).toBeGreaterThan(0);
  }
  expect(files).toEqual(['BENCHMARKS.md']);
});

test.concurrent('bench:outage: each wrapping delivers all spans to a healthy receiver, each policy meets a 503', async ({
  expect,
}) => {
  const { document, files } = await runBench('outage', [
    ...['--seconds', '2', '--rate', '1000', '--only', 'healthy,503', '--ages', '0.5', '--lengths', '1'],
  ]);

  for (const row of ['the OTLP exporter alone', 'opossum', 'ours, defaults', '`retention: {}`']) {
    expect(numberIn(document, row, 2), row).toBeGreaterThan(500);
    expect(numberIn(document, row, 3), row).toBe(0);
  }
  const under503 = document.split('\n').find((line) => line.startsWith('- requests under 503:'));
  for (const policy of ['everyNthAttempt(10)', 'afterCooldown(30_000)', 'exponentialBackoff()']) {
    expect(numberIn(document, `ours, ${policy}`, 6), policy).toBeGreaterThan(0);
    expect(under503).toContain(`ours, ${policy} `);
  }
  expect(numberIn(document, 'hang, `retention: {}`')).toBeGreaterThan(0);
  expect(files).toEqual(['BENCHMARKS.md', 'outage.csv']);
});

test.concurrent('bench:attach: attach wraps the exporter of each start', async ({ expect }) => {
  const { document } = await runBench('attach', ['--rounds', '1']);

  for (const flag of ['--require', '--import'])
    expect(numberIn(document, `Node ${process.versions.node}, \`${flag}\``)).toBeGreaterThan(0);
});

test.concurrent('bench:disk: batches are kept, found again and delivered', async ({ expect }) => {
  const { document, files } = await runBench('disk', [
    ...['--batches', '20', '--mebibytes', '1', '--seconds', '1', '--without-azure'],
  ]);

  for (const sync of ['none', 'batch']) {
    const row = `diskStore, \`sync: '${sync}'\``;
    expect(numberIn(document, row), row).toBeGreaterThan(0);
    expect(numberIn(document, row, 7), row).not.toBeNaN();
  }
  expect(document).toMatch(/Recovery of 1 MiB, \d+ batches/);
  expect(document).toMatch(/The disk store adds \*\*-?[\d.]+ ms\*\* to the 99th percentile/);
  expect(document).toContain('(40 batches) is delivered with `pace: 1` when 40 live');
  expect(files).toEqual(['BENCHMARKS.md']);
});

test.concurrent('simulate: a small fleet closes again, and its plots are written', async ({ expect }) => {
  const { document, files } = await runBench('simulate', [
    ...['--services', '40', '--outages', '10', '--slow-outages', '30', '--scales', '40', '--jobs', '2'],
    ...['--seeds', '1', '--constant', 'MOST_HANDED_OVER'],
  ]);

  expect(numberIn(document, 'default', 2)).toBeLessThan(4);
  expect(numberIn(document, 'default', 6)).toBeLessThan(60);
  // More of them in flight, if the constant of the library was replaced.
  const inFlight = [1, 10].map((value) => numberIn(document, `so many handed over: ${value} `, 13));
  expect(inFlight[1]).toBeGreaterThan(inFlight[0] ?? Number.NaN);
  expect(files).toEqual([
    'BENCHMARKS.md',
    'simulate-closed.svg',
    'simulate-load.svg',
    'simulate-peaks.svg',
    'simulate-retention.svg',
    'simulate.csv',
  ]);
});
