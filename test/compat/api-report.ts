/**
 * The public surface as text, one file an entry in `api/`, so that a change of it shows in review:
 *
 *     node test/compat/api-report.ts [--write]
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { IConfigFile } from '@microsoft/api-extractor';
import { CompilerState, Extractor, ExtractorConfig, ExtractorLogLevel } from '@microsoft/api-extractor';
import type { PackedLibrary } from './library.ts';
import { library } from './library.ts';
import { root } from './places.ts';
import { newFolder, scratchFolder } from './scratch.ts';

const committed = join(root, 'api');

if (import.meta.main) {
  const { values } = parseArgs({ options: { write: { type: 'boolean', default: false } } });
  scratchFolder();
  const packed = await library();
  if (values.write) writeApiReports(packed);
  else await checkApiReports(packed);
  console.log(`${packed.entries.length} API reports ${values.write ? 'written' : 'are as committed'}`);
}

/**
 * Compares the reports of what was packed with those committed.
 *
 * @returns how many there are
 * @throws Error that names the changed ones and the command that accepts the change
 */
export async function checkApiReports(packed: PackedLibrary): Promise<number> {
  const now = apiReports(packed);
  const before = existsSync(committed)
    ? readdirSync(committed).filter((name) => name.endsWith('.api.md'))
    : [];
  const names = [...new Set([...now.keys(), ...before])];
  const changes = names.map((name) => changesOf(name, now.get(name) ?? '')).filter((change) => change !== '');
  if (changes.length > 0) {
    throw new Error(
      `the public surface is not the one committed in api/; where that is meant: npm run check:api -- --write\n${changes.join('\n')}`,
    );
  }
  return now.size;
}

function writeApiReports(packed: PackedLibrary): void {
  rmSync(committed, { recursive: true, force: true });
  mkdirSync(committed);
  for (const [name, text] of apiReports(packed)) writeFileSync(join(committed, name), text);
}

/** The lines that are only on one side; good enough to see what is meant. */
function changesOf(name: string, now: string): string {
  const file = join(committed, name);
  const before = existsSync(file) ? readFileSync(file, 'utf8') : '';
  if (before === now) return '';
  const [old, young] = [before, now].map((text) => text.split('\n'));
  const gone = old?.filter((line) => !young?.includes(line)).map((line) => `- ${line}`) ?? [];
  const come = young?.filter((line) => !old?.includes(line)).map((line) => `+ ${line}`) ?? [];
  return [`api/${name}`, ...gone, ...come].join('\n');
}

/** File name to text. */
function apiReports({ built, entries }: PackedLibrary): Map<string, string> {
  const folder = newFolder('api');
  const names = entries.map((entry) => entry.split('/')[1] ?? 'index');
  const configs = names.map((name) => configure(built, name, folder));
  // One compilation for all.
  const compilerState = CompilerState.create(configs[0] as ExtractorConfig, {
    additionalEntryPoints: configs.map((config) => config.mainEntryPointFilePath),
  });
  for (const config of configs) {
    Extractor.invoke(config, {
      compilerState,
      localBuild: true,
      messageCallback: (message) => {
        message.handled = message.category === 'console';
      },
    });
  }
  return new Map(
    names.map((name) => [`${name}.api.md`, readFileSync(join(folder, `${name}.api.md`), 'utf8')] as const),
  );
}

function configure(built: string, name: string, reportFolder: string): ExtractorConfig {
  const configObject: IConfigFile = {
    projectFolder: built,
    mainEntryPointFilePath: join(built, 'dist', `${name}.d.ts`),
    compiler: {
      overrideTsconfig: {
        compilerOptions: { strict: true, module: 'nodenext', target: 'es2022', types: [] },
      },
    },
    apiReport: {
      enabled: true,
      reportFolder,
      reportTempFolder: join(reportFolder, 'temp'),
      reportFileName: `${name}.api.md`,
    },
    docModel: { enabled: false },
    dtsRollup: { enabled: false },
    tsdocMetadata: { enabled: false },
    newlineKind: 'lf',
    messages: {
      extractorMessageReporting: {
        default: { logLevel: ExtractorLogLevel.None },
        // A type that the surface speaks of, and that users cannot name.
        'ae-forgotten-export': { logLevel: ExtractorLogLevel.Warning, addToApiReportFile: true },
      },
    },
  };
  return ExtractorConfig.prepare({
    configObject,
    configObjectFullPath: undefined,
    packageJsonFullPath: join(built, 'package.json'),
  });
}
