import type { LossReason } from './delivery-snapshot.ts';

/** The kind of telemetry in an exporter's batches, as OpenTelemetry's semantic conventions name it. */
export type Signal = 'span' | 'log' | 'metric_data_point';

/**
 * The part of an exporter that adapters need and users do not. It is attached to the exporter under a symbol of the global
 * registry, so that an adapter of the CommonJS build finds it on an exporter of the ESM build. A change of this interface
 * changes the number in the symbol.
 */
export interface ExporterInternals {
  /** The kind of telemetry, known by the first batch; `undefined` before. */
  signal(): Signal | undefined;
  readonly ledger: {
    /**
     * Of the lost items, those in batches that were given neither to the inner exporter nor to the fallback, by reason:
     * nobody else counts them.
     */
    readonly lostUnseen: Readonly<Record<LossReason, number>>;
    /**
     * The items that had been lost when the last batch got through. What has been lost since then belongs to the outage
     * that opens the circuit, its first failures included.
     */
    readonly lostBefore: number;
  };
}

const INTERNALS = Symbol.for('otel-circuit-breaker/exporter-internals/2');

/** Attaches an exporter's internals to it. */
export function attachExporterInternals(exporter: object, internals: ExporterInternals): void {
  Object.defineProperty(exporter, INTERNALS, { value: internals });
}

/** The internals of an exporter, whichever build it comes from; `undefined` for anything else. */
export function exporterInternalsOf(exporter: unknown): ExporterInternals | undefined {
  return (exporter as { [INTERNALS]?: ExporterInternals } | null | undefined)?.[INTERNALS];
}

/**
 * The kind of telemetry in a batch: `ResourceMetrics` has `scopeMetrics`, spans have `spanContext()`, log records have
 * `severityNumber` or `body`.
 *
 * @returns `undefined` for an empty batch, and for anything else
 */
export function signalOf(batch: unknown): Signal | undefined {
  if (!Array.isArray(batch)) {
    return isObject(batch) && 'scopeMetrics' in batch ? 'metric_data_point' : undefined;
  }
  // Not destructured: an iterator for each batch of an unknown kind would be the largest object of a rejected one.
  const item: unknown = batch[0];
  if (!isObject(item)) return undefined;
  if (typeof (item as { spanContext?: unknown }).spanContext === 'function') return 'span';
  return 'severityNumber' in item || 'body' in item ? 'log' : undefined;
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
