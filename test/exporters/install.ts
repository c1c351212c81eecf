import { createHash } from 'node:crypto';
import { copyFileSync, cpSync, existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { onceForEach } from '../compat/cell.ts';
import { must } from '../compat/command.ts';
import { library } from '../compat/library.ts';
import { cached } from '../compat/nodes.ts';
import { newFolder } from '../compat/scratch.ts';

const IN_APP = join(import.meta.dirname, 'in-app');
/** Two distributions are there already. */
const PLACES = [join(import.meta.dirname, 'apps'), join(import.meta.dirname, '..', 'attach', 'apps')];

/** The `node_modules` of an application as its lock file says, in the cache. */
const dependencies = onceForEach(async (app: string): Promise<string> => {
  const manifest = PLACES.map((place) => join(place, app)).find(existsSync);
  if (manifest === undefined) throw new Error(`no application ${app}`);
  const hash = createHash('sha256')
    .update(readFileSync(join(manifest, 'package-lock.json')))
    .digest('hex');
  const folder = await cached(`exporters-${app}-${hash.slice(0, 12)}`, async (where) => {
    for (const file of ['package.json', 'package-lock.json', '.npmrc'])
      copyFileSync(join(manifest, file), join(where, file));
    await must('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline'], {
      cwd: where,
      timeoutMillis: 400_000,
    });
  });
  return join(folder, 'node_modules');
});

/** A folder with the exporter's packages and, beside them, the library from the tarball. */
export const installed = onceForEach(async (app: string): Promise<string> => {
  const [modules, { folder: unpacked, manifest }] = await Promise.all([dependencies(app), library()]);
  const folder = newFolder(app);
  mkdirSync(join(folder, 'node_modules'));
  for (const entry of readdirSync(modules)) {
    if (!entry.startsWith('.')) symlinkSync(join(modules, entry), join(folder, 'node_modules', entry));
  }
  cpSync(unpacked, join(folder, 'node_modules', manifest.name), { recursive: true });
  cpSync(IN_APP, folder, { recursive: true });
  return folder;
});

/** The version of a package in an application. */
export async function versionOf(app: string, packageName: string): Promise<string> {
  const manifest = join(await dependencies(app), packageName, 'package.json');
  return JSON.parse(readFileSync(manifest, 'utf8')).version as string;
}
