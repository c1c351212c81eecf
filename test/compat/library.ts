import { cpSync, existsSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { once } from './cell.ts';
import { must } from './command.ts';
import { root } from './places.ts';
import { newFolder } from './scratch.ts';

/** The library as it would be published. */
export interface PackedLibrary {
  /** Where it was built, with the root's `node_modules` beside it. */
  readonly built: string;
  /** Path of the `.tgz`. */
  readonly tarball: string;
  /** Its content, unpacked. */
  readonly folder: string;
  readonly manifest: Manifest;
  /** The specifiers of its entries: `otel-circuit-breaker`, `otel-circuit-breaker/health`, … */
  readonly entries: readonly string[];
}

/** What of package.json is looked at. */
export interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly exports: Readonly<Record<string, unknown>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly dependencies?: Readonly<Record<string, string>>;
}

/** Where the library's sources are; another folder only to try out what the matrix notices. */
const source = process.env['COMPAT_SOURCE'] ?? root;
const INPUTS = [
  'src',
  'package.json',
  'tsup.config.ts',
  'tsconfig.json',
  'LICENSE',
  'README.md',
  'CHANGELOG.md',
];

/** Builds and packs a copy of the sources, so that nobody's `dist` is swept away under them. */
export const library = once(async (): Promise<PackedLibrary> => {
  const copy = newFolder('library');
  for (const name of INPUTS) {
    if (existsSync(join(source, name))) cpSync(join(source, name), join(copy, name), { recursive: true });
  }
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
  await must('npm', ['run', 'build'], { cwd: copy });
  const [{ filename }] = JSON.parse(await must('npm', ['pack', '--json', '--ignore-scripts'], { cwd: copy }));
  const unpacked = newFolder('unpacked');
  await must('tar', ['-xzf', join(copy, filename), '-C', unpacked], { cwd: unpacked });
  const folder = join(unpacked, 'package');
  const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest;
  const entries = Object.keys(manifest.exports)
    .filter((path) => path !== './package.json')
    .map((path) => manifest.name + path.slice(1));
  return { built: copy, tarball: join(copy, filename), folder, manifest, entries };
});
