import { loggingErrorHandler, setGlobalErrorHandler } from '@opentelemetry/core';
import {
  AggregationTemporalityPreference,
  OTLPMetricExporter,
} from '@opentelemetry/exporter-metrics-otlp-http';
import type { Histogram, PushMetricExporter, ResourceMetrics } from '@opentelemetry/sdk-metrics';
import {
  AggregationTemporality,
  AggregationType,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import { describe, expect, it } from 'vitest';
import { CircuitBreakerExporter } from '../../src/index.ts';
import { protocols } from '../support/otlp-exporters.ts';
import { startReceiver } from '../support/receiver-process.ts';

/** As long as can be without a first retry of the OTLP/HTTP exporters, which comes after at least 800 ms. */
const NO_RETRY = 750;

/** A program with a counter, exported when it is flushed. */
function metricApp(exporter: PushMetricExporter) {
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 });
  const provider = new MeterProvider({ readers: [reader] });
  const counter = provider.getMeter('test').createCounter('requests');
  return {
    provider,
    count: () => counter.add(1),
    flush: (): Promise<unknown> => reader.forceFlush().catch((error: unknown) => error),
  };
}

describe.for(protocols)('a delta exporter of $name behind a PeriodicExportingMetricReader', (protocol) => {
  it('stays delta when it is wrapped', async () => {
    await using receiver = await startReceiver({ protocol: protocol.server });
    const inner = protocol.metrics(receiver.endpoint('metrics'));
    const exporter = new CircuitBreakerExporter(inner);
    const { provider, count, flush } = metricApp(exporter);

    count();
    expect(await flush()).toBeUndefined();
    count();
    expect(await flush()).toBeUndefined();

    expect(await receiver.stats()).toMatchObject({ dataPoints: 2, temporalities: { delta: 2 } });
    expect(exporter.snapshot().items).toMatchObject({ success: 2 });
    await provider.shutdown();
  });
});

describe('a wrapped metric exporter', () => {
  it('is cumulative where the inner one is', async () => {
    await using receiver = await startReceiver({ protocol: 'http' });
    const exporter = new CircuitBreakerExporter(
      new OTLPMetricExporter({ url: receiver.endpoint('metrics') }),
    );
    const { provider, count, flush } = metricApp(exporter);

    count();
    expect(await flush()).toBeUndefined();

    expect(await receiver.stats()).toMatchObject({ temporalities: { cumulative: 1 } });
    await provider.shutdown();
  });

  it('may keep what it was given by reference: the reader uses nothing of it again but the attributes of users', async () => {
    const kept: ResourceMetrics[] = [];
    const exporter: PushMetricExporter = {
      export: (metrics, resultCallback) => {
        kept.push(metrics);
        resultCallback({ code: 0 });
      },
      forceFlush: async () => {},
      shutdown: async () => {},
      selectAggregationTemporality: () => AggregationTemporality.CUMULATIVE,
    };
    const { provider, count, flush } = metricApp(exporter);
    const histogram = provider.getMeter('test').createHistogram('duration');
    for (let i = 0; i < 3; i++) {
      count();
      histogram.record(i);
      await flush();
    }

    const values = kept.map(({ scopeMetrics }) =>
      scopeMetrics.flatMap(({ metrics }) =>
        metrics.flatMap(({ dataPoints }) => dataPoints.map(({ value }) => value)),
      ),
    );
    // Each as it was when it was exported.
    expect(values).toMatchObject([
      [1, { count: 1, sum: 0 }],
      [2, { count: 2, sum: 1 }],
      [3, { count: 3, sum: 3 }],
    ]);
    const shared = [...mutableParts(kept[0])].filter((part) => mutableParts(kept[1]).has(part));
    expect(shared).toEqual([]);
    await provider.shutdown();
  });

  it('passes on the aggregations that the inner one selects', async () => {
    const inner = new InMemoryMetricExporter(AggregationTemporality.DELTA);
    Object.assign(inner, { selectAggregation: () => ({ type: AggregationType.DROP }) });
    const { provider, count, flush } = metricApp(new CircuitBreakerExporter(inner));

    count();
    expect(await flush()).toBeUndefined();

    expect(inner.getMetrics().flatMap(({ scopeMetrics }) => scopeMetrics)).toEqual([]);
    await provider.shutdown();
  });

  it('goes through an outage, and is told of it in a line that stands alone', async () => {
    await using receiver = await startReceiver({ protocol: 'http' });
    const inner = new OTLPMetricExporter({
      url: receiver.endpoint('metrics'),
      timeoutMillis: NO_RETRY,
      temporalityPreference: AggregationTemporalityPreference.DELTA,
    });
    const heard: unknown[] = [];
    setGlobalErrorHandler((error) => heard.push(error));
    try {
      let mayProbe = false;
      const exporter = new CircuitBreakerExporter(inner, { probePolicy: () => mayProbe });
      const { provider, count, flush } = metricApp(exporter);
      const flushed = async (): Promise<string> => {
        count();
        return String([(await flush()) ?? '', ...heard.splice(0)].flat().map(String).join(' '));
      };

      await receiver.kill();
      for (let failures = 1; failures <= 3; failures += 1) expect(await flushed()).toContain('ECONNREFUSED');
      expect(exporter.breaker.state).toBe('OPEN');
      expect(await flushed()).toMatch(
        /metrics export failed \(error CircuitOpenError: circuit "otlp" is open since \S+Z after 3 failures in a row, last ECONNREFUSED\)/,
      );
      await receiver.restart();
      mayProbe = true;
      expect(await flushed()).toBe('');

      expect(exporter.snapshot()).toMatchObject({
        state: 'CLOSED',
        items: { success: 1, failure: 3, rejected: 1 },
      });
      expect(await receiver.stats()).toMatchObject({ dataPoints: 1, temporalities: { delta: 1 } });
      await provider.shutdown();
    } finally {
      setGlobalErrorHandler(loggingErrorHandler());
    }
  });
});

/** The objects in an export that hold numbers: those that a reader might write to again. */
function mutableParts(metrics: ResourceMetrics | undefined): Set<unknown> {
  const parts = new Set<unknown>([metrics, metrics?.scopeMetrics]);
  for (const scope of metrics?.scopeMetrics ?? []) {
    parts.add(scope).add(scope.metrics);
    for (const metric of scope.metrics) {
      parts.add(metric).add(metric.dataPoints);
      for (const point of metric.dataPoints) {
        parts.add(point);
        if (typeof point.value === 'object')
          parts.add(point.value).add((point.value as Histogram).buckets.counts);
      }
    }
  }
  return parts;
}
