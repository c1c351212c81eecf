// Traces for an app that knows nothing of them: node --import ./telemetry.mjs app.mjs
import { register } from 'node:module';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { HttpInstrumentation } from '@opentelemetry/instrumentation-http';
import { NodeSDK } from '@opentelemetry/sdk-node';
import { CircuitBreakerExporter } from 'otel-circuit-breaker';

register('@opentelemetry/instrumentation/hook.mjs', import.meta.url); // or a node:http that ES modules import goes unseen
process.env.OTEL_LOG_LEVEL ??= 'warn'; // the line that says that the circuit is open is a warning
const traceExporter = new CircuitBreakerExporter(new OTLPTraceExporter(), { reportRejectedAs: 'success' });
const instrumentations = [new HttpInstrumentation()]; // or getNodeAutoInstrumentations()
const sdk = new NodeSDK({ traceExporter, instrumentations, metricReaders: [], logRecordProcessors: [] });
sdk.start();
process.once('SIGTERM', async () => {
  await sdk.shutdown().catch(({ code }) => console.warn('the last spans were not exported:', code));
  await traceExporter.shutdown();
  process.exit();
});
