import type { ReadableSpan } from '@opentelemetry/sdk-trace-base';
import type { CircuitState, ExporterSnapshot, RetentionOptions } from '../../src/index.ts';
import type { SeenRun } from '../support/receiver/seen.ts';

/** What a cell's exporter has against losing spans. */
export type Variant = 'none' | 'retention' | 'retention+file';
/** All of them, in the order of the table. */
export const VARIANTS: readonly Variant[] = ['none', 'retention', 'retention+file'];

/** The default of `exportTimeoutMillis`. */
export const EXPORT_TIMEOUT_MILLIS = 15_000;
/** Spans that the service makes each second: a batch of 512 each second, and the processor's queue holds four seconds. */
export const SPANS_A_SECOND = 500;

/** How a service process is set up; its first argument, as JSON. */
export interface ServiceConfig {
  /** The built main entry of the library. */
  readonly library: string;
  /** Where the traces go. */
  readonly url: string;
  /** Absent: no retention. */
  readonly retention?: RetentionOptions<ReadableSpan[]>;
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
  /** Exports without an answer so far, those under way included. */
  readonly unanswered: number;
}

/** Calls of the real OTLP exporter, live ones, probes and redeliveries, by what came back. */
export interface SendingTotals {
  /** Answered with SUCCESS in time: the numbers of the spans, and how often each was. */
  readonly accepted: readonly SeenRun[];
  /** Answered with an error, or never left this process: the backend does not have it. */
  readonly refused: Sendings;
  /** Reset, timed out, or answered too late: the backend may have it. */
  readonly unanswered: Sendings;
  /** Of these, the SUCCESS that came late, perhaps still in time for a process that had not looked at its timers. */
  readonly late: Sendings;
  /** The slowest of the last eight that were answered with SUCCESS. */
  readonly slowestMillis: number;
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
  /** The state of the circuit when the end began. */
  readonly stateAtEnd: CircuitState;
  /** What the exporter's `onError` heard. */
  readonly problems: readonly string[];
}
