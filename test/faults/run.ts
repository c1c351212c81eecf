/**
 * The fault tests: real services, real receivers, real faults, every span counted.
 *
 *     node test/faults/run.ts [--ci] [--only <part of a fault's name>] [--at-once 10] [--library dist/index.js]
 *
 * Prints a table, what was wrong below it, and `N passed, N failed`; ends with 1 when anything failed.
 */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import type { Cell, CellSurroundings } from './cell.ts';
import { runCell } from './cell.ts';
import { check } from './checks.ts';
import { faults } from './faults.ts';
import { VARIANTS } from './protocol.ts';
import type { Row } from './table.ts';
import { renderTable } from './table.ts';
import { tallyOf } from './tally.ts';

const { values: options } = parseArgs({
  options: {
    ci: { type: 'boolean', default: false },
    only: { type: 'string', default: '' },
    'at-once': { type: 'string', default: '10' },
    library: {
      type: 'string',
      default: fileURLToPath(new URL('../../dist/index.js', import.meta.url)),
    },
  },
});
if (!existsSync(options.library))
  throw new Error(`${options.library} is not there: run "npm run build" first`);

const folder = mkdtempSync(join(tmpdir(), 'otel-circuit-breaker-faults-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
// Ending by `exit` also ends the children, see child-registry.ts.
for (const [signal, code] of [
  ['SIGINT', 130] as const,
  ['SIGTERM', 143] as const,
  ['SIGHUP', 129] as const,
]) {
  process.on(signal, () => process.exit(code));
}

const startedAt = performance.now();
const surroundings: CellSurroundings = { library: pathToFileURL(resolve(options.library)).href, folder };
const cells = faults
  .filter(({ name, inCi = false }) => (inCi || !options.ci) && name.includes(options.only))
  .flatMap((fault) => VARIANTS.map((variant): Cell => ({ fault, variant })));
const rows = new Map<Cell, Row>();
const queue = [...cells];
const workers = Array.from({ length: Number(options['at-once']) }, async () => {
  for (let cell = queue.shift(); cell !== undefined; cell = queue.shift()) rows.set(cell, await runRow(cell));
});
await Promise.all(workers);

const inOrder = cells.map((cell) => rows.get(cell) as Row);
const failed = inOrder.filter(({ problems }) => problems.length > 0);
console.log(`${renderTable(inOrder).join('\n')}\n`);
for (const { cell, problems } of failed)
  console.log(`${cell.fault.name}, ${cell.variant}:\n${problems.map((text) => `  - ${text}`).join('\n')}`);
console.log(`${((performance.now() - startedAt) / 1_000).toFixed(0)} s`);
console.log(`${inOrder.length - failed.length} passed, ${failed.length} failed`);
process.exit(failed.length === 0 ? 0 : 1);

async function runRow(cell: Cell): Promise<Row> {
  const begunAt = performance.now();
  const millis = (): number => performance.now() - begunAt;
  try {
    const outcome = await runCell(cell, surroundings);
    const tally = tallyOf(cell, outcome);
    const exit = cell.fault.sigterm === true ? { exitMillis: outcome.exitMillis } : {};
    return { cell, tally, ...exit, problems: check(cell, outcome, tally), millis: millis() };
  } catch (error) {
    return { cell, problems: [error instanceof Error ? error.message : String(error)], millis: millis() };
  }
}
