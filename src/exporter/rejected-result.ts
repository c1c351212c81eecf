import type { CircuitBreaker } from '../breaker/circuit-breaker.ts';
import type { ExportResultLike } from '../delivery/exporter-contract.ts';
import { FAILED } from '../delivery/exporter-contract.ts';
import { CircuitOpenError } from '../internal/errors.ts';
import { escapeText } from '../internal/escape-text.ts';
import { failuresInARow } from '../internal/outage-lines.ts';

/** The result for the callers of rejected batches: one frozen object for as long as the circuit stays open. */
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

/** Since when and why a circuit is not closed, in one line without the text of another error. */
export function describeOpenCircuit(breaker: Pick<CircuitBreaker, 'snapshot'>): string {
  const { name, forced, notClosedSince, consecutiveFailures, lastFailure } = breaker.snapshot();
  const byHand = forced === 'OPEN';
  const since = notClosedSince === null ? '' : ` since ${formatTime(notClosedSince)}`;
  const line = `circuit ${JSON.stringify(name)} is ${byHand ? 'held open by hand' : 'open'}${since}`;
  if (byHand || consecutiveFailures === 0) return line;
  const cause = lastFailure?.code ?? lastFailure?.cause ?? '';
  const last = cause === '' ? '' : `, last ${escapeText(String(cause), 100)}`;
  return `${line} after ${failuresInARow(consecutiveFailures)}${last}`;
}

/** `12:03:10Z`; an injected clock may give a value that is not a date. */
function formatTime(unixMillis: number): string {
  const date = new Date(unixMillis);
  return Number.isNaN(date.getTime()) ? String(unixMillis) : `${date.toISOString().slice(11, 19)}Z`;
}
