/** The only thing in this library that knows the time. */
export interface Clock {
  /** Now, in Unix milliseconds that never run backwards. */
  now(): number;
  /**
   * Calls `callback` once, `delayMillis` milliseconds from now. Must not keep the process alive.
   *
   * @returns cancels the call; does nothing after it
   */
  schedule(callback: () => void, delayMillis: number): () => void;
}

/** `setTimeout` takes 32-bit milliseconds; a longer delay would fire at once. */
const LONGEST_TIMER_MILLIS = 2_147_483_647;

/**
 * The last reading, and by how much it stood before the system's clock. In an array of doubles, because V8 makes an object
 * of each double that is written to a variable, and a rejected batch creates none.
 */
const reading = new Float64Array(2);
const LAST = 0;
const AHEAD = 1;

/**
 * The system's clock and timers, and the default of every `clock` option. When the system's clock is set back, time
 * goes on from where it was, until the system's clock has caught up. Timers are unref'd where the platform can do that.
 */
export const systemClock: Clock = Object.freeze({
  now(): number {
    const wallMillis = Date.now();
    const last = reading[LAST] as number;
    if (wallMillis >= last) reading[AHEAD] = 0;
    else if (wallMillis + (reading[AHEAD] as number) < last) reading[AHEAD] = last - wallMillis;
    const millis = wallMillis + (reading[AHEAD] as number);
    reading[LAST] = millis;
    return millis;
  },

  schedule(callback: () => void, delayMillis: number): () => void {
    let timer: ReturnType<typeof setTimeout>;
    const arm = (restMillis: number): void => {
      const pieceMillis = Math.min(restMillis, LONGEST_TIMER_MILLIS);
      timer = setTimeout(() => {
        if (restMillis > pieceMillis) arm(restMillis - pieceMillis);
        else callback();
      }, pieceMillis);
      // Browsers and workers answer a number, which has no unref.
      (timer as { unref?: () => void }).unref?.();
    };
    arm(delayMillis);
    return () => clearTimeout(timer);
  },
});
