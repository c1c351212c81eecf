import type { Meter } from '@opentelemetry/api';
import { createNoopMeter, diag } from '@opentelemetry/api';
import { PrometheusExporter } from '@opentelemetry/exporter-prometheus';
import { DataPointType, MeterProvider, MetricReader } from '@opentelemetry/sdk-metrics';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { observeCircuitBreakers } from '../../../src/adapters/metrics.ts';
import { CircuitBreaker } from '../../../src/breaker/circuit-breaker.ts';
import { circuitSnapshot, deliverySnapshot, exporterSnapshot, sourceOf } from './snapshots.ts';

/** Collects when it is told to. */
class ManualReader extends MetricReader {
  protected override async onForceFlush(): Promise<void> {}
  protected override async onShutdown(): Promise<void> {}
}

function manualMeter() {
  const reader = new ManualReader();
  const provider = new MeterProvider({ readers: [reader] });
  const collect = async () => {
    const { resourceMetrics, errors } = await reader.collect();
    const metrics = resourceMetrics.scopeMetrics.flatMap((scope) => scope.metrics);
    return { errors, metrics };
  };
  return { meter: provider.getMeter('test'), collect };
}

/** All points of one instrument, as [attributes, value]. */
async function pointsOf(collect: ReturnType<typeof manualMeter>['collect'], name: string) {
  const { metrics } = await collect();
  const metric = metrics.find(({ descriptor }) => descriptor.name === `otel.circuit_breaker.${name}`);
  return metric?.dataPoints.map(({ attributes, value }) => [attributes, value]) ?? [];
}

const name = { 'otel.circuit_breaker.name': 'otlp' };

afterEach(() => {
  diag.disable();
});

describe('observeCircuitBreakers', () => {
  it('makes the instruments, each with its kind and unit', async () => {
    const { meter, collect } = manualMeter();
    observeCircuitBreakers(meter, sourceOf(exporterSnapshot('spans')));
    const { metrics, errors } = await collect();
    expect(errors).toEqual([]);
    const seen = metrics.map((metric) => [
      metric.descriptor.name,
      [
        metric.dataPointType === DataPointType.SUM && metric.isMonotonic ? 'counter' : 'gauge',
        metric.descriptor.unit,
      ],
    ]);
    expect(Object.fromEntries(seen)).toEqual({
      'otel.circuit_breaker.state': ['gauge', '1'],
      'otel.circuit_breaker.consecutive_failures': ['gauge', ''],
      'otel.circuit_breaker.consecutive_invalid': ['gauge', ''],
      'otel.circuit_breaker.transitions': ['counter', '{transition}'],
      'otel.circuit_breaker.exports': ['counter', '{batch}'],
      'otel.circuit_breaker.items': ['counter', '{item}'],
      'otel.circuit_breaker.probes': ['counter', '{probe}'],
      'otel.circuit_breaker.export.time': ['counter', 's'],
      'otel.circuit_breaker.not_closed.time': ['counter', 's'],
      'otel.circuit_breaker.delivery.offered': ['counter', '{item}'],
      'otel.circuit_breaker.delivery.delivered': ['counter', '{item}'],
      'otel.circuit_breaker.delivery.redelivered': ['counter', '{item}'],
      'otel.circuit_breaker.delivery.fallback': ['counter', '{item}'],
      'otel.circuit_breaker.delivery.lost': ['counter', '{item}'],
      'otel.circuit_breaker.delivery.evicted': ['counter', '{item}'],
      'otel.circuit_breaker.delivery.kept': ['gauge', '{item}'],
    });
    for (const { descriptor } of metrics) expect(descriptor.description).not.toBe('');
  });

  it('observes the state as 1, and the other states as 0', async () => {
    const { meter, collect } = manualMeter();
    observeCircuitBreakers(meter, circuitSnapshot({ state: 'HALF_OPEN' }));
    expect(await pointsOf(collect, 'state')).toEqual([
      [{ ...name, state: 'closed' }, 0],
      [{ ...name, state: 'open' }, 0],
      [{ ...name, state: 'half_open' }, 1],
    ]);
  });

  it('observes the numbers of the breaker', async () => {
    const { meter, collect } = manualMeter();
    observeCircuitBreakers(
      meter,
      circuitSnapshot({
        consecutiveFailures: 4,
        consecutiveInvalid: 5,
        exports: { success: 1, failure: 2, invalid: 3, ignored: 4, rejected: 5 },
        items: { success: 10, failure: 20, invalid: 30, ignored: 40, rejected: 50 },
        probes: { success: 6, failure: 7 },
        transitions: {
          'CLOSED->OPEN': 1,
          'OPEN->HALF_OPEN': 2,
          'HALF_OPEN->CLOSED': 3,
          'HALF_OPEN->OPEN': 4,
          'OPEN->CLOSED': 5,
        },
        exportDurations: { bounds: [1], counts: [1, 1], sum: 2.25, count: 2 },
        notClosedMillis: 1_500,
      }),
    );
    const results = ['success', 'failure', 'invalid', 'ignored', 'rejected'];
    expect(await pointsOf(collect, 'exports')).toEqual(
      results.map((result, i) => [{ ...name, result }, i + 1]),
    );
    expect(await pointsOf(collect, 'items')).toEqual(
      results.map((result, i) => [{ ...name, result }, 10 * (i + 1)]),
    );
    expect(await pointsOf(collect, 'probes')).toEqual([
      [{ ...name, result: 'success' }, 6],
      [{ ...name, result: 'failure' }, 7],
    ]);
    expect(await pointsOf(collect, 'transitions')).toEqual([
      [{ ...name, from: 'closed', to: 'open' }, 1],
      [{ ...name, from: 'open', to: 'half_open' }, 2],
      [{ ...name, from: 'half_open', to: 'closed' }, 3],
      [{ ...name, from: 'half_open', to: 'open' }, 4],
      [{ ...name, from: 'open', to: 'closed' }, 5],
    ]);
    expect(await pointsOf(collect, 'consecutive_failures')).toEqual([[name, 4]]);
    expect(await pointsOf(collect, 'consecutive_invalid')).toEqual([[name, 5]]);
    expect(await pointsOf(collect, 'export.time')).toEqual([[name, 2.25]]);
    expect(await pointsOf(collect, 'not_closed.time')).toEqual([[name, 1.5]]);
  });

  it('observes what became of the items of every exporter', async () => {
    const amount = (batches: number) => ({ batches, items: batches * 100 });
    const { meter, collect } = manualMeter();
    const shared = {};
    const delivery = deliverySnapshot({
      exporter: 'spans',
      offered: amount(1),
      delivered: amount(2),
      redelivered: amount(3),
      fallback: amount(4),
      lost: amount(5),
      kept: amount(6),
      evicted: { full: 1, expired: 2, attempts: 3, invalid: 4, shutdown: 5 },
    });
    observeCircuitBreakers(meter, [
      sourceOf({ ...circuitSnapshot(), delivery }, shared),
      sourceOf(exporterSnapshot('logs'), shared),
    ]);
    const spans = { ...name, 'otel.circuit_breaker.exporter': 'spans' };
    const logs = { ...name, 'otel.circuit_breaker.exporter': 'logs' };
    for (const [instrument, value] of Object.entries({
      offered: 100,
      delivered: 200,
      redelivered: 300,
      fallback: 400,
      lost: 500,
      kept: 600,
    })) {
      expect(await pointsOf(collect, `delivery.${instrument}`)).toEqual([
        [spans, value],
        [logs, 0],
      ]);
    }
    const reasons = ['full', 'expired', 'attempts', 'invalid', 'shutdown'];
    expect(await pointsOf(collect, 'delivery.evicted')).toEqual([
      ...reasons.map((reason, i) => [{ ...spans, reason }, i + 1]),
      ...reasons.map((reason) => [{ ...logs, reason }, 0]),
    ]);
    expect(await pointsOf(collect, 'state')).toHaveLength(3);
  });

  it('looks at the breaker at each collection', async () => {
    const { meter, collect } = manualMeter();
    const breaker = new CircuitBreaker();
    observeCircuitBreakers(meter, breaker);
    expect(await pointsOf(collect, 'state')).toContainEqual([{ ...name, state: 'open' }, 0]);
    breaker.forceOpen();
    expect(await pointsOf(collect, 'state')).toContainEqual([{ ...name, state: 'open' }, 1]);
  });

  it('observes nothing any more once it is unregistered', async () => {
    const { meter, collect } = manualMeter();
    const snapshot = vi.fn(() => circuitSnapshot());
    const unregister = observeCircuitBreakers(meter, { snapshot });
    await collect();
    unregister();
    unregister();
    snapshot.mockClear();
    await collect();
    expect(snapshot).not.toHaveBeenCalled();
  });

  it('observes nothing where there is no source', async () => {
    const { meter, collect } = manualMeter();
    const unregister = observeCircuitBreakers(meter, undefined);
    const { metrics, errors } = await collect();
    expect(errors).toEqual([]);
    expect(metrics.flatMap(({ dataPoints }) => dataPoints as unknown[])).toEqual([]);
    unregister();
  });

  it('works with the meter that the API has without an SDK', () => {
    expect(() => observeCircuitBreakers(createNoopMeter(), new CircuitBreaker())()).not.toThrow();
  });

  it('shows all of it through the Prometheus exporter', async () => {
    const reader = new PrometheusExporter({ preventServerStart: true });
    const provider = new MeterProvider({ readers: [reader] });
    const breaker = new CircuitBreaker({ name: 'a "quoted" \\ name' });
    observeCircuitBreakers(provider.getMeter('test'), sourceOf(exporterSnapshot('spans'), breaker));
    observeCircuitBreakers(provider.getMeter('another'), breaker);
    const text = await new Promise<string>((resolve, reject) => {
      const response = { statusCode: 0, setHeader: () => {}, end: resolve };
      reader.getMetricsRequestHandler({} as never, response as never);
      setTimeout(reject, 2_000, new Error('no answer')).unref();
    });
    const escaped = 'a \\"quoted\\" \\\\ name';
    for (const line of [
      'otel_circuit_breaker_state{otel_circuit_breaker_name="otlp",state="closed",otel_scope_name="test"} 1',
      `otel_circuit_breaker_state{otel_circuit_breaker_name="${escaped}",state="open",otel_scope_name="another"} 0`,
      'otel_circuit_breaker_exports_total{otel_circuit_breaker_name="otlp",result="rejected",otel_scope_name="test"} 0',
      'otel_circuit_breaker_delivery_kept{otel_circuit_breaker_name="otlp",otel_circuit_breaker_exporter="spans",otel_scope_name="test"} 0',
    ]) {
      expect(text.split('\n')).toContain(line);
    }
    await provider.shutdown();
  });

  it('refuses a meter that is none', () => {
    expect(() => observeCircuitBreakers({} as Meter, undefined)).toThrow(
      new TypeError(
        'observeCircuitBreakers: meter must be an object with createObservableGauge(), createObservableCounter(), addBatchObservableCallback(), got an object',
      ),
    );
  });

  it('refuses doubled names and what is no source, before it makes an instrument', () => {
    const { meter } = manualMeter();
    const created = vi.spyOn(meter, 'createObservableGauge');
    const shared = {};
    const twice = [sourceOf(exporterSnapshot('spans'), shared), sourceOf(exporterSnapshot('spans'), shared)];
    expect(() => observeCircuitBreakers(meter, [new CircuitBreaker(), new CircuitBreaker()])).toThrow(
      new TypeError('observeCircuitBreakers: two breakers have the name "otlp"'),
    );
    expect(() => observeCircuitBreakers(meter, twice)).toThrow(
      new TypeError('observeCircuitBreakers: two exporters on the breaker "otlp" have the name "spans"'),
    );
    expect(() => observeCircuitBreakers(meter, 5 as never)).toThrow(
      new TypeError('observeCircuitBreakers: a source must be a snapshot, or have snapshot(), got 5'),
    );
    expect(created).not.toHaveBeenCalled();
  });
});
