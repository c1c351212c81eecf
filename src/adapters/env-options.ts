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
import type { BatchStore } from '../delivery/batch-store.ts';
import { show } from '../internal/validate-options.ts';
import type { EnvironmentReader } from './environment.ts';
import { integer, otlpTimeout, positiveInteger, trueOrFalse } from './environment.ts';

/** Makes a store that keeps batches in a directory: `diskStore` of `otel-circuit-breaker/disk`. */
export type DiskStoreFactory = (options: {
  directory: string;
  maxBytes?: number | undefined;
}) => BatchStore<never>;

/** What of `retention` the environment can give. */
export interface RetentionFromEnv {
  maxItems?: number;
  maxBytes?: number;
  store?: BatchStore<never>;
}

/** The variables of retention, before there is a store; `'none'` switches it off. */
export type RetentionVariables =
  | { readonly maxItems?: number; readonly maxBytes?: number; readonly directory?: string }
  | 'none';

/** All variables, read once. */
export interface EnvOptions {
  enabled?: boolean;
  name?: string;
  tripPolicy?: TripPolicy;
  probePolicy?: ProbePolicy;
  exportTimeoutMillis?: number;
  retention?: RetentionVariables;
}

/** What is not set is absent. */
export function readEnvOptions(env: EnvironmentReader): EnvOptions {
  const enabled = env.read('OTEL_CIRCUIT_BREAKER_ENABLED', trueOrFalse);
  const name = env.text('OTEL_CIRCUIT_BREAKER_NAME');
  const threshold = env.read(thresholdVariable(env), positiveInteger);
  const probePolicy = probePolicyFrom(env);
  const exportTimeoutMillis =
    env.read('OTEL_CIRCUIT_BREAKER_EXPORT_TIMEOUT', integer) ?? aboveOtlpTimeout(env);
  const retention = retentionVariables(env);
  return {
    ...(enabled !== undefined && { enabled }),
    ...(name !== '' && { name }),
    ...(threshold !== undefined && { tripPolicy: consecutiveFailures(threshold) }),
    ...(probePolicy !== undefined && { probePolicy }),
    ...(exportTimeoutMillis !== undefined && { exportTimeoutMillis }),
    ...(retention !== undefined && { retention }),
  };
}

/**
 * The option `retention`, with a store in the directory if one is named. Without `diskStore`, or with a directory that
 * it refuses, batches are kept in memory, and there is one warning.
 */
export function retentionFrom(
  { maxItems, maxBytes, directory }: Exclude<RetentionVariables, 'none'>,
  diskStore: DiskStoreFactory | undefined,
  warn: (message: string) => void,
): RetentionFromEnv {
  const items = maxItems === undefined ? {} : { maxItems };
  const inMemory = maxBytes === undefined ? items : { ...items, maxBytes };
  if (directory === undefined) return inMemory;
  const refused = (why: string): RetentionFromEnv => {
    warn(`${DIRECTORY} ${show(directory)} is not used: ${why}; batches are kept in memory`);
    return inMemory;
  };
  if (diskStore === undefined) {
    return refused('pass { diskStore } of otel-circuit-breaker/disk to circuitBreakerOptionsFromEnv');
  }
  try {
    // The bytes are those on disk: the store's own bound.
    return { ...items, store: diskStore({ directory, maxBytes }) };
  } catch (error) {
    return refused(error instanceof Error ? error.message : String(error));
  }
}

const DIRECTORY = 'OTEL_CIRCUIT_BREAKER_RETENTION_DIR';

function retentionVariables(env: EnvironmentReader): RetentionVariables | undefined {
  const maxItems = env.read('OTEL_CIRCUIT_BREAKER_RETENTION_MAX_ITEMS', integer);
  const maxBytes = env.read('OTEL_CIRCUIT_BREAKER_RETENTION_MAX_BYTES', integer);
  const directory = env.text(DIRECTORY);
  if (maxItems === 0 || maxBytes === 0) return 'none';
  if (maxItems === undefined && maxBytes === undefined && directory === '') return undefined;
  return {
    ...(maxItems !== undefined && { maxItems }),
    ...(maxBytes !== undefined && { maxBytes }),
    ...(directory !== '' && { directory }),
  };
}

const DEFAULT_PROBE_EVERY = 10;
const DEFAULT_COOLDOWN_MILLIS = 5_000;
const LONGEST_COOLDOWNS = 6;
const LONGEST_FLOOR_MILLIS = 1_000;

/** The shape of `defaultProbePolicy` with other numbers. */
function probePolicyFrom(env: EnvironmentReader): ProbePolicy | undefined {
  const every = env.read('OTEL_CIRCUIT_BREAKER_PROBE_EVERY', positiveInteger);
  const cooldown = env.read('OTEL_CIRCUIT_BREAKER_COOLDOWN', integer);
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

function aboveOtlpTimeout(env: EnvironmentReader): number | undefined {
  const otlpMillis =
    env.read('OTEL_EXPORTER_OTLP_TRACES_TIMEOUT', otlpTimeout) ??
    env.read('OTEL_EXPORTER_OTLP_TIMEOUT', otlpTimeout);
  if (otlpMillis === undefined || otlpMillis <= OTLP_DEFAULT_TIMEOUT_MILLIS) return undefined;
  return Math.ceil(otlpMillis) + OTLP_MARGIN_MILLIS;
}

/** The original's variable stands for ours where ours is not set. */
function thresholdVariable(env: EnvironmentReader): string {
  const ours = 'OTEL_CIRCUIT_BREAKER_FAILURE_THRESHOLD';
  return env.text(ours) === '' ? 'APP_OTEL__CIRCUIT_BREAKER_THRESHOLD' : ours;
}
