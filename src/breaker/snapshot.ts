/** What a circuit is doing: `'CLOSED'` lets everything through, `'OPEN'` nothing but probes, `'HALF_OPEN'` has a probe. */
export type CircuitState = 'CLOSED' | 'OPEN' | 'HALF_OPEN';

/** The ways a state can change, as they are counted. `'OPEN->CLOSED'` happens only by hand. */
export type TransitionName =
  | 'CLOSED->OPEN'
  | 'OPEN->HALF_OPEN'
  | 'HALF_OPEN->CLOSED'
  | 'HALF_OPEN->OPEN'
  | 'OPEN->CLOSED';

/** What a sending came to. */
export type Classification = 'success' | 'failure' | 'invalid' | 'ignored';

/** Sendings by what they came to; `rejected` never reached the backend. */
export type ResultCounts = Record<Classification | 'rejected', number>;

/** A failure as it can be shown. `message` is as the exporter gave it: it can hold URLs and credentials. */
export interface FailureSummary {
  /** The error's `name`. */
  name: string;
  /** The error's `code`, `null` where it has none. */
  code: string | number | null;
  /** The error's `message`. */
  message: string;
  /** When, in Unix milliseconds. */
  at: number;
}

/** A histogram; `counts` is one longer than `bounds` (the last is what is above all bounds), and not cumulative. */
export interface HistogramSnapshot {
  /** Upper bounds, inclusive. */
  bounds: number[];
  counts: number[];
  sum: number;
  count: number;
}

/** Everything that can be seen of a breaker: a plain object of its own, safe for `JSON.stringify`. */
export interface CircuitSnapshot {
  /** The breaker's name. */
  name: string;
  state: CircuitState;
  /** Held by hand in this state, `null` when automatic. */
  forced: 'OPEN' | 'CLOSED' | null;
  /** Unix milliseconds of the last state change (of the creation at first). */
  since: number;
  /** Unix milliseconds when it last left CLOSED; `null` while CLOSED. Probes do not move it. */
  notClosedSince: number | null;
  /** Failures in a row up to now, probes included; 0 after a success or an invalid result. */
  consecutiveFailures: number;
  /** Invalid results since the last success. */
  consecutiveInvalid: number;
  /** Probes that failed since the circuit last left CLOSED; 0 while CLOSED. */
  failedProbes: number;
  /** Exports that asked for a probe since the circuit last opened; 0 while CLOSED. */
  attemptsSinceOpened: number;
  lastFailure: FailureSummary | null;
  lastInvalid: FailureSummary | null;
  /** Unix milliseconds; an invalid result is no success. */
  lastSuccessAt: number | null;
  /** Batches sent, by result; a time-out is a failure; `rejected`: by the open circuit. */
  exports: ResultCounts;
  /** The same in spans, log records or data points. */
  items: ResultCounts;
  /** Probes; an invalid one is a success. */
  probes: { success: number; failure: number };
  /** State changes so far. */
  transitions: Record<TransitionName, number>;
  /** Seconds, of every export that reached the inner exporter. */
  exportDurations: HistogramSnapshot;
  /** Items, of the same exports. */
  batchSizes: HistogramSnapshot;
  /** Milliseconds spent OPEN or HALF_OPEN in all, now included. */
  notClosedMillis: number;
}
