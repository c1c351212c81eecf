import { withTracingSuppressed } from '../delivery/suppress-tracing.ts';

/** Runs asynchronous tasks one after the other, without spans of what they do: those would be kept in turn. */
export class Lane {
  #last: Promise<unknown> = Promise.resolve();

  /** Runs a task when those before it are through, whatever became of them. */
  run<T>(task: () => Promise<T>): Promise<T> {
    const result = this.#last.then(() => suppressed(task));
    this.#last = result.catch(() => {});
    return result;
  }

  /** Resolves when everything given to it so far is through. */
  async idle(): Promise<void> {
    await this.#last;
  }
}

/** Runs a task without spans of what it does. */
export function suppressed<T>(task: () => Promise<T>): Promise<T> {
  let result: Promise<T> | undefined;
  withTracingSuppressed(() => {
    result = task();
  });
  return result as unknown as Promise<T>;
}
