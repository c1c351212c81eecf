import { causeOf, isDomException } from '../internal/causes.ts';
import type {
  CircuitSnapshot,
  CircuitState,
  Classification,
  FailureSummary,
  HistogramSnapshot,
  ResultCounts,
  TransitionName,
} from './snapshot.ts';
import type { TimeOfDay } from './time-of-day.ts';

const DURATION_BOUNDS_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
const BATCH_SIZE_BOUNDS = [1, 4, 16, 64, 256, 512, 1024, 4096];

/** What a breaker has counted since it was created. Nothing is ever cleared, and nothing here decides anything. */
export class Totals {
  /** What the last sending came to. */
  lastResult: Classification | undefined;
  readonly #counts = {
    exports: noResults(),
    items: noResults(),
    probes: { success: 0, failure: 0 },
    transitions: {
      'CLOSED->OPEN': 0,
      'OPEN->HALF_OPEN': 0,
      'HALF_OPEN->CLOSED': 0,
      'HALF_OPEN->OPEN': 0,
      'OPEN->CLOSED': 0,
    } satisfies Record<TransitionName, number>,
    exportDurations: histogram(DURATION_BOUNDS_SECONDS),
    batchSizes: histogram(BATCH_SIZE_BOUNDS),
  };
  // The times below are readings of the clock.
  #lastFailure: FailureSummary | null = null;
  #lastInvalid: FailureSummary | null = null;
  #lastIgnored: FailureSummary | null = null;
  /** Meaningless before the first success. Always a number, so that V8 can update it in place. */
  #lastSuccessAt = 0;

  /** Counts a sending that ended. */
  settled(result: Classification, items: number, at: number, durationMillis: number, error: unknown): void {
    this.lastResult = result;
    const { exports, items: totalItems, exportDurations, batchSizes } = this.#counts;
    exports[result]++;
    totalItems[result] += items;
    observe(exportDurations, durationMillis / 1000);
    observe(batchSizes, items);
    if (result === 'success') this.#lastSuccessAt = at;
    else if (result === 'failure') this.#lastFailure = summarize(error, at);
    else if (result === 'invalid') this.#lastInvalid = summarize(error, at);
    else this.#lastIgnored = summarize(error, at);
  }

  /** Counts a probe that was answered, in addition to `settled`. */
  probed(result: 'success' | 'failure'): void {
    this.#counts.probes[result]++;
  }

  /** Counts a batch that the circuit rejected. */
  rejected(items: number): void {
    this.#counts.exports.rejected++;
    this.#counts.items.rejected += items;
  }

  changed(from: CircuitState, to: CircuitState): void {
    this.#counts.transitions[`${from}->${to}` as TransitionName]++;
  }

  /** The totals as a snapshot shows them, in objects of its own. */
  snapshot(timeOfDay: TimeOfDay): TotalsSnapshot {
    const { exports, items, probes, transitions, exportDurations, batchSizes } = this.#counts;
    const dated = (summary: FailureSummary | null): FailureSummary | null =>
      summary && { ...summary, at: timeOfDay.unixMillis(summary.at) };
    return {
      lastFailure: dated(this.#lastFailure),
      lastInvalid: dated(this.#lastInvalid),
      lastIgnored: dated(this.#lastIgnored),
      lastSuccessAt: exports.success === 0 ? null : timeOfDay.unixMillis(this.#lastSuccessAt),
      exports: { ...exports },
      items: { ...items },
      probes: { ...probes },
      transitions: { ...transitions },
      exportDurations: copyOf(exportDurations),
      batchSizes: copyOf(batchSizes),
    };
  }
}

type TotalsSnapshot = Pick<
  CircuitSnapshot,
  | 'lastFailure'
  | 'lastInvalid'
  | 'lastIgnored'
  | 'lastSuccessAt'
  | 'exports'
  | 'items'
  | 'probes'
  | 'transitions'
  | 'exportDurations'
  | 'batchSizes'
>;

function histogram(bounds: number[]): HistogramSnapshot {
  return { bounds, counts: new Array<number>(bounds.length + 1).fill(0), sum: 0, count: 0 };
}

function copyOf(original: HistogramSnapshot): HistogramSnapshot {
  return { ...original, bounds: [...original.bounds], counts: [...original.counts] };
}

function observe(into: HistogramSnapshot, value: number): void {
  const { bounds, counts } = into;
  let bucket = 0;
  while (bucket < bounds.length && value > (bounds[bucket] as number)) bucket++;
  counts[bucket] = (counts[bucket] as number) + 1;
  into.sum += value;
  into.count++;
}

function noResults(): ResultCounts {
  return { success: 0, failure: 0, invalid: 0, ignored: 0, rejected: 0 };
}

/** Some SDKs put a text of the server into these fields. */
const LONGEST_NAME = 100;

/** What a snapshot shows of an error, which can be any value. */
function summarize(error: unknown, at: number): FailureSummary {
  const cause = causeOf(error);
  if (typeof error !== 'object' || error === null) {
    return { name: 'Error', code: null, cause, message: error === undefined ? '' : String(error), at };
  }
  const { name, code, message } = error as Record<string, unknown>;
  return {
    name: typeof name === 'string' ? name.slice(0, LONGEST_NAME) : 'Error',
    code: typeof code === 'string' ? code.slice(0, LONGEST_NAME) : numberCode(error, code),
    cause,
    message: typeof message === 'string' ? message : '',
    at,
  };
}

/** The number of a DOMException stands for its name, and would be read as a status. */
function numberCode(error: object, code: unknown): number | null {
  return typeof code === 'number' && Number.isFinite(code) && !isDomException(error) ? code : null;
}
