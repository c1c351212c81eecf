import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';

/** Stands between a child and its outliving this process. */
export interface ChildGuard {
  /** The child has ended; nothing is to be killed any more. */
  dismiss(): void;
  /**
   * To be called before a child is frozen: a frozen process cannot notice that its parent is gone. A shell that waits
   * for the end of our pipe kills it even when we are SIGKILLed.
   */
  watchWhileStopped(): void;
  /** The child runs again, and can look after itself. */
  unwatch(): void;
}

/** Process ids to kill, negative for whole groups. */
const targets = new Set<number>();
const ENDINGS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Sees to it that a child is killed when this process exits, crashes, or is told to end. */
export function guardChild(pid: number, ownGroup: boolean): ChildGuard {
  const target = ownGroup ? -pid : pid;
  if (targets.size === 0) listen();
  targets.add(target);
  let watcher: ChildProcess | undefined;
  const unwatch = (): void => {
    watcher?.kill('SIGKILL');
    watcher = undefined;
  };
  return {
    dismiss() {
      unwatch();
      targets.delete(target);
      if (targets.size === 0) unlisten();
    },
    watchWhileStopped() {
      watcher ??= spawn('sh', ['-c', `read _; kill -s KILL -- ${target}`], {
        stdio: ['pipe', 'ignore', 'ignore'],
      });
      watcher.on('error', () => {});
      watcher.unref();
    },
    unwatch,
  };
}

function killAll(): void {
  for (const target of targets) {
    try {
      process.kill(target, 'SIGKILL');
    } catch {
      // It has ended already.
    }
  }
}

function endBy(signal: NodeJS.Signals): void {
  killAll();
  // Whoever else listens decides when to end; alone, we end as if nobody had listened.
  if (process.listenerCount(signal) > 1) return;
  unlisten();
  process.kill(process.pid, signal);
}

function listen(): void {
  process.on('exit', killAll);
  for (const signal of ENDINGS) process.on(signal, endBy);
}

function unlisten(): void {
  process.off('exit', killAll);
  for (const signal of ENDINGS) process.off(signal, endBy);
}
