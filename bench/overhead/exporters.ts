import type { ExporterLike, ExportResultLike } from 'otel-circuit-breaker';

/** A batch as the exporters get it: 512 of what looks like a span. */
export const BATCH: readonly object[] = Object.freeze(
  Array.from({ length: 512 }, () => ({ spanContext: () => undefined })),
);

type Answer = (result: ExportResultLike) => void;

const SUCCESS: ExportResultLike = Object.freeze({ code: 0 });
const FAILURE: ExportResultLike = Object.freeze({ code: 1, error: new Error('unavailable') });

/** Answers at once, and does nothing. */
export const noop: ExporterLike<unknown> = exporter((answer) => answer(SUCCESS));
/** Fails at once. */
export const failing: ExporterLike<unknown> = exporter((answer) => answer(FAILURE));
/** Answers when the caller has returned, as whatever does input and output. */
export const asynchronous: ExporterLike<unknown> = exporter((answer) => {
  queueMicrotask(() => answer(SUCCESS));
});

function exporter(send: (answer: Answer) => void): ExporterLike<unknown> {
  return {
    export: (_batch, answer) => send(answer),
    shutdown: () => Promise.resolve(),
  };
}

/** One export as a promise: what a breaker of promises needs. */
export function asPromise(inner: ExporterLike<unknown>, batch: unknown): Promise<ExportResultLike> {
  return new Promise((resolve, reject) => {
    inner.export(batch, (result) => (result.code === 0 ? resolve(result) : reject(result.error)));
  });
}

/** Gives each export a timer of its own, as a plain implementation does. */
export function withOwnTimer(inner: ExporterLike<unknown>, timeoutMillis: number): ExporterLike<unknown> {
  return {
    export(batch, answer) {
      let answered = false;
      const settle = (result: ExportResultLike): void => {
        if (answered) return;
        answered = true;
        clearTimeout(timer);
        answer(result);
      };
      const timer = setTimeout(() => settle(FAILURE), timeoutMillis);
      timer.unref();
      inner.export(batch, settle);
    },
    shutdown: () => inner.shutdown(),
  };
}
