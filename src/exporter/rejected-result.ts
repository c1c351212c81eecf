import type { CircuitBreaker } from '../breaker/circuit-breaker.ts';
import { CircuitOpenError } from '../internal/errors.ts';
import { knownCause } from '../internal/known-cause.ts';
import type { ExportResultLike } from '../sending/exporter-contract.ts';
import { FAILED } from '../sending/exporter-contract.ts';

/** What the callers of rejected batches get: one frozen result for as long as the circuit stays open. */
export class RejectedResult {
  readonly #breaker: CircuitBreaker;
  #result: ExportResultLike | undefined;

  constructor(breaker: CircuitBreaker) {
    this.#breaker = breaker;
  }

  get(): ExportResultLike {
    this.#result ??= Object.freeze({
      code: FAILED,
      error: new CircuitOpenError(this.#breaker.name, describeOpenCircuit(this.#breaker)),
    });
    return this.#result;
  }

  /** The circuit has closed: the next outage has another story. */
  forget(): void {
    this.#result = undefined;
  }
}

/** Since when and why a circuit is not closed, in one line that holds no other error's text. */
export function describeOpenCircuit(breaker: CircuitBreaker): string {
  const { name, forced, notClosedSince, consecutiveFailures, lastFailure } = breaker.snapshot();
  const since = notClosedSince === null ? '' : ` since ${formatTime(notClosedSince)}`;
  if (forced === 'OPEN') return `circuit ${JSON.stringify(name)} is held open by hand${since}`;
  const failures =
    consecutiveFailures === 0 ? '' : ` after ${plural(consecutiveFailures, 'failure')} in a row`;
  const cause = lastFailure?.code ?? knownCause(lastFailure?.message);
  const last = consecutiveFailures === 0 || cause === undefined ? '' : `, last ${cause}`;
  return `circuit ${JSON.stringify(name)} is open${since}${failures}${last}`;
}

/** `12:03:10Z`; an injected clock may say what is no date. */
function formatTime(unixMillis: number): string {
  const date = new Date(unixMillis);
  return Number.isNaN(date.getTime()) ? String(unixMillis) : `${date.toISOString().slice(11, 19)}Z`;
}

function plural(count: number, noun: string): string {
  return count === 1 ? `1 ${noun}` : `${count} ${noun}s`;
}
