import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { NodeSDK } from '@opentelemetry/sdk-node';
import { CircuitBreakerExporter } from 'otel-circuit-breaker';
import { circuitBreakerOptionsFromEnv } from 'otel-circuit-breaker/env';
import { logTransitions } from 'otel-circuit-breaker/logging';
import { registerExporter } from 'otel-circuit-breaker/registry';

const exporter = new CircuitBreakerExporter(new OTLPTraceExporter(), {
  retention: {},
  ...circuitBreakerOptionsFromEnv(),
});
// Next.js bundles routes apart from this file: a copy of this module there would have an exporter that nobody uses.
registerExporter(exporter);
logTransitions(exporter, console);
const sdk = new NodeSDK({ traceExporter: exporter, metricReaders: [], logRecordProcessors: [] });
sdk.start();

// With NEXT_MANUAL_SIG_HANDLE, Next.js leaves the signal to us; without, it ends the process before the last spans are sent.
process.once('SIGTERM', async () => {
  await sdk.shutdown().catch((error) => console.warn('the last flush failed:', error.code));
  await exporter.shutdown();
  process.exit(0);
});
