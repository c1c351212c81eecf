import type { Clock } from './clock.ts';

/** The offset is renewed when it is off by more than this: smaller steps would only make displayed times flicker. */
const TOLERANCE_MILLIS = 1_000;

/** Converts readings of a clock to Unix milliseconds, for display. All of them with the same offset. */
export class TimeOfDay {
  readonly #clock: Clock;
  #offsetMillis: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#offsetMillis = this.#measure();
  }

  /** Follows a time of day that somebody has set. Not for every export: it reads both clocks. */
  renew(): void {
    const offsetMillis = this.#measure();
    if (Math.abs(offsetMillis - this.#offsetMillis) > TOLERANCE_MILLIS) this.#offsetMillis = offsetMillis;
  }

  /** @param at - a reading of `clock.now()` */
  unixMillis(at: number): number {
    return Math.round(at + this.#offsetMillis);
  }

  #measure(): number {
    const { unixMillis } = this.#clock;
    return unixMillis === undefined ? 0 : unixMillis.call(this.#clock) - this.#clock.now();
  }
}
