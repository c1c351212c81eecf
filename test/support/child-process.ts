import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { guardChild } from './child-registry.ts';
import { waitFor, within } from './wait-for.ts';

/** How a child is started. */
export interface ChildOptions {
  readonly cwd?: string;
  /** The child's whole environment. @defaultValue that of this process, without `NODE_OPTIONS` */
  readonly env?: NodeJS.ProcessEnv;
  /** Opens an IPC channel (file descriptor 3 of the child). @defaultValue false */
  readonly ipc?: boolean;
  /** File descriptors of this process that the child gets as 4, 5, … */
  readonly inherit?: readonly number[];
  /** Makes the child the leader of a process group that is killed as a whole: for `npm` and whatever else has children itself. @defaultValue false */
  readonly ownGroup?: boolean;
}

/** How a child ended. */
export interface ChildExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A running child whose output is collected, and which cannot outlive this process. */
export interface Child extends AsyncDisposable {
  readonly pid: number;
  /** The Node object, for IPC and stdin. */
  readonly process: ChildProcess;
  /** Lines of its stdout so far. */
  readonly lines: readonly string[];
  /** Lines of its stderr so far. */
  readonly errorLines: readonly string[];
  /** Resolves when it has ended and all its output is collected; never rejects. */
  readonly exited: Promise<ChildExit>;
  readonly running: boolean;
  /**
   * Waits for a line of stdout, one already there included.
   *
   * @param match - a part of the line, an expression, or a predicate
   * @param options - `timeoutMillis` is 10 s by default; `from` is the index in `lines` of the first one to look at
   * @throws Error with the child's stderr when it ends, or the time passes, before such a line
   */
  waitForLine(
    match: string | RegExp | ((line: string) => boolean),
    options?: { readonly timeoutMillis?: number; readonly from?: number },
  ): Promise<string>;
  /** Sends a signal, `SIGKILL` by default, and waits until the child has ended. */
  kill(signal?: NodeJS.Signals): Promise<ChildExit>;
  /** Freezes it (SIGSTOP); resolves when it is frozen. */
  stop(): Promise<void>;
  /** Lets it run again (SIGCONT). */
  cont(): void;
}

/** Starts a program. It is killed when this process ends, in whatever way. */
export async function startChild(
  command: string,
  args: readonly string[],
  options: ChildOptions = {},
): Promise<Child> {
  const { cwd, env = withoutNodeOptions(), ipc = false, inherit = [], ownGroup = false } = options;
  const child = spawn(command, args, {
    cwd,
    env,
    detached: ownGroup,
    stdio: ['pipe', 'pipe', 'pipe', ipc ? 'ipc' : 'ignore', ...inherit],
  });
  const what = `${command} ${args.join(' ')}`;
  const lines = collectLines(child, child.stdout);
  const errorLines = collectLines(child, child.stderr);
  const exited = new Promise<ChildExit>((resolve) => {
    child.once('close', (code, signal) => resolve({ code, signal }));
  });
  // A child that dies while we write to it must not take us with it.
  child.stdin?.on('error', () => {});
  await once(child, 'spawn');
  const pid = child.pid as number;
  const guard = guardChild(pid, ownGroup);
  void exited.then(() => guard.dismiss());

  const running = (): boolean => child.exitCode === null && child.signalCode === null;
  const told = (): string => (errorLines.length === 0 ? '' : `; its stderr:\n${errorLines.join('\n')}`);

  const waitForLine: Child['waitForLine'] = async (match, { timeoutMillis = 10_000, from = 0 } = {}) => {
    const fits = matcher(match);
    const find = (): string | undefined => lines.slice(from).find(fits);
    const ended = exited.then(({ code, signal }) => {
      const line = find();
      if (line !== undefined) return line;
      throw new Error(`${what} ended (${signal ?? code}) without a line ${String(match)}${told()}`);
    });
    const arrived = new Promise<string>((resolve) => {
      const look = (): void => {
        const line = find();
        if (line === undefined) return;
        child.off('line', look);
        resolve(line);
      };
      child.on('line', look);
      look();
    });
    return within(Promise.race([arrived, ended]), {
      what: `a line ${String(match)} of ${what}${told()}`,
      timeoutMillis,
    });
  };

  const kill = async (signal: NodeJS.Signals = 'SIGKILL'): Promise<ChildExit> => {
    if (running()) signalChild(pid, signal, ownGroup);
    return exited;
  };

  return {
    pid,
    process: child,
    lines,
    errorLines,
    exited,
    get running() {
      return running();
    },
    waitForLine,
    kill,
    async stop() {
      guard.watchWhileStopped();
      signalChild(pid, 'SIGSTOP', ownGroup);
      await waitFor(() => isStopped(pid), { what: `${what} to be stopped` });
    },
    cont() {
      signalChild(pid, 'SIGCONT', ownGroup);
      guard.unwatch();
    },
    async [Symbol.asyncDispose]() {
      await kill();
    },
  };
}

/** Starts a script on the Node that runs this process; TypeScript is fine where that Node strips types. */
export function startNode(
  script: string,
  args: readonly string[] = [],
  options?: ChildOptions,
): Promise<Child> {
  return startChild(process.execPath, [script, ...args], options);
}

function withoutNodeOptions(): NodeJS.ProcessEnv {
  const { NODE_OPTIONS: _, ...env } = process.env;
  return env;
}

function collectLines(child: ChildProcess, stream: NodeJS.ReadableStream | null): readonly string[] {
  const lines: string[] = [];
  if (stream === null) return lines;
  createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY }).on('line', (line) => {
    lines.push(line);
    child.emit('line');
  });
  return lines;
}

function matcher(match: string | RegExp | ((line: string) => boolean)): (line: string) => boolean {
  if (typeof match === 'string') return (line) => line.includes(match);
  if (typeof match === 'function') return match;
  return (line) => line.search(match) >= 0;
}

function signalChild(pid: number, signal: NodeJS.Signals, ownGroup: boolean): void {
  try {
    process.kill(ownGroup ? -pid : pid, signal);
  } catch (error) {
    // Between our look and the signal it may have ended by itself.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** Whether the system shows the process as stopped; where there is no /proc the signal is taken at its word. */
function isStopped(pid: number): boolean {
  if (process.platform !== 'linux') return true;
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  return stat.slice(stat.lastIndexOf(')') + 2).startsWith('T');
}
