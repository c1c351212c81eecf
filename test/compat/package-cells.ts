import { deepStrictEqual } from 'node:assert';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { checkApiReports } from './api-report.ts';
import type { Cell, CellReport } from './cell.ts';
import { must } from './command.ts';
import type { PackedLibrary } from './library.ts';
import { library } from './library.ts';
import { here, root } from './places.ts';

/** What can be said of the tarball without installing it. */
export function packageCells(): Cell[] {
  return [
    packageCell('publint', async ({ tarball }) => {
      await must(bin('publint'), ['--strict', tarball], { cwd: root });
      return { versions: { publint: versionOf('publint') } };
    }),
    packageCell('are the types wrong', async ({ tarball }) => {
      await must(bin('attw'), [tarball], { cwd: root });
      return { versions: { attw: versionOf('@arethetypeswrong/cli') } };
    }),
    packageCell('content', async (packed) => checkContent(packed)),
    packageCell('exports', async (packed) => checkExports(packed)),
    packageCell('imports and peers', async (packed) => checkImports(packed)),
    packageCell('API report', async (packed) => {
      const reports = await checkApiReports(packed);
      return {
        versions: { 'api-extractor': versionOf('@microsoft/api-extractor') },
        detail: `${reports} reports are as committed in api/`,
      };
    }),
  ];
}

function packageCell(name: string, check: (packed: PackedLibrary) => Promise<CellReport>): Cell {
  return {
    name: `package · ${name}`,
    async run() {
      const packed = await library();
      const { versions, ...rest } = await check(packed);
      return { versions: { library: packed.manifest.version, ...versions }, ...rest };
    },
  };
}

/** The committed list, in which `[shared]` stands for what entries have in common, under a name with a hash. */
function checkContent({ folder }: PackedLibrary): CellReport {
  const files = filesOf(folder).map((file) =>
    file.replace(/[^/]+-[\w-]{8}(?=\.(js|cjs|d\.ts|d\.cts)$)/, '[shared]'),
  );
  const expected = readFileSync(join(here, 'package-content.txt'), 'utf8').trim().split('\n');
  deepStrictEqual([...new Set(files)].sort(), expected, 'the tarball holds what package-content.txt lists');
  return { versions: {}, detail: `${files.length} files` };
}

/** Both conditions of every entry, each with its types first, and all files there. */
function checkExports({ folder, manifest }: PackedLibrary): CellReport {
  for (const [path, conditions] of Object.entries(manifest.exports)) {
    if (path === './package.json') continue;
    const name = path === '.' ? 'index' : path.slice(2);
    const expected = {
      import: { types: `./dist/${name}.d.ts`, default: `./dist/${name}.js` },
      require: { types: `./dist/${name}.d.cts`, default: `./dist/${name}.cjs` },
    };
    // As text, since the order of conditions counts.
    deepStrictEqual(JSON.stringify(conditions), JSON.stringify(expected), `the conditions of ${path}`);
    for (const file of Object.values(expected).flatMap((files) => Object.values(files))) {
      if (!existsSync(join(folder, file)))
        throw new Error(`${path} leads to ${file}, which is not in the tarball`);
    }
  }
  return { versions: {}, detail: `${Object.keys(manifest.exports).length} entries` };
}

/** All that code and declarations may import: no SDK package. Built-ins of Node are for the entries that need Node. */
const ALLOWED_IMPORTS = ['@opentelemetry/api'];
const NODE_ENTRIES = /^dist\/(attach|disk|otel-circuit-breaker-spool)\./;
const SHARED = /-[\w-]{8}\.(js|cjs|d\.ts|d\.cts)$/;
const SPECIFIER = /(?:\bfrom\s*|\bimport\s*\(?\s*|\brequire\s*\(\s*)(["'])([^"'\n]+)\1/g;

function checkImports({ folder, manifest }: PackedLibrary): CellReport {
  deepStrictEqual(manifest.dependencies ?? {}, {}, 'there are no dependencies');
  deepStrictEqual(manifest.peerDependencies, { '@opentelemetry/api': '^1.3.0' }, 'the API is the only peer');
  const code = filesOf(folder).filter((file) => /\.(js|cjs|ts|cts)$/.test(file));
  const importsOf = (file: string): string[] => {
    const text = withoutComments(readFileSync(join(folder, file), 'utf8'));
    return [...text.matchAll(SPECIFIER)].map(([, , specifier = '']) => specifier);
  };
  for (const file of code) {
    for (const specifier of importsOf(file)) {
      if (/^(\.\/|node:)/.test(specifier) || ALLOWED_IMPORTS.includes(specifier)) continue;
      throw new Error(`${file} imports ${specifier}`);
    }
  }
  const anywhere = new Set(
    code.filter((file) => !/\.d\.c?ts$/.test(file) && !NODE_ENTRIES.test(file) && !SHARED.test(file)),
  );
  for (const file of anywhere) {
    for (const specifier of importsOf(file)) {
      if (specifier.startsWith('node:')) throw new Error(`${file} imports ${specifier}`);
      const target = join('dist', specifier);
      if (specifier.startsWith('./') && code.includes(target)) anywhere.add(target);
    }
  }
  return { versions: {}, detail: `${code.length} files import ${ALLOWED_IMPORTS.join(', ')} alone` };
}

/** Examples in doc comments import what they like. */
function withoutComments(text: string): string {
  return text.replaceAll(/\/\*[\s\S]*?\*\//g, '').replaceAll(/^\s*\/\/.*$/gm, '');
}

function filesOf(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .sort();
}

function bin(name: string): string {
  return join(root, 'node_modules', '.bin', name);
}

function versionOf(name: string): string {
  return JSON.parse(readFileSync(join(root, 'node_modules', name, 'package.json'), 'utf8')).version;
}
