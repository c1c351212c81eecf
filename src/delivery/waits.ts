import type { Clock } from '../breaker/clock.ts';

/** So that a wait without an end keeps the process alive. */
const KEEP_ALIVE_MILLIS = 3_600_000;

/**
 * Waits for promises, but not for ever. The timers keep the process alive: a caller waits for the result.
 */
export class Waits {
  readonly #clock: Clock;
  readonly #looks = new Set<() => void>();
  #ended = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * @param endsAt - until when, as a reading of the clock; asked anew whenever the time is over, and at each {@link look}
   * @returns whether the promise settled in time; its rejection is the caller's to handle
   */
  until(promise: Promise<unknown>, endsAt: () => number): Promise<boolean> {
    return new Promise((resolve) => {
      let cancel = (): void => {};
      const finish = (inTime: boolean): void => {
        cancel();
        this.#looks.delete(look);
        resolve(inTime);
      };
      const look = (): void => {
        cancel();
        const restMillis = this.#ended ? 0 : endsAt() - this.#clock.now();
        // What has settled already is told first, because its reactions are queued already.
        if (restMillis <= 0) void Promise.resolve().then(() => finish(false));
        else cancel = this.#clock.schedule(look, Math.min(restMillis, KEEP_ALIVE_MILLIS), true);
      };
      promise.then(
        () => finish(true),
        () => finish(true),
      );
      this.#looks.add(look);
      look();
    });
  }

  /** Ends all waits. */
  end(): void {
    this.#ended = true;
    this.look();
  }

  /** Something has happened that may end waits early. */
  look(): void {
    for (const look of [...this.#looks]) look();
  }
}
