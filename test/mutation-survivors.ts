/**
 * Lists the mutants that no test killed, from Stryker's last report, and writes the list beside it:
 *
 *     npm run test:mutation && npm run test:mutation:survivors
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** The part of the report that is read: https://github.com/stryker-mutator/mutation-testing-elements */
interface MutationReport {
  readonly files: Readonly<Record<string, { readonly source: string; readonly mutants: readonly Mutant[] }>>;
}

interface Mutant {
  readonly mutatorName: string;
  readonly replacement?: string;
  readonly status: string;
  readonly location: { readonly start: Position; readonly end: Position };
}

/** Both from 1. */
interface Position {
  readonly line: number;
  readonly column: number;
}

const REPORT = fileURLToPath(new URL('../reports/mutation/mutation.json', import.meta.url));
const LIST = REPORT.replace('mutation.json', 'survivors.md');
const KILLED = new Set(['Killed', 'Timeout']);
const ALIVE = new Set(['Survived', 'NoCoverage']);

const report = JSON.parse(readFileSync(REPORT, 'utf8')) as MutationReport;
const folders = new Map<string, { killed: number; alive: number }>();
const rows: string[] = [];
for (const [file, { source, mutants }] of Object.entries(report.files)) {
  const folder = file.split('/').slice(0, 2).join('/');
  const counts = folders.get(folder) ?? { killed: 0, alive: 0 };
  folders.set(folder, counts);
  for (const mutant of mutants) {
    if (KILLED.has(mutant.status)) counts.killed += 1;
    if (!ALIVE.has(mutant.status)) continue;
    counts.alive += 1;
    const { start } = mutant.location;
    const cells = [`${file}:${start.line}:${start.column}`, mutant.mutatorName, mutant.status];
    rows.push(row([...cells, code(textOf(source, mutant)), code(mutant.replacement ?? '')]));
  }
}

const scores = [...folders].map(([folder, { killed, alive }]) => {
  const score = ((100 * killed) / (killed + alive)).toFixed(1);
  return row([folder, `${killed + alive}`, `${killed}`, `${alive}`, `${score} %`]);
});
writeFileSync(
  LIST,
  [
    '# Mutants that survived',
    '',
    row(['folder', 'mutants', 'killed', 'survived', 'score']),
    row(['---', '---:', '---:', '---:', '---:']),
    ...scores,
    '',
    row(['place', 'mutator', 'status', 'code', 'mutant']),
    row(['---', '---', '---', '---', '---']),
    ...rows,
    '',
  ].join('\n'),
);
console.log([...scores, `${rows.length} survivors: ${LIST}`].join('\n'));

/** What the mutant replaces. */
function textOf(source: string, { location: { start, end } }: Mutant): string {
  const lines = source.split('\n').slice(start.line - 1, end.line);
  const last = lines.length - 1;
  return lines
    .map((line, n) =>
      line.slice(n === 0 ? start.column - 1 : 0, n === last ? end.column - 1 : undefined).trim(),
    )
    .join(' ');
}

function code(text: string): string {
  const oneLine = text.replaceAll(/\s+/g, ' ').replaceAll('|', '\\|');
  return `\`${oneLine.length > 80 ? `${oneLine.slice(0, 79)}…` : oneLine}\``;
}

function row(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}
