import type { ExporterSnapshot, RetentionOptions } from '../../src/index.ts';
import type { SeenRun } from '../support/receiver/seen.ts';

/** What a cell's exporter has against losing spans. */
export type Variant = 'none' | 'retention' | 'retention+file';
/** All of them, in the order of the table. */
export const VARIANTS: readonly Variant[] = ['none', 'retention', 'retention+file'];

/** An OTLP/HTTP export is given up after that long: too short for the exporter's first retry, after about a second. */
export const OTLP_TIMEOUT_MILLIS = 700;
/** The breaker gives one up after that long: only what the OTLP exporter itself does not bound. */
export const EXPORT_TIMEOUT_MILLIS = 1_500;
/** How long `shutdown()` may take while the circuit is not CLOSED. */
export const SHUTDOWN_TIMEOUT_MILLIS = 1_000;
/** The BatchSpanProcessor exports that often. */
export const BATCH_DELAY_MILLIS = 100;
/** Spans that the service makes each second: with the delay above, 50 a batch. */
export const SPANS_A_SECOND = 500;

/** How a service process is set up; its first argument, as JSON. */
export interface ServiceConfig {
  /** The built main entry of the library. */
  readonly library: string;
  /** Where the traces go. */
  readonly url: string;
  /** Absent: no retention. */
  readonly retention?: RetentionOptions;
  /** The file of the fallback. Absent: no fallback. */
  readonly fallbackFile?: string;
  /** Every n-th span has the attribute `poison`: true. */
  readonly poisonEvery?: number;
  /** Names are looked up by a stub, anew for each request; it answers 127.0.0.1 or ENOTFOUND, as told. */
  readonly stubLookup?: boolean;
}

/** What the parent can tell a service by IPC. */
export interface ServiceRequest {
  readonly id: number;
  readonly command: 'traffic' | 'resolves' | 'flush' | 'look' | 'finish';
  readonly on?: boolean;
}

/** The answer to each {@link ServiceRequest} but `finish`. */
export interface ServiceReply {
  readonly id: number;
  readonly look: ServiceLook;
}

/** What a service says of itself while it runs. */
export interface ServiceLook {
  /** Spans ended so far. */
  readonly made: number;
  readonly snapshot: ExporterSnapshot;
  /** Sendings without an answer so far, those under way included. */
  readonly unanswered: number;
}

/** Sendings of the real OTLP exporter, live ones, probes and redeliveries, by what came back. */
export interface SendingTotals {
  /** Answered with SUCCESS in time: the numbers of the spans, and how often each was. */
  readonly accepted: readonly SeenRun[];
  /** Answered with an error, or never left this process: the backend does not have it. */
  readonly refused: Sendings;
  /** Reset, timed out, or answered too late: the backend may have it. */
  readonly unanswered: Sendings;
  /** Of these, the SUCCESS that came late, perhaps still in time for a process that had not looked at its timers. */
  readonly late: Sendings;
  /** Spans that were sent again though a sending of them had been accepted. */
  readonly sentAfterAccepted: number;
}

/** A number of sendings, and of the spans in them. */
interface Sendings {
  readonly batches: number;
  readonly spans: number;
}

/** What a service says of itself in the end; its last line of stdout, as JSON. */
export interface ServiceReport extends ServiceLook {
  readonly sendings: SendingTotals;
  /** The largest resident set, in megabytes. */
  readonly peakMegabytes: number;
  /** The largest heap in use that was seen, in megabytes. */
  readonly peakHeapMegabytes: number;
  /** The most items that were seen in retention. */
  readonly mostKept: number;
  /** Looks at which the balance of `delivery` did not hold. */
  readonly imbalances: number;
  /** How long `provider.shutdown()` and `exporter.shutdown()` took together. */
  readonly shutdownMillis: number;
  /** What the exporter's `onError` heard. */
  readonly problems: readonly string[];
}
