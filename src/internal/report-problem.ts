/** Receives problems that no caller can be told about. */
export type ProblemListener = (message: string, error: unknown) => void;

/** Tells `onError`. If it throws or rejects, that is ignored: nobody is left to tell. */
export function reportProblem(onError: ProblemListener, message: string, error: unknown): void {
  try {
    ignoreRejection(onError(message, error));
  } catch {
    // Nobody is left to tell.
  }
  // It may be a promise that a user's function returned.
  ignoreRejection(error);
}

/**
 * Calls a function that the user has provided, for its effect. What it throws, and what the promise that it returns
 * rejects with, goes to `onProblem`, which must not throw.
 */
export function callUserFunction(call: () => unknown, onProblem: (error: unknown) => void): void {
  try {
    const returned = call();
    if (isThenable(returned)) Promise.resolve(returned).catch(onProblem);
  } catch (error) {
    onProblem(error);
  }
}

/** Keeps a promise that nobody waits for from ending the process when it rejects. Any other value is fine, too. */
export function ignoreRejection(value: unknown): void {
  if (isThenable(value)) Promise.resolve(value).catch(() => {});
}

/** Whether a value is a promise, of this realm or of another. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as { then?: unknown } | null | undefined)?.then === 'function';
}
