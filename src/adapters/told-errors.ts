/** An outage, as far as errors are marked in it. */
interface Outage {
  over: boolean;
}

/** Errors of failed probes that are still on their way to the global error handler, and are no news there. */
const noNews = new WeakMap<object, Outage>();

/**
 * Marks the errors of failed probes that `logTransitions` has told of and whose code is the one that was told last. A probe
 * is an export like any other, and its error reaches OpenTelemetry's global error handler: without a mark, an hour of
 * outage is a line every 20 s. No mark outlives its outage.
 */
export class ToldErrors {
  #outage: Outage = { over: false };
  #lastCode: unknown;

  /** @param error - the failure that opened the circuit; it is news */
  outageBegan(error: unknown): void {
    this.#outage = { over: false };
    this.#lastCode = codeOf(error);
  }

  /** @param error - the failure of the probe */
  probeFailed(error: unknown): void {
    const code = codeOf(error);
    if (code !== undefined && code === this.#lastCode) noNews.set(error as object, this.#outage);
    this.#lastCode = code;
  }

  outageEnded(): void {
    this.#outage.over = true;
  }
}

/** Whether an error is marked; true once for each mark, so that an error object which serves again is heard again. */
export function takeTold(error: unknown): boolean {
  const outage = noNews.get(error as object);
  // False for primitives: they were never added.
  return noNews.delete(error as object) && outage?.over === false;
}

/** Errors without a code cannot be told apart: each of them is news. */
function codeOf(error: unknown): string | number | undefined {
  if (typeof error !== 'object' || error === null) return undefined;
  const { code } = error as { code?: unknown };
  return (typeof code === 'string' && code !== '') || typeof code === 'number' ? code : undefined;
}
