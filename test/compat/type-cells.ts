import { cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Cell } from './cell.ts';
import { onceForEach } from './cell.ts';
import type { CommandResult } from './command.ts';
import { run } from './command.ts';
import { installApp, installedVersions } from './install-app.ts';
import type { SdkLine } from './lines.ts';
import { lines, title } from './lines.ts';
import { here } from './places.ts';
import { expectVersion } from './scenario-cells.ts';
import { tools } from './tools.ts';

/** The oldest that compiles the library's declarations, and the newest of each later major version. */
const compilers = ['5.0', '6.0', '7.0'] as const;
type Compiler = (typeof compilers)[number];

/** The ways to find a module's types; `commonjs.cts` means something only to the first two. */
const resolutions = {
  nodenext: { module: 'nodenext', moduleResolution: 'nodenext' },
  node16: { module: 'node16', moduleResolution: 'node16' },
  bundler: { module: 'esnext', moduleResolution: 'bundler' },
} as const;

const STRICT = {
  strict: true,
  exactOptionalPropertyTypes: true,
  verbatimModuleSyntax: true,
  skipLibCheck: false,
  noEmit: true,
  target: 'es2022',
  lib: ['es2022'],
  types: ['node'],
};

/** The library's types with those of each line, by each compiler. */
export function typeCells(of: readonly SdkLine[] = lines): Cell[] {
  return of.flatMap((line) => compilers.map((compiler) => typeCell(line, compiler)));
}

function typeCell(line: SdkLine, compiler: Compiler): Cell {
  return {
    name: `types · ${title(line)} · TypeScript ${compiler} · npm`,
    async run() {
      const { folder, manager } = await appWithTypes(line);
      const compilerFolder = join(await tools(), `typescript-${compiler}`);
      const tsc = [join(compilerFolder, 'bin', 'tsc')];
      let known = 0;
      for (const [name, options] of Object.entries(resolutions)) {
        const files = sources(line).filter((file) => name !== 'bundler' || !file.endsWith('.cts'));
        const project = `tsconfig.${compiler}.${name}.json`;
        const config = { compilerOptions: { ...STRICT, ...options }, files };
        writeFileSync(join(folder, project), JSON.stringify(config));
        const args = [...tsc, '--project', project, '--pretty', 'false'];
        known += knownFaults(await run(process.execPath, args, { cwd: folder }));
      }
      const { version } = JSON.parse(readFileSync(join(compilerFolder, 'package.json'), 'utf8'));
      const versions = installedVersions(folder);
      expectVersion(versions, 'sdk', line.version);
      const foreign = known === 0 ? '' : `; ${known} known faults in declarations of others`;
      return {
        versions: { typescript: version, node: process.versions.node, ...versions, manager },
        detail: `${Object.keys(resolutions).join(', ')}${foreign}`,
      };
    },
  };
}

/**
 * Declarations that do not compile under these options, with or without this library: log records of 0.57 under
 * exactOptionalPropertyTypes; what grpc-js brings, with compilers before 5.5.
 */
const KNOWN_FAULTS = [
  /^node_modules\/@opentelemetry\/sdk-logs\/build\/src\/(LogRecord|export\/NoopLogRecordProcessor)\.d\.ts\(/,
  /^node_modules\/@js-sdsl\/ordered-map\/dist\/esm\/index\.d\.ts\(.*TS2748/,
  /^node_modules\/@grpc\/grpc-js\/build\/src\/generated\/.*TS2709: Cannot use namespace 'Long' as a type/,
];

/**
 * Counts the errors of a compiler that are known to be others' faults.
 *
 * @throws Error with all errors where one is not
 */
function knownFaults({ code, stdout, output }: CommandResult): number {
  const errors = stdout.split('\n').filter((line) => /: error TS\d+: |^error TS\d+: /.test(line));
  const ours = errors.filter((line) => !KNOWN_FAULTS.some((fault) => fault.test(line)));
  if (ours.length > 0 || (code !== 0 && errors.length === 0))
    throw new Error([...ours, '', output].join('\n'));
  return errors.length;
}

const appWithTypes = onceForEach(async (line: SdkLine) => {
  const app = await installApp(line, 'npm');
  for (const name of ['types', 'snippets']) {
    cpSync(join(here, name), join(app.folder, name), { recursive: true });
  }
  return app;
});

function sources(line: SdkLine): string[] {
  const snippets = readdirSync(join(here, 'snippets', line.name)).map(
    (name) => `snippets/${line.name}/${name}`,
  );
  return [`types/${line.name}.ts`, 'types/refused.ts', 'types/entries.ts', 'types/commonjs.cts', ...snippets];
}
