import { DiagConsoleLogger, DiagLogLevel, diag, trace } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { BasicTracerProvider, BatchSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { CircuitBreakerExporter } from 'otel-circuit-breaker';
import { circuitBreakerOptionsFromEnv } from 'otel-circuit-breaker/env';

diag.setLogger(new DiagConsoleLogger(), DiagLogLevel.INFO);
export const exporter = new CircuitBreakerExporter(new OTLPTraceExporter(), {
  retention: {},
  ...circuitBreakerOptionsFromEnv(),
});
const provider = new BasicTracerProvider({ spanProcessors: [new BatchSpanProcessor(exporter)] });
trace.setGlobalTracerProvider(provider);

export async function stopTelemetry(): Promise<void> {
  await provider.shutdown().catch((error) => console.warn('the last flush failed:', error.code));
  await exporter.shutdown();
}
