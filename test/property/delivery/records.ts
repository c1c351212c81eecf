import type { CircuitState, ExporterSnapshot, LossReason } from '../../../src/index.ts';

/** What an exporter may be asked to do with a batch. */
export type Outcome =
  | 'success'
  | 'failure'
  | 'invalid'
  | 'ignored'
  | 'throw'
  | 'reject'
  | 'nothing'
  | 'twice'
  | 'hold';

/** What an answer means for the batch. */
export type Meaning = 'success' | 'failure' | 'invalid' | 'ignored';

/** Whether an answer came before the time-out; `'perhaps'` where the contract leaves it open. */
export type InTime = 'yes' | 'no' | 'perhaps';

export interface Item {
  readonly n: number;
  readonly text: string;
}
export type Batch = readonly Item[];

/** One call of the inner exporter's or the fallback's `export`. */
export interface Sending {
  readonly fate: Fate;
  readonly to: 'inner' | 'fallback';
  /** Of a batch that is offered now; else of the exporter's own accord. */
  readonly isLive: boolean;
  readonly state: CircuitState;
  /** The number of state changes before it. */
  readonly generation: number;
  readonly at: number;
  readonly order: number;
  answer:
    | { readonly meaning: Meaning; readonly at: number; readonly order: number; readonly inTime: InTime }
    | undefined;
}

/** What is known of one batch. */
export interface Fate {
  readonly n: number;
  readonly items: number;
  readonly offeredAt: number;
  readonly isRecovered: boolean;
  readonly sendings: Sending[];
  told: { readonly code: number; readonly at: number; readonly order: number } | undefined;
  handedOverAt: number | undefined;
  /** The order in which batches came to retention. */
  keptAs: number | undefined;
  /** A store dropped it, or could not give it back. */
  isGone: boolean;
  /** Since when its store may have refused it. */
  refusedFrom: number | undefined;
  /** The probe policy was asked for it. */
  isAsked: boolean;
  /** Failed redeliveries that count, at least and at most. The last failure was after `since`, and not after `until`. */
  readonly failures: { min: number; max: number; since: number; until: number };
}

export interface Loss {
  readonly reason: LossReason;
  readonly batches: number;
  readonly items: number;
}

export interface BooksOptions {
  readonly retention:
    | {
        readonly maxItems: number;
        readonly maxBytes: number;
        readonly maxAgeMillis: number;
        readonly maxAttempts: number;
        readonly pace: number;
        readonly idleMillis: number;
        readonly handOverMillis: number;
      }
    | undefined;
  readonly store: 'none' | 'synchronous' | 'asynchronous';
  readonly isPersistent: boolean;
  readonly hasFallback: boolean;
  readonly exportTimeoutMillis: number;
  /** Of each item. */
  readonly textLength: number;
  readonly reportRejectedAs: 'failure' | 'success';
}

/** What the books may look at. */
export interface Observed {
  now(): number;
  snapshot(): ExporterSnapshot;
  /** Whether every timer fires on time. */
  timersAreHonest(): boolean;
  /** Whether the store holds a batch; true without a store. */
  isStored(n: number): boolean;
}

/** Nobody waits longer than this for an unanswered export that can be handed over, or for a probe. */
export const LONGEST_WAIT_MILLIS = 1_000;
/** The longest that a `put` may take. */
export const PUT_MILLIS = 1_000;
