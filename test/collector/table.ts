/** The table of all rows, for a terminal and for a document. */
import type { Row } from './scenario.ts';

const HEAD = [
  'scenario',
  'protocol',
  'SDK',
  'undelivered goes to',
  'made',
  'arrived',
  'twice',
  'lost',
  'opened after',
  'closed after',
  'the operator sees',
  '',
];
const LEFT = new Set([0, 1, 2, 3, 10, 11]);

export function renderTable(rows: readonly Row[]): string[] {
  const cells = rows.map(cellsOf);
  const widths = HEAD.map((head, at) => Math.max(head.length, ...cells.map((row) => row[at]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    row
      .map((text, at) => (LEFT.has(at) ? text.padEnd(widths[at] ?? 0) : text.padStart(widths[at] ?? 0)))
      .join('  ')
      .trimEnd();
  return [line(HEAD), widths.map((width) => '-'.repeat(width)).join('  '), ...cells.map(line)];
}

export function renderMarkdown(rows: readonly Row[]): string[] {
  const line = (row: readonly string[]): string => `| ${row.join(' | ')} |`;
  return [
    line(HEAD.map((head) => head || 'ok')),
    line(HEAD.map((_, at) => (LEFT.has(at) ? '---' : '---:'))),
    ...rows.map((row) => line(cellsOf(row).map((cell) => cell.replaceAll('|', '\\|')))),
  ];
}

function cellsOf(row: Row): string[] {
  return [
    row.scenario,
    row.protocol,
    row.sdk,
    row.lane === 'none' ? 'nobody' : row.lane,
    ...[row.made, row.arrived, row.duplicated, row.lost].map(String),
    seconds(row.openedMillis),
    seconds(row.closedMillis),
    row.sees,
    row.problems.length === 0 ? 'ok' : 'FAILED',
  ];
}

function seconds(millis: number | undefined): string {
  return millis === undefined ? 'never' : `${(millis / 1_000).toFixed(1)} s`;
}
