import { within } from '../support/wait-for.ts';
import type { Cell, CellResult } from './cell.ts';
import { CannotRun } from './cell.ts';

/** No cell may take longer. */
const CELL_TIMEOUT_MILLIS = 240_000;

/** Runs all cells, a few at a time, and never throws: what goes wrong is in the results. */
export async function runCells(
  cells: readonly Cell[],
  atATime: number,
  onResult: (result: CellResult) => void,
): Promise<CellResult[]> {
  const results: CellResult[] = [];
  const waiting = [...cells];
  const work = async (): Promise<void> => {
    for (let cell = waiting.shift(); cell !== undefined; cell = waiting.shift()) {
      const result = await runCell(cell);
      results.push(result);
      onResult(result);
    }
  };
  await Promise.all(Array.from({ length: atATime }, work));
  const order = cells.map(({ name }) => name);
  return results.sort((a, b) => order.indexOf(a.name) - order.indexOf(b.name));
}

async function runCell({ name, run }: Cell): Promise<CellResult> {
  const began = performance.now();
  const seconds = (): number => (performance.now() - began) / 1_000;
  try {
    const report = await within(run(), { what: `the cell ${name}`, timeoutMillis: CELL_TIMEOUT_MILLIS });
    return { name, outcome: 'passed', seconds: seconds(), report };
  } catch (error) {
    const skipped = error instanceof CannotRun && process.env['CI'] === undefined;
    const problem = error instanceof Error ? error.message : String(error);
    return { name, outcome: skipped ? 'skipped' : 'failed', seconds: seconds(), problem };
  }
}
