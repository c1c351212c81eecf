/**
 * The compatibility matrix: what is published, installed and used the ways users do.
 *
 *     node test/compat/run.ts [--only <part of a cell's name>] [--at-a-time 2] [--write-docs]
 *
 * Ends with the matrix and a line `N passed, N failed`; fails when any cell is red or missing.
 */
import { parseArgs } from 'node:util';
import { staleInDocs, writeDocs } from './docs.ts';
import { plannedCells, requiredNames } from './plan.ts';
import { progressLine, table } from './report.ts';
import { runCells } from './run-cells.ts';
import { scratchFolder } from './scratch.ts';

const { values: options } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    'at-a-time': { type: 'string', default: '2' },
    'write-docs': { type: 'boolean', default: false },
  },
});

// First, so that its handlers outlive those of the children.
scratchFolder();
const began = performance.now();
const cells = plannedCells().filter(({ name }) => name.includes(options.only));
const results = await runCells(cells, Number(options['at-a-time']), (result) => {
  console.log(progressLine(result));
});
const ran = new Set(results.map(({ name }) => name));
const required = requiredNames().filter((name) => name.includes(options.only));
const missing = required.filter((name) => !ran.has(name));
const unknown = [...ran].filter((name) => !required.includes(name));

console.log(`\n${table(results)}\n`);
for (const name of missing) console.log(`MISSING  ${name} is in cells.txt, and did not run`);
for (const name of unknown) console.log(`UNKNOWN  ${name} ran, and is not in cells.txt`);
if (options.only !== '')
  console.log(`only cells with ${JSON.stringify(options.only)} in their names were run`);

const count = (outcome: string): number => results.filter((result) => result.outcome === outcome).length;
if (options['write-docs'] && options.only === '' && results.every(({ outcome }) => outcome === 'passed')) {
  writeDocs(results);
}
const stale = staleInDocs(required);
for (const what of stale)
  console.log(`STALE    docs/COMPATIBILITY.md lacks ${what}: npm run test:compat -- --write-docs`);

const failed = count('failed') + missing.length + unknown.length + stale.length;
const skipped = count('skipped') === 0 ? '' : `, ${count('skipped')} skipped`;
console.log(`${((performance.now() - began) / 1_000).toFixed(0)} s`);
console.log(`${count('passed')} passed, ${failed} failed${skipped}`);
process.exitCode = failed > 0 || results.length === 0 ? 1 : 0;
