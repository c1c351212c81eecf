/** The time, for the store. */
export interface DiskTime {
  /** Unix milliseconds. */
  unixMillis(): number;
  /** Calls back once, without keeping the process alive. @returns cancels the call */
  schedule(callback: () => void, delayMillis: number): () => void;
}

/** The time of the system. */
export const systemTime: DiskTime = {
  unixMillis: () => Date.now(),
  schedule(callback, delayMillis) {
    const timer = setTimeout(callback, delayMillis);
    timer.unref();
    return () => clearTimeout(timer);
  },
};

/** Does something again and again, with a pause before each time. */
export class Repeated {
  readonly #time: DiskTime;
  readonly #pauseMillis: number;
  readonly #task: () => Promise<void>;
  #cancel: (() => void) | undefined;
  #isRunning = false;

  /** @param task - must not reject */
  constructor(time: DiskTime, pauseMillis: number, task: () => Promise<void>) {
    this.#time = time;
    this.#pauseMillis = pauseMillis;
    this.#task = task;
  }

  /** Begins, unless it has begun. */
  start(): void {
    this.#isRunning = true;
    this.#cancel ??= this.#time.schedule(() => void this.#run(), this.#pauseMillis);
  }

  stop(): void {
    this.#isRunning = false;
    this.#cancel?.();
    this.#cancel = undefined;
  }

  async #run(): Promise<void> {
    await this.#task();
    this.#cancel = undefined;
    if (this.#isRunning) this.start();
  }
}

/** Waits for a promise, but not for ever. */
export function waitFor(time: DiskTime, millis: number, promise: Promise<void>): Promise<void> {
  return new Promise((resolve, reject) => {
    const cancel = time.schedule(resolve, millis);
    promise.finally(cancel).then(resolve, reject);
  });
}
