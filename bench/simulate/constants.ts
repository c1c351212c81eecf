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
  '**100 ms.** A busy processor of 2,048 spans/s has 250 ms for each batch, and sends one at a time: with 400 ms, a slow backend costs it a quarter of its spans. With 100 ms a processor keeps up with 5,120 spans/s, with 200 ms with half of that. 25 or 50 ms only answer more callers of a healthy backend early.',
  '**Four times.** Two or three times the slowest answers two to seven times as many exports of a healthy backend early. Six or eight times would leave one or two of a thousand instead of two to four, but the first export that hangs, and `shutdown()`, which is as patient, would wait longer.',
  '**Of the last eight.** Two or four forget the slow ones, and answer several times as many early. 16 or 32 answer fewer early, but a quiet service would remember a slow start for minutes.',
  '**At most 1 s.** With 250 or 500 ms, exports to a healthy backend that is far away are answered early again and again. With 2 or 4 s, the queue overflows when a backend becomes slow.',
  '**Three, without an answer for 1 s.** With one or two, batches for a slow but healthy backend are held back two to six times as often, and the circuit opens seconds later, because it needs three failures. Five or ten send that many more into a backend that hangs. With 250 or 500 ms without an answer, a backend that answers in 2 s is often taken for one that hangs. With 2 or 4 s, ten or more batches go into a backend that does hang.',
  "One handed over would be better for a fleet after a short outage. The OTLP exporter retries each export that is handed over, so a quiet service that has two of them sends twice as many retries just after the outage: this is the peak above the goal, and redeliveries have little part in it. With one instead of three, the peak after 10 s of outage is 2.28 with the bare fleet's own excluded, but a hanging backend is recognized 9 s later.",
  '**Late successes wait for the next batch.** What a success grants that took longer than a second is sent with the next offer. If it was sent at once, the peaks above would be: 3.02 instead of 2.91 after 10 s of outage of the mixed HTTP-like fleet, 2.91 instead of 2.13 after 18 s, 2.78 instead of 1.41 after 186 s of the fleet that exports every 60 s, where 99 % would be closed after 87 s instead of 57 s. With 2 or 4 s instead of one the peak after 18 s is 2.33 or 2.6. (Measured once, by other builds.)',
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
