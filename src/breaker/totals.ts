import type {
  CircuitSnapshot,
  CircuitState,
  Classification,
  FailureSummary,
  HistogramSnapshot,
  ResultCounts,
  TransitionName,
} from './snapshot.ts';

const DURATION_BOUNDS_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
const BATCH_SIZE_BOUNDS = [1, 4, 16, 64, 256, 512, 1024, 4096];

/** What a breaker has counted since it was made. Nothing here is ever cleared, and nothing here decides anything. */
export class Totals {
  readonly exports = noResults();
  readonly items = noResults();
  readonly probes = { success: 0, failure: 0 };
  readonly transitions: Record<TransitionName, number> = {
    'CLOSED->OPEN': 0,
    'OPEN->HALF_OPEN': 0,
    'HALF_OPEN->CLOSED': 0,
    'HALF_OPEN->OPEN': 0,
    'OPEN->CLOSED': 0,
  };
  lastFailure: FailureSummary | null = null;
  lastInvalid: FailureSummary | null = null;
  lastSuccessAt: number | null = null;
  readonly #durations = new Histogram(DURATION_BOUNDS_SECONDS);
  readonly #batchSizes = new Histogram(BATCH_SIZE_BOUNDS);

  /** A sending was answered. */
  settled(result: Classification, items: number, at: number, durationMillis: number, error: unknown): void {
    this.exports[result]++;
    this.items[result] += items;
    this.#durations.observe(durationMillis / 1000);
    this.#batchSizes.observe(items);
    if (result === 'success') this.lastSuccessAt = at;
    else if (result === 'failure') this.lastFailure = summarize(error, at);
    else if (result === 'invalid') this.lastInvalid = summarize(error, at);
  }

  /** The circuit let a batch not through. */
  rejected(items: number): void {
    this.exports.rejected++;
    this.items.rejected += items;
  }

  changed(from: CircuitState, to: CircuitState): void {
    this.transitions[`${from}->${to}` as TransitionName]++;
  }

  /** Copies, for a snapshot to give away. */
  snapshot(): Pick<
    CircuitSnapshot,
    | 'lastFailure'
    | 'lastInvalid'
    | 'lastSuccessAt'
    | 'exports'
    | 'items'
    | 'probes'
    | 'transitions'
    | 'exportDurations'
    | 'batchSizes'
  > {
    return {
      lastFailure: this.lastFailure && { ...this.lastFailure },
      lastInvalid: this.lastInvalid && { ...this.lastInvalid },
      lastSuccessAt: this.lastSuccessAt,
      exports: { ...this.exports },
      items: { ...this.items },
      probes: { ...this.probes },
      transitions: { ...this.transitions },
      exportDurations: this.#durations.snapshot(),
      batchSizes: this.#batchSizes.snapshot(),
    };
  }
}

class Histogram {
  readonly #bounds: readonly number[];
  readonly #counts: number[];
  #sum = 0;
  #count = 0;

  constructor(bounds: readonly number[]) {
    this.#bounds = bounds;
    this.#counts = new Array<number>(bounds.length + 1).fill(0);
  }

  observe(value: number): void {
    let bucket = 0;
    while (bucket < this.#bounds.length && value > (this.#bounds[bucket] as number)) bucket++;
    this.#counts[bucket] = (this.#counts[bucket] as number) + 1;
    this.#sum += value;
    this.#count++;
  }

  snapshot(): HistogramSnapshot {
    return { bounds: [...this.#bounds], counts: [...this.#counts], sum: this.#sum, count: this.#count };
  }
}

function noResults(): ResultCounts {
  return { success: 0, failure: 0, invalid: 0, ignored: 0, rejected: 0 };
}

/** An error as it can be shown, whatever was thrown; hostile getters included. */
function summarize(error: unknown, at: number): FailureSummary {
  try {
    if (typeof error === 'object' && error !== null) {
      const { name, code, message } = error as Record<string, unknown>;
      return {
        name: typeof name === 'string' ? name : 'Error',
        code: typeof code === 'string' || Number.isFinite(code) ? (code as string | number) : null,
        message: typeof message === 'string' ? message : '',
        at,
      };
    }
    return { name: 'Error', code: null, message: error === undefined ? '' : String(error), at };
  } catch {
    return { name: 'Error', code: null, message: '', at };
  }
}
