/** The state of a circuit: `'CLOSED'` lets everything through, `'OPEN'` only probes, `'HALF_OPEN'` waits for a probe. */
export type CircuitState = 'CLOSED' | 'OPEN' | 'HALF_OPEN';

/** The state changes that are counted. `'OPEN->CLOSED'` happens only by hand. */
export type TransitionName =
  | 'CLOSED->OPEN'
  | 'OPEN->HALF_OPEN'
  | 'HALF_OPEN->CLOSED'
  | 'HALF_OPEN->OPEN'
  | 'OPEN->CLOSED';

/** What the result of a sending says about the backend. */
export type Classification = 'success' | 'failure' | 'invalid' | 'ignored';

/** Sendings by result; `rejected` never reached the backend. */
export type ResultCounts = Record<Classification | 'rejected', number>;

/** A failure, as snapshots show it. The exporter gave the `message`: it can hold URLs and credentials. */
export interface FailureSummary {
  /** The error's `name`, at most 100 characters. */
  name: string;
  /** The error's `code`, at most 100 characters; `null` if it has none, and for a `DOMException`. */
  code: string | number | null;
  /** The cause in a few fixed words, such as `'timed out'` or `'connection refused'`; `null` if it is not known. */
  cause: string | null;
  /** The error's `message`. */
  message: string;
  /** When, in Unix milliseconds. */
  at: number;
}

/** A histogram. `counts` is one longer than `bounds` (the last is for values above all bounds), and not cumulative. */
export interface HistogramSnapshot {
  /** Upper bounds, inclusive. */
  bounds: number[];
  counts: number[];
  sum: number;
  count: number;
}

/** Everything that can be seen of a breaker: a new plain object, safe for `JSON.stringify`. */
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
  /** Ignored results since the last success. */
  consecutiveIgnored: number;
  /** Probes that failed since the circuit last left CLOSED; 0 while CLOSED. */
  failedProbes: number;
  /** Exports that asked for a probe since the circuit last opened; 0 while CLOSED. */
  attemptsSinceOpened: number;
  lastFailure: FailureSummary | null;
  lastInvalid: FailureSummary | null;
  lastIgnored: FailureSummary | null;
  /** Unix milliseconds; an invalid result does not count as a success. */
  lastSuccessAt: number | null;
  /** Batches by result. A time-out is a failure; `rejected` are those that the open circuit rejected. */
  exports: ResultCounts;
  /** The same, counted in spans, log records or data points. */
  items: ResultCounts;
  /** Probes that were answered; an invalid one counts as a success. */
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
