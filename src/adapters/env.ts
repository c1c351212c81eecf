import { diag } from '@opentelemetry/api';
import type { ProbePolicy } from '../breaker/probe-policies.ts';
import type { TripPolicy } from '../breaker/trip-policies.ts';
import type { DiskStoreFactory, RetentionFromEnv } from './env-options.ts';
import { readEnvOptions, retentionFrom } from './env-options.ts';
import type { Environment } from './environment.ts';
import { EnvironmentReader } from './environment.ts';

export type { DiskStoreFactory, RetentionFromEnv } from './env-options.ts';
export type { Environment } from './environment.ts';

/** The options of a `CircuitBreakerExporter` that the environment can give; what it does not give is absent. */
export interface CircuitBreakerEnvOptions {
  /** From `OTEL_CIRCUIT_BREAKER_ENABLED`: `true` or `false`, in any case. */
  enabled?: boolean;
  /** From `OTEL_CIRCUIT_BREAKER_NAME`. */
  name?: string;
  /**
   * `consecutiveFailures(n)` from `OTEL_CIRCUIT_BREAKER_FAILURE_THRESHOLD`, or else
   * `APP_OTEL__CIRCUIT_BREAKER_THRESHOLD`; a positive integer.
   */
  tripPolicy?: TripPolicy;
  /**
   * The default policy with the attempts of `OTEL_CIRCUIT_BREAKER_PROBE_EVERY`, a positive integer, and the first pause
   * of `OTEL_CIRCUIT_BREAKER_COOLDOWN`, in milliseconds; its longest pause is six times that.
   */
  probePolicy?: ProbePolicy;
  /**
   * From `OTEL_CIRCUIT_BREAKER_EXPORT_TIMEOUT`, in milliseconds, 0 = never; or else 5 s more than
   * `OTEL_EXPORTER_OTLP_TRACES_TIMEOUT` or `OTEL_EXPORTER_OTLP_TIMEOUT` where that is more than 10 s.
   */
  exportTimeoutMillis?: number;
  /**
   * From `OTEL_CIRCUIT_BREAKER_RETENTION_MAX_ITEMS` and `OTEL_CIRCUIT_BREAKER_RETENTION_MAX_BYTES`, where a 0 switches
   * retention off, and `OTEL_CIRCUIT_BREAKER_RETENTION_DIR`, a directory for a disk store, whose `maxBytes` the bytes
   * are then. Switched off it is `undefined`, so that it also overrides the options it is spread over.
   */
  retention?: RetentionFromEnv | undefined;
}

/** What `circuitBreakerOptionsFromEnv` uses if it is passed. */
export interface CircuitBreakerEnvDependencies {
  /**
   * `diskStore` of `otel-circuit-breaker/disk`, for `OTEL_CIRCUIT_BREAKER_RETENTION_DIR`. A parameter, so that bundles
   * for browsers need not contain it. @defaultValue none: batches are kept in memory, and the variable is one warning
   */
  diskStore?: DiskStoreFactory | undefined;
}

/**
 * Reads options of a `CircuitBreakerExporter` from environment variables. A variable that is not set, or set to nothing,
 * is absent from the result, so that the result can be spread over options of your own. A bad value is one `diag.warn`
 * with variable and value, and the default stands.
 *
 * @param env - the variables. By default `process.env`, where there is one
 * @param dependencies - `{ diskStore }`, for `OTEL_CIRCUIT_BREAKER_RETENTION_DIR`
 * @returns options for the exporter's constructor
 * @example
 * ```ts
 * import { CircuitBreakerExporter } from 'otel-circuit-breaker';
 * import { circuitBreakerOptionsFromEnv } from 'otel-circuit-breaker/env';
 * import { ScriptedExporter } from 'otel-circuit-breaker/testing';
 *
 * const exporter = new CircuitBreakerExporter(new ScriptedExporter(), {
 *   name: 'collector',
 *   ...circuitBreakerOptionsFromEnv(),
 * });
 * ```
 */
export function circuitBreakerOptionsFromEnv(
  env: Environment = processEnv(),
  { diskStore }: CircuitBreakerEnvDependencies = {},
): CircuitBreakerEnvOptions {
  const reader = new EnvironmentReader(env, (message) => diag.warn(message));
  const { retention, ...options } = readEnvOptions(reader);
  if (retention === undefined) return options;
  if (retention === 'none') return { ...options, retention: undefined };
  return { ...options, retention: retentionFrom(retention, diskStore, (message) => reader.warn(message)) };
}

function processEnv(): Environment {
  return globalThis.process?.env ?? {};
}
