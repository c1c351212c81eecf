import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Cell } from './cell.ts';
import { constantCells, moduleCells } from './module-cells.ts';
import { installerCells, scenarioCells } from './scenario-cells.ts';
import { here } from './tools.ts';

/** All cells, in the order in which they are begun. */
export function plannedCells(): Cell[] {
  return [...scenarioCells(), ...constantCells(), ...installerCells(), ...moduleCells()];
}

/** The committed list of the cells that have to run: none can get lost unnoticed. */
export function requiredNames(): string[] {
  return readFileSync(join(here, 'cells.txt'), 'utf8')
    .split('\n')
    .filter((line) => line !== '');
}
