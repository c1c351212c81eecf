import type { CellResult } from './cell.ts';

const MARKS = { passed: 'ok  ', failed: 'FAIL', skipped: 'skip' } as const;

/** One line as a cell ends. */
export function progressLine({ name, outcome, seconds, problem }: CellResult): string {
  const head = `${MARKS[outcome]} ${name} (${seconds.toFixed(1)} s)`;
  return problem === undefined ? head : `${head}\n${indent(shortened(problem))}`;
}

/** The matrix, for a terminal. */
export function table(results: readonly CellResult[]): string {
  const width = Math.max(...results.map(({ name }) => name.length));
  const rows = results.map(({ name, outcome, seconds, report, problem }) => {
    const said = report === undefined ? firstLine(problem) : versionText(report.versions);
    const detail = report?.detail === undefined ? '' : `; ${report.detail}`;
    return `${MARKS[outcome]}  ${name.padEnd(width)}  ${seconds.toFixed(1).padStart(5)} s  ${said}${detail}`;
  });
  return rows.join('\n');
}

/** `node 20.20.2, sdk 2.12.0, …` */
export function versionText(versions: Readonly<Record<string, string>>): string {
  return Object.entries(versions)
    .map(([what, version]) => (what === 'manager' ? version : `${what} ${version}`))
    .join(', ');
}

function firstLine(text = ''): string {
  return text.split('\n', 1)[0] ?? '';
}

/** A compiler can be long-winded. */
function shortened(text: string): string {
  const lines = text.split('\n');
  const rest = lines.length - 60;
  return rest <= 0 ? text : [...lines.slice(0, 60), `… and ${rest} more lines`].join('\n');
}

function indent(text: string): string {
  return text.replaceAll(/^/gm, '       ');
}
