// Traces for an app that knows nothing of them: node --import ./telemetry.mjs app.mjs
import { register } from 'node:module';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { HttpInstrumentation } from '@opentelemetry/instrumentation-http';
import { NodeSDK } from '@opentelemetry/sdk-node';
import { CircuitBreakerExporter } from 'otel-circuit-breaker';
import { circuitBreakerOptionsFromEnv } from 'otel-circuit-breaker/env';

register('@opentelemetry/instrumentation/hook.mjs', import.meta.url); // or a node:http that ES modules import goes unseen
process.env.OTEL_LOG_LEVEL ??= 'info'; // a warning says that the circuit is open, an info that it is closed again
const options = { reportRejectedAs: 'success', ...circuitBreakerOptionsFromEnv() }; // one line an outage, not one a batch
const traceExporter = new CircuitBreakerExporter(new OTLPTraceExporter(), options);
const instrumentations = [new HttpInstrumentation()]; // or getNodeAutoInstrumentations()
const sdk = new NodeSDK({ traceExporter, instrumentations, metricReaders: [], logRecordProcessors: [] });
sdk.start();
process.once('SIGTERM', async () => {
  await sdk.shutdown().catch(({ code }) => console.warn('the last spans were not exported:', code));
  await traceExporter.shutdown();
  process.exit();
});
