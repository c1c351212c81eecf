import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { browserCells } from './browser-cells.ts';
import type { Cell } from './cell.ts';
import { functionCells } from './function-cells.ts';
import { constantCells, moduleCells } from './module-cells.ts';
import { nativeCells } from './native-cells.ts';
import { packageCells } from './package-cells.ts';
import { peerCells } from './peer-cells.ts';
import { here } from './places.ts';
import { runtimeCells } from './runtime-cells.ts';
import { installerCells, scenarioCells } from './scenario-cells.ts';
import { typeCells } from './type-cells.ts';

/** All cells, in the order in which they are begun. */
export function plannedCells(): Cell[] {
  return [
    ...packageCells(),
    ...browserCells(),
    ...scenarioCells(),
    ...runtimeCells(),
    ...nativeCells(),
    ...functionCells(),
    ...constantCells(),
    ...installerCells(),
    ...moduleCells(),
    ...peerCells(),
    ...typeCells(),
  ];
}

/** The committed list of the cells that have to run: none can get lost unnoticed. */
export function requiredNames(): string[] {
  return readFileSync(join(here, 'cells.txt'), 'utf8')
    .split('\n')
    .filter((line) => line !== '');
}
