import type { Attributes } from '@opentelemetry/api';
import type { ReadableSpan } from '@opentelemetry/sdk-trace-base';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base';

/**
 * Makes ended spans with the attribute `n` = `first`, `first` + 1, …: the receiver tells them apart by it.
 *
 * @param attributes - what each of them gets besides
 */
export function numberedSpans(first: number, count: number, attributes: Attributes = {}): ReadableSpan[] {
  const memory = new InMemorySpanExporter();
  const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(memory)] });
  const tracer = provider.getTracer('numbered-spans');
  for (let n = first; n < first + count; n += 1) {
    tracer.startSpan('numbered', { attributes: { ...attributes, n } }).end();
  }
  return memory.getFinishedSpans();
}
