import type { BatchStore } from '../delivery/batch-store.ts';
import type { Checks } from '../internal/validate-options.ts';
import {
  nonEmptyString,
  oneOf,
  optional,
  positiveInteger,
  readOptions,
} from '../internal/validate-options.ts';
import type { CompleteDiskStoreOptions } from './disk-store.ts';
import { DISK_STORE_DEFAULTS, DiskStore } from './disk-store.ts';

export type { BatchStore, BatchStoreOpening, Dropped, StoredBatch } from '../delivery/batch-store.ts';

/** Options of {@link diskStore}. */
export interface DiskStoreOptions {
  /**
   * Where the batches are kept. It is made if it is not there. Several exporters, and several processes, may share it:
   * each has a folder of its own in it. Telemetry can hold personal data: choose a place that only this service reads.
   */
  directory: string;
  /**
   * The most bytes that one exporter of one process has on disk; a positive integer. The oldest go first.
   * @defaultValue 64 MiB
   */
  maxBytes?: number | undefined;
  /**
   * What an accepted batch survives. `'batch'`: a power cut, at the price of one data sync for each batch. `'none'`:
   * the end of the process, however it ends, but not that of the machine.
   * @defaultValue 'batch'
   */
  sync?: 'batch' | 'none' | undefined;
}

const checks: Checks<CompleteDiskStoreOptions> = {
  directory: nonEmptyString,
  maxBytes: optional(positiveInteger, DISK_STORE_DEFAULTS.maxBytes),
  sync: optional(oneOf('batch', 'none'), DISK_STORE_DEFAULTS.sync),
};

/**
 * Keeps what did not get through on disk, so that the end of the process does not lose it: the `store` of `retention`,
 * for spans, log records and metrics of every line of the SDK. Needs Node.
 *
 * Nothing is written until something is kept. While the disk is full, read-only or gone, new batches are kept in memory
 * within the same `maxBytes`.
 *
 * One store serves one exporter.
 *
 * @throws TypeError, RangeError naming option and value
 * @example
 * ```ts
 * import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
 * import { CircuitBreakerExporter } from 'otel-circuit-breaker';
 * import { diskStore } from 'otel-circuit-breaker/disk';
 *
 * const exporter = new CircuitBreakerExporter(new OTLPTraceExporter(), {
 *   name: 'traces',
 *   retention: { store: diskStore({ directory: '/var/lib/shop/telemetry' }) },
 * });
 * ```
 */
export function diskStore<T>(options: DiskStoreOptions): BatchStore<T> {
  return new DiskStore<T>(readOptions('diskStore', options, checks));
}
