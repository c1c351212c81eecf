import type { Clock } from '../breaker/clock.ts';

/**
 * Waits for a promise, but not for ever.
 *
 * @param millis - milliseconds; `Infinity` for no limit
 * @returns whether it settled in time; its rejection is the caller's to handle
 */
export function settledWithin(clock: Clock, millis: number, promise: Promise<unknown>): Promise<boolean> {
  return new Promise((resolve) => {
    const cancel =
      millis === Number.POSITIVE_INFINITY
        ? () => {}
        : clock.schedule(() => resolve(false), Math.max(0, millis));
    const settled = (): void => {
      cancel();
      resolve(true);
    };
    promise.then(settled, settled);
  });
}
