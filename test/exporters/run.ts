/**
 * What exporters say of an outage, and what the breaker makes of it: each real exporter, from its package, against a
 * receiver of our own.
 *
 *     node test/exporters/run.ts [--only <part of a cell's name>] [--ci] [--at-a-time 6] [--write-docs]
 *
 * Ends with a table and a line `N passed, N failed`.
 */
import { parseArgs } from 'node:util';
import { progressLine, table } from '../compat/report.ts';
import { runCells } from '../compat/run-cells.ts';
import { scratchFolder } from '../compat/scratch.ts';
import { exporterCells } from './cells.ts';
import { staleInDocs, writeDocs } from './document.ts';
import { exporters } from './exporters.ts';
import type { Limits } from './measure.ts';
import type { Row } from './outcome.ts';
import type { Mode } from './receiver.ts';
import { remedyCells } from './remedy-cells.ts';

const { values: options } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    ci: { type: 'boolean', default: false },
    'at-a-time': { type: 'string', default: '6' },
    'write-docs': { type: 'boolean', default: false },
  },
});

/** Those that CI tries, quickly. */
const CI_TITLES = [
  'Zipkin',
  'Azure Monitor, traces',
  'Google Cloud Trace',
  'Vercel `OTLPHttpJsonTraceExporter`',
];

// First, so that its handlers outlive those of the children.
scratchFolder();
const began = performance.now();
const rows: Row[] = [];
const chosen = options.ci ? exporters.filter(({ title }) => CI_TITLES.includes(title)) : exporters;
const limits = (situation: Mode): Limits => ({
  exportTimeoutMillis: options.ci && situation === 'hang' ? 2_000 : 15_000,
  patienceMillis: options.ci ? 6_500 : 12_000,
});
const planned = [...exporterCells(chosen, limits, rows), ...remedyCells(options.ci)];
const cells = planned.filter(({ name }) => name.includes(options.only));
const results = await runCells(cells, Number(options['at-a-time']), (result) =>
  console.log(progressLine(result)),
);

console.log(`\n${table(results)}\n`);
const failed = results.filter(({ outcome }) => outcome === 'failed').length;
const whole = !options.ci && options.only === '' && failed === 0;
if (options['write-docs'] && whole) writeDocs(rows, results);
const stale = staleInDocs(exporters);
for (const title of stale)
  console.log(`STALE    docs/guide/exporters.md lacks ${title}: npm run test:exporters -- --write-docs`);

console.log(`${((performance.now() - began) / 1_000).toFixed(0)} s`);
console.log(`${results.length - failed} passed, ${failed + stale.length} failed`);
process.exitCode = failed + stale.length > 0 || results.length === 0 ? 1 : 0;
