import { getHeapStatistics } from 'node:v8';
import type { DiskStoreFactory } from '../adapters/env-options.ts';
import { readEnvOptions, retentionFrom } from '../adapters/env-options.ts';
import type { Format } from '../adapters/environment.ts';
import { EnvironmentReader } from '../adapters/environment.ts';
import { defaultProbePolicy } from '../breaker/probe-policies.ts';
import type { RetentionOptions } from '../delivery/retention-options.ts';
import type { CircuitBreakerExporterOptions } from '../exporter/circuit-breaker-exporter-options.ts';
import { isEnding } from './ending.ts';
import type { HealthAddress } from './health-server.ts';
import { registeredApi } from './registered-api.ts';
import { warn } from './say.ts';
import { SharedMemory } from './shared-memory.ts';

/** What the environment says, read once. */
export interface Settings {
  /** What comes before the names of the exporters: `shop/traces`. */
  readonly prefix: string;
  readonly health: HealthAddress | undefined;
  /** Options of one more exporter, with a store of its own. */
  exporterOptions(name: string): CircuitBreakerExporterOptions<unknown>;
}

const HEAP_SHARE = 0.1;
const MOST_BYTES = 64 * 1024 * 1024;

const aPort: Format<number> = {
  wanted: 'a port',
  parse: (text) => (/^\d{1,5}$/.test(text) && Number(text) <= 65_535 ? Number(text) : undefined),
};

/** @param loadDiskStore - called only where the environment names a directory */
export async function readSettings(
  variables: NodeJS.ProcessEnv,
  loadDiskStore: () => Promise<DiskStoreFactory>,
): Promise<Settings> {
  const env = new EnvironmentReader(variables, warn);
  const { name, retention = {}, probePolicy = defaultProbePolicy, ...options } = readEnvOptions(env);
  const port = env.read('OTEL_CIRCUIT_BREAKER_HEALTH_PORT', aPort) ?? 0;
  const host = env.text('OTEL_CIRCUIT_BREAKER_HEALTH_HOST') || '127.0.0.1';
  const diskStore =
    retention !== 'none' && retention.directory !== undefined ? await loadDiskStore() : undefined;
  const memory = new SharedMemory(Math.min(MOST_BYTES, HEAP_SHARE * getHeapStatistics().heap_size_limit));
  const warned = new Set<string>();
  // Each exporter asks for a store of its own, and hears the same.
  const warnOnce = (message: string): void => {
    if (!warned.has(message)) warn(message);
    warned.add(message);
  };

  const retentionOptions = (): RetentionOptions<unknown> | undefined => {
    if (retention === 'none') return undefined;
    const given = retentionFrom(retention, diskStore, warnOnce);
    if (given.store !== undefined || given.maxBytes !== undefined) return given;
    return { ...given, store: memory.store() };
  };
  return {
    prefix: name === undefined ? '' : `${name}/`,
    // Port 0 is any free port, which nobody could find.
    health: port === 0 ? undefined : { port, host },
    exporterOptions: (exporterName) => ({
      ...options,
      name: exporterName,
      // What a probe starts may outlive the shutdown: the exporter's own retries would hold the process.
      probePolicy: (context) => !isEnding() && probePolicy(context),
      // The SDK's error handler cannot be reached from here, and prints every FAILED.
      reportRejectedAs: 'success',
      retention: retentionOptions(),
      // As by default, but to the application's copy of the API: ours may be a no-op beside it.
      onError: (message, error) => {
        const { diag } = registeredApi() ?? {};
        if (diag !== undefined) diag.error(message, error);
        // Our own words, which hold no URL; the exporters may share the directory that they name.
        else if (error instanceof Error && error.name === 'RefusedError') {
          warnOnce(error.message.replace(` of exporter ${JSON.stringify(exporterName)}`, ''));
        }
      },
      onLoss: ({ reason, items }) => {
        // The library tells it to `diag`, which the application may not have set up.
        if (reason === 'shutdown' && registeredApi()?.diag === undefined) {
          warn(`exporter ${JSON.stringify(exporterName)} was shut down, and ${items} items were lost`);
        }
      },
    }),
  };
}
