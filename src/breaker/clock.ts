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
 * What was last read, and by how much that stood before the system's clock. Two fields of one object: V8 writes a double
 * to such a field in place, and makes a new object of each one that is written to a variable.
 */
const reading = { lastMillis: 0, aheadMillis: 0 };

/**
 * The system's clock and timers, and the default of every `clock` option. When the system's clock is set back, time
 * goes on from where it was, until the system's clock has caught up. Timers are unref'd where the platform can do that.
 */
export const systemClock: Clock = Object.freeze({
  now(): number {
    const wallMillis = Date.now();
    if (wallMillis < reading.lastMillis || reading.aheadMillis > 0) return nowAfterStepBack(wallMillis);
    reading.lastMillis = wallMillis;
    return wallMillis;
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

/** The system's clock has been set back: time goes on from the last reading. */
function nowAfterStepBack(wallMillis: number): number {
  const { lastMillis, aheadMillis } = reading;
  if (wallMillis >= lastMillis) reading.aheadMillis = 0;
  else if (wallMillis + aheadMillis < lastMillis) reading.aheadMillis = lastMillis - wallMillis;
  reading.lastMillis = wallMillis + reading.aheadMillis;
  return reading.lastMillis;
}
