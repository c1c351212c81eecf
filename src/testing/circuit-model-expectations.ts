import type { CircuitState, ProbeContext } from '../index.ts';
import type { ExpectedError } from './circuit-model-totals.ts';

/** A number of events that the contract fixes (`least === most`) or bounds. */
export interface Span {
  readonly least: number;
  readonly most: number;
}

/** A transition as the listeners must hear of it. */
export interface ExpectedTransition {
  readonly from: CircuitState;
  readonly to: CircuitState;
  readonly at: number;
  /** The failure that opened the circuit; `undefined` where none did. */
  readonly error: { readonly given: unknown; readonly expected: ExpectedError } | undefined;
}

/** What the caller of an export must be told. */
export type ExpectedResult =
  /** The result of the inner exporter, the same object. */
  | { readonly kind: 'same'; readonly result: unknown }
  /** FAILED with an error that the library makes. */
  | { readonly kind: 'failed'; readonly error: ExpectedError }
  /** What all rejected batches of one opening share. */
  | { readonly kind: 'rejected'; readonly generation: number };

/** All that one command must have made visible, besides the snapshot. */
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
  /** Exports whose callers were answered: by number, the answer. */
  answered: { readonly id: number; readonly result: ExpectedResult }[];
}

/** What a trip detector saw: its results, each marked if a reset came before it. How many resets is nobody's business. */
export class DetectorLog {
  // A new detector is as good as one that was reset.
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
    answered: [],
  };
}

/** The span with `least` more events at least and `most` more at most. */
export function widen(span: Span, least: number, most: number = least): Span {
  return { least: span.least + least, most: span.most + most };
}
