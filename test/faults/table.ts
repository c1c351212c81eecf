import type { Cell } from './cell.ts';
import type { Tally } from './tally.ts';

/** A row of the table: a cell that was run, and what was wrong with it. */
export interface Row {
  readonly cell: Cell;
  /** Absent where the cell came to no end. */
  readonly tally?: Tally;
  /** From SIGTERM to the end of the process. */
  readonly exitMillis?: number;
  readonly problems: readonly string[];
  readonly millis: number;
}

const HEAD = [
  'fault',
  'service',
  'made',
  'dropped',
  'delivered',
  'duplicated',
  'unanswered',
  'most kept',
  'fallback',
  'lost',
  'given up by reason',
  'peak MB',
  'exit ms',
  's',
  '',
];
const LEFT = new Set([0, 1, 10, 14]);

/** The table, as lines, its notes below it. */
export function renderTable(rows: readonly Row[]): string[] {
  const cells = rows.map(renderRow);
  const widths = HEAD.map((head, column) =>
    Math.max(head.length, ...cells.map((row) => row[column]?.length ?? 0)),
  );
  const line = (row: readonly string[]): string =>
    row
      .map((text, column) => {
        const width = widths[column] ?? 0;
        return LEFT.has(column) ? text.padEnd(width) : text.padStart(width);
      })
      .join('  ')
      .trimEnd();
  const notes = new Map(rows.map(({ cell: { fault } }) => [fault.name, fault.note]));
  return [
    line(HEAD),
    widths.map((width) => '-'.repeat(width)).join('  '),
    ...cells.map(line),
    '',
    ...[...notes].filter(([, note]) => note !== undefined).map(([name, note]) => `${name}: ${note}.`),
  ];
}

function renderRow({ cell: { fault, variant }, tally, exitMillis, problems, millis }: Row): string[] {
  const verdict = problems.length === 0 ? 'ok' : 'FAILED';
  const seconds = (millis / 1_000).toFixed(0);
  if (tally === undefined) return [fault.name, variant, ...Array(11).fill(''), seconds, verdict];
  const {
    made,
    dropped,
    delivered,
    duplicated,
    unanswered,
    mostKept,
    fallback,
    lost,
    reasons,
    peakMegabytes,
  } = tally;
  const why = Object.entries(reasons).map(([reason, count]) => `${reason} ${count}`);
  return [
    fault.name,
    variant,
    ...[made, dropped, delivered, duplicated, unanswered, mostKept, fallback, lost].map(String),
    why.join(', '),
    peakMegabytes.toFixed(0),
    exitMillis?.toFixed(0) ?? '',
    seconds,
    verdict,
  ];
}
