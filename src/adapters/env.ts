import { diag } from '@opentelemetry/api';
import type { ProbePolicy } from '../breaker/probe-policies.ts';
import {
  afterCooldown,
  allOf,
  anyOf,
  everyNthAttempt,
  exponentialBackoff,
} from '../breaker/probe-policies.ts';
import type { TripPolicy } from '../breaker/trip-policies.ts';
import { consecutiveFailures } from '../breaker/trip-policies.ts';
import { show } from '../internal/validate-options.ts';

/** A process' environment. */
export type Environment = Readonly<Record<string, string | undefined>>;

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
  /** From `OTEL_CIRCUIT_BREAKER_RETENTION_MAX_ITEMS`; 0 = none: `undefined`, so that it also overrides what it is spread over. */
  retention?: { maxItems: number } | undefined;
}

/**
 * Reads options of a `CircuitBreakerExporter` from environment variables. What is not set, or set to nothing, is absent
 * from the result, so that it can be spread over options of your own. A bad value is one `diag.warn` with variable and
 * value, and the default stands.
 *
 * @param env - the variables. By default `process.env`, where there is one
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
export function circuitBreakerOptionsFromEnv(env: Environment = processEnv()): CircuitBreakerEnvOptions {
  const enabled = read(env, 'OTEL_CIRCUIT_BREAKER_ENABLED', trueOrFalse);
  const name = textOf(env, 'OTEL_CIRCUIT_BREAKER_NAME');
  const threshold = read(env, thresholdVariable(env), positiveInteger);
  const probePolicy = probePolicyFrom(env);
  const exportTimeoutMillis =
    read(env, 'OTEL_CIRCUIT_BREAKER_EXPORT_TIMEOUT', integer) ?? aboveOtlpTimeout(env);
  const maxItems = read(env, 'OTEL_CIRCUIT_BREAKER_RETENTION_MAX_ITEMS', integer);
  return {
    ...(enabled !== undefined && { enabled }),
    ...(name !== '' && { name }),
    ...(threshold !== undefined && { tripPolicy: consecutiveFailures(threshold) }),
    ...(probePolicy !== undefined && { probePolicy }),
    ...(exportTimeoutMillis !== undefined && { exportTimeoutMillis }),
    ...(maxItems !== undefined && { retention: maxItems === 0 ? undefined : { maxItems } }),
  };
}

const DEFAULT_PROBE_EVERY = 10;
const DEFAULT_COOLDOWN_MILLIS = 5_000;
const LONGEST_COOLDOWNS = 6;
const LONGEST_FLOOR_MILLIS = 1_000;

/** The shape of `defaultProbePolicy` with other numbers. */
function probePolicyFrom(env: Environment): ProbePolicy | undefined {
  const every = read(env, 'OTEL_CIRCUIT_BREAKER_PROBE_EVERY', positiveInteger);
  const cooldown = read(env, 'OTEL_CIRCUIT_BREAKER_COOLDOWN', integer);
  if (every === undefined && cooldown === undefined) return undefined;
  const initialMillis = cooldown ?? DEFAULT_COOLDOWN_MILLIS;
  return allOf(
    afterCooldown(Math.min(LONGEST_FLOOR_MILLIS, initialMillis)),
    anyOf(
      everyNthAttempt(every ?? DEFAULT_PROBE_EVERY),
      exponentialBackoff({ initialMillis, maxMillis: LONGEST_COOLDOWNS * initialMillis, jitter: 'equal' }),
    ),
  );
}

/** The OTLP exporters' own deadline, 10 s by default, must be over before ours, or ours would cut their retries short. */
const OTLP_DEFAULT_TIMEOUT_MILLIS = 10_000;
const OTLP_MARGIN_MILLIS = 5_000;

function aboveOtlpTimeout(env: Environment): number | undefined {
  const otlpMillis =
    read(env, 'OTEL_EXPORTER_OTLP_TRACES_TIMEOUT', otlpTimeout) ??
    read(env, 'OTEL_EXPORTER_OTLP_TIMEOUT', otlpTimeout);
  if (otlpMillis === undefined || otlpMillis <= OTLP_DEFAULT_TIMEOUT_MILLIS) return undefined;
  return Math.ceil(otlpMillis) + OTLP_MARGIN_MILLIS;
}

/** How a variable's text is understood. */
interface Format<T> {
  /** What it must be, in words. */
  readonly wanted: string;
  /** `undefined` for what it must not be. */
  readonly parse: (text: string) => T | undefined;
}

const trueOrFalse: Format<boolean> = {
  wanted: 'true or false',
  parse(text) {
    const lower = text.toLowerCase();
    return lower === 'true' || lower === 'false' ? lower === 'true' : undefined;
  },
};

const integer: Format<number> = { wanted: 'an integer of at least 0', parse: parseInteger };

const positiveInteger: Format<number> = {
  wanted: 'a positive integer',
  parse: (text) => parseInteger(text) || undefined,
};

/** What the OTLP exporters themselves accept. */
const otlpTimeout: Format<number> = {
  wanted: 'a number above 0',
  parse(text) {
    const value = Number(text);
    return Number.isFinite(value) && value > 0 ? value : undefined;
  },
};

/** Decimal digits alone: no sign, unit, fraction or exponent. */
function parseInteger(text: string): number | undefined {
  const value = Number(text);
  return /^\d+$/.test(text) && Number.isSafeInteger(value) ? value : undefined;
}

/** The original's variable stands for ours where ours is not set. */
function thresholdVariable(env: Environment): string {
  const ours = 'OTEL_CIRCUIT_BREAKER_FAILURE_THRESHOLD';
  return textOf(env, ours) === '' ? 'APP_OTEL__CIRCUIT_BREAKER_THRESHOLD' : ours;
}

function read<T>(env: Environment, variable: string, { wanted, parse }: Format<T>): T | undefined {
  const text = textOf(env, variable);
  if (text === '') return undefined;
  const value = parse(text);
  if (value === undefined) diag.warn(`${variable} must be ${wanted}, got ${show(text)}; the default stands`);
  return value;
}

/** Empty where it is not set: OpenTelemetry takes both for the same. */
function textOf(env: Environment, variable: string): string {
  // In workers a variable can be a number or a boolean.
  return String(env[variable] ?? '').trim();
}

function processEnv(): Environment {
  return globalThis.process?.env ?? {};
}
