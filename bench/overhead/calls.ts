import { execFile } from 'node:child_process';
import { loadavg } from 'node:os';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { figure, markdownTable, median, times } from '../support/table.ts';
import type { CallCost, Effort } from './measure-calls.ts';
import type { Row } from './subjects.ts';
import { ROWS } from './subjects.ts';

const LOAD_AT_START = loadavg();
const IDLE_LOAD = 0.5;
const MEASURE_ROW = fileURLToPath(new URL('./measure-row.ts', import.meta.url));

/** What we add to the exporter, beyond the readings of the clock that a duration and a cooldown need. */
const GOALS: readonly {
  readonly what: string;
  readonly row: Row;
  readonly readings: number;
  readonly goal: number;
}[] = [
  { what: 'CLOSED, beyond two readings of the clock', row: 'closed', readings: 2, goal: 35 },
  { what: 'rejected, beyond one', row: 'open', readings: 1, goal: 15 },
];
/** Less than any object: what V8 boxes differs a little from run to run. */
const NOTHING_BYTES = 4;

/** Others, for comparison. */
const COMPARED: readonly (readonly [what: string, slow: Row, fast: Row])[] = [
  ['CLOSED, to cockatiel', 'cockatielClosed', 'closed'],
  ['CLOSED, to opossum', 'opossumClosed', 'closed'],
  ['OPEN, to cockatiel', 'cockatielOpen', 'open'],
  ['OPEN, to opossum', 'opossumOpen', 'open'],
];

/** Measures what one call costs; as Markdown. */
export async function calls(effort: Effort): Promise<string> {
  const costs = await measureRows(effort);
  const ns = (row: Row): number => median(costs[row].map(({ nanoseconds }) => nanoseconds));
  const bytes = (row: Row): number => median(costs[row].map((cost) => cost.bytes));

  const rows = (Object.keys(ROWS) as Row[]).map((row) => [ROWS[row], figure(ns(row)), figure(bytes(row))]);
  const clock = ns('clock');
  const added = ({ row, readings }: (typeof GOALS)[number]): number =>
    ns(row) - ns('direct') - readings * clock;
  const allocated = bytes('open') - bytes('clock');
  const goals = [
    ...GOALS.map((one) => [
      one.what,
      `${figure(added(one))} ns`,
      `${one.goal} ns`,
      added(one) <= one.goal ? 'yes' : '**no**',
    ]),
    [
      'allocated for a rejected batch, beyond the reading of the clock',
      `${figure(Math.max(0, allocated))} bytes`,
      'nothing',
      allocated < NOTHING_BYTES ? 'yes' : '**no**',
    ],
  ];
  const deadline = ns('laterTimed') - ns('laterUntimed');
  const handOver = ns('laterRetention') - ns('laterTimed');
  const timer = ns('laterOwnTimer') - ns('laterUntimed');
  return [
    '### A call\n',
    `Medians of ${effort.rounds} interleaved rounds, mitata, each row in a process of its own. Batches of 512; open circuits were opened by`,
    'failures. The other two are used as their users use them: one promise a call.\n',
    markdownTable(['', 'ns', 'bytes allocated'], rows),
    '',
    markdownTable(['what we add', 'measured', 'goal: at most', 'met'], goals),
    '',
    `Two readings of the clock are ${figure(2 * clock)} ns of the ${figure(ns('closed'))} ns of a CLOSED export, one is ${figure(clock)} ns of the ${figure(ns('open'))} ns of a`,
    'rejected one. They cannot be left out: a duration needs two readings, and a probe policy the time since the circuit opened.',
    `A rejected batch allocates ${figure(bytes('open'))} bytes, the reading of the clock in it ${figure(bytes('clock'))}: the numbers that V8 puts into boxes.`,
    `The shared deadline costs ${figure(deadline)} ns an export, that of the hand-over ${figure(handOver)} ns more; a timer for each export would cost ${figure(timer)} ns.`,
    '',
    markdownTable(
      ['times faster', 'measured'],
      COMPARED.map(([what, slow, fast]) => [what, times(ns(slow) / ns(fast))]),
    ),
    ...loadWarning(),
  ].join('\n');
}

/** Numbers of a machine that does something else as well are not those of an idle one. */
function loadWarning(): string[] {
  const [load = 0] = LOAD_AT_START;
  return load < IDLE_LOAD
    ? []
    : [
        '',
        `**The machine was busy (load average ${figure(load)}): these are not the numbers of an idle one.**`,
      ];
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
