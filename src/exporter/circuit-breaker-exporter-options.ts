import type { CircuitBreakerOptions, CompleteBreakerOptions } from '../breaker/circuit-breaker-options.ts';
import { breakerOptionChecks } from '../breaker/circuit-breaker-options.ts';
import type { Classification } from '../breaker/snapshot.ts';
import type { LossReason } from '../delivery/delivery-snapshot.ts';
import type { ExporterLike, ExportResultLike } from '../delivery/exporter-contract.ts';
import type { CompleteRetentionOptions, RetentionOptions } from '../delivery/retention-options.ts';
import { readRetentionOptions } from '../delivery/retention-options.ts';
import type { ProblemListener } from '../internal/report-problem.ts';
import type { Checks } from '../internal/validate-options.ts';
import {
  aFunction,
  boolean,
  nonEmptyString,
  nonNegativeNumber,
  oneOf,
  optional,
  optionsObject,
  readOptions,
  refuseUnknownKeys,
  show,
} from '../internal/validate-options.ts';
import { classifyResult } from './classify-result.ts';

/** Facts about an export that `classify` may consider. */
export interface ExportFacts {
  /** How long the export took, in milliseconds. */
  readonly durationMillis: number;
  /** Spans, log records or data points in the batch. */
  readonly items: number;
}

/** A loss, as `onLoss` hears of it. */
export interface Loss {
  /** The exporter's name. */
  readonly name: string;
  readonly reason: LossReason;
  readonly batches: number;
  /** Spans, log records or data points. */
  readonly items: number;
  /** What the export failed with, where there was an error. */
  readonly error?: unknown;
}

/** Options of a `CircuitBreakerExporter`, those of its breaker included. A key with the value `undefined` is an absent key. */
export interface CircuitBreakerExporterOptions<T = unknown>
  extends Omit<CircuitBreakerOptions, 'probeTimeoutMillis'> {
  /** `false`: every call goes to the inner exporter as it is, and nothing is counted. @defaultValue true */
  enabled?: boolean | undefined;
  /**
   * An export that has not been answered after this time, in milliseconds, counts as a failure; 0 = never. Above the OTLP
   * exporters' own 10 s, and below the batch processors' 30 s, which would answer first. @defaultValue 15_000
   */
  exportTimeoutMillis?: number | undefined;
  /**
   * The longest time in milliseconds that `shutdown()` takes, all its parts together, if the circuit is not CLOSED or the
   * last answer was a failure. With a fallback, the backend gets half of it for what is kept. @defaultValue 1_000
   */
  shutdownTimeoutMillis?: number | undefined;
  /**
   * While CLOSED, `shutdown()` and `forceFlush()` go on as long as the backend answers. They end when nothing has been
   * answered for four times the slowest of the last eight successful exports: at least 500 ms, at most this, in
   * milliseconds. Before the first success it is this. @defaultValue 5_000
   */
  closedShutdownTimeoutMillis?: number | undefined;
  /**
   * What a result says about the backend. A function that throws, or returns anything else, counts as `'failure'`.
   * @defaultValue classifyResult
   */
  classify?: ((result: ExportResultLike, facts: ExportFacts) => Classification) | undefined;
  /**
   * The result for the caller of a rejected batch: FAILED with a `CircuitOpenError`, or SUCCESS, which keeps the SDK quiet;
   * the batch is still lost, and counted as rejected. @defaultValue 'failure'
   */
  reportRejectedAs?: 'failure' | 'success' | undefined;
  /**
   * Receives every loss: once for each batch, and once with all batches that a shutdown gives up. @defaultValue none
   */
  onLoss?: ((loss: Loss) => void) | undefined;
  /** Keeps the batches that did not get through, and sends them later; `{}` for the defaults. @defaultValue none */
  retention?: RetentionOptions<T> | undefined;
  /** Another exporter, for batches that would otherwise be lost. @defaultValue none */
  fallback?: ExporterLike<T> | undefined;
}

/** The exporter's own options, with their defaults filled in. */
export interface CompleteExporterOptions<T> {
  readonly enabled: boolean;
  readonly exportTimeoutMillis: number;
  readonly shutdownTimeoutMillis: number;
  readonly closedShutdownTimeoutMillis: number;
  readonly classify: (result: ExportResultLike, facts: ExportFacts) => unknown;
  readonly reportRejectedAs: 'failure' | 'success';
  readonly onLoss: ((loss: Loss) => unknown) | undefined;
  readonly retention: CompleteRetentionOptions<T> | undefined;
  readonly fallback: ExporterLike<T> | undefined;
  readonly name: string;
  readonly onError: ProblemListener | undefined;
}

/** The options of the exporter, and those that its breaker is made with. */
export interface ReadExporterOptions<T> {
  readonly own: CompleteExporterOptions<T>;
  readonly ofBreaker: CircuitBreakerOptions;
}

const OWNER = 'CircuitBreakerExporter';

/** The breaker's options that an exporter passes on as they are. */
const BREAKER_ONLY = (Object.keys(breakerOptionChecks) as (keyof CompleteBreakerOptions)[]).filter(
  (key) => key !== 'name' && key !== 'onError' && key !== 'probeTimeoutMillis',
);

/** An exporter, or a TypeError that says what it lacks. */
export function anExporter<T>(value: unknown, label: string): ExporterLike<T> {
  const missing = ['export', 'shutdown'].filter(
    (method) => typeof (value as Record<string, unknown> | null | undefined)?.[method] !== 'function',
  );
  if (missing.length > 0) {
    throw new TypeError(
      `${label} must be an exporter with export() and shutdown(), got ${show(value)} without ${missing.join(' and ')}`,
    );
  }
  return value as ExporterLike<T>;
}

/** @throws TypeError, RangeError naming option and value */
export function readExporterOptions<T>(given: unknown): ReadExporterOptions<T> {
  const checks: Checks<CompleteExporterOptions<T>> = {
    enabled: optional(boolean, true),
    exportTimeoutMillis: optional(nonNegativeNumber, 15_000),
    shutdownTimeoutMillis: optional(nonNegativeNumber, 1_000),
    closedShutdownTimeoutMillis: optional(nonNegativeNumber, 5_000),
    classify: optional<CompleteExporterOptions<T>['classify']>(aFunction, classifyResult),
    reportRejectedAs: optional(oneOf('failure', 'success'), 'failure'),
    onLoss: optional<CompleteExporterOptions<T>['onLoss']>(aFunction, undefined),
    retention: optional<CompleteRetentionOptions<T> | undefined>(readRetentionOptions, undefined),
    fallback: optional<ExporterLike<T> | undefined>(anExporter, undefined),
    name: optional(nonEmptyString, 'otlp'),
    onError: optional<ProblemListener | undefined>(aFunction, undefined),
  };
  const options = optionsObject(OWNER, given);
  refuseUnknownKeys(OWNER, options, [...Object.keys(checks), ...BREAKER_ONLY]);
  return {
    own: readOptions<CompleteExporterOptions<T>>(OWNER, pick(options, Object.keys(checks)), checks),
    ofBreaker: pick(options, BREAKER_ONLY),
  };
}

function pick(options: Readonly<Record<string, unknown>>, keys: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(keys.map((key) => [key, options[key]]));
}
