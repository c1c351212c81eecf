import { OTLPLogExporter } from '@opentelemetry/exporter-logs-otlp-http';
import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-http';
import { OTLPTraceExporter as GrpcTraceExporter } from '@opentelemetry/exporter-trace-otlp-grpc';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { OTLPTraceExporter as ProtoTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import type { LogRecordExporter, ReadableLogRecord } from '@opentelemetry/sdk-logs';
import { BatchLogRecordProcessor } from '@opentelemetry/sdk-logs';
import type { PushMetricExporter, ResourceMetrics } from '@opentelemetry/sdk-metrics';
import { PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics';
import { NodeSDK } from '@opentelemetry/sdk-node';
import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace-base';
import { BatchSpanProcessor, ConsoleSpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { CircuitBreakerExporter } from 'otel-circuit-breaker';
import { ScriptedExporter } from 'otel-circuit-breaker/testing';

// What a batch is comes from the inner exporter.
const traces: CircuitBreakerExporter<ReadableSpan[]> = new CircuitBreakerExporter(new OTLPTraceExporter());
const logs: CircuitBreakerExporter<ReadableLogRecord[]> = new CircuitBreakerExporter(new OTLPLogExporter());
const metrics: CircuitBreakerExporter<ResourceMetrics> = new CircuitBreakerExporter(new OTLPMetricExporter());

// The wrapper is an exporter of its line.
export const exporters: [SpanExporter, LogRecordExporter, PushMetricExporter] = [traces, logs, metrics];
export const others: SpanExporter[] = [
  new CircuitBreakerExporter(new ProtoTraceExporter()),
  new CircuitBreakerExporter(new GrpcTraceExporter()),
  new CircuitBreakerExporter(new ConsoleSpanExporter()),
  new CircuitBreakerExporter(new CircuitBreakerExporter(new OTLPTraceExporter())),
  new ScriptedExporter<ReadableSpan[]>(),
];

// And so the processors and the SDK take it.
const bySpan = new BatchSpanProcessor(traces);
const byLog = new BatchLogRecordProcessor(logs);
const metricReader = new PeriodicExportingMetricReader({ exporter: metrics });
export const sdks = [
  new NodeSDK({ traceExporter: traces, serviceName: 'types' }),
  new NodeSDK({
    spanProcessors: [bySpan, new SimpleSpanProcessor(traces)],
    logRecordProcessors: [byLog],
    metricReader,
  }),
];

// An exporter of the user's own, written for the SDK's interface.
class Mine implements SpanExporter {
  export(spans: ReadableSpan[], resultCallback: Parameters<SpanExporter['export']>[1]): void {
    resultCallback({ code: spans.length > 0 ? 0 : 1 });
  }
  async shutdown(): Promise<void> {}
}

export const mine: SpanExporter = new CircuitBreakerExporter(new Mine(), {
  name: 'traces',
  retention: {},
  fallback: new ConsoleSpanExporter(),
});

// @ts-expect-error a fallback takes the batches of the exporter: spans are no metrics
new CircuitBreakerExporter(new OTLPTraceExporter(), { fallback: new OTLPMetricExporter() });
// @ts-expect-error a log exporter is no span exporter
export const wrong: SpanExporter = logs;
