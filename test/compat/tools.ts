import { createHash } from 'node:crypto';
import { copyFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { once } from './cell.ts';
import { must } from './command.ts';
import { cached } from './nodes.ts';
import { here } from './places.ts';

/** The `node_modules` of package managers and compilers, as `apps/tools` locks them. */
// pnpm's script only swaps its launcher for a faster one.
export const tools = once(() => lockedModules('tools', ['--ignore-scripts']));

/** The `node_modules` of Bun, Deno and workerd, as `apps/runtimes` locks them. Their scripts choose the machine's program. */
export const runtimes = once(() => lockedModules('runtimes', []));

async function lockedModules(app: string, npmArgs: readonly string[]): Promise<string> {
  const manifest = join(here, 'apps', app);
  const lock = readFileSync(join(manifest, 'package-lock.json'));
  const hash = createHash('sha256').update(lock).digest('hex').slice(0, 12);
  const folder = await cached(`${app}-${hash}`, async (where) => {
    for (const file of ['package.json', 'package-lock.json', '.npmrc'])
      copyFileSync(join(manifest, file), join(where, file));
    await must('npm', ['ci', ...npmArgs, '--no-audit', '--no-fund', '--prefer-offline'], { cwd: where });
  });
  return join(folder, 'node_modules');
}
