/** Hears of what has no caller to tell. */
export type ProblemListener = (message: string, error: unknown) => void;

/** Tells `onError`, which is ignored when it throws: it must not harm what goes on. */
export function reportProblem(onError: ProblemListener, message: string, error: unknown): void {
  try {
    onError(message, error);
  } catch {
    // There is nobody left to tell.
  }
}
