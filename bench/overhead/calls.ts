import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { figure, markdownTable, median, times } from '../support/table.ts';
import type { CallCost, Effort } from './measure-calls.ts';
import type { Row } from './subjects.ts';
import { ROWS } from './subjects.ts';

const MEASURE_ROW = fileURLToPath(new URL('./measure-row.ts', import.meta.url));

/** Rows of the table with ratios: what is compared, to be at least so many times faster. */
const GOALS: readonly (readonly [what: string, slow: Row, fast: Row, goal: number])[] = [
  ['CLOSED, to cockatiel', 'cockatielClosed', 'closed', 2],
  ['CLOSED without time-out, to cockatiel', 'cockatielClosed', 'closedUntimed', 2],
  ['CLOSED, to opossum', 'opossumClosed', 'closed', 5],
  ['CLOSED without time-out, to opossum', 'opossumClosed', 'closedUntimed', 5],
  ['OPEN, to cockatiel', 'cockatielOpen', 'open', 100],
  ['OPEN, to opossum', 'opossumOpen', 'open', 100],
];

/** What the delivery layer may cost an exporter that has neither retention nor a fallback, in percent. */
const BOOKKEEPING_GOAL = 10;

/** Measures what one call costs; as Markdown. */
export async function calls(effort: Effort): Promise<string> {
  const costs = await measureRows(effort);
  const ns = (row: Row): number => median(costs[row].map(({ nanoseconds }) => nanoseconds));
  const bytes = (row: Row): number => median(costs[row].map((cost) => cost.bytes));

  const rows = (Object.keys(ROWS) as Row[]).map((row) => [ROWS[row], figure(ns(row)), figure(bytes(row))]);
  const clock = ns('clock');
  const closedClock = 2 * clock;
  const ratios = GOALS.map(([what, slow, fast, goal]) => {
    const reads = fast === 'open' ? 1 : 2;
    const withoutClock = ns(fast) - reads * clock;
    return [
      what,
      times(ns(slow) / ns(fast)),
      `${goal}x`,
      ns(slow) / ns(fast) >= goal ? 'yes' : '**no**',
      withoutClock > 0 ? times(ns(slow) / withoutClock) : undefined,
    ];
  });
  const missed = ratios.filter(([, , , met]) => met !== 'yes').length;
  const bookkeeping = (kept: Row, bookless: Row): string => {
    const percent = 100 * (ns(kept) / ns(bookless) - 1);
    return `${figure(percent)} %${percent > BOOKKEEPING_GOAL ? ' (**missed**)' : ''}`;
  };
  const deadline = ns('laterTimed') - ns('laterUntimed');
  const timer = ns('laterOwnTimer') - ns('laterUntimed');
  return [
    `### A call\n`,
    `Medians of ${effort.rounds} interleaved rounds, mitata, each row in a process of its own. Batches of 512; open circuits were opened by`,
    'failures. The other two are used as their users use them: one promise a call.\n',
    markdownTable(['', 'ns', 'bytes allocated'], rows),
    '',
    markdownTable(['times faster', 'measured', 'goal', 'met', 'with the clock for nothing'], ratios),
    '',
    missed === 0 ? 'All goals are met.' : `${missed} of ${ratios.length} goals are missed.`,
    `Two readings of the clock are ${figure(closedClock)} ns of the ${figure(ns('closed'))} ns of a CLOSED export (${figure((100 * closedClock) / ns('closed'))} %), one is ${figure(clock)} ns of the`,
    `${figure(ns('open'))} ns of a rejected one (${figure((100 * clock) / ns('open'))} %). They cannot be left out: a duration needs two readings, and a probe policy`,
    'the time since the circuit opened. The last column says what the ratio would be on a machine whose clock costs nothing.',
    `A rejected batch allocates ${figure(bytes('open'))} bytes; the reading of the clock in it ${figure(bytes('clock'))}, the numbers that V8 puts into boxes.`,
    'The delivery layer costs an exporter that has neither retention nor a fallback (goal: at most',
    `${BOOKKEEPING_GOAL} %) ${bookkeeping('closedSource', 'closedBookless')} of a CLOSED export, ${bookkeeping('openSource', 'openBookless')} of a rejected one; below 0 is noise.`,
    `The shared deadline costs ${figure(deadline)} ns an export, a timer for each ${figure(timer)} ns.`,
  ].join('\n');
}

/** Each row in a process of its own, all of them in turn, again and again. */
async function measureRows({ rounds, milliseconds }: Effort): Promise<Record<Row, CallCost[]>> {
  const rows = Object.keys(ROWS) as Row[];
  const costs = Object.fromEntries(rows.map((row) => [row, []])) as unknown as Record<Row, CallCost[]>;
  for (let round = 0; round < rounds; round += 1) {
    for (const row of rows) {
      const args = ['--expose-gc', MEASURE_ROW, row, String(milliseconds)];
      const { stdout } = await promisify(execFile)(process.execPath, args);
      costs[row].push(JSON.parse(stdout) as CallCost);
    }
  }
  return costs;
}
