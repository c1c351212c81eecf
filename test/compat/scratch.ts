import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';

const PREFIX = 'otel-circuit-breaker-compat-';

/** What outlives a run: Node versions and tools, each under a name that says its version. */
export const cacheFolder =
  process.env['COMPAT_CACHE'] ??
  join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'otel-circuit-breaker-compat');

let folder: string | undefined;

/** The folder of this run, outside the checkout; gone when this process ends, whichever way it does. */
export function scratchFolder(): string {
  if (folder === undefined) {
    removeOrphans();
    mkdirSync(cacheFolder, { recursive: true });
    folder = mkdtempSync(join(tmpdir(), `${PREFIX}${process.pid}-`));
    // Whatever makes temporary files of its own, makes them in here.
    process.env['TMPDIR'] = folder;
    process.once('exit', remove);
    for (const [signal, number] of [
      ['SIGINT', 2],
      ['SIGTERM', 15],
      ['SIGHUP', 1],
    ] as const) {
      // `once` would be gone already when the registry looks whether anybody else decides when to end.
      process.on(signal, () => {
        // The children are killed by the handlers of the registry, on this same signal; let that happen.
        setTimeout(() => process.exit(128 + number), 200);
      });
    }
  }
  return folder;
}

/** A new folder in the folder of this run. */
export function newFolder(name: string): string {
  return mkdtempSync(join(scratchFolder(), `${name}-`));
}

const doomed: string[] = [];

/** Also removes a folder that had to be made elsewhere. */
export function removeAtExit(path: string): void {
  scratchFolder();
  doomed.push(path);
}

function remove(): void {
  for (const path of [folder, ...doomed]) {
    if (path !== undefined) rmSync(path, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  }
}

/** A run that was SIGKILLed could not clean up after itself. */
function removeOrphans(): void {
  for (const name of readdirSync(tmpdir())) {
    const pid = Number(name.match(new RegExp(`^${PREFIX}(\\d+)-`))?.[1]);
    if (pid > 0 && !isAlive(pid)) rmSync(join(tmpdir(), name), { recursive: true, force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}
