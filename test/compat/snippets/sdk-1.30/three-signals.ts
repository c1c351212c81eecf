// examples/telemetry.mjs for this line of the SDK, without instrumentations
import { DiagConsoleLogger, DiagLogLevel, diag } from '@opentelemetry/api';
import { OTLPLogExporter } from '@opentelemetry/exporter-logs-otlp-http';
import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-http';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { core, logs, metrics, NodeSDK } from '@opentelemetry/sdk-node';
import { CircuitBreakerExporter } from 'otel-circuit-breaker';
import { logTransitions, quietGlobalErrorHandler } from 'otel-circuit-breaker/logging';

const traceExporter = new CircuitBreakerExporter(new OTLPTraceExporter(), { name: 'traces', retention: {} });
const metricExporter = new CircuitBreakerExporter(new OTLPMetricExporter(), {
  name: 'metrics',
  retention: {},
  closedShutdownTimeoutMillis: 1_000, // how long shutdown() waits if no export has succeeded yet
});
const logExporter = new CircuitBreakerExporter(new OTLPLogExporter(), { name: 'logs', retention: {} });
export const exporters = [traceExporter, metricExporter, logExporter];

diag.setLogger(new DiagConsoleLogger(), DiagLogLevel.WARN); // without it, OpenTelemetry is silent
core.setGlobalErrorHandler(quietGlobalErrorHandler()); // hides the error of each rejected batch
logTransitions(exporters, { ...console, debug() {} }); // logs one line when a circuit opens, and one when it closes

const sdk = new NodeSDK({
  traceExporter,
  metricReader: new metrics.PeriodicExportingMetricReader({ exporter: metricExporter }),
  logRecordProcessors: [new logs.BatchLogRecordProcessor(logExporter)],
});
sdk.start();

process.once('SIGTERM', async () => {
  await sdk.shutdown().catch(() => {}); // if the last flush fails, this rejects and does not shut down the exporters
  await Promise.all(exporters.map((exporter) => exporter.shutdown()));
  process.exit(); // or the OTLP exporters' own retry timers keep the process alive for up to 10 s
});
