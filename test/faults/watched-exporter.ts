import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace-base';
import { SeenNumbers } from '../support/receiver/seen.ts';
import type { SendingTotals } from './protocol.ts';

type ResultCallback = Parameters<SpanExporter['export']>[1];
type Outcome = 'accepted' | 'refused' | 'unanswered' | 'late';

/** Errors of a request that never left this process: where it was the first of its export, and not a retry of one that did. */
const NOT_SENT: readonly unknown[] = ['ECONNREFUSED', 'ENOTFOUND'];
/** The OTLP exporter's first retry comes after 0.8 s at the earliest. */
const BEFORE_RETRIES_MILLIS = 500;
/** What the OTLP/HTTP exporter says of 429, 502, 503 and 504. */
const RETRYABLE_STATUS = 'Export failed with retryable status';

/** Stands between the breaker and the real exporter, and writes down what came back of each sending. */
export class WatchedExporter implements SpanExporter {
  readonly #inner: SpanExporter;
  readonly #timeoutMillis: number;
  readonly #accepted = new SeenNumbers();
  readonly #everAccepted = new Set<number>();
  readonly #refused = { batches: 0, spans: 0 };
  /** Until they are answered, all are. */
  readonly #unanswered = { batches: 0, spans: 0 };
  readonly #late = { batches: 0, spans: 0 };
  #sentAfterAccepted = 0;
  #lastSuccesses: number[] = [];

  /** @param timeoutMillis - whoever sent may have given up what is answered later than that */
  constructor(inner: SpanExporter, timeoutMillis: number) {
    this.#inner = inner;
    this.#timeoutMillis = timeoutMillis;
  }

  export(spans: ReadableSpan[], resultCallback: ResultCallback): void {
    const numbers = spans.map((span) => Number(span.attributes['n']));
    for (const number of numbers) if (this.#everAccepted.has(number)) this.#sentAfterAccepted += 1;
    this.#unanswered.batches += 1;
    this.#unanswered.spans += numbers.length;
    const startedAt = performance.now();
    this.#inner.export(spans, (result) => {
      const millis = performance.now() - startedAt;
      const late = millis >= this.#timeoutMillis;
      const outcome = outcomeOf(result, millis);
      if (outcome === 'accepted') this.#lastSuccesses = [...this.#lastSuccesses.slice(-7), millis];
      this.#note(late && outcome === 'accepted' ? 'late' : outcome, numbers);
      resultCallback(result);
    });
  }

  forceFlush(): Promise<void> {
    return this.#inner.forceFlush?.() ?? Promise.resolve();
  }

  shutdown(): Promise<void> {
    return this.#inner.shutdown();
  }

  /** Sendings without an answer so far. */
  get unanswered(): number {
    return this.#unanswered.batches;
  }

  totals(): SendingTotals {
    return {
      accepted: this.#accepted.runs(),
      refused: this.#refused,
      unanswered: this.#unanswered,
      late: this.#late,
      slowestMillis: Math.max(0, ...this.#lastSuccesses),
      sentAfterAccepted: this.#sentAfterAccepted,
    };
  }

  #note(outcome: Outcome, numbers: readonly number[]): void {
    if (outcome === 'unanswered') return;
    if (outcome === 'late') {
      this.#late.batches += 1;
      this.#late.spans += numbers.length;
      return;
    }
    this.#unanswered.batches -= 1;
    this.#unanswered.spans -= numbers.length;
    if (outcome === 'refused') {
      this.#refused.batches += 1;
      this.#refused.spans += numbers.length;
      return;
    }
    for (const number of numbers) {
      this.#accepted.add(number);
      this.#everAccepted.add(number);
    }
  }
}

function outcomeOf({ code, error }: Parameters<ResultCallback>[0], millis: number): Outcome {
  if (code === 0) return 'accepted';
  const cause = (error as { code?: unknown } | undefined)?.code;
  const refused =
    typeof cause === 'number' ||
    (NOT_SENT.includes(cause) && millis < BEFORE_RETRIES_MILLIS) ||
    error?.message === RETRYABLE_STATUS;
  return refused ? 'refused' : 'unanswered';
}
