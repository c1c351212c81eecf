import type { Clock } from '../breaker/clock.ts';

/**
 * Waits for a promise, but not for ever.
 *
 * @param millis - milliseconds; `Infinity` for no limit, 0 or less for what has settled already
 * @returns whether it settled in time; its rejection is the caller's to handle
 */
export function settledWithin(clock: Clock, millis: number, promise: Promise<unknown>): Promise<boolean> {
  return new Promise((resolve) => {
    const late = (): void => resolve(false);
    let cancel = (): void => {};
    const settled = (): void => {
      cancel();
      resolve(true);
    };
    promise.then(settled, settled);
    // No timer where no time is left: it would take some, and the clock may never move again.
    if (millis <= 0) void Promise.resolve().then(late);
    else if (millis !== Number.POSITIVE_INFINITY) cancel = clock.schedule(late, millis);
  });
}
