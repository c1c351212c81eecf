import { BatchSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';

/** A tracer provider of this line, as a web page sets it up. */
export function webProvider(exporter, batching) {
  return new TracerProvider({ spanProcessors: [new BatchSpanProcessor({ exporter, ...batching })] });
}
