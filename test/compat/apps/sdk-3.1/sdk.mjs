import { logs } from '@opentelemetry/api';
import { BatchLogRecordProcessor } from '@opentelemetry/sdk-logs';
import { NodeSDK } from '@opentelemetry/sdk-node';
import { BatchSpanProcessor } from '@opentelemetry/sdk-trace';

/** The packages whose versions tell what ran. */
export const packages = {
  sdk: '@opentelemetry/sdk-trace',
  exporter: '@opentelemetry/exporter-trace-otlp-http',
};

/** Of exports over HTTP: below the first retry (after 0.8 to 1.2 s) of a refused connection, which so fails at once. */
export const timeoutMillis = 780;

/** Starts the SDK of this line with what the scenario has wrapped. */
export function startSdk({ traceExporter, logExporter, metricReader, batching }) {
  const sdk = new NodeSDK({
    spanProcessors: [new BatchSpanProcessor({ exporter: traceExporter, ...batching })],
    logRecordProcessors: [new BatchLogRecordProcessor({ exporter: logExporter, ...batching })],
    metricReaders: [metricReader],
  });
  sdk.start();
  return sdk;
}

export const getLogger = (name) => logs.getLogger(name);
