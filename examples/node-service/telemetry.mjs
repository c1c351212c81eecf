import { DiagConsoleLogger, DiagLogLevel, diag } from '@opentelemetry/api';
import { OTLPTraceExporter as GrpcExporter } from '@opentelemetry/exporter-trace-otlp-grpc';
import { OTLPTraceExporter as JsonExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { OTLPTraceExporter as ProtobufExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { HttpInstrumentation } from '@opentelemetry/instrumentation-http';
import { core, NodeSDK, tracing } from '@opentelemetry/sdk-node';
import { CircuitBreakerExporter } from 'otel-circuit-breaker';
import { circuitBreakerOptionsFromEnv } from 'otel-circuit-breaker/env';
import { logTransitions, quietGlobalErrorHandler } from 'otel-circuit-breaker/logging';
import { settings } from './settings.mjs';

const { exporterEndpoint, exporterProtocol, serviceName, sampleRate } = settings;
const UNTRACED = ['/health/telemetry', '/metrics', '/healthz'];

diag.setLogger(new DiagConsoleLogger(), DiagLogLevel.WARN);
// One line a failed export, none for batches that the open circuit rejects.
core.setGlobalErrorHandler(quietGlobalErrorHandler());

/** `undefined` where no endpoint is set: the service works, and its traces go nowhere. */
export const exporter =
  exporterEndpoint === ''
    ? undefined
    : new CircuitBreakerExporter(createOtlpExporter(), circuitBreakerOptionsFromEnv());
if (exporter !== undefined) {
  logTransitions(exporter.breaker, console);
}

const sdk = new NodeSDK({
  serviceName,
  sampler: new tracing.ParentBasedSampler({ root: new tracing.TraceIdRatioBasedSampler(sampleRate) }),
  ...(exporter === undefined ? { spanProcessors: [] } : { traceExporter: exporter }),
  // Left out, NodeSDK makes OTLP exporters of its own for metrics and logs, and nothing guards those.
  metricReaders: [],
  logRecordProcessors: [],
  instrumentations: [
    new HttpInstrumentation({
      ignoreIncomingRequestHook: ({ url = '' }) => UNTRACED.includes(url.split('?')[0]),
    }),
  ],
});
sdk.start();

/** Sends what is left, as far as that is possible. Never rejects. */
export async function stopTelemetry() {
  await sdk.shutdown().catch(report);
  await exporter?.shutdown();
}

function report({ code, name }) {
  console.warn(`telemetry: the last spans were not exported (${code ?? name})`);
}

function createOtlpExporter() {
  switch (exporterProtocol) {
    case 'http/json':
      return new JsonExporter({ url: `${exporterEndpoint}/v1/traces` });
    case 'http/protobuf':
      return new ProtobufExporter({ url: `${exporterEndpoint}/v1/traces` });
    default:
      return new GrpcExporter({ url: exporterEndpoint });
  }
}
