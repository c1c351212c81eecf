import { DiagConsoleLogger, DiagLogLevel, diag } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { HttpInstrumentation } from '@opentelemetry/instrumentation-http';
import { core, NodeSDK } from '@opentelemetry/sdk-node';
import { CircuitBreakerExporter } from 'otel-circuit-breaker';
import { circuitBreakerOptionsFromEnv } from 'otel-circuit-breaker/env';
import { quietGlobalErrorHandler } from 'otel-circuit-breaker/logging';

diag.setLogger(new DiagConsoleLogger(), DiagLogLevel.INFO);
core.setGlobalErrorHandler(quietGlobalErrorHandler());
export const exporter = new CircuitBreakerExporter(new OTLPTraceExporter(), {
  retention: {},
  ...circuitBreakerOptionsFromEnv(),
});

const sdk = new NodeSDK({
  traceExporter: exporter,
  metricReaders: [],
  logRecordProcessors: [],
  instrumentations: [new HttpInstrumentation()],
});
sdk.start();

export async function stopTelemetry(): Promise<void> {
  await sdk.shutdown().catch((error) => console.warn('the last flush failed:', error.code));
  await exporter.shutdown();
}
