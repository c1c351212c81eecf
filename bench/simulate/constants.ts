import { Worker } from 'node:worker_threads';
import { figure, markdownTable } from '../support/table.ts';
import type { Experience, World } from './hand-over-world.ts';
import type { Constants } from './other-constants.ts';

const WORKER = new URL('./constants-worker.ts', import.meta.url);

/** A constant, its own value among its neighbours. */
interface Knob {
  readonly what: string;
  /** File and name in `src/delivery`; `undefined`: the option `handOverMillis`. */
  readonly constant?: string;
  readonly own: number;
  readonly values: readonly number[];
}

const KNOBS: readonly Knob[] = [
  { what: '`handOverMillis`', own: 100, values: [25, 50, 100, 200, 400] },
  {
    what: 'so many times the slowest',
    constant: 'recent-answers.ts:USUAL_FACTOR',
    own: 4,
    values: [2, 3, 4, 6, 8],
  },
  {
    what: 'of the last so many successes',
    constant: 'recent-answers.ts:REMEMBERED',
    own: 8,
    values: [2, 4, 8, 16, 32],
  },
  {
    what: 'but at most, in ms',
    constant: 'recent-answers.ts:LONGEST_HAND_OVER_MILLIS',
    own: 1_000,
    values: [250, 500, 1_000, 2_000, 4_000],
  },
  {
    what: 'so many handed over',
    constant: 'waiting-callers.ts:MOST_HANDED_OVER',
    own: 3,
    values: [1, 2, 3, 5, 10],
  },
  {
    what: 'and no answer for, in ms',
    constant: 'waiting-callers.ts:SILENCE_MILLIS',
    own: 1_000,
    values: [250, 500, 1_000, 2_000, 4_000],
  },
];

type Seen = Readonly<Record<World, Experience>>;

export interface ConstantsOptions {
  readonly seeds: number;
  readonly jobs: number;
  /** A part of the file's or the constant's name; `''`: all. */
  readonly only: string;
}

/** What the constants of the hand-over do at other values; as Markdown. */
export async function constants({ seeds, jobs, only }: ConstantsOptions): Promise<string> {
  const knobs = KNOBS.filter(({ constant = 'handOverMillis' }) => constant.includes(only));
  const variants = knobs.flatMap((knob) => knob.values.map((value) => ({ knob, value })));
  const seen = new Map<Knob, Map<number, Seen>>(knobs.map((knob) => [knob, new Map()]));
  const waiting = [...variants];
  await Promise.all(
    Array.from({ length: jobs }, async () => {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
        seen.get(next.knob)?.set(next.value, await run(next.knob, next.value, seeds));
      }
    }),
  );
  const rows = knobs.flatMap((knob) =>
    knob.values.map((value) => [
      `${knob.what}: ${value === knob.own ? `**${value}**` : value}`,
      ...cells(seen.get(knob)?.get(value) as Seen),
    ]),
  );
  return `### The constants of the hand-over

A live sending is handed over when it takes longer than usual: four times the slowest of the last eight successes, at least 100
ms, at most 1 s, and after 100 ms where another one is handed over; with three handed over and nothing answered for 1 s, the next
batch is kept at once. Each constant against its neighbours, all others as they are: ${seeds} seeds of three services (2,048, 400 and 10
spans/s, a queue of 2,048), a collector that answers in 20 ms in the median (one of a hundred: 130 ms) and for two minutes as the
column says: **near**: as before; **far**: 150 ms, one of a hundred 600; **stalls**: for half a second in every ten nothing is
answered; **slow**: 2 s or 6 s, all successful; **hangs**: a failure after 10 s; **refuses**: a failure after 8 s of retries.
"Early": of 1,000 exports, those whose caller was answered before the exporter had answered; what a crash loses. "Held back": of
1,000, those kept without being sent. "Dropped": spans that found the processor's queue full. "In flight": the most of one
exporter.

${markdownTable(COLUMNS, rows)}

Why they stand:

${WHY.map((line) => `- ${line}`).join('\n')}`;
}

/** Read from the table; to be read again when it changes. */
const WHY: readonly string[] = [
  '**100 ms.** A busy processor of 2,048 spans/s has 250 ms for a batch, and sends one at a time: 400 ms drop a quarter of the spans of a slow backend. 100 ms keep up with 5,120 spans/s. 25 or 50 ms gain nothing: what they add is early answers while a healthy backend stalls.',
  '**Four times.** Twice or three times the slowest answers three to ten times as many healthy exports early. Six or eight times halve what is left, which is one or two of a thousand, and make the first hung export, and `shutdown()`, which is as patient, wait longer.',
  '**Of the last eight.** Two or four forget the slow ones, and answer several times as many early. Sixteen or 32 are as good, but remember a slow start of a quiet service for minutes.',
  '**At most 1 s.** With 250 or 500 ms a healthy backend that is far away is answered early again and again; with 2 or 4 s the first exports of a backend that has become slow overflow the queue.',
  '**Three, without an answer for 1 s.** One or two hold back a slow but healthy backend several times as often, and let the circuit open seconds later, for it needs three failures; five or ten send that many more into a backend that hangs. Half a second takes every backend that answers in 2 s for one that hangs; 2 or 4 s send ten or more batches into one that does.',
  'One alone would be kinder to a fleet: what is handed over is retried by the OTLP exporter itself, and three of them are three times as many requests in the seconds after a short outage (see the peaks above). It is not worth the later opening.',
];

const COLUMNS = [
  ...['', 'early: near', 'far', 'stalls', 'slow 2 s: dropped', 'held back', 'in flight', 'opened'],
  ...['slow 6 s: dropped', 'held back', 'in flight', 'opened', 'hangs: dropped', 'in flight', 'to open, s'],
  ...['refuses: dropped', 'in flight', 'to open, s'],
];

function cells(seen: Seen): string[] {
  const thousandth = (count: number, { exports }: Experience): string => figure((1_000 * count) / exports);
  const slow = (it: Experience): string[] => [
    percent(it.dropped),
    thousandth(it.heldBack, it),
    String(it.mostInFlight),
    percent(it.opened),
  ];
  const down = (it: Experience): string[] => [
    percent(it.dropped),
    String(it.mostInFlight),
    figure(it.secondsToOpen),
  ];
  return [
    ...(['near', 'far', 'stalls'] as const).map((world) => thousandth(seen[world].early, seen[world])),
    ...[...slow(seen['slow 2 s']), ...slow(seen['slow 6 s'])],
    ...[...down(seen.hangs), ...down(seen.refuses)],
  ];
}

function percent(share: number): string {
  return `${figure(100 * share)} %`;
}

function run({ constant }: Knob, value: number, seeds: number): Promise<Seen> {
  const constants: Constants = constant === undefined ? {} : { [constant]: value };
  const handOverMillis = constant === undefined ? value : 100;
  return new Promise((resolve, reject) => {
    const worker = new Worker(WORKER, { workerData: { constants, handOverMillis, seeds } });
    worker.once('message', resolve);
    worker.once('error', reject);
  });
}
