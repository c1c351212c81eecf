import { createHash } from 'node:crypto';
import { copyFileSync, cpSync, existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { once, onceForEach } from '../compat/cell.ts';
import { must } from '../compat/command.ts';
import { library } from '../compat/library.ts';
import { cached } from '../compat/nodes.ts';
import { newFolder } from '../compat/scratch.ts';
import { tools } from '../compat/tools.ts';

/** Everything that runs in the applications. */
export const IN_APP = join(import.meta.dirname, 'in-app');
/** Preloaded into each of them. */
export const OBSERVER = join(IN_APP, 'observer.cjs');

const APPS = join(import.meta.dirname, 'apps');
const SDK_APPS = join(import.meta.dirname, '..', 'compat', 'apps');
const QUIET = ['--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline'];

/** What is committed of an application: a manifest and lock files. */
function manifestFolder(app: string): string {
  return [join(APPS, app), join(SDK_APPS, app)].find(existsSync) ?? join(APPS, app);
}

/** The `node_modules` of an application as its lock file says, in the cache. */
const dependencies = onceForEach(async (app: string): Promise<string> => {
  const manifest = manifestFolder(app);
  const hash = createHash('sha256')
    .update(readFileSync(join(manifest, 'package-lock.json')))
    .digest('hex');
  const folder = await cached(`attach-${app}-${hash.slice(0, 12)}`, async (where) => {
    for (const file of ['package.json', 'package-lock.json', '.npmrc'])
      copyFileSync(join(manifest, file), join(where, file));
    await must('npm', ['ci', ...QUIET], { cwd: where });
  });
  return join(folder, 'node_modules');
});

/** A folder with an application's packages and, beside them, the library from the tarball. */
export const npmApp = onceForEach(async (app: string): Promise<string> => {
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

/** The same, installed by pnpm, each package in a place of its own. */
export const pnpmApp = onceForEach(async (app: string): Promise<string> => {
  const folder = newFolder(`${app}-pnpm`);
  const manifest = manifestFolder(app);
  for (const file of ['package.json', 'pnpm-lock.yaml', 'pnpm-workspace.yaml'])
    copyFileSync(join(manifest, file), join(folder, file));
  const pnpm = join(await tools(), 'pnpm', 'bin', 'pnpm.mjs');
  const { tarball } = await library();
  await must(process.execPath, [pnpm, 'install', '--frozen-lockfile', '--prefer-offline'], { cwd: folder });
  await must(process.execPath, [pnpm, 'add', tarball, '--prefer-offline'], { cwd: folder });
  cpSync(IN_APP, folder, { recursive: true });
  return folder;
});

/** The library alone, as an operator installs it into a volume: npm adds the newest API as its peer. */
export const volume = once(async (): Promise<string> => {
  const folder = newFolder('volume');
  const { tarball } = await library();
  await must('npm', ['install', tarball, ...QUIET], { cwd: folder });
  return folder;
});

/** A service whose SDK and application are one file. */
export const bundledApp = onceForEach(async (app: string): Promise<string> => {
  const from = await npmApp(app);
  const folder = newFolder(`${app}-bundle`);
  await build({
    entryPoints: [join(from, 'node-sdk.cjs')],
    outfile: join(folder, 'bundle.cjs'),
    bundle: true,
    platform: 'node',
    minify: true,
    logLevel: 'error',
  });
  return folder;
});

/** A folder with nothing but a service in it. */
export const emptyApp = once(async (): Promise<string> => {
  const folder = newFolder('app');
  for (const file of ['app.cjs', 'app.mjs']) copyFileSync(join(IN_APP, file), join(folder, file));
  return folder;
});

/** Versions of packages in an application, as its cache has them. */
export async function versionsOf(
  app: string,
  names: Readonly<Record<string, string>>,
): Promise<Record<string, string>> {
  const modules = await dependencies(app);
  return Object.fromEntries(
    Object.entries(names).map(([label, name]) => [
      label,
      JSON.parse(readFileSync(join(modules, name, 'package.json'), 'utf8')).version as string,
    ]),
  );
}
