import type { CircuitState, ProbeContext } from '../index.ts';
import type { ExpectedError } from './circuit-model-totals.ts';

/** A number of events that the contract fixes (`least === most`) or bounds. */
export interface Span {
  readonly least: number;
  readonly most: number;
}

/** Why something failed: the error that was given, and how a snapshot must show it. */
export interface Failure {
  /** {@link ANYTHING}, if the library makes the error. */
  readonly given: unknown;
  readonly expected: ExpectedError;
}

/** A transition as the listeners must hear of it. */
export interface ExpectedTransition {
  readonly from: CircuitState;
  readonly to: CircuitState;
  readonly at: number;
  /** The failure that opened the circuit; `undefined` if no failure did. */
  readonly error: Failure | undefined;
}

/** What the caller of an export must be told. */
export type ExpectedResult =
  /** The result of the inner exporter, the same object. */
  | { readonly kind: 'same'; readonly result: unknown }
  /** FAILED with an error that the library makes. */
  | { readonly kind: 'failed'; readonly error: ExpectedError }
  /** The result that all rejected batches of one generation share. */
  | { readonly kind: 'rejected'; readonly generation: number }
  /** Two rules apply at the same moment, and the contract does not say which comes first. */
  | { readonly kind: 'any' };

/** Everything that one command must have made visible, in addition to the snapshot. */
export interface Expectations {
  transitions: ExpectedTransition[];
  /** Those of {@link transitions} that the listener which comes and goes was there to hear. */
  visitorHeard: ExpectedTransition[];
  reports: Span;
  draws: Span;
  /** Contexts the probe policy was asked with. */
  asked: ProbeContext[];
  /** Calls of the trip detector, as {@link DetectorLog} writes them. */
  detector: string[];
  /** What its `onFailure` was told about each failure. */
  failures: Failure[];
  /** Exports whose callers were answered: by number, the answer. */
  answered: { readonly id: number; readonly result: ExpectedResult }[];
}

/** The calls of a trip detector, each marked if a reset came before it. The contract does not say how many resets. */
export class DetectorLog {
  // A new detector is the same as one that was reset.
  #reset = true;

  reset(): void {
    this.#reset = true;
  }

  /** The line for one call. */
  line(method: 'onSuccess' | 'onFailure', at: number, durationMillis: number): string {
    const line = `${this.#reset ? 'reset, ' : ''}${method}(${at}, ${durationMillis})`;
    this.#reset = false;
    return line;
  }
}

/** Nothing is expected yet. */
export function noExpectations(): Expectations {
  return {
    transitions: [],
    visitorHeard: [],
    reports: { least: 0, most: 0 },
    draws: { least: 0, most: 0 },
    asked: [],
    detector: [],
    failures: [],
    answered: [],
  };
}

/** The span with `least` more events at least and `most` more at most. */
export function widen(span: Span, least: number, most: number = least): Span {
  return { least: span.least + least, most: span.most + most };
}
