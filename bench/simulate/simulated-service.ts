import type { Clock, ExporterLike, ExportResultLike } from 'otel-circuit-breaker';
import type { OtlpLikeExporter } from './otlp-like-exporter.ts';

const BATCH_SPANS = 512;
const QUEUE_SPANS = 2_048;
const LATEST_MILLIS = 500;

/** How often a service exports, and how much. */
export interface Traffic {
  readonly spansPerSecond: number;
  /** From an answer to the next batch, unless it is full before; or, `metronomic`, from one batch to the next. */
  readonly delayMillis: number;
  /** As a metric reader, which keeps its rhythm however long an export takes. */
  readonly metronomic?: true;
}

const batches: (readonly undefined[])[] = [];

/** Batches hold nothing, and are shared: only their length counts. */
function batchOf(spans: number): readonly undefined[] {
  batches[spans] ??= Object.freeze(new Array<undefined>(spans));
  return batches[spans];
}

/**
 * A service behind a `BatchSpanProcessor` with its defaults: 512 spans a batch, or what there is after some seconds; one
 * export at a time; a queue of 2,048 spans, and what does not fit is lost.
 */
export class SimulatedService {
  /** Spans that found the queue full. */
  dropped = 0;
  /** Spans of batches that were answered with FAILED. */
  failed = 0;
  /** When a batch was last answered with SUCCESS for the first time since {@link forgetAnswers}. */
  firstSuccessAt: number | undefined;
  readonly #clock: Clock;
  readonly #exporter: ExporterLike<unknown>;
  readonly #otlp: OtlpLikeExporter;
  readonly #traffic: Traffic;
  readonly #spansPerMilli: number;
  #random: () => number = () => 0;
  /** When a metric reader exports next. */
  #dueAt = 0;
  #queued = 0;
  #queuedAt = 0;
  #sending = 0;
  /** Whether the next batch was there before the last was answered. */
  #backlog = false;
  readonly #flush = (): void => this.#export();
  readonly #answered = (result: ExportResultLike): void => this.#settle(result);

  /** @param otlp - where what `exporter` lets through arrives */
  constructor(clock: Clock, exporter: ExporterLike<unknown>, otlp: OtlpLikeExporter, traffic: Traffic) {
    this.#clock = clock;
    this.#exporter = exporter;
    this.#otlp = otlp;
    this.#traffic = traffic;
    this.#spansPerMilli = traffic.spansPerSecond / 1_000;
  }

  /** @param random - numbers in [0, 1): where in its first interval it begins, and how late each beat of a metronome is */
  start(random: () => number): void {
    this.#random = random;
    this.#queuedAt = this.#clock.now();
    const pauseMillis = random() * this.#pauseMillis();
    this.#dueAt = this.#queuedAt + pauseMillis;
    this.#clock.schedule(this.#flush, pauseMillis);
  }

  forgetAnswers(): void {
    this.firstSuccessAt = undefined;
  }

  #pauseMillis(): number {
    const { delayMillis } = this.#traffic;
    return Math.min(delayMillis, Math.max(0, BATCH_SPANS - this.#queued) / this.#spansPerMilli);
  }

  #accrue(): void {
    const nowMillis = this.#clock.now();
    const queued = this.#queued + (nowMillis - this.#queuedAt) * this.#spansPerMilli;
    this.#queuedAt = nowMillis;
    this.#queued = Math.min(queued, QUEUE_SPANS);
    this.dropped += queued - this.#queued;
  }

  #export(): void {
    this.#accrue();
    this.#sending = Math.min(BATCH_SPANS, Math.floor(this.#queued));
    if (this.#sending === 0) {
      this.#clock.schedule(this.#flush, Math.max(1, this.#pauseMillis()));
      return;
    }
    this.#queued -= this.#sending;
    this.#otlp.cause = this.#backlog ? 'queued' : 'live';
    this.#exporter.export(batchOf(this.#sending), this.#answered);
    this.#otlp.cause = 'redelivery';
  }

  /** Until the next beat that is not missed: late by up to half a second, or those that collide once would do so for ever. */
  #restMillis(): number {
    const { delayMillis } = this.#traffic;
    const passed = Math.max(0, this.#clock.now() - this.#dueAt);
    this.#dueAt += (Math.floor(passed / delayMillis) + 1) * delayMillis;
    return this.#dueAt + LATEST_MILLIS * this.#random() - this.#clock.now();
  }

  #settle({ code }: ExportResultLike): void {
    if (code === 0) this.firstSuccessAt ??= this.#clock.now();
    else this.failed += this.#sending;
    this.#accrue();
    const pauseMillis = this.#traffic.metronomic ? this.#restMillis() : this.#pauseMillis();
    this.#backlog = pauseMillis === 0;
    this.#clock.schedule(this.#flush, pauseMillis);
  }
}
