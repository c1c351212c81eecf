import type { Clock } from 'otel-circuit-breaker';

interface Timer {
  /** Whole milliseconds. */
  readonly dueMillis: number;
  callback: (() => void) | undefined;
}

/** A power of two, longer than almost every delay: what waits longer is looked at once a turn. */
const SLOTS = 16_384;

/**
 * A virtual clock for a hundred thousand breakers: a wheel with a slot for each millisecond, so that scheduling, cancelling
 * and running cost the same however many timers there are. (`ManualClock` looks at all of them each time.) Delays are
 * rounded up to whole milliseconds; within one, timers run in the order in which they were scheduled.
 */
export class EventClock implements Clock {
  #nowMillis = 0;
  readonly #slots: Timer[][] = Array.from({ length: SLOTS }, () => []);

  now(): number {
    return this.#nowMillis;
  }

  schedule(callback: () => void, delayMillis: number): () => void {
    const timer: Timer = { dueMillis: this.#nowMillis + Math.max(0, Math.ceil(delayMillis)), callback };
    this.#slots[timer.dueMillis & (SLOTS - 1)]?.push(timer);
    return () => {
      timer.callback = undefined;
    };
  }

  /** Runs all that is due until then, and leaves the clock there. */
  runUntil(untilMillis: number): void {
    for (;;) {
      this.#runSlot(this.#nowMillis & (SLOTS - 1));
      if (this.#nowMillis >= untilMillis) return;
      this.#nowMillis += 1;
    }
  }

  #runSlot(index: number): void {
    const slot = this.#slots[index] ?? [];
    let kept = 0;
    // What a callback schedules for this very millisecond is appended here, and found.
    for (let next = 0; next < slot.length; next += 1) {
      const timer = slot[next];
      if (timer?.callback === undefined) continue;
      if (timer.dueMillis > this.#nowMillis) {
        slot[kept] = timer;
        kept += 1;
        continue;
      }
      const { callback } = timer;
      timer.callback = undefined;
      callback();
    }
    slot.length = kept;
  }
}
