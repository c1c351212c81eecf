/**
 * The app folders that clients run in, one for each line of the SDK: the library as it is published (its package.json and
 * its `dist`), the client's program beside it, and the line's packages as `node_modules`.
 */
import fs from 'node:fs';
import path from 'node:path';
import { must } from '../compat/command.ts';
import { cached } from '../compat/nodes.ts';
import type { Sdk } from './client/messages.ts';
import { recipeHash } from './recipe-hash.ts';

const root = path.join(import.meta.dirname, '..', '..');
const LINE_3 = path.join(root, 'test', 'compat', 'apps', 'sdk-3.1');

export type Apps = Readonly<Record<Sdk, string>>;

/**
 * Makes them.
 *
 * @param folder - temporary: a build in the checkout while the clients run must not change what they run
 * @param log - hears that packages are installed (the first time only)
 */
export async function makeApps(folder: string, log: (line: string) => void): Promise<Apps> {
  if (!fs.existsSync(path.join(root, 'dist', 'index.js')))
    throw new Error('dist is not there: run "npm run build" first');
  return {
    '2.12': makeApp(folder, 'sdk-2.12', path.join(root, 'node_modules')),
    '3.1': makeApp(folder, 'sdk-3.1', await packagesOfLine3(log)),
  };
}

function makeApp(folder: string, name: string, packages: string): string {
  const app = path.join(folder, name);
  fs.mkdirSync(app);
  // The clients import the library by its name, through its `exports`.
  fs.copyFileSync(path.join(root, 'package.json'), path.join(app, 'package.json'));
  fs.cpSync(path.join(root, 'dist'), path.join(app, 'dist'), { recursive: true });
  fs.cpSync(path.join(import.meta.dirname, 'client'), app, { recursive: true });
  const example = path.join(root, 'test', 'support', 'file-span-exporter.ts');
  fs.copyFileSync(example, path.join(app, 'file-span-exporter.ts'));
  fs.symlinkSync(packages, path.join(app, 'node_modules'), 'dir');
  return app;
}

async function packagesOfLine3(log: (line: string) => void): Promise<string> {
  const lock = fs.readFileSync(path.join(LINE_3, 'package-lock.json'), 'utf8');
  const folder = await cached(`collector-sdk-3.1-${recipeHash(lock)}`, async (where) => {
    log('installing the packages of SDK 3.1 (the first time only)');
    for (const file of ['package.json', 'package-lock.json'])
      fs.copyFileSync(path.join(LINE_3, file), path.join(where, file));
    await must('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline'], {
      cwd: where,
      timeoutMillis: 300_000,
    });
  });
  return path.join(folder, 'node_modules');
}

/** The version of a package where an app would find it, or of the library itself. */
export function packageVersion(app: string, name?: string): string {
  const folder = name === undefined ? app : path.join(app, 'node_modules', name);
  const manifest = fs.readFileSync(path.join(folder, 'package.json'), 'utf8');
  return (JSON.parse(manifest) as { version: string }).version;
}
