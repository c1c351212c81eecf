import type { BatchObservableResult, Meter, Observable } from '@opentelemetry/api';
import type { DeliverySnapshot, LossReason, SnapshotSource } from '../delivery/delivery-snapshot.ts';
import type { Signal } from '../delivery/exporter-internals.ts';
import { exporterInternalsOf } from '../delivery/exporter-internals.ts';

/** The `error.type` of each loss that nobody else can see. */
const ERROR_TYPES: readonly (readonly [errorType: string, ...reasons: LossReason[]])[] = [
  ['circuit_open', 'rejected', 'fallback'],
  ['retention_full', 'full'],
  ['retention_expired', 'expired'],
  ['retention_unreadable', 'unreadable'],
  ['shutdown', 'shutdown', 'ended'],
];

/** The SDK's own metrics of exporters, as this library feeds them. */
export interface SemconvInstruments {
  readonly instruments: readonly Observable[];
  observe(
    result: BatchObservableResult,
    name: string,
    source: SnapshotSource,
    delivery: DeliverySnapshot,
  ): void;
}

/**
 * Makes the instruments `otel.sdk.exporter.{span,log,metric_data_point}.exported` and `….inflight`, with unit and
 * description as the exporters of the SDK have them.
 *
 * @see https://github.com/open-telemetry/opentelemetry-js/blob/main/experimental/packages/otlp-exporter-base/src/ExporterMetrics.ts
 */
export function semconvInstruments(meter: Meter): SemconvInstruments {
  const bySignal: Readonly<Record<Signal, Pair>> = {
    span: pair(meter, 'span'),
    log: pair(meter, 'log'),
    metric_data_point: pair(meter, 'metric_data_point'),
  };
  return {
    instruments: Object.values(bySignal).flatMap(({ exported, inflight }) => [exported, inflight]),
    observe(result, name, source, { kept, inFlight }) {
      const internals = exporterInternalsOf(source);
      const signal = internals?.signal();
      if (internals === undefined || signal === undefined) return;
      const { exported, inflight } = bySignal[signal];
      const type = `circuit_breaker_${signal === 'metric_data_point' ? 'metric' : signal}_exporter`;
      const component = { 'otel.component.type': type, 'otel.component.name': `${type}/${name}` };
      const lost = internals.ledger.lostUnseen;
      for (const [errorType, ...reasons] of ERROR_TYPES) {
        const items = reasons.reduce((sum, reason) => sum + lost[reason], 0);
        if (items > 0) result.observe(exported, items, { ...component, 'error.type': errorType });
      }
      result.observe(inflight, kept.items + inFlight.items, component);
    },
  };
}

interface Pair {
  readonly exported: Observable;
  readonly inflight: Observable;
}

function pair(meter: Meter, signal: Signal): Pair {
  const prefix = `otel.sdk.exporter.${signal}`;
  const unit = `{${signal}}`;
  return {
    exported: meter.createObservableCounter(`${prefix}.exported`, {
      unit,
      description: `The number of ${signal}s for which the export has finished, either successful or failed.`,
    }),
    inflight: meter.createObservableUpDownCounter(`${prefix}.inflight`, {
      unit,
      description: `The number of ${signal}s which were passed to the exporter, but that have not been exported yet (neither successful, nor failed).`,
    }),
  };
}
