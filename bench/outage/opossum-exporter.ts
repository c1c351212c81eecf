import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace-base';
import Opossum from 'opossum';

type ResultCallback = Parameters<SpanExporter['export']>[1];
type Result = Parameters<ResultCallback>[0];

/**
 * An exporter in an opossum breaker, set as the GraphQL Hive gateway sets it: opens at half of three exports in a minute,
 * tries again after a minute, has no time-out of its own, and answers SUCCESS for what the open circuit rejects.
 */
export class OpossumExporter implements SpanExporter {
  readonly breaker: Opossum<[ReadableSpan[]], Result>;
  readonly #inner: SpanExporter;

  constructor(inner: SpanExporter) {
    this.#inner = inner;
    const send = (spans: ReadableSpan[]): Promise<Result> =>
      new Promise((resolve, reject) => {
        inner.export(spans, (result) => (result.code === 0 ? resolve(result) : reject(result.error)));
      });
    this.breaker = new Opossum(send, {
      timeout: false,
      volumeThreshold: 3,
      errorThresholdPercentage: 50,
      resetTimeout: 60_000,
      rollingCountTimeout: 60_000,
    });
  }

  export(spans: ReadableSpan[], resultCallback: ResultCallback): void {
    this.breaker.fire(spans).then(resultCallback, (error: Error & { code?: unknown }) => {
      if (error?.code === 'EOPENBREAKER') resultCallback({ code: 0 });
      else resultCallback({ code: 1, error });
    });
  }

  forceFlush(): Promise<void> {
    return this.#inner.forceFlush?.() ?? Promise.resolve();
  }

  async shutdown(): Promise<void> {
    this.breaker.shutdown();
    await this.#inner.shutdown();
  }
}
