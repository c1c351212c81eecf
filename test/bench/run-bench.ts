import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startChild } from '../support/child-process.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
/** Runs TypeScript as it is; that of the tests may be older. */
const NODE = join(ROOT, 'node_modules/.bin/node');

/** What a script of `bench/` wrote into the folder that it was given. */
export interface Written {
  /** Its `BENCHMARKS.md`. */
  readonly document: string;
  /** Names of all files. */
  readonly files: readonly string[];
}

/** Runs a script of `bench/` on the built library. */
export async function runBench(script: string, args: readonly string[]): Promise<Written> {
  const folder = await mkdtemp(join(tmpdir(), 'otel-circuit-breaker-bench-'));
  try {
    await using child = await startChild(
      NODE,
      ['--expose-gc', `bench/${script}.ts`, ...args, '--folder', folder],
      { cwd: ROOT },
    );
    const { code } = await child.exited;
    if (code !== 0) throw new Error(`bench/${script}.ts ended with ${code}:\n${child.errorLines.join('\n')}`);
    return {
      document: await readFile(join(folder, 'BENCHMARKS.md'), 'utf8'),
      files: (await readdir(folder)).sort(),
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The number in a cell of a Markdown table: of the first row that begins with the label, the one in that column. */
export function numberIn(document: string, label: string, column = 1): number {
  const row = document.split('\n').find((line) => line.startsWith(`| ${label}`));
  if (row === undefined) throw new Error(`no row ${label} in:\n${document}`);
  const cell = row.split(' | ')[column] ?? '';
  return Number.parseFloat(cell.replaceAll(',', ''));
}
