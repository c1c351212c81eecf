import type { CircuitState } from '../../../src/index.ts';

type Result = 'success' | 'failure' | 'invalid' | 'ignored' | 'unsent';

class Histogram {
  readonly bounds: readonly number[];
  readonly counts: number[];
  sum = 0;
  count = 0;

  constructor(...bounds: number[]) {
    this.bounds = bounds;
    this.counts = [...bounds, 0].map(() => 0);
  }

  add(value: number): void {
    const index = this.bounds.findIndex((bound) => value <= bound);
    this.counts[index < 0 ? this.bounds.length : index]!++;
    this.sum += value;
    this.count++;
  }
}

const counts = () => ({ success: 0, failure: 0, invalid: 0, ignored: 0, rejected: 0 });

/** What the tiny breaker counts. */
export class TinyNumbers {
  failedProbes = 0;
  #since: number;
  #notClosedSince: number | null = null;
  #notClosedBefore = 0;
  #failures = 0;
  #invalid = 0;
  #ignored = 0;
  readonly #last: Record<'failure' | 'invalid' | 'ignored', { at: number } | null> = {
    failure: null,
    invalid: null,
    ignored: null,
  };
  #lastSuccessAt: number | null = null;
  readonly #exports = counts();
  readonly #items = counts();
  readonly #probes = { success: 0, failure: 0 };
  readonly #transitions: Record<string, number> = {
    'CLOSED->OPEN': 0,
    'OPEN->HALF_OPEN': 0,
    'HALF_OPEN->CLOSED': 0,
    'HALF_OPEN->OPEN': 0,
    'OPEN->CLOSED': 0,
  };
  readonly #durations = new Histogram(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30);
  readonly #sizes = new Histogram(1, 4, 16, 64, 256, 512, 1024, 4096);

  constructor(now: number) {
    this.#since = now;
  }

  reject(items: number): void {
    this.#exports.rejected++;
    this.#items.rejected += items;
  }

  end(outcome: Result, items: number, at: number, durationMillis: number, error: unknown): void {
    const result = outcome === 'unsent' ? 'invalid' : outcome;
    this.#exports[result]++;
    this.#items[result] += items;
    this.#durations.add(durationMillis / 1_000);
    this.#sizes.add(items);
    if (result === 'success') {
      this.#lastSuccessAt = at;
      return;
    }
    const {
      name = 'Error',
      code = null,
      message = '',
    } = (error ?? {}) as { name?: string; code?: unknown; message?: string };
    this.#last[result] = Object.assign({ name, code, cause: null, message }, { at });
  }

  probe(result: Result): void {
    if (result === 'failure') this.#probes.failure++;
    else if (result === 'success' || result === 'invalid') this.#probes.success++;
  }

  streak(result: Result): void {
    if (result === 'failure') this.#failures++;
    if (result === 'invalid' || result === 'unsent') this.#invalid++;
    if (result === 'ignored') this.#ignored++;
    if (result === 'success' || result === 'invalid') this.#failures = 0;
    if (result !== 'success') return;
    this.#invalid = 0;
    this.#ignored = 0;
  }

  move(from: CircuitState, to: CircuitState, at: number): void {
    this.#transitions[`${from}->${to}`]!++;
    this.#since = at;
    if (from === 'CLOSED') this.#notClosedSince = at;
    if (to !== 'CLOSED') return;
    this.#notClosedBefore += at - (this.#notClosedSince ?? at);
    this.#notClosedSince = null;
    this.failedProbes = 0;
  }

  /** @param ahead - the time of day minus `now` */
  snapshot(now: number, ahead: number) {
    const shown = (at: number) => Math.round(at + ahead);
    const last = (error: { at: number } | null) => error && { ...error, at: shown(error.at) };
    return structuredClone({
      since: shown(this.#since),
      notClosedSince: this.#notClosedSince === null ? null : shown(this.#notClosedSince),
      consecutiveFailures: this.#failures,
      consecutiveInvalid: this.#invalid,
      consecutiveIgnored: this.#ignored,
      failedProbes: this.failedProbes,
      lastFailure: last(this.#last.failure),
      lastInvalid: last(this.#last.invalid),
      lastIgnored: last(this.#last.ignored),
      lastSuccessAt: this.#lastSuccessAt === null ? null : shown(this.#lastSuccessAt),
      exports: this.#exports,
      items: this.#items,
      probes: this.#probes,
      transitions: this.#transitions,
      exportDurations: { ...this.#durations },
      batchSizes: { ...this.#sizes },
      notClosedMillis:
        this.#notClosedBefore + (this.#notClosedSince === null ? 0 : now - this.#notClosedSince),
    });
  }
}
