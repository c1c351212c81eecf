import type { Clock } from '../breaker/clock.ts';
import { finiteNumber, nonNegativeNumber } from '../internal/validate-options.ts';

interface Timer {
  readonly dueMillis: number;
  readonly callback: () => void;
}

/**
 * A clock that stands still until it is told to advance.
 *
 * @example
 * ```ts
 * import { CircuitBreaker } from 'otel-circuit-breaker';
 * import { ManualClock } from 'otel-circuit-breaker/testing';
 *
 * const clock = new ManualClock();
 * const breaker = new CircuitBreaker({ clock });
 * clock.advance(5_000);
 * ```
 */
export class ManualClock implements Clock {
  #nowMillis: number;
  /** In the order in which they were scheduled. */
  readonly #timers = new Set<Timer>();

  /**
   * @param startMillis - what `now()` returns at first, in milliseconds; without a time of day of its own, it is taken for
   * Unix milliseconds
   * @throws TypeError if it is not a number, RangeError if it is not finite
   */
  constructor(startMillis = 0) {
    this.#nowMillis = finiteNumber(startMillis, 'ManualClock: startMillis');
  }

  now(): number {
    return this.#nowMillis;
  }

  schedule(callback: () => void, delayMillis: number): () => void {
    finiteNumber(delayMillis, 'ManualClock.schedule: delayMillis');
    const timer = { dueMillis: this.#nowMillis + delayMillis, callback };
    this.#timers.add(timer);
    return () => {
      this.#timers.delete(timer);
    };
  }

  /**
   * Moves time forward, and runs the callbacks that are due by then, in order of time, then of scheduling. Callbacks may
   * schedule more.
   *
   * @param millis - milliseconds; at least 0
   * @throws TypeError if it is not a number, RangeError if it is negative or not finite
   */
  advance(millis: number): void {
    const untilMillis = this.#nowMillis + nonNegativeNumber(millis, 'ManualClock.advance: millis');
    for (let next = this.#nextDue(untilMillis); next !== undefined; next = this.#nextDue(untilMillis)) {
      this.#timers.delete(next);
      this.#nowMillis = Math.max(this.#nowMillis, next.dueMillis);
      next.callback();
    }
    this.#nowMillis = Math.max(this.#nowMillis, untilMillis);
  }

  #nextDue(untilMillis: number): Timer | undefined {
    let next: Timer | undefined;
    for (const timer of this.#timers) {
      if (timer.dueMillis <= untilMillis && (next === undefined || timer.dueMillis < next.dueMillis))
        next = timer;
    }
    return next;
  }
}
