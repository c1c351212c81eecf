import type { Attributes } from '@opentelemetry/api';
import { OTLPLogExporter } from '@opentelemetry/exporter-logs-otlp-http';
import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-http';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { BatchLogRecordProcessor, LoggerProvider } from '@opentelemetry/sdk-logs';
import { MeterProvider, MetricReader, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics';
import { BasicTracerProvider, BatchSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { describe, expect, it } from 'vitest';
import { observeCircuitBreakers } from '../../src/adapters/metrics.ts';
import type { ExporterSnapshot } from '../../src/delivery/delivery-snapshot.ts';
import type { ExporterLike } from '../../src/delivery/exporter-contract.ts';
import { CircuitBreakerExporter } from '../../src/exporter/circuit-breaker-exporter.ts';
import type { CircuitBreakerExporterOptions } from '../../src/exporter/circuit-breaker-exporter-options.ts';
import type { ReceiverProcess } from '../support/receiver-process.ts';
import { startReceiver } from '../support/receiver-process.ts';
import { waitFor } from '../support/wait-for.ts';

class ManualReader extends MetricReader {
  protected override async onForceFlush(): Promise<void> {}
  protected override async onShutdown(): Promise<void> {}
}

/** One series of a metric of the SDK. */
interface Point {
  readonly attributes: Attributes;
  readonly value: number;
}

/** The SDK's metrics of its own components, of which the exporters are given the provider. */
function selfObservation() {
  const reader = new ManualReader();
  const provider = new MeterProvider({ readers: [reader] });
  const points = async (name: string): Promise<Point[]> => {
    const { resourceMetrics } = await reader.collect();
    return resourceMetrics.scopeMetrics
      .flatMap(({ metrics }) => metrics)
      .filter(({ descriptor }) => descriptor.name === name)
      .flatMap(({ dataPoints }) => dataPoints as Point[]);
  };
  return { provider, points };
}

const sumOf = (points: readonly Point[]) => points.reduce((sum, { value }) => sum + value, 0);
const ours = ({ attributes }: Point) =>
  String(attributes['otel.component.type']).startsWith('circuit_breaker_');
const delivered = ({ attributes }: Point) => attributes['error.type'] === undefined;

/** The items that the inner exporter was given, each time. */
function sendings({ items }: ExporterSnapshot): number {
  return items.success + items.failure + items.invalid + items.ignored;
}

/** An exporter whose every third attempt is a probe, and the metrics about it. */
function observed<T>(
  inner: (own: { selfObsMeterProvider: MeterProvider }) => ExporterLike<T>,
  options: CircuitBreakerExporterOptions<T> = {},
) {
  const { provider, points } = selfObservation();
  const exporter = new CircuitBreakerExporter<T>(inner({ selfObsMeterProvider: provider }), {
    probePolicy: ({ attempt }) => attempt % 3 === 0,
    ...options,
  } as CircuitBreakerExporterOptions<never>);
  observeCircuitBreakers(provider.getMeter('test'), exporter, { semconv: true });
  return { exporter, points };
}

const batches = 30;
const batchSize = 5;

/** Ends batches of spans through a real processor: healthy, through an outage, and healthy again. */
async function spansThroughAnOutage(
  receiver: ReceiverProcess,
  options: CircuitBreakerExporterOptions<never> = {},
) {
  const url = receiver.endpoint('traces');
  const { exporter, points } = observed((own) => new OTLPTraceExporter({ url, ...own }), options);
  const processor = new BatchSpanProcessor(exporter, { maxExportBatchSize: batchSize });
  const tracer = new BasicTracerProvider({ spanProcessors: [processor] }).getTracer('test');
  let ended = 0;
  const end = async (count: number) => {
    for (let batch = 0; batch < count; batch++) {
      for (let i = 0; i < batchSize; i++) tracer.startSpan('work').end();
      ended += batchSize;
      await processor.forceFlush().catch(() => {});
    }
  };
  await end(batches);
  await receiver.mode('status:500');
  await end(batches);
  const inOutage = exporter.snapshot();
  const inflight = await points('otel.sdk.exporter.span.inflight');
  await receiver.mode('healthy');
  await end(batches);
  await waitFor(
    () => {
      const { offered, inFlight } = exporter.snapshot().delivery;
      return offered.items === ended && inFlight.items === 0;
    },
    { what: 'the last answer', timeoutMillis: 20_000 },
  );
  return { exporter, points, inOutage, inflight, ended };
}

describe("the SDK's own metrics account for every span", () => {
  it('in an outage without retention: the sum over all components is what was ended', async () => {
    await using receiver = await startReceiver({ protocol: 'http' });
    const { exporter, points, ended } = await spansThroughAnOutage(receiver);
    const exported = await points('otel.sdk.exporter.span.exported');

    expect(sumOf(exported)).toBe(ended);
    const { items, delivery } = exporter.snapshot();
    expect(items.rejected).toBeGreaterThan(0);
    expect(exported.filter(ours)).toMatchObject([
      {
        attributes: {
          'otel.component.type': 'circuit_breaker_span_exporter',
          'otel.component.name': 'circuit_breaker_span_exporter/otlp',
          'error.type': 'circuit_open',
        },
        value: items.rejected,
      },
    ]);
    expect(sumOf(exported.filter(delivered))).toBe(delivery.delivered.items);
    expect((await receiver.stats()).spans).toBe(delivery.delivered.items);
    await exporter.shutdown();
  });

  it('in an outage with retention: what was delivered is what was ended, and each sending is counted once', async () => {
    await using receiver = await startReceiver({ protocol: 'http' });
    const options = { retention: { pace: Number.POSITIVE_INFINITY } };
    const { exporter, points, inOutage, inflight, ended } = await spansThroughAnOutage(receiver, options);
    const { kept, inFlight } = inOutage.delivery;
    expect(kept.items).toBeGreaterThan(0);
    expect(sumOf(inflight.filter(ours))).toBe(kept.items + inFlight.items);
    await waitFor(() => exporter.snapshot().delivery.kept.items === 0, {
      what: 'the kept spans to be sent',
      timeoutMillis: 20_000,
    });

    const exported = await points('otel.sdk.exporter.span.exported');
    expect(sumOf(exported.filter(delivered))).toBe(ended);
    expect(exported.filter(ours)).toEqual([]);
    // A sending that failed is an operation of its own, and stays one when its batch is sent again.
    expect(sumOf(exported)).toBe(sendings(exporter.snapshot()));
    expect(sumOf((await points('otel.sdk.exporter.span.inflight')).filter(ours))).toBe(0);
    await exporter.shutdown();
  });

  it('where retention is too small: what it gave up unseen is counted as retention_full', async () => {
    await using receiver = await startReceiver({ protocol: 'http' });
    const options = { retention: { maxItems: 40, pace: Number.POSITIVE_INFINITY } };
    const { exporter, points, ended } = await spansThroughAnOutage(receiver, options);
    await waitFor(() => exporter.snapshot().delivery.kept.items === 0, {
      what: 'the kept spans to be sent',
      timeoutMillis: 20_000,
    });

    const exported = await points('otel.sdk.exporter.span.exported');
    const snapshot = exporter.snapshot();
    const unseen = exported.filter(ours);
    expect(unseen.map(({ attributes }) => attributes['error.type'])).toEqual(['retention_full']);
    // What retention gave up after the inner exporter had failed with it was counted by that one.
    expect(sumOf(unseen)).toBeGreaterThan(0);
    expect(sumOf(unseen)).toBeLessThan(snapshot.delivery.lostBy.full);
    expect(sumOf(exported)).toBe(sendings(snapshot) + sumOf(unseen));
    expect(sumOf(exported.filter(delivered)) + snapshot.delivery.lost.items).toBe(ended);
    await exporter.shutdown();
  });
});

describe("the SDK's own metrics account for", () => {
  it('every log record, and every data point', async () => {
    await using receiver = await startReceiver({ protocol: 'http', mode: 'status:500' });
    const logs = observed((own) => new OTLPLogExporter({ url: receiver.endpoint('logs'), ...own }));
    const processor = new BatchLogRecordProcessor({ exporter: logs.exporter, maxExportBatchSize: 5 });
    const logger = new LoggerProvider({ processors: [processor] }).getLogger('test');
    const metrics = observed((own) => new OTLPMetricExporter({ url: receiver.endpoint('metrics'), ...own }));
    const reader = new PeriodicExportingMetricReader({
      exporter: metrics.exporter,
      exportIntervalMillis: 3_600_000,
      exportTimeoutMillis: 3_600_000,
    });
    const counter = new MeterProvider({ readers: [reader] }).getMeter('test').createCounter('work');
    for (let batch = 0; batch < 10; batch++) {
      for (let i = 0; i < 5; i++) logger.emit({ body: 'work' });
      await processor.forceFlush().catch(() => {});
      counter.add(1, { batch });
      await reader.forceFlush().catch(() => {});
    }

    const records = await logs.points('otel.sdk.exporter.log.exported');
    expect(sumOf(records)).toBe(50);
    expect(records.filter(ours)).toMatchObject([
      { attributes: { 'otel.component.name': 'circuit_breaker_log_exporter/otlp' } },
    ]);
    const dataPoints = await metrics.points('otel.sdk.exporter.metric_data_point.exported');
    // 1 + 2 + … + 10: each export has the points of all batches up to then.
    expect(sumOf(dataPoints)).toBe(55);
    expect(dataPoints.filter(ours)).toMatchObject([
      { attributes: { 'otel.component.name': 'circuit_breaker_metric_exporter/otlp' } },
    ]);
    await Promise.all([logs.exporter.shutdown(), metrics.exporter.shutdown()]);
  });
});

describe('the instruments with which we feed them', () => {
  it("have the names, units and descriptions of the SDK's own", async () => {
    const { provider } = selfObservation();
    const made: unknown[][] = [];
    const recording = {
      getMeter: () =>
        new Proxy(provider.getMeter('recording'), {
          get: (meter, method: keyof ReturnType<MeterProvider['getMeter']>) => {
            if (!/^create.*Counter$/.test(String(method))) return meter[method];
            return (name: string, options: { unit: string; description: string }) => {
              made.push([name, options.unit, options.description]);
              return (meter.createCounter as (...given: unknown[]) => unknown)(name, options);
            };
          },
        }),
    };
    const own = { selfObsMeterProvider: recording as never };
    new OTLPTraceExporter(own);
    new OTLPLogExporter(own);
    new OTLPMetricExporter(own);
    const theirs = made.splice(0).sort();
    expect(theirs).toHaveLength(6);
    const exporter = new CircuitBreakerExporter({ export: () => {}, shutdown: async () => {} });
    observeCircuitBreakers(recording.getMeter(), exporter, { semconv: true });
    expect(made.filter(([name]) => String(name).startsWith('otel.')).sort()).toEqual(theirs);
  });
});
