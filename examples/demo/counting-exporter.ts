import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace-base';

/** Counts the spans that a processor hands to an exporter, and how the exports ended. */
export class CountingExporter implements SpanExporter {
  readonly #inner: SpanExporter;
  offered = 0;
  succeeded = 0;
  failed = 0;

  constructor(inner: SpanExporter) {
    this.#inner = inner;
  }

  export(spans: ReadableSpan[], resultCallback: Parameters<SpanExporter['export']>[1]): void {
    this.offered += spans.length;
    this.#inner.export(spans, (result) => {
      if (result.code === 0) this.succeeded += spans.length;
      else this.failed += spans.length;
      resultCallback(result);
    });
  }

  shutdown(): Promise<void> {
    return this.#inner.shutdown();
  }
}
