/** A cell of a table; `undefined` and `null` show as a dash. */
export type Cell = string | number | null | undefined;

/** A table in Markdown: the first column to the left, all others to the right. */
export function markdownTable(columns: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const rule = columns.map((_, index) => (index === 0 ? '---' : '---:'));
  const lines = [columns, rule, ...rows.map((row) => row.map(show))];
  return lines.map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

/** Rows of plain values, as CSV. */
export function csv(columns: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const quoted = (cell: Cell): string => {
    const text = String(cell ?? '');
    return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  return `${[columns, ...rows].map((row) => row.map(quoted).join(',')).join('\n')}\n`;
}

/** A number with as many digits as help: 0.123, 1.23, 12.3, 123, 1,234. */
export function figure(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  return value.toLocaleString('en-US', { maximumFractionDigits: digits });
}

/** A ratio: `2.1x`. */
export function times(value: number): string {
  return `${figure(value)}x`;
}

/** The middle one of a list of numbers. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

/** The sum of the list, divided by its length. */
export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function show(cell: Cell): string {
  if (cell === undefined || cell === null) return '–';
  return typeof cell === 'number' ? figure(cell) : cell;
}
