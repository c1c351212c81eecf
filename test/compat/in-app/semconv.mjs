/** The SDK's metrics of its own exporters, fed by them and by the breakers around them. */
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import { observeCircuitBreakers } from 'otel-circuit-breaker/metrics';

const NAMES = { traces: 'span', logs: 'log', metrics: 'metric_data_point' };

/** @returns `provider`, for the exporters, and `exported(signal)`, the items that anybody has accounted for */
export function selfObservation() {
  const memory = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  const reader = new PeriodicExportingMetricReader({
    exporter: memory,
    exportIntervalMillis: 3_600_000,
    exportTimeoutMillis: 3_600_000,
  });
  const provider = new MeterProvider({ readers: [reader] });
  return {
    provider,
    observe: (exporters) => observeCircuitBreakers(provider.getMeter('compat'), exporters, { semconv: true }),
    async exported(signal) {
      memory.reset();
      await reader.forceFlush();
      return memory
        .getMetrics()
        .flatMap(({ scopeMetrics }) => scopeMetrics)
        .flatMap(({ metrics }) => metrics)
        .filter(({ descriptor }) => descriptor.name === `otel.sdk.exporter.${NAMES[signal]}.exported`)
        .flatMap(({ dataPoints }) => dataPoints)
        .map(({ attributes, value }) => ({ type: String(attributes['otel.component.type']), value }));
    },
  };
}
