import type { SpanProcessor } from '@opentelemetry/sdk-trace-base';
import { BasicTracerProvider } from '@opentelemetry/sdk-trace-base';

/** A program that makes numbered spans. */
export interface SpanApp extends AsyncDisposable {
  readonly provider: BasicTracerProvider;
  /** Spans made so far; the last one's attribute `n`. */
  readonly made: number;
  make(count: number): void;
  /** Has the processor export what it holds; answers what went wrong, if anything. */
  flush(): Promise<unknown>;
}

/** Sets up a real tracer provider around a span processor. */
export function spanApp(processor: SpanProcessor): SpanApp {
  const provider = new BasicTracerProvider({ spanProcessors: [processor] });
  const tracer = provider.getTracer('test');
  let made = 0;
  return {
    provider,
    get made() {
      return made;
    },
    make(count) {
      for (let left = count; left > 0; left -= 1) {
        made += 1;
        tracer.startSpan('work', { attributes: { n: made } }).end();
      }
    },
    async flush() {
      try {
        await processor.forceFlush();
        return undefined;
      } catch (error) {
        return error;
      }
    },
    async [Symbol.asyncDispose]() {
      await provider.shutdown().catch(() => {});
    },
  };
}
