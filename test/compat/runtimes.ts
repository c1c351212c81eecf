import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import type { Child } from '../support/child-process.ts';
import { startChild } from '../support/child-process.ts';
import { cleanEnv } from './command.ts';
import type { InstalledApp } from './install-app.ts';
import { newFolder } from './scratch.ts';
import { runtimes } from './tools.ts';

/** A runtime that is not Node, and how the service of the matrix is started on it. */
export interface Runtime {
  /** Of its cell. */
  readonly name: string;
  /** What the versions of the cell call it. */
  readonly label: 'bun' | 'deno' | 'workerd';
  readonly usesSdk: boolean;
  /** Whether the service ends by itself: a worker is ended by its host. */
  readonly ends: boolean;
  readonly outages: readonly Outage[];
  start(app: InstalledApp, receiverUrl: string): Promise<Child>;
}

/** What a backend does, and what the exporter of this runtime makes of it. */
export type Outage = 'refused' | 'hang' | '503' | 'hang, and nobody waits';

const USUAL: readonly Outage[] = ['refused', 'hang', '503'];

export const otherRuntimes: readonly Runtime[] = [
  {
    name: 'Bun · otlp-http',
    label: 'bun',
    usesSdk: true,
    ends: true,
    outages: USUAL,
    start: ({ folder }, url) => startService(folder, 'bun/bin/bun.exe', ['service.mjs', 'otlp', url]),
  },
  {
    name: 'Deno · otlp-http',
    label: 'deno',
    usesSdk: true,
    ends: true,
    outages: USUAL,
    start: (app, url) => startDeno(app, ['--allow-env', '--allow-sys'], ['otlp', url]),
  },
  {
    name: 'Deno without --allow-env · exporter made with fetch',
    label: 'deno',
    usesSdk: false,
    ends: true,
    outages: USUAL,
    start: (app, url) => startDeno(app, [], ['fetch', url]),
  },
  {
    name: 'workerd · exporter made with fetch',
    label: 'workerd',
    usesSdk: true,
    ends: false,
    // A request that waits for nothing ends before its timers and its `fetch` do.
    outages: [...USUAL, 'hang, and nobody waits'],
    start: startWorker,
  },
];

function startDeno({ folder }: InstalledApp, permissions: readonly string[], args: string[]): Promise<Child> {
  const flags = [
    '--no-prompt',
    '--no-remote',
    '--no-lock',
    '--allow-net=127.0.0.1',
    `--allow-read=${folder}`,
  ];
  return startService(folder, 'deno/deno', ['run', ...flags, ...permissions, 'service.mjs', ...args], {
    DENO_DIR: newFolder('deno'),
    DENO_NO_UPDATE_CHECK: '1',
  });
}

async function startService(
  cwd: string,
  program: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
): Promise<Child> {
  return startChild(join(await runtimes(), program), args, { cwd, env: { ...cleanEnv(), ...env } });
}

async function startWorker({ folder }: InstalledApp, url: string): Promise<Child> {
  const outfile = join(newFolder('worker'), 'worker.mjs');
  // Fails on whatever workerd does not have, such as a built-in of Node.
  await build({
    absWorkingDir: folder,
    entryPoints: ['worker.mjs'],
    outfile,
    bundle: true,
    format: 'esm',
    platform: 'browser',
    conditions: ['workerd', 'worker', 'browser'],
    logLevel: 'silent',
  });
  const modules = await runtimes();
  const miniflare = pathToFileURL(join(modules, 'miniflare', 'dist', 'src', 'index.js')).href;
  const { version } = JSON.parse(readFileSync(join(modules, 'workerd', 'package.json'), 'utf8'));
  // workerd is a child of this child.
  return startChild(process.execPath, ['workerd.mjs', miniflare, outfile, url, version], {
    cwd: folder,
    env: cleanEnv(),
    ownGroup: true,
  });
}
