import { spawnSync } from 'node:child_process';
import type { TestContext } from 'vitest';

/** What runs a program, and what came of it. */
export interface Ran {
  readonly status: number | null;
  /** stdout and stderr. */
  readonly output: string;
}

/** Runs a program to its end. */
export function run(program: string, args: readonly string[], cwd?: string): Ran {
  const { status, stdout, stderr } = spawnSync(program, args, { cwd, encoding: 'utf8' });
  return { status, output: `${stdout}${stderr}` };
}

/** Skips the test where a program is missing, and says so; in CI that is a failure. */
export function needs(context: Pick<TestContext, 'skip'>, ...programs: readonly string[]): void {
  const missing = programs.filter((program) => spawnSync(program, ['--version']).error !== undefined);
  if (missing.length === 0) return;
  const reason = `not installed: ${missing.join(', ')} (apt-get install prometheus prometheus-alertmanager)`;
  if (process.env['CI']) throw new Error(reason);
  context.skip(reason);
}

/** The name of Alertmanager's program: Debian's has a prefix. */
export function alertmanagerProgram(): string {
  const debian = 'prometheus-alertmanager';
  return spawnSync(debian, ['--version']).error === undefined ? debian : 'alertmanager';
}
