import type { Child } from '../support/child-process.ts';
import { startChild } from '../support/child-process.ts';
import { within } from '../support/wait-for.ts';

/** How a command is run. */
export interface CommandOptions {
  readonly cwd: string;
  readonly env?: NodeJS.ProcessEnv;
  /** @defaultValue 180_000 */
  readonly timeoutMillis?: number;
}

/** How a command ended. */
export interface CommandResult {
  readonly code: number | null;
  readonly stdout: string;
  /** stdout, then stderr, for people. */
  readonly output: string;
}

/** Runs a command to its end, whatever that is; it and what it started are killed when the time is up. */
export async function run(
  command: string,
  args: readonly string[],
  { cwd, env = {}, timeoutMillis = 180_000 }: CommandOptions,
): Promise<CommandResult> {
  const child = await startChild(command, args, { cwd, env: { ...cleanEnv(), ...env }, ownGroup: true });
  child.process.stdin?.end();
  try {
    const { code } = await within(child.exited, {
      what: `${command} ${args.join(' ')} to end`,
      timeoutMillis,
    });
    return { code, stdout: child.lines.join('\n'), output: outputOf(child) };
  } finally {
    await child.kill();
  }
}

/**
 * Runs a command that has to succeed.
 *
 * @returns its stdout
 * @throws Error with all its output
 */
export async function must(
  command: string,
  args: readonly string[],
  options: CommandOptions,
): Promise<string> {
  const { code, stdout, output } = await run(command, args, options);
  if (code !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${code}:\n${output}`);
  return stdout;
}

/** What a child has said so far. */
export function outputOf(child: Child): string {
  return [...child.lines, ...child.errorLines].join('\n').trim();
}

/**
 * This process's environment without what `npm run` and the user put into it: the package managers are to read the
 * configuration of the app, and where to find the registry, nothing else.
 */
export function cleanEnv(): NodeJS.ProcessEnv {
  const foreign =
    /^(npm_(?!config_(registry|cache|userconfig|cafile)$)|OTEL_|APP_OTEL|NODE_OPTIONS$|INIT_CWD$)/i;
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !foreign.test(name)));
}
