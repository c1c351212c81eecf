/**
 * Attach in the set-ups that services have: each from the packed library, against an OTLP receiver that dies and comes
 * back, and ended by SIGTERM in an outage.
 *
 *     node test/attach/run.ts [--only <part of a cell's name>] [--ci] [--at-a-time 2] [--write-docs]
 *
 * Ends with a table and a line `N passed, N failed`.
 */
import { parseArgs } from 'node:util';
import { progressLine, table } from '../compat/report.ts';
import { runCells } from '../compat/run-cells.ts';
import { scratchFolder } from '../compat/scratch.ts';
import { behaviourCells } from './behaviour-cells.ts';
import { staleInDocs, writeDocs } from './document.ts';
import { endingCells } from './ending-cells.ts';
import { fieldCells } from './field-cells.ts';
import { outageCells } from './outage-cells.ts';

const { values: options } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    ci: { type: 'boolean', default: false },
    'at-a-time': { type: 'string', default: '2' },
    'write-docs': { type: 'boolean', default: false },
  },
});

/** One cell of each kind: both lines of the agent, a hand-made SDK of each, a bundle, and what needs no outage. */
const CI_CELLS = [
  'auto-instrumentations-node 2.x · --require, attach last · CommonJS · Node 20',
  'auto-instrumentations-node 3.x · --import, attach last · ESM · Node 24',
  'NodeSDK 1.30 · CommonJS · Node 20',
  'NodeSDK 2.12 and application bundled by esbuild, minified · Node 24',
  'startNodeSDK 3.1, configuration file · ESM · Node 24',
  'attach · each worker thread has its own',
  'attach · without @opentelemetry/api beside it, the application runs',
];

// First, so that its handlers outlive those of the children.
scratchFolder();
const began = performance.now();
const planned = [...outageCells(), ...fieldCells(), ...behaviourCells(), ...endingCells()];
const cells = planned.filter(
  ({ name }) => name.includes(options.only) && (!options.ci || CI_CELLS.includes(name)),
);
if (options.ci && cells.length < CI_CELLS.length)
  throw new Error('CI_CELLS names a cell that does not exist');
const results = await runCells(cells, Number(options['at-a-time']), (result) =>
  console.log(progressLine(result)),
);

console.log(`\n${table(results)}\n`);
const failed = results.filter(({ outcome }) => outcome === 'failed').length;
const skipped = results.filter(({ outcome }) => outcome === 'skipped').length;
if (options['write-docs'] && cells.length === planned.length && failed + skipped === 0) writeDocs(results);
const stale = staleInDocs(cells.map(({ name }) => name));
for (const name of stale)
  console.log(`STALE    docs/COMPATIBILITY.md lacks ${name}: npm run test:attach -- --write-docs`);

console.log(`${((performance.now() - began) / 1_000).toFixed(0)} s`);
console.log(
  `${results.length - failed - skipped} passed, ${failed + stale.length} failed${skipped === 0 ? '' : `, ${skipped} skipped`}`,
);
process.exitCode = failed + stale.length > 0 || results.length === 0 ? 1 : 0;
