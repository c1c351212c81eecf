/** Time source and timers. */
export interface Clock {
  /** Milliseconds that never run backwards and that nobody sets: for durations, time-outs, ages and cooldowns. */
  now(): number;
  /** The time of day in Unix milliseconds, for display. @defaultValue `now()` is taken for it */
  unixMillis?(): number;
  /**
   * Calls `callback` once, `delayMillis` milliseconds from now. Must not keep the process alive, unless `keepAlive`.
   *
   * @returns cancels the call; does nothing after it
   */
  schedule(callback: () => void, delayMillis: number, keepAlive?: boolean): () => void;
}

/** `setTimeout` takes 32-bit milliseconds: a longer delay would fire immediately. This one fires after 25 days. */
const LONGEST_TIMER_MILLIS = 2_147_483_647;

let latestDateMillis = 0;

/** For the few runtimes without `performance`. Time stands still while the system's clock is behind where it was. */
function steadyDateNow(): number {
  latestDateMillis = Math.max(latestDateMillis, Date.now());
  return latestDateMillis;
}

/**
 * The default of every `clock` option: `now()` is `performance.now()`, `unixMillis()` is `Date.now()`, timers are the
 * platform's, unref'd where it can do that.
 */
export const systemClock: Clock = Object.freeze({
  // Looked up at each call: fake timers put another function there.
  now: typeof globalThis.performance?.now === 'function' ? () => performance.now() : steadyDateNow,

  unixMillis: () => Date.now(),

  schedule(callback: () => void, delayMillis: number, keepAlive = false): () => void {
    const timer = setTimeout(callback, Math.min(delayMillis, LONGEST_TIMER_MILLIS));
    // Timers of browsers and workers are numbers, which have no unref.
    if (!keepAlive) (timer as { unref?: () => void }).unref?.();
    return () => clearTimeout(timer);
  },
});
