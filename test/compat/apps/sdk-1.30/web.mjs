import { BasicTracerProvider, BatchSpanProcessor } from '@opentelemetry/sdk-trace-base';

/** A tracer provider of this line, as a web page sets it up. */
export function webProvider(exporter, batching) {
  return new BasicTracerProvider({ spanProcessors: [new BatchSpanProcessor(exporter, batching)] });
}
