/** Temporary folders that do not outlive this process, whatever way it ends. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { atExit } from './at-exit.ts';

/** The process id follows it in a folder's name: whose owner was killed is removed by the next who makes one. */
const FOLDER_PREFIX = 'otel-circuit-breaker-collector-';
/** A process that has just been killed may have made one more file. */
const STUBBORN = { recursive: true, force: true, maxRetries: 10, retryDelay: 50 } as const;

const folders = new Set<string>();

/** A folder under the system's temporary one, removed at exit at the latest. */
export function temporaryFolder(): string {
  if (folders.size === 0) removeOrphans();
  atExit('folders', () => {
    for (const folder of folders) fs.rmSync(folder, STUBBORN);
  });
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), `${FOLDER_PREFIX}${process.pid}-`));
  folders.add(folder);
  return folder;
}

/** Removes a folder of `temporaryFolder` before exit. */
export function removeFolder(folder: string): void {
  fs.rmSync(folder, STUBBORN);
  folders.delete(folder);
}

function removeOrphans(): void {
  for (const name of fs.readdirSync(os.tmpdir())) {
    const owner = name.startsWith(FOLDER_PREFIX)
      ? Number.parseInt(name.slice(FOLDER_PREFIX.length), 10)
      : Number.NaN;
    if (Number.isNaN(owner) || isAlive(owner)) continue;
    fs.rmSync(path.join(os.tmpdir(), name), { recursive: true, force: true });
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
