/** What stands between the batch processor and the OTLP exporter. */
export type Wrapping =
  | ('nothing' | 'opossum' | 'ours' | 'retention' | 'recipe' | 'both')
  | ('everyNth' | 'cooldown' | 'backoff');

/** All of them, in the order of the table, with what the table says of each. */
export const WRAPPINGS: Readonly<Record<Wrapping, string>> = {
  nothing: 'nothing',
  opossum: 'opossum, as GraphQL Hive',
  ours: 'ours, defaults',
  retention: 'ours, retention',
  recipe: 'ours, slow-collector recipe',
  both: 'ours, recipe and retention',
  everyNth: 'ours, everyNthAttempt(10)',
  cooldown: 'ours, afterCooldown(30_000)',
  backoff: 'ours, exponentialBackoff()',
};

/** Those that differ in nothing but when they probe: only where an outage lasts as long as the run. */
const PROBE_POLICIES: readonly Wrapping[] = ['everyNth', 'cooldown', 'backoff'];

/** Those that are compared in an outage of that name. */
export function wrappingsOf(outage: string): Wrapping[] {
  const all = Object.keys(WRAPPINGS) as Wrapping[];
  return outage === '503' ? all : all.filter((wrapping) => !PROBE_POLICIES.includes(wrapping));
}

/** The queue of the batch processor: sixteen seconds of traffic, so that an export that fails after ten loses nothing. */
export const QUEUE_SPANS = 32_768;
/** The budget of the retention: more than a minute of traffic. */
export const RETENTION_ITEMS = 200_000;

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
  readonly startedAt: number;
  readonly firstOpenedAt: number | undefined;
  /** When the OTLP exporter answered with SUCCESS. */
  readonly successesAt: readonly number[];
  /** Of the processor, which flushes and shuts the exporter down, and then of the exporter, as the docs say. */
  readonly shutdownMillis: number;
  /** Of the exporter alone: from the first call of its `shutdown()` to its end. */
  readonly exporterShutdownMillis: number;
  /** At the call of `shutdown()`. */
  readonly stateAtShutdown: string;
}
