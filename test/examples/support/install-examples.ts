import { cp, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { TestProject } from 'vitest/node';
import { runtimes } from '../../compat/tools.ts';
import { startChild } from '../../support/child-process.ts';
import { within } from '../../support/wait-for.ts';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const QUIET = ['--no-audit', '--no-fund', '--loglevel=error'];
const INSTALL_MILLIS = 180_000;

/** The examples that are packages, by the name of their folder. */
export const EXAMPLES = [
  'node-service',
  'fastify',
  'fetch',
  'prom-client',
  'telemetry',
  'disk',
  'attach',
  'nestjs',
  'hono-bun',
] as const;

/** Takes minutes, and has a run of its own: `npm run test:examples:nextjs`. */
export const NEXTJS = 'nextjs';

declare module 'vitest' {
  interface ProvidedContext {
    /** Where the installed copies of the examples are, each under its name. */
    examplesFolder: string;
    /** The program that runs `hono-bun`; empty where that is not installed. */
    bun: string;
  }
}

/** Packs the library as it is in the working tree, and installs it into a copy of each example. */
export default function installAll(project: TestProject): Promise<() => Promise<void>> {
  return installExamples(project, EXAMPLES);
}

/** The same, into copies of those alone. */
export async function installExamples(
  project: TestProject,
  names: readonly string[],
): Promise<() => Promise<void>> {
  const folder = await mkdtemp(join(tmpdir(), 'otel-circuit-breaker-examples-'));
  const remove = (): Promise<void> => rm(folder, { recursive: true, force: true, maxRetries: 3 });
  try {
    const [tarball] = await Promise.all([
      packLibrary(join(folder, 'package')),
      ...names.map((name) => installDependencies(name, join(folder, name))),
    ]);
    for (const name of names) {
      await npm(
        ['install', '--no-save', '--ignore-scripts', '--prefer-offline', tarball],
        join(folder, name),
      );
    }
    if (names.includes('nestjs')) await npm(['run', 'build'], join(folder, 'nestjs'));
    project.provide('bun', names.includes('hono-bun') ? join(await runtimes(), 'bun/bin/bun.exe') : '');
  } catch (error) {
    await remove();
    throw error;
  }
  project.provide('examplesFolder', folder);
  return remove;
}

/** Builds into a folder of its own: whoever builds `dist` at the same time does no harm. */
async function packLibrary(folder: string): Promise<string> {
  await mkdir(folder);
  for (const file of ['package.json', 'LICENSE']) await cp(join(ROOT, file), join(folder, file));
  await run('npx', ['tsup', '--silent', '--out-dir', join(folder, 'dist')], ROOT);
  const [packed] = JSON.parse((await npm(['pack', '--json', '--ignore-scripts'], folder)).join('\n')) as [
    { filename: string },
  ];
  return join(folder, packed.filename);
}

async function installDependencies(name: string, folder: string): Promise<void> {
  const source = join(ROOT, 'examples', name);
  await cp(source, folder, { recursive: true, filter: (path) => !/\/(?:node_modules|\.env)$/.test(path) });
  if (name === 'telemetry') await cp(join(ROOT, 'examples/telemetry.mjs'), join(folder, 'telemetry.mjs'));
  await npm(['ci', '--ignore-scripts', '--prefer-offline'], folder);
}

function npm(args: readonly string[], cwd: string): Promise<readonly string[]> {
  return run('npm', [...args, ...QUIET], cwd);
}

async function run(command: string, args: readonly string[], cwd: string): Promise<readonly string[]> {
  await using child = await startChild(command, args, { cwd, ownGroup: true });
  const what = `${command} ${args.join(' ')} in ${cwd}`;
  const { code } = await within(child.exited, { what, timeoutMillis: INSTALL_MILLIS });
  if (code !== 0)
    throw new Error(`${what} ended with ${code}:\n${[...child.lines, ...child.errorLines].join('\n')}`);
  return child.lines;
}
