/** What a test and its client process say to each other. Types only: the client runs from a copy, in another folder. */
import type { ExporterSnapshot } from 'otel-circuit-breaker';
import type { HealthReport } from 'otel-circuit-breaker/health';

export type Sdk = '2.12' | '3.1';
export type Protocol = 'json' | 'protobuf' | 'grpc';
/** What becomes of a batch that does not get through. */
export type LaneName = 'none' | 'retention' | 'file';

/** One exporter with its own breaker, processor and range of numbers; the lanes of a client live through the same fault. */
export interface LaneConfig {
  readonly lane: LaneName;
  /** The attribute `n` of its first span. */
  readonly first: number;
  /** Where the lane `file` writes. */
  readonly file?: string;
}

export interface ClientConfig {
  readonly sdk: Sdk;
  readonly protocol: Protocol;
  readonly url: string;
  readonly lanes: readonly LaneConfig[];
}

export type Command =
  /** Makes so many spans in each lane now, with an attribute of so many bytes. */
  | { readonly command: 'make'; readonly count: number; readonly padding?: number }
  /** Makes ten spans every 50 ms in each lane from now on: a full batch each 2.6 s. */
  | { readonly command: 'traffic' }
  /** No more traffic. */
  | { readonly command: 'rest' }
  /** Waits until the processors hold nothing. */
  | { readonly command: 'flush' }
  | { readonly command: 'report' }
  /** Shuts down as the documentation says. */
  | { readonly command: 'shutdown' };

export interface Transition {
  readonly from: string;
  readonly to: string;
  readonly at: number;
}

export interface LaneReport extends LaneConfig {
  readonly made: number;
  readonly snapshot: ExporterSnapshot;
  /** What `renderHealth` says by default. */
  readonly health: HealthReport;
  /** What it says with `includeErrorMessages`. */
  readonly openHealth: HealthReport;
  readonly prometheus: string;
  readonly transitions: readonly Transition[];
}

export interface ClientReport {
  readonly lanes: readonly LaneReport[];
  /** What it wrote through `diag`: warnings, errors and the circuit's own lines. */
  readonly logs: readonly string[];
}
