/** Stands in an expectation where the contract leaves the value open. */
export const ANYTHING: unique symbol = Symbol('anything');

/** How a sending ended. `'unsent'`: the exporter threw before it sent anything. */
export type Outcome = 'success' | 'failure' | 'invalid' | 'ignored' | 'unsent';

/** An error as a snapshot shows it, as far as the contract says it. */
export interface ExpectedError {
  readonly name: unknown;
  readonly code: unknown;
  readonly message: unknown;
}

/** An error about which the contract says nothing except that there is one. */
export const SOME_ERROR: ExpectedError = { name: ANYTHING, code: ANYTHING, message: ANYTHING };

/** An error, and the time when it came, as a reading of the clock. */
type LastError = (ExpectedError & { readonly at: number }) | null;

/** What a snapshot shows of an error that was given. */
export function expectedError(error: Error): ExpectedError {
  const code = (error as { code?: unknown }).code;
  return { name: error.name, code: code ?? null, message: error.message };
}

const DURATION_BOUNDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
const SIZE_BOUNDS = [1, 4, 16, 64, 256, 512, 1024, 4096];

function histogram(bounds: readonly number[]) {
  return { bounds, counts: new Array<number>(bounds.length + 1).fill(0), sum: 0, count: 0 };
}

function observe(into: ReturnType<typeof histogram>, value: number): void {
  const bucket = into.bounds.filter((bound) => bound < value).length;
  into.counts[bucket] = Number(into.counts[bucket]) + 1;
  into.sum += value;
  into.count += 1;
}

const noCounts = () => ({ success: 0, failure: 0, invalid: 0, ignored: 0, rejected: 0 });

/** The part of the model that only counts: nothing clears it, and it decides nothing. */
export class TotalsModel {
  readonly exports = noCounts();
  readonly items = noCounts();
  readonly probes = { success: 0, failure: 0 };
  readonly transitions: Record<string, number> = {
    'CLOSED->OPEN': 0,
    'OPEN->HALF_OPEN': 0,
    'HALF_OPEN->CLOSED': 0,
    'HALF_OPEN->OPEN': 0,
    'OPEN->CLOSED': 0,
  };
  readonly exportDurations = histogram(DURATION_BOUNDS);
  readonly batchSizes = histogram(SIZE_BOUNDS);
  #lastFailure: LastError = null;
  #lastInvalid: LastError = null;
  #lastIgnored: LastError = null;
  #lastSuccessAt: number | null = null;

  /** What a snapshot shows of it; `shown` converts readings of the clock. */
  snapshot(shown: (at: number) => number): Record<string, unknown> {
    const { exports, items, probes, transitions, exportDurations, batchSizes } = this;
    // The words for causes are not part of this model.
    const last = (error: LastError) => error && { ...error, cause: ANYTHING, at: shown(error.at) };
    return {
      lastFailure: last(this.#lastFailure),
      lastInvalid: last(this.#lastInvalid),
      lastIgnored: last(this.#lastIgnored),
      lastSuccessAt: this.#lastSuccessAt === null ? null : shown(this.#lastSuccessAt),
      ...{ exports, items, probes, transitions, exportDurations, batchSizes },
    };
  }

  /** A batch that the open circuit rejected. */
  rejected(items: number): void {
    this.exports.rejected += 1;
    this.items.rejected += items;
  }

  /** A batch that reached the inner exporter, once its end is known. What was never sent counts as invalid. */
  ended(outcome: Outcome, items: number, at: number, durationMillis: number, error: ExpectedError): void {
    const result = outcome === 'unsent' ? 'invalid' : outcome;
    this.exports[result] += 1;
    this.items[result] += items;
    observe(this.exportDurations, durationMillis / 1_000);
    observe(this.batchSizes, items);
    if (result === 'success') this.#lastSuccessAt = at;
    if (result === 'failure') this.#lastFailure = { ...error, at };
    if (result === 'invalid') this.#lastInvalid = { ...error, at };
    if (result === 'ignored') this.#lastIgnored = { ...error, at };
  }

  /** A probe, in addition to {@link ended}; one that was ignored or never sent says nothing. */
  probed(outcome: Outcome): void {
    if (outcome === 'failure') this.probes.failure += 1;
    else if (outcome === 'success' || outcome === 'invalid') this.probes.success += 1;
  }

  /** A change of state. */
  changed(from: string, to: string): void {
    const key = `${from}->${to}`;
    this.transitions[key] = Number(this.transitions[key]) + 1;
  }
}
