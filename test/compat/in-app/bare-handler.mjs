/** A function as it is without a breaker, all of the exporter at its defaults but its time-out. */
import { trace } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { NodeSDK } from '@opentelemetry/sdk-node';
import { BatchSpanProcessor } from '@opentelemetry/sdk-trace-base';

const processor = new BatchSpanProcessor(new OTLPTraceExporter({ timeoutMillis: 500 }));
new NodeSDK({ spanProcessors: [processor], metricReaders: [], logRecordProcessors: [] }).start();
const tracer = trace.getTracer('handler');

export async function handler(event) {
  tracer.startSpan('handle', { attributes: { 'url.path': event.path } }).end();
  await processor.forceFlush().catch(() => {});
}
