/** Hears of what has no caller to tell. */
export type ProblemListener = (message: string, error: unknown) => void;

/** Tells `onError`, which is ignored when it throws or rejects: it must not harm what goes on. */
export function reportProblem(onError: ProblemListener, message: string, error: unknown): void {
  try {
    ignoreRejection(onError(message, error));
  } catch {
    // There is nobody left to tell.
  }
  // An async function where a plain one is wanted: it was told of, and must not end the process besides.
  ignoreRejection(error);
}

function ignoreRejection(value: unknown): void {
  if (value instanceof Promise) value.catch(() => {});
}
