// Traces for an app that knows nothing of them: node --import ./telemetry.mjs app.mjs
import { register } from 'node:module';
import { DiagConsoleLogger, DiagLogLevel, diag } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { HttpInstrumentation } from '@opentelemetry/instrumentation-http';
import { core, NodeSDK } from '@opentelemetry/sdk-node';
import { CircuitBreakerExporter } from 'otel-circuit-breaker';
import { circuitBreakerOptionsFromEnv } from 'otel-circuit-breaker/env';
import { quietGlobalErrorHandler } from 'otel-circuit-breaker/logging';

register('@opentelemetry/instrumentation/hook.mjs', import.meta.url); // or a node:http that ES modules import goes unseen
diag.setLogger(new DiagConsoleLogger(), DiagLogLevel.WARN);
core.setGlobalErrorHandler(quietGlobalErrorHandler());
const traceExporter = new CircuitBreakerExporter(new OTLPTraceExporter(), circuitBreakerOptionsFromEnv());
const instrumentations = [new HttpInstrumentation()]; // or getNodeAutoInstrumentations()
const sdk = new NodeSDK({ traceExporter, instrumentations, metricReaders: [], logRecordProcessors: [] });
sdk.start();
process.once('SIGTERM', async () => {
  await sdk.shutdown().catch(({ code }) => console.warn('the last spans were not exported:', code));
  await traceExporter.shutdown();
  process.exit();
});
