import { logs } from '@opentelemetry/api-logs';
import { BatchLogRecordProcessor } from '@opentelemetry/sdk-logs';
import { NodeSDK } from '@opentelemetry/sdk-node';
import { BatchSpanProcessor } from '@opentelemetry/sdk-trace-base';

/** The packages whose versions tell what ran. */
export const packages = {
  sdk: '@opentelemetry/sdk-trace-base',
  exporter: '@opentelemetry/exporter-trace-otlp-http',
};

/** Of exports over HTTP; a refused connection fails at once. */
export const timeoutMillis = 5_000;

/** Starts the SDK of this line with what the scenario has wrapped. */
export function startSdk({ traceExporter, logExporter, metricReader, batching }) {
  const sdk = new NodeSDK({
    spanProcessors: [new BatchSpanProcessor(traceExporter, batching)],
    logRecordProcessors: [new BatchLogRecordProcessor(logExporter, batching)],
    metricReader,
  });
  sdk.start();
  return sdk;
}

export const getLogger = (name) => logs.getLogger(name);
