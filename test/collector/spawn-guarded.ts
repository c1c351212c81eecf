import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import { atExit } from './at-exit.ts';

const children = new Set<ChildProcess>();

/**
 * Starts a program that ends with this process: with `setpriv` (Debian's util-linux) even when this process is killed,
 * else at exit and on SIGINT, SIGTERM and SIGHUP.
 */
export function spawnGuarded(program: string, args: readonly string[], logFile: string): ChildProcess {
  atExit('processes', () => {
    // SIGKILL also ends a process that SIGSTOP holds.
    for (const child of children) child.kill('SIGKILL');
  });
  const output = fs.openSync(logFile, 'a');
  const setpriv = '/usr/bin/setpriv';
  // It replaces itself with the program: the process id is the program's own.
  const [command, all] = fs.existsSync(setpriv)
    ? [setpriv, ['--pdeathsig', 'KILL', '--', program, ...args]]
    : [program, args];
  const child = spawn(command, all, { stdio: ['ignore', output, output] });
  fs.closeSync(output);
  children.add(child);
  child.once('exit', () => children.delete(child));
  child.once('error', () => children.delete(child));
  return child;
}
