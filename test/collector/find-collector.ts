/**
 * Where the tests get their OpenTelemetry Collector from: `OTELCOL`, `otelcol` on PATH, or a build of our own from
 * `manifest.yaml`, kept in a cache folder outside the checkout so that only the first run pays for it.
 *
 * As a program (`node test/collector/find-collector.ts`) it prints the path, and builds where that is needed.
 */
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const MANIFEST = path.join(import.meta.dirname, 'manifest.yaml');

/** What the scenarios use. A Collector without one of these is of no use to them. */
const NEEDED_COMPONENTS: readonly string[] = [
  'otlp',
  'memory_limiter',
  'batch',
  'debug',
  'file',
  'bearertokenauth',
  'health_check',
];

const LOCK_POLL_MILLIS = 500;
/** Many times what a cold build takes (three minutes on two cores): its owner's process id was given to another process. */
const LOCK_STALE_MILLIS = 30 * 60_000;

type CollectorSource = 'OTELCOL' | 'PATH' | 'cache' | 'built';

export type CollectorSearch =
  | {
      readonly path: string;
      readonly source: CollectorSource;
      readonly version: string;
      readonly buildMillis?: number;
    }
  | { readonly path: undefined; readonly reason: string };

/**
 * Finds a Collector, building one where none is there and Go is.
 *
 * @param log - hears, in a line, that a build begins (it takes minutes the first time).
 * @returns where it is, or `path: undefined` and a reason of one line: no Collector and no Go.
 * @throws Error when `OTELCOL` names something unfit, or the build fails: that is a failure, not a reason to skip.
 */
export async function findCollector(log: (line: string) => void = () => {}): Promise<CollectorSearch> {
  const named = process.env['OTELCOL'];
  if (named !== undefined && named !== '') {
    const unfit = whyUnfit(named);
    if (unfit !== undefined) throw new Error(`OTELCOL=${named}: ${unfit}`);
    return { path: path.resolve(named), source: 'OTELCOL', version: versionOf(named) };
  }
  const installed = onPath('otelcol');
  if (installed !== undefined) {
    const unfit = whyUnfit(installed);
    if (unfit === undefined) return { path: installed, source: 'PATH', version: versionOf(installed) };
    log(`${installed} passed over: ${unfit}`);
  }
  const cached = cachedPath();
  if (fs.existsSync(cached)) return { path: cached, source: 'cache', version: versionOf(cached) };
  const go = onPath('go');
  if (go === undefined)
    return {
      path: undefined,
      reason: 'no OpenTelemetry Collector (OTELCOL, otelcol on PATH, cache) and no Go to build one',
    };
  return await buildOnce(go, cached, log);
}

/** The cached binary's place. Its name holds what the build depends on; comments in the manifest are not part of that. */
function cachedPath(): string {
  const cacheHome = process.env['XDG_CACHE_HOME'] || path.join(os.homedir(), '.cache');
  const recipe = `${manifestLines().join('\n')}\n${process.platform} ${process.arch}`;
  const hash = createHash('sha256').update(recipe).digest('hex').slice(0, 12);
  const suffix = process.platform === 'win32' ? '.exe' : '';
  return path.join(cacheHome, 'otel-circuit-breaker', `otelcol-${hash}${suffix}`);
}

function manifestLines(): string[] {
  const lines = fs.readFileSync(MANIFEST, 'utf8').split('\n');
  return lines.map((line) => line.replace(/(^|\s+)#.*$/, '').trimEnd()).filter((line) => line !== '');
}

function onPath(program: string): string | undefined {
  const name = process.platform === 'win32' ? `${program}.exe` : program;
  for (const folder of (process.env['PATH'] ?? '').split(path.delimiter)) {
    if (folder === '') continue;
    const candidate = path.join(folder, name);
    try {
      fs.accessSync(candidate, fs.constants.X_OK);
      if (fs.statSync(candidate).isFile()) return candidate;
    } catch {
      // Not here, or not ours to run: the next folder.
    }
  }
  return undefined;
}

function whyUnfit(binary: string): string | undefined {
  const asked = spawnSync(binary, ['components'], { encoding: 'utf8', timeout: 20_000 });
  if (asked.error !== undefined) return `does not run (${asked.error.message})`;
  if (asked.status !== 0) return `'components' ended with ${asked.status ?? asked.signal}`;
  const present = new Set([...asked.stdout.matchAll(/name: (\S+)/g)].map((match) => match[1]));
  const missing = NEEDED_COMPONENTS.filter((component) => !present.has(component));
  return missing.length === 0 ? undefined : `lacks ${missing.join(', ')}`;
}

function versionOf(binary: string): string {
  const asked = spawnSync(binary, ['--version'], { encoding: 'utf8', timeout: 20_000 });
  return /version (\S+)/.exec(asked.stdout ?? '')?.[1] ?? 'unknown';
}

/**
 * The lock saves work, it does not guard correctness: each build has a folder of its own and the binary comes into
 * place by a rename, so two builds that slip through end in one whole file all the same.
 */
async function buildOnce(go: string, target: string, log: (line: string) => void): Promise<CollectorSearch> {
  const cache = path.dirname(target);
  fs.mkdirSync(cache, { recursive: true });
  const unlock = await lock(path.join(cache, 'build.lock'), () => fs.existsSync(target));
  if (unlock === undefined) return { path: target, source: 'cache', version: versionOf(target) };
  const began = Date.now();
  try {
    removeLeftovers(cache);
    log(`building an OpenTelemetry Collector into ${target} (minutes the first time)`);
    await build(go, target);
  } finally {
    unlock();
  }
  return { path: target, source: 'built', version: versionOf(target), buildMillis: Date.now() - began };
}

/** @returns the unlocking, or undefined when what the lock is for was done by another meanwhile. */
async function lock(file: string, done: () => boolean): Promise<(() => void) | undefined> {
  // A link of a file that already holds our process id: a lock is never seen without its owner.
  const own = `${file}.${process.pid}`;
  fs.writeFileSync(own, String(process.pid));
  try {
    for (;;) {
      if (done()) return undefined;
      try {
        fs.linkSync(own, file);
        break;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      }
      if (isStale(file)) fs.rmSync(file, { force: true });
      else await sleep(LOCK_POLL_MILLIS);
    }
  } finally {
    fs.rmSync(own, { force: true });
  }
  const unlock = (): void => {
    process.removeListener('exit', unlock);
    fs.rmSync(file, { force: true });
  };
  process.on('exit', unlock);
  if (!done()) return unlock;
  unlock();
  return undefined;
}

function isStale(file: string): boolean {
  try {
    if (Date.now() - fs.statSync(file).mtimeMs > LOCK_STALE_MILLIS) return true;
    process.kill(Number(fs.readFileSync(file, 'utf8')), 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}

/** Build folders of builds that were killed. We hold the lock: none of them is in use. */
function removeLeftovers(cache: string): void {
  for (const name of fs.readdirSync(cache)) {
    if (name.startsWith('build-')) fs.rmSync(path.join(cache, name), { recursive: true, force: true });
  }
}

async function build(go: string, target: string): Promise<void> {
  // In the cache folder, so that the rename stays within one file system.
  const folder = fs.mkdtempSync(path.join(path.dirname(target), 'build-'));
  const remove = (): void => fs.rmSync(folder, { recursive: true, force: true });
  process.on('exit', remove);
  try {
    const sources = path.join(folder, 'sources');
    const lines = manifestLines();
    const version = /^ {2}version: (\S+)$/m.exec(lines.join('\n'))?.[1];
    if (version === undefined) throw new Error('manifest.yaml: dist.version is missing');
    const config = path.join(folder, 'manifest.yaml');
    fs.writeFileSync(
      config,
      lines.join('\n').replace(/^dist:$/m, `dist:\n  output_path: ${JSON.stringify(sources)}`),
    );
    // Generate only. The builder's own `go mod tidy` also wants what the components' *tests* import: of fileexporter
    // that is otlpencodingextension, which the module proxy refuses. A build wants only what is linked.
    const builder = `go.opentelemetry.io/collector/cmd/builder@v${version}`;
    await run(
      go,
      ['run', builder, '--config', config, '--skip-get-modules', '--skip-compilation'],
      folder,
      folder,
    );
    fs.writeFileSync(path.join(sources, 'go.mod'), goMod(lines, version));
    const binary = path.join(folder, 'otelcol');
    await run(go, ['build', '-mod=mod', '-ldflags', '-s -w', '-o', binary, '.'], sources, folder);
    const unfit = whyUnfit(binary);
    if (unfit !== undefined) throw new Error(`the Collector just built ${unfit}`);
    fs.renameSync(binary, target);
  } finally {
    process.removeListener('exit', remove);
    remove();
  }
}

function goMod(lines: readonly string[], version: string): string {
  const modules = lines
    .map((line) => /^\s*- gomod: (\S+) (v\S+)$/.exec(line))
    .filter((match) => match !== null);
  const required = modules.map((match) => `\t${match[1]} ${match[2]}`);
  // What the generated main.go imports beside the components.
  for (const own of ['otelcol', 'service'])
    required.push(`\tgo.opentelemetry.io/collector/${own} v${version}`);
  return `module otelcol\n\ngo 1.25\n\nrequire (\n${required.join('\n')}\n)\n`;
}

/**
 * Runs Go in its own process group with low priority (others work on this machine too), and ends it if we end. The
 * builder leaves an empty folder in the temporary one at each run, and Go its work when killed: `tmp` goes with ours.
 */
async function run(go: string, args: readonly string[], cwd: string, tmp: string): Promise<void> {
  const nice = process.platform === 'win32' ? undefined : onPath('nice');
  const [program, all] = nice === undefined ? [go, args] : [nice, ['-n', '10', go, ...args]];
  const env = {
    ...process.env,
    GOFLAGS: '-trimpath -buildvcs=false',
    GOWORK: 'off',
    CGO_ENABLED: '0',
    TMPDIR: tmp,
  };
  const child = spawn(program, all, {
    cwd,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: process.platform !== 'win32',
  });
  const end = (): void => {
    try {
      if (child.pid !== undefined)
        process.kill(process.platform === 'win32' ? child.pid : -child.pid, 'SIGKILL');
    } catch {
      // It has ended by itself.
    }
  };
  // Detached, it does not hear the terminal's Ctrl-C: turn a signal into an exit, and an exit into its end.
  const onSignal = (signal: NodeJS.Signals): void => process.exit(128 + os.constants.signals[signal]);
  process.on('exit', end);
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  let output = '';
  const keep = (chunk: Buffer): void => {
    output = (output + chunk.toString()).slice(-8_000);
  };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  try {
    const code = await new Promise<number | string>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (status, signal) => resolve(status ?? signal ?? 'unknown'));
    });
    if (code !== 0)
      throw new Error(`go ${args.slice(0, 2).join(' ')} ended with ${code}:\n${output.trimEnd()}`);
  } finally {
    process.removeListener('exit', end);
    process.removeListener('SIGINT', onSignal);
    process.removeListener('SIGTERM', onSignal);
  }
}

if (import.meta.main) {
  const found = await findCollector((line) => console.error(line));
  if (found.path === undefined) {
    console.error(found.reason);
    process.exitCode = 1;
  } else {
    if (found.buildMillis !== undefined) console.error(`built in ${(found.buildMillis / 1000).toFixed(0)} s`);
    console.log(found.path);
  }
}
