import { fstatSync } from 'node:fs';

/**
 * Ends this process when the one that started it is gone, however that one died.
 *
 * Watches the IPC channel where there is one; else a stdin that is a pipe; and in any case whether the process was given
 * another parent. Keeps no process alive but by reading stdin.
 */
export function dieWithParent(): void {
  const leave = (): never => process.exit(0);
  if (process.connected) process.once('disconnect', leave);
  else if (stdinIsPipe()) process.stdin.once('end', leave).once('error', leave).resume();

  const parent = process.ppid;
  setInterval(() => {
    if (process.ppid !== parent) leave();
  }, 250).unref();
}

function stdinIsPipe(): boolean {
  try {
    const stat = fstatSync(0);
    return stat.isFIFO() || stat.isSocket();
  } catch {
    return false;
  }
}
