import { escapeText } from '../internal/escape-text.ts';
import { show } from '../internal/validate-options.ts';

/**
 * What an exporter answers: `ExportResult` of `@opentelemetry/core`, by structure. Its `ExportResultCode` is
 * `SUCCESS = 0`, `FAILED = 1` in every line of the SDK.
 *
 * @see https://github.com/open-telemetry/opentelemetry-js/blob/main/packages/opentelemetry-core/src/ExportResult.ts
 */
export interface ExportResultLike {
  /** 0 is SUCCESS, all else FAILED. */
  code: number;
  /** Why it failed. */
  error?: Error;
}

/**
 * An exporter of spans, log records or metrics of any line of the OpenTelemetry SDK, by structure.
 *
 * @see https://github.com/open-telemetry/opentelemetry-js/blob/main/packages/opentelemetry-sdk-trace-base/src/export/SpanExporter.ts
 */
export interface ExporterLike<T> {
  /** Sends a batch, and answers once it is known what became of it. */
  export(batch: T, resultCallback: (result: ExportResultLike) => void): void;
  /** Ends it; what was given to it before is sent first. */
  shutdown(): Promise<void>;
  /** Resolves when what was given to it has been sent. */
  forceFlush?(): Promise<void>;
}

/** Receives the result of an export. */
export type ResultCallback = (result: ExportResultLike) => void;

/** Optional methods of a metric exporter; a metric reader binds them when it is made. */
export interface MetricSelectors {
  // The SDK's enums differ from line to line; what is passed through here is never looked at.
  // biome-ignore lint/suspicious/noExplicitAny: see above
  selectAggregationTemporality?(instrumentType: any): any;
  // biome-ignore lint/suspicious/noExplicitAny: see above
  selectAggregation?(instrumentType: any): any;
}

/** A FAILED that carries an error. */
export type FailedResult = ExportResultLike & { error: Error };

/** A text that was thrown instead of an error is cut after this many characters. */
const LONGEST_THROWN_TEXT = 200;

/** `ExportResultCode.SUCCESS` */
export const SUCCESS = 0;
/** `ExportResultCode.FAILED` */
export const FAILED = 1;

/** The one SUCCESS that this library itself answers. */
export const ACCEPTED: ExportResultLike = Object.freeze({ code: SUCCESS });

/** Whether the batch processors can take it for an error. */
export function isErrorLike(value: unknown): value is Error {
  return (
    typeof value === 'object' &&
    value !== null &&
    typeof (value as { message?: unknown }).message === 'string'
  );
}

/** A FAILED with a new error. */
export function failure(message: string): FailedResult {
  return { code: FAILED, error: new Error(message) };
}

/**
 * A FAILED with the error that was thrown; a non-error value is told in the message of a new error.
 *
 * @param what - the beginning of that message: `exporter "otlp" threw`
 */
export function failedWith(thrown: unknown, what: string): FailedResult {
  if (isErrorLike(thrown)) return { code: FAILED, error: thrown };
  const shown = typeof thrown === 'string' ? `"${escapeText(thrown, LONGEST_THROWN_TEXT)}"` : show(thrown);
  return failure(`${what} ${shown}`);
}

/**
 * A FAILED that carries an error: itself, or a new one. Without an error the batch processors of SDK 2.9 and later count
 * the spans as exported.
 *
 * @param who - the exporter's name in a new error
 */
export function withError(result: ExportResultLike, who: string): FailedResult {
  return isErrorLike(result.error)
    ? (result as FailedResult)
    : failure(`${who} answered FAILED and gave no error`);
}

/**
 * How many spans, log records or data points a batch holds: the length of an array, the data points of a
 * `ResourceMetrics`, else 1.
 */
export function countItems(batch: unknown): number {
  try {
    if (Array.isArray(batch)) return batch.length;
    return countDataPoints(batch as ResourceMetricsLike) ?? 1;
  } catch {
    return 1;
  }
}

interface ResourceMetricsLike {
  scopeMetrics?: Iterable<{ metrics: Iterable<{ dataPoints: { length: number } }> }>;
}

function countDataPoints(batch: ResourceMetricsLike | null | undefined): number | undefined {
  if (batch?.scopeMetrics === undefined) return undefined;
  let points = 0;
  for (const { metrics } of batch.scopeMetrics)
    for (const { dataPoints } of metrics) points += dataPoints.length;
  return Number.isSafeInteger(points) ? points : undefined;
}

/** A batch that its owner cannot change: a copy of an array; anything else as it is. */
export function owned<T>(batch: T): T {
  return Array.isArray(batch) ? (batch.slice() as T) : batch;
}
