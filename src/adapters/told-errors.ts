/**
 * Errors of failed probes that are no news: `logTransitions` has told of them, and of their cause before. Each of them is still on its way to OpenTelemetry's global
 * error handler, because a probe is an export like any other: without this, an hour of outage is a line every 20 s.
 */
const toldErrors = new WeakSet<object>();

/** Takes note that an error has been told of. */
export function noteTold(error: unknown): void {
  if (typeof error === 'object' && error !== null) toldErrors.add(error);
}

/** Whether an error has been told of; true once for each time, so that an error which serves again is heard again. */
export function takeTold(error: unknown): boolean {
  // False for what is no object: it was never added.
  return toldErrors.delete(error as object);
}
