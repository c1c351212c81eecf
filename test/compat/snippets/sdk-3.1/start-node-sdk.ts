import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { startNodeSdk } from '@opentelemetry/sdk-node';
import { BatchSpanProcessor } from '@opentelemetry/sdk-trace';
import { CircuitBreakerExporter } from 'otel-circuit-breaker';

export const exporter = new CircuitBreakerExporter(new OTLPTraceExporter());

// startNodeSdk takes no traceExporter; with spanProcessors, OTEL_BSP_* is not read.
export const sdk = startNodeSdk({
  spanProcessors: [new BatchSpanProcessor({ exporter })],
});
