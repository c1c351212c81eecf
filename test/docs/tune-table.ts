/** Writes the tables of `npm run tune` into docs/TELEMETRY.md: `node test/docs/tune-table.ts --write`. */
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { installLibrary } from './library.ts';
import { ROOT, withBetween } from './markdown.ts';

export const GUIDE = 'docs/TELEMETRY.md';

/** What bench/tune.ts prints of the library as it is in src. */
export async function printedByTune(): Promise<string> {
  const { folder, remove } = await installLibrary();
  try {
    const { status, stdout, stderr } = spawnSync(process.execPath, ['bench/tune.ts'], {
      cwd: folder,
      encoding: 'utf8',
    });
    if (status !== 0) throw new Error(stderr);
    return stdout;
  } finally {
    remove();
  }
}

/** How the guide shows it. */
export function asSection(printed: string): string {
  return printed.trim();
}

if (process.argv.includes('--write')) {
  const path = `${ROOT}/${GUIDE}`;
  const section = asSection(await printedByTune());
  writeFileSync(path, withBetween(readFileSync(path, 'utf8'), GUIDE, 'tune', section));
}
