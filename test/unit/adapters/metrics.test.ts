import type { Meter } from '@opentelemetry/api';
import { createNoopMeter, diag, metrics } from '@opentelemetry/api';
import { PrometheusExporter } from '@opentelemetry/exporter-prometheus';
import { DataPointType, MeterProvider, MetricReader } from '@opentelemetry/sdk-metrics';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { observeCircuitBreakers } from '../../../src/adapters/metrics.ts';
import { CircuitBreaker } from '../../../src/breaker/circuit-breaker.ts';
import { circuitSnapshot, exporterSnapshot, sourceOf } from './snapshots.ts';

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
  const metric = metrics.find(({ descriptor }) => descriptor.name === `circuit_breaker.${name}`);
  return metric?.dataPoints.map(({ attributes, value }) => [attributes, value]) ?? [];
}

const name = { 'circuit_breaker.name': 'otlp' };

function diagWarn() {
  const warn = vi.fn();
  diag.setLogger({ error: vi.fn(), warn, info: vi.fn(), debug: vi.fn(), verbose: vi.fn() });
  return warn;
}

afterEach(() => {
  diag.disable();
});

describe('observeCircuitBreakers', () => {
  it('makes the instruments, each with its kind and unit', async () => {
    const { meter, collect } = manualMeter();
    observeCircuitBreakers(meter, sourceOf(exporterSnapshot()));
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
      'circuit_breaker.state': ['gauge', '1'],
      'circuit_breaker.consecutive_failures': ['gauge', ''],
      'circuit_breaker.consecutive_invalid': ['gauge', ''],
      'circuit_breaker.transitions': ['counter', '{transition}'],
      'circuit_breaker.exports': ['counter', '{batch}'],
      'circuit_breaker.items': ['counter', '{item}'],
      'circuit_breaker.probes': ['counter', '{probe}'],
      'circuit_breaker.export.time': ['counter', 's'],
      'circuit_breaker.not_closed.time': ['counter', 's'],
      'circuit_breaker.delivery.offered': ['counter', '{item}'],
      'circuit_breaker.delivery.delivered': ['counter', '{item}'],
      'circuit_breaker.delivery.redelivered': ['counter', '{item}'],
      'circuit_breaker.delivery.fallback': ['counter', '{item}'],
      'circuit_breaker.delivery.lost': ['counter', '{item}'],
      'circuit_breaker.delivery.evicted': ['counter', '{item}'],
      'circuit_breaker.delivery.kept': ['gauge', '{item}'],
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
    const lostBy = {
      rejected: 1,
      failure: 2,
      invalid: 3,
      ignored: 4,
      full: 5,
      expired: 6,
      attempts: 7,
      shutdown: 8,
      unreadable: 9,
      fallback: 10,
      ended: 11,
    };
    const evicted = { full: 1, expired: 2, attempts: 3, invalid: 4, shutdown: 5, unreadable: 6 };
    const { meter, collect } = manualMeter();
    observeCircuitBreakers(meter, [
      exporterSnapshot(
        { name: 'spans' },
        {
          offered: amount(1),
          delivered: amount(2),
          redelivered: amount(3),
          fallback: amount(4),
          kept: amount(6),
          evicted,
          lostBy,
        },
      ),
      exporterSnapshot({ name: 'logs' }),
      circuitSnapshot({ name: 'bare' }),
    ]);
    const spans = { 'circuit_breaker.name': 'spans' };
    const logs = { 'circuit_breaker.name': 'logs' };
    for (const [instrument, value] of Object.entries({
      offered: 100,
      delivered: 200,
      redelivered: 300,
      fallback: 400,
      kept: 600,
    })) {
      expect(await pointsOf(collect, `delivery.${instrument}`)).toEqual([
        [spans, value],
        [logs, 0],
      ]);
    }
    const byReason = (reasons: Record<string, number>) => [
      ...Object.entries(reasons).map(([reason, value]) => [{ ...spans, reason }, value]),
      ...Object.keys(reasons).map((reason) => [{ ...logs, reason }, 0]),
    ];
    expect(await pointsOf(collect, 'delivery.lost')).toEqual(byReason(lostBy));
    expect(await pointsOf(collect, 'delivery.evicted')).toEqual(byReason(evicted));
    expect(await pointsOf(collect, 'state')).toHaveLength(9);
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

  it('warns once that the meter of the API records nothing as long as no SDK has started', () => {
    const warn = diagWarn();
    const breaker = new CircuitBreaker();
    const unregister = observeCircuitBreakers(metrics.getMeter('test'), breaker);
    observeCircuitBreakers(createNoopMeter(), breaker, { semconv: true });
    const line =
      'observeCircuitBreakers: this meter records nothing; call observeCircuitBreakers after the SDK has started';
    expect(warn.mock.calls).toEqual([[line], [line]]);
    unregister();
  });

  it('does not warn of the meter of an SDK', () => {
    const warn = diagWarn();
    observeCircuitBreakers(manualMeter().meter, new CircuitBreaker(), { semconv: true });
    expect(warn).not.toHaveBeenCalled();
  });

  it('shows two breakers of one name, the second with #2, and tells diag.error once', async () => {
    const error = vi.fn();
    diag.setLogger({ error, warn: vi.fn(), info: vi.fn(), debug: vi.fn(), verbose: vi.fn() });
    const { meter, collect } = manualMeter();
    observeCircuitBreakers(meter, [new CircuitBreaker(), new CircuitBreaker()]);
    await collect();
    expect(await pointsOf(collect, 'consecutive_failures')).toEqual([
      [name, 0],
      [{ 'circuit_breaker.name': 'otlp#2' }, 0],
    ]);
    expect(error.mock.calls).toEqual([
      [
        'observeCircuitBreakers: more than one circuit breaker has the name "otlp"; one of them is shown as "otlp#2"',
      ],
    ]);
  });

  it('shows all of it through the Prometheus exporter', async () => {
    const reader = new PrometheusExporter({ preventServerStart: true });
    const provider = new MeterProvider({ readers: [reader] });
    const breaker = new CircuitBreaker({ name: 'a "quoted" \\ name' });
    observeCircuitBreakers(provider.getMeter('test'), sourceOf(exporterSnapshot()));
    observeCircuitBreakers(provider.getMeter('another'), breaker);
    const text = await new Promise<string>((resolve, reject) => {
      const response = { statusCode: 0, setHeader: () => {}, end: resolve };
      reader.getMetricsRequestHandler({} as never, response as never);
      setTimeout(reject, 2_000, new Error('no answer')).unref();
    });
    const escaped = 'a \\"quoted\\" \\\\ name';
    for (const line of [
      'circuit_breaker_state{circuit_breaker_name="otlp",state="closed",otel_scope_name="test"} 1',
      `circuit_breaker_state{circuit_breaker_name="${escaped}",state="open",otel_scope_name="another"} 0`,
      'circuit_breaker_exports_total{circuit_breaker_name="otlp",result="rejected",otel_scope_name="test"} 0',
      'circuit_breaker_delivery_kept{circuit_breaker_name="otlp",otel_scope_name="test"} 0',
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

  it('refuses anything that is not a source, and bad options, before it makes an instrument', () => {
    const { meter } = manualMeter();
    const created = vi.spyOn(meter, 'createObservableGauge');
    expect(() => observeCircuitBreakers(meter, 5 as never)).toThrow(
      new TypeError('observeCircuitBreakers: a source must be a snapshot, or have snapshot(), got 5'),
    );
    expect(() => observeCircuitBreakers(meter, undefined, { semconv: 1 as never })).toThrow(
      new TypeError('observeCircuitBreakers: option "semconv" must be true or false, got 1'),
    );
    expect(() => observeCircuitBreakers(meter, undefined, { semConv: true } as never)).toThrow(TypeError);
    expect(created).not.toHaveBeenCalled();
  });
});
