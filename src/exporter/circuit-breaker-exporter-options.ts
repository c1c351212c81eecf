import { internalsOf } from '../breaker/breaker-internals.ts';
import type { CircuitBreaker } from '../breaker/circuit-breaker.ts';
import type { CircuitBreakerOptions, CompleteBreakerOptions } from '../breaker/circuit-breaker-options.ts';
import { breakerOptionChecks } from '../breaker/circuit-breaker-options.ts';
import type { Classification } from '../breaker/snapshot.ts';
import type { CompleteRetentionOptions, RetentionOptions } from '../delivery/retention-options.ts';
import { retentionOptionChecks } from '../delivery/retention-options.ts';
import type { ProblemListener } from '../internal/report-problem.ts';
import type { Check, Checks } from '../internal/validate-options.ts';
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
import type { ExporterLike, ExportResultLike } from '../sending/exporter-contract.ts';
import { classifyOtlpResult } from './classify-result.ts';

/** Options of a `CircuitBreakerExporter`, those of its breaker included. A key with the value `undefined` is an absent key. */
export interface CircuitBreakerExporterOptions<T = unknown>
  extends Omit<CircuitBreakerOptions, 'probeTimeoutMillis'> {
  /** `false`: every call goes to the inner exporter as it is, and nothing is counted. @defaultValue true */
  enabled?: boolean | undefined;
  /**
   * An export that has not answered by then, in milliseconds, is a failure; a later answer is dropped. 0 = never. Above
   * the OTLP exporters' own 10 s, and below the batch processors' 30 s, which would answer first. @defaultValue 15_000
   */
  exportTimeoutMillis?: number | undefined;
  /**
   * How long `shutdown()` takes at most, in milliseconds, all its parts together, when the circuit is not CLOSED. When
   * CLOSED it waits for the inner exporter for as long as that takes. Where there is a fallback, what is kept has half of
   * it to reach the backend: one that hangs would leave the fallback none. @defaultValue 1_000
   */
  shutdownTimeoutMillis?: number | undefined;
  /** What a result says about the backend; one that throws, or says anything else, counts as `'failure'`. @defaultValue classifyOtlpResult */
  classify?: ((result: ExportResultLike) => Classification) | undefined;
  /**
   * What the caller of a rejected batch is told: FAILED with a `CircuitOpenError`, or SUCCESS, for a silent SDK. It is
   * counted as rejected, and lost, all the same. @defaultValue 'failure'
   */
  reportRejectedAs?: 'failure' | 'success' | undefined;
  /**
   * A breaker shared among exporters: traces, logs and metrics to one collector find out together. Of the breaker options
   * only `name` and `onError` may stand beside it, as the exporter's own. @defaultValue one of its own
   */
  breaker?: Pick<CircuitBreaker, keyof CircuitBreaker> | undefined;
  /** Keeps in memory what did not get through, and sends it later; `{}` for the defaults. @defaultValue none */
  retention?: RetentionOptions | undefined;
  /** Another exporter, of what would otherwise be lost. @defaultValue none */
  fallback?: ExporterLike<T> | undefined;
}

/** The exporter's own options, with their defaults filled in. */
export interface CompleteExporterOptions<T> {
  readonly enabled: boolean;
  readonly exportTimeoutMillis: number;
  readonly shutdownTimeoutMillis: number;
  readonly classify: (result: ExportResultLike) => unknown;
  readonly reportRejectedAs: 'failure' | 'success';
  readonly breaker: CircuitBreaker | undefined;
  readonly retention: CompleteRetentionOptions | undefined;
  readonly fallback: ExporterLike<T> | undefined;
  readonly name: string | undefined;
  readonly onError: ProblemListener | undefined;
}

/** The options of the exporter, and those that its own breaker is made with. */
export interface ReadExporterOptions<T> {
  readonly own: CompleteExporterOptions<T>;
  readonly ofBreaker: CircuitBreakerOptions;
}

const OWNER = 'CircuitBreakerExporter';

/** What of the breaker's options an exporter passes on, and does not have beside a shared breaker. */
const BREAKER_ONLY = (Object.keys(breakerOptionChecks) as (keyof CompleteBreakerOptions)[]).filter(
  (key) => key !== 'name' && key !== 'onError' && key !== 'probeTimeoutMillis',
);

const aBreaker: Check<CircuitBreaker> = (value, label) => {
  if (internalsOf(value) === undefined)
    throw new TypeError(`${label} must be a CircuitBreaker, got ${show(value)}`);
  return value as CircuitBreaker;
};

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
    classify: optional<(result: ExportResultLike) => unknown>(aFunction, classifyOtlpResult),
    reportRejectedAs: optional(oneOf('failure', 'success'), 'failure'),
    breaker: optional<CircuitBreaker | undefined>(aBreaker, undefined),
    retention: optional<CompleteRetentionOptions | undefined>(
      (value, label) => readOptions<CompleteRetentionOptions>(label, value, retentionOptionChecks),
      undefined,
    ),
    fallback: optional<ExporterLike<T> | undefined>(anExporter, undefined),
    name: optional<string | undefined>(nonEmptyString, undefined),
    onError: optional<ProblemListener | undefined>(aFunction, undefined),
  };
  const options = optionsObject(OWNER, given);
  refuseUnknownKeys(OWNER, options, [...Object.keys(checks), ...BREAKER_ONLY]);
  const own = readOptions<CompleteExporterOptions<T>>(OWNER, present(options, Object.keys(checks)), checks);
  const ofBreaker = present(options, BREAKER_ONLY);
  const [stray] = Object.keys(ofBreaker);
  if (own.breaker !== undefined && stray !== undefined) {
    throw new TypeError(
      `${OWNER}: option "${stray}" (${show(ofBreaker[stray])}) cannot stand beside "breaker": it is for the breaker to have`,
    );
  }
  return { own, ofBreaker };
}

/** Those of the options that are there. */
function present(
  options: Readonly<Record<string, unknown>>,
  keys: readonly string[],
): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    keys.map((key) => [key, options[key]]).filter(([, value]) => value !== undefined),
  );
}
