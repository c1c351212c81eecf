import { MeterProvider, MetricReader } from '@opentelemetry/sdk-metrics';
import { describe, expect, it } from 'vitest';
import { observeCircuitBreakers } from '../../../src/adapters/metrics.ts';
import type {
  DeliverySnapshot,
  LossReason,
  SnapshotSource,
} from '../../../src/delivery/delivery-snapshot.ts';
import type { Signal } from '../../../src/delivery/exporter-internals.ts';
import { attachExporterInternals } from '../../../src/delivery/exporter-internals.ts';
import { deliverySnapshot, exporterSnapshot, sourceOf } from './snapshots.ts';

class ManualReader extends MetricReader {
  protected override async onForceFlush(): Promise<void> {}
  protected override async onShutdown(): Promise<void> {}
}

/** An exporter of a signal that has lost these items unseen. */
function exporterOf(
  signal: Signal | undefined,
  lost: Partial<Record<LossReason, number>> = {},
  delivery: Partial<DeliverySnapshot> = {},
  name = 'otlp',
): SnapshotSource {
  const source = sourceOf(exporterSnapshot({ name }, delivery));
  attachExporterInternals(source, {
    signal: () => signal,
    ledger: { lostUnseen: { ...deliverySnapshot().lostBy, ...lost }, lostBefore: 0 },
  });
  return source;
}

/** The points of the SDK's own metrics, as [attributes, value], by metric. */
async function sdkPoints(source: SnapshotSource | SnapshotSource[], options = { semconv: true }) {
  const reader = new ManualReader();
  observeCircuitBreakers(new MeterProvider({ readers: [reader] }).getMeter('test'), source, options);
  const { resourceMetrics, errors } = await reader.collect();
  expect(errors).toEqual([]);
  const metrics = resourceMetrics.scopeMetrics.flatMap((scope) => scope.metrics);
  return Object.fromEntries(
    metrics
      .filter(
        ({ descriptor, dataPoints }) => descriptor.name.startsWith('otel.sdk.') && dataPoints.length > 0,
      )
      .map(({ descriptor, dataPoints }) => [
        descriptor.name,
        dataPoints.map(({ attributes, value }) => [attributes, value]),
      ]),
  );
}

const component = {
  'otel.component.type': 'circuit_breaker_span_exporter',
  'otel.component.name': 'circuit_breaker_span_exporter/otlp',
};

describe("observeCircuitBreakers with semconv: true feeds the SDK's own metrics", () => {
  it('with the items that are lost before the inner exporter has seen them, with the cause as error.type', async () => {
    const lost = {
      rejected: 1,
      full: 20,
      expired: 300,
      shutdown: 4_000,
      ended: 50_000,
      failure: 6,
      invalid: 7,
    };
    expect((await sdkPoints(exporterOf('span', lost)))['otel.sdk.exporter.span.exported']).toEqual([
      [{ ...component, 'error.type': 'circuit_open' }, 1],
      [{ ...component, 'error.type': 'retention_full' }, 20],
      [{ ...component, 'error.type': 'retention_expired' }, 300],
      [{ ...component, 'error.type': 'shutdown' }, 54_000],
    ]);
  });

  it('with the items that are kept or in flight', async () => {
    const delivery = { kept: { batches: 1, items: 300 }, inFlight: { batches: 2, items: 40 } };
    expect(await sdkPoints(exporterOf('span', {}, delivery))).toEqual({
      'otel.sdk.exporter.span.inflight': [[component, 340]],
    });
  });

  it.each<[Signal, string]>([
    ['span', 'circuit_breaker_span_exporter'],
    ['log', 'circuit_breaker_log_exporter'],
    ['metric_data_point', 'circuit_breaker_metric_exporter'],
  ])('under the name of the signal: %s', async (signal, type) => {
    const points = await sdkPoints(exporterOf(signal, { rejected: 5 }, {}, 'mine'));
    const attributes = { 'otel.component.type': type, 'otel.component.name': `${type}/mine` };
    expect(points).toEqual({
      [`otel.sdk.exporter.${signal}.exported`]: [[{ ...attributes, 'error.type': 'circuit_open' }, 5]],
      [`otel.sdk.exporter.${signal}.inflight`]: [[attributes, 0]],
    });
  });

  it('only where it is asked to, and not before the first batch, nor for a breaker or a snapshot', async () => {
    expect(await sdkPoints(exporterOf('span', { rejected: 5 }), { semconv: false })).toEqual({});
    expect(await sdkPoints(exporterOf(undefined, { rejected: 5 }))).toEqual({});
    expect(await sdkPoints([exporterSnapshot(), sourceOf(exporterSnapshot({ name: 'b' }))])).toEqual({});
  });

  it("as the SDK's exporters make them: kind, unit and description", async () => {
    const reader = new ManualReader();
    const provider = new MeterProvider({ readers: [reader] });
    const ours = provider.getMeter('ours');
    observeCircuitBreakers(ours, exporterOf('log', { rejected: 1 }), { semconv: true });
    const { resourceMetrics } = await reader.collect();
    const [scope] = resourceMetrics.scopeMetrics;
    const shown = scope?.metrics
      .filter(({ descriptor }) => descriptor.name.startsWith('otel.sdk.exporter.log.'))
      .map((metric) => [metric.descriptor.unit, 'isMonotonic' in metric && metric.isMonotonic]);
    expect(shown).toEqual([
      ['{log}', true],
      ['{log}', false],
    ]);
  });
});
