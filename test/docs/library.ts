import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import tsupConfig from '../../tsup.config.ts';
import { ROOT } from './markdown.ts';

/** A folder in which `otel-circuit-breaker` is installed as it is in src, beside everything that the repository has. */
export interface Checkout {
  readonly folder: string;
  remove(): void;
}

/** Builds the library into a folder of its own: what is in dist is somebody else's, and may be old. */
export async function installLibrary(): Promise<Checkout> {
  const folder = mkdtempSync(join(tmpdir(), 'docs-'));
  const modules = join(folder, 'node_modules');
  const library = join(modules, 'otel-circuit-breaker');
  mkdirSync(library, { recursive: true });
  cpSync(`${ROOT}/package.json`, join(library, 'package.json'));
  const { entry } = tsupConfig as { readonly entry: Readonly<Record<string, string>> };
  const entryPoints = Object.fromEntries(
    Object.entries(entry).map(([name, source]) => [name, `${ROOT}/${source}`]),
  );
  await build({
    entryPoints,
    outdir: join(library, 'dist'),
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'neutral',
    external: ['@opentelemetry/api', 'node:*'],
    logLevel: 'error',
  });
  for (const name of ['@opentelemetry', 'cockatiel', 'fast-check', 'opossum', 'pure-rand']) {
    symlinkSync(`${ROOT}/node_modules/${name}`, join(modules, name));
  }
  for (const name of ['examples', 'bench'])
    cpSync(`${ROOT}/${name}`, join(folder, name), { recursive: true, filter });
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

function filter(source: string): boolean {
  return !source.includes('/node_modules');
}
