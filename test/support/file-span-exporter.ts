import { appendFile } from 'node:fs';
import { JsonTraceSerializer } from '@opentelemetry/otlp-transformer';
import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace-base';

/**
 * A fallback for tests: appends batches to a file, one line of OTLP JSON each, the form that the Collector's `otlpjsonfile`
 * receiver reads.
 */
export class FileSpanExporter implements SpanExporter {
  readonly #path: string;
  readonly #writing = new Set<Promise<void>>();

  constructor(path: string) {
    this.#path = path;
  }

  export(spans: ReadableSpan[], resultCallback: Parameters<SpanExporter['export']>[1]): void {
    const writing = this.#append(spans).then(
      () => resultCallback({ code: 0 }),
      (error: Error) => resultCallback({ code: 1, error }),
    );
    this.#writing.add(writing);
    void writing.finally(() => this.#writing.delete(writing));
  }

  async forceFlush(): Promise<void> {
    await Promise.all(this.#writing);
  }

  shutdown(): Promise<void> {
    return this.forceFlush();
  }

  async #append(spans: ReadableSpan[]): Promise<void> {
    const json = JsonTraceSerializer.serializeRequest(spans);
    if (json === undefined) throw new Error('the serializer gave nothing');
    // One write a line, and nobody but this user: spans hold personal data.
    const line = Buffer.concat([json, Buffer.from('\n')]);
    await new Promise<void>((resolve, reject) => {
      appendFile(this.#path, line, { mode: 0o600 }, (error) => (error ? reject(error) : resolve()));
    });
  }
}
