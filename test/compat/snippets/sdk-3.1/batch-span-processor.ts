import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { NodeSDK } from '@opentelemetry/sdk-node';
import { BatchSpanProcessor } from '@opentelemetry/sdk-trace';
import { CircuitBreakerExporter } from 'otel-circuit-breaker';

export const exporter = new CircuitBreakerExporter(new OTLPTraceExporter());

export const sdk = new NodeSDK({
  spanProcessors: [new BatchSpanProcessor({ exporter })],
  metricReaders: [],
  logRecordProcessors: [],
});
sdk.start();

process.once('SIGTERM', async () => {
  await sdk.shutdown().catch(console.error);
  await exporter.shutdown();
});
