import { figure, markdownTable, times } from '../support/table.ts';
import type { CallCost, Effort } from './measure-calls.ts';
import { measureCalls } from './measure-calls.ts';
import type { Row } from './subjects.ts';
import { ROWS, subjects } from './subjects.ts';

/** Rows of the table with ratios: what is compared, to be at least so many times faster. */
const GOALS: readonly (readonly [what: string, slow: Row, fast: Row, goal: number])[] = [
  ['CLOSED, to cockatiel', 'cockatielClosed', 'closed', 2],
  ['CLOSED without time-out, to cockatiel', 'cockatielClosed', 'closedUntimed', 2],
  ['CLOSED, to opossum', 'opossumClosed', 'closed', 5],
  ['CLOSED without time-out, to opossum', 'opossumClosed', 'closedUntimed', 5],
  ['OPEN, to cockatiel', 'cockatielOpen', 'open', 100],
  ['OPEN, to opossum', 'opossumOpen', 'open', 100],
];

/** The costs of all rows, and the text that shows them. */
export interface Calls {
  readonly costs: ReadonlyMap<string, CallCost>;
  readonly text: string;
}

/** Measures what one call costs. */
export async function calls(effort: Effort): Promise<Calls> {
  const costs = await measureCalls(await subjects(), effort);
  const ns = (row: Row): number => costs.get(row)?.nanoseconds ?? Number.NaN;
  const bytes = (row: Row): number => costs.get(row)?.bytes ?? Number.NaN;

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
  const deadline = ns('laterTimed') - ns('laterUntimed');
  const timer = ns('laterOwnTimer') - ns('laterUntimed');
  const text = [
    `### A call\n`,
    `Medians of ${effort.rounds} interleaved rounds, mitata. All around the same exporters, with batches of 512; open circuits were opened by`,
    'failures. The other two are used as their users use them: one promise a call.\n',
    markdownTable(['', 'ns', 'bytes allocated'], rows),
    '',
    markdownTable(['times faster', 'measured', 'goal', 'met', 'with the clock for nothing'], ratios),
    '',
    missed === 0 ? 'All goals are met.' : `${missed} of ${ratios.length} goals are missed.`,
    `Two readings of the clock are ${figure(closedClock)} ns of the ${figure(ns('closed'))} ns of a CLOSED export (${figure((100 * closedClock) / ns('closed'))} %), one is ${figure(clock)} ns of the`,
    `${figure(ns('open'))} ns of a rejected one (${figure((100 * clock) / ns('open'))} %). They cannot be left out: a duration needs two readings, and a probe policy`,
    'the time since the circuit opened. The last column says what the ratio would be on a machine whose clock costs nothing.',
    `A rejected batch allocates ${figure(bytes('open'))} bytes; the row of \`Date.now()\` alone allocates ${figure(bytes('dateNow'))}.`,
    `The shared deadline costs ${figure(deadline)} ns an export, a timer for each ${figure(timer)} ns.`,
  ].join('\n');
  return { costs, text };
}
