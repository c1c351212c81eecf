import { createHash } from 'node:crypto';
import { copyFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { once } from './cell.ts';
import { must } from './command.ts';
import { cached } from './nodes.ts';
import { here } from './places.ts';

const manifest = join(here, 'apps', 'tools');

/** The `node_modules` of package managers and compilers, as `apps/tools` locks them. */
export const tools = once(async (): Promise<string> => {
  const lock = readFileSync(join(manifest, 'package-lock.json'));
  const hash = createHash('sha256').update(lock).digest('hex').slice(0, 12);
  const folder = await cached(`tools-${hash}`, async (where) => {
    for (const file of ['package.json', 'package-lock.json'])
      copyFileSync(join(manifest, file), join(where, file));
    // pnpm's script only swaps its launcher for a faster one.
    await must('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline'], {
      cwd: where,
    });
  });
  return join(folder, 'node_modules');
});
