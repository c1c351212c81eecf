import type { Check } from '../internal/validate-options.ts';
import { numberThat, positiveNumber, readOptions } from '../internal/validate-options.ts';

/** The exports that a rate is calculated from: the last `exports` of them, or those of the last `millis` milliseconds. */
export type RollingWindow =
  | { readonly exports: number; readonly millis?: undefined }
  | { readonly millis: number; readonly exports?: undefined };

/** Counts the exports in a window, and the hits among them. */
export interface RollingCounter {
  /** How many exports are in the window. */
  readonly total: number;
  /** How many of them were hits. */
  readonly hits: number;
  /** @param at - a reading of the breaker's clock */
  add(at: number, hit: boolean): void;
  /** Forgets everything. */
  clear(): void;
}

/** A result leaves a time window with its whole bucket: with 20 of them, it counts for at least 95 % of the window. */
const BUCKETS = 20;

/** There is a limit because each export takes a byte. */
const windowLength = /* @__PURE__ */ numberThat(
  'a positive integer of at most 1000000',
  (value) => Number.isSafeInteger(value) && value > 0 && value <= 1_000_000,
);

/** Checks a `window` option. */
export const rollingWindow: Check<RollingWindow> = (value, label) => {
  const given = readOptions<{ exports: number | undefined; millis: number | undefined }>(label, value ?? {}, {
    exports: (n, name) => (n === undefined ? undefined : windowLength(n, name)),
    millis: (n, name) => (n === undefined ? undefined : positiveNumber(n, name)),
  });
  if ((given.exports === undefined) === (given.millis === undefined)) {
    throw new TypeError(`${label} must be { exports: n } or { millis: n }, got ${JSON.stringify(value)}`);
  }
  return given as RollingWindow;
};

/** A counter for a window; its memory does not grow with traffic. */
export function createRollingCounter(window: RollingWindow): RollingCounter {
  return window.exports === undefined ? new LastMillis(window.millis) : new LastExports(window.exports);
}

class LastExports implements RollingCounter {
  total = 0;
  hits = 0;
  readonly #ring: Uint8Array;
  #next = 0;

  constructor(exports: number) {
    this.#ring = new Uint8Array(exports);
  }

  add(_at: number, hit: boolean): void {
    if (this.total === this.#ring.length) this.hits -= this.#ring[this.#next] as number;
    else this.total++;
    this.#ring[this.#next] = hit ? 1 : 0;
    if (hit) this.hits++;
    this.#next = (this.#next + 1) % this.#ring.length;
  }

  clear(): void {
    this.total = 0;
    this.hits = 0;
    this.#next = 0;
  }
}

class LastMillis implements RollingCounter {
  total = 0;
  hits = 0;
  readonly #bucketMillis: number;
  readonly #totals = new Float64Array(BUCKETS);
  readonly #hits = new Float64Array(BUCKETS);
  /** The newest bucket, counted from 0 on the clock. */
  #newest = 0;

  constructor(millis: number) {
    this.#bucketMillis = millis / BUCKETS;
  }

  add(at: number, hit: boolean): void {
    this.#moveTo(Math.floor(at / this.#bucketMillis));
    const slot = this.#newest % BUCKETS;
    this.#totals[slot] = (this.#totals[slot] as number) + 1;
    this.total++;
    if (!hit) return;
    this.#hits[slot] = (this.#hits[slot] as number) + 1;
    this.hits++;
  }

  clear(): void {
    this.total = 0;
    this.hits = 0;
    this.#totals.fill(0);
    this.#hits.fill(0);
  }

  #moveTo(bucket: number): void {
    const passed = Math.min(bucket - this.#newest, BUCKETS);
    if (passed <= 0) return;
    for (let i = 1; i <= passed; i++) {
      const slot = (this.#newest + i) % BUCKETS;
      this.total -= this.#totals[slot] as number;
      this.hits -= this.#hits[slot] as number;
      this.#totals[slot] = 0;
      this.#hits[slot] = 0;
    }
    this.#newest = bucket;
  }
}
