/** What stands between the batch processor and the OTLP exporter. */
export type Wrapping =
  | ('nothing' | 'opossum' | 'ours' | 'retention' | 'notHandedOver')
  | ('everyNth' | 'cooldown' | 'backoff');

/** What a service is set up with: a wrapping, and how long the processor's queue is. */
export interface Setup {
  readonly wrapping: Wrapping;
  readonly queue: 'default' | 'long';
}

/** A row of the tables. */
export interface SetupRow extends Setup {
  readonly shown: string;
  /** Differs in nothing but when it probes: only where the outage lasts as long as the run. */
  readonly onlyIn503?: true;
}

/** The processor's queue by default, and one that holds sixteen seconds of traffic. */
export const QUEUE_SPANS = { default: 2_048, long: 32_768 } as const;

export const BARE = 'the OTLP exporter alone';
export const RETENTION = '`retention: {}`';

const LONG = `queue of ${QUEUE_SPANS.long.toLocaleString('en-US')}`;

/** All of them, in the order of the tables. */
export const SETUPS: readonly SetupRow[] = [
  { shown: BARE, wrapping: 'nothing', queue: 'default' },
  { shown: `${BARE}, ${LONG}`, wrapping: 'nothing', queue: 'long' },
  { shown: 'opossum, as GraphQL Hive', wrapping: 'opossum', queue: 'default' },
  { shown: 'ours, defaults', wrapping: 'ours', queue: 'default' },
  { shown: `ours, ${LONG}`, wrapping: 'ours', queue: 'long' },
  { shown: RETENTION, wrapping: 'retention', queue: 'default' },
  { shown: `${RETENTION}, ${LONG}`, wrapping: 'retention', queue: 'long' },
  { shown: '`retention: { handOverMillis: 0 }`', wrapping: 'notHandedOver', queue: 'default' },
  { shown: 'ours, everyNthAttempt(10)', wrapping: 'everyNth', queue: 'default', onlyIn503: true },
  { shown: 'ours, afterCooldown(30_000)', wrapping: 'cooldown', queue: 'default', onlyIn503: true },
  { shown: 'ours, exponentialBackoff()', wrapping: 'backoff', queue: 'default', onlyIn503: true },
];

/** How a service is set up; its first argument, as JSON. */
export interface ServiceConfig {
  readonly url: string;
  readonly wrapping: Wrapping;
  readonly spansPerSecond: number;
}

/** What a service says of itself as its last line. Times are Unix milliseconds. */
export interface ServiceReport {
  readonly made: number;
  /** Spans that the batch processor gave to the exporter; it dropped the others. */
  readonly offered: number;
  /** Calls of the OTLP exporter. */
  readonly exporterCalls: number;
  /** HTTP requests begun. */
  readonly requests: number;
  readonly cpuSeconds: number;
  readonly peakMegabytes: number;
  readonly eventLoopDelayP99Millis: number;
  readonly errorHandlerCalls: number;
  readonly firstOpenedAt: number | undefined;
  /** When the OTLP exporter answered with SUCCESS. */
  readonly successesAt: readonly number[];
  /** Of `sdk.shutdown()`, which flushes the processor and shuts the exporter down. */
  readonly sdkShutdownMillis: number;
  /** When the signal arrived. */
  readonly stateAtSigterm: string;
}
