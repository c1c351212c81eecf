import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startChild } from '../support/child-process.ts';
import { waitFor } from '../support/wait-for.ts';

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

/** Runs a script of `bench/` on the built library; fails also when a process is left behind. */
export async function runBench(script: string, args: readonly string[]): Promise<Written> {
  const folder = await mkdtemp(join(tmpdir(), 'otel-circuit-breaker-bench-'));
  const docs = join(folder, 'docs');
  const { NODE_OPTIONS: _, ...env } = process.env;
  try {
    await using child = await startChild(
      NODE,
      ['--expose-gc', `bench/${script}.ts`, ...args, '--folder', docs],
      { cwd: ROOT, env: { ...env, TMPDIR: folder }, ownGroup: true },
    );
    const { code } = await child.exited;
    if (code !== 0) throw new Error(`bench/${script}.ts ended with ${code}:\n${child.errorLines.join('\n')}`);
    return {
      document: await readFile(join(docs, 'BENCHMARKS.md'), 'utf8'),
      files: (await readdir(docs)).sort(),
    };
  } finally {
    await waitFor(() => processesOf(folder).length === 0, {
      what: `all processes of bench/${script}.ts to be gone`,
    });
    await rm(folder, { recursive: true, force: true });
  }
}

/** Those that work in the folder, or keep their temporary files there, where there is a /proc. */
function processesOf(folder: string): string[] {
  if (process.platform !== 'linux') return [];
  return readdirSync('/proc').filter((pid) => {
    try {
      return (
        readlinkSync(`/proc/${pid}/cwd`).startsWith(folder) ||
        readFileSync(`/proc/${pid}/environ`, 'latin1').includes(`TMPDIR=${folder}`)
      );
    } catch {
      // No process, or none of ours.
      return false;
    }
  });
}

/** The number in a cell of a Markdown table: of the first row that begins with the label, the one in that column. */
export function numberIn(document: string, label: string, column = 1): number {
  const row = document.split('\n').find((line) => line.startsWith(`| ${label}`));
  if (row === undefined) throw new Error(`no row ${label} in:\n${document}`);
  const cell = row.split(' | ')[column] ?? '';
  return Number.parseFloat(cell.replaceAll(',', ''));
}
