import type { Clock, ExporterLike, ExportResultLike } from 'otel-circuit-breaker';
import type { Cause, SimulatedCollector } from './collector.ts';

/** How an export that fails goes: over HTTP after five retries, in about 8 s; over gRPC at once. */
export type Protocol = 'http' | 'grpc';

/** The time-out of an export, its retries included. */
const TIMEOUT_MILLIS = 10_000;
const SUCCESS: ExportResultLike = Object.freeze({ code: 0 });
const FAILED: ExportResultLike = Object.freeze({ code: 1, error: new Error('unavailable') });

/**
 * Sends as the OTLP exporters do: the HTTP one retries five times, after 1 s and then 1.5 times as long, at most 5 s, plus
 * or minus 20 %, and gives up after 10 s in all, also where nothing is answered; the gRPC one does not retry.
 */
export class OtlpLikeExporter implements ExporterLike<unknown> {
  /** Why it is called just now: whoever hands over a live batch says so meanwhile. */
  cause: Cause = 'redelivery';
  readonly #clock: Clock;
  readonly #collector: SimulatedCollector;
  readonly #protocol: Protocol;
  readonly #random: () => number;

  constructor(clock: Clock, collector: SimulatedCollector, protocol: Protocol, random: () => number) {
    this.#clock = clock;
    this.#collector = collector;
    this.#protocol = protocol;
    this.#random = random;
  }

  export(_batch: unknown, resultCallback: (result: ExportResultLike) => void): void {
    this.#send(resultCallback, 0, this.#clock.now() + TIMEOUT_MILLIS, 1_000);
  }

  shutdown(): Promise<void> {
    return Promise.resolve();
  }

  #send(
    resultCallback: (result: ExportResultLike) => void,
    retries: number,
    endsAt: number,
    backoff: number,
  ): void {
    const answer = this.#collector.receive(retries === 0 ? this.cause : 'retry');
    if (answer === 'hangs') {
      this.#clock.schedule(() => resultCallback(FAILED), endsAt - this.#clock.now());
      return;
    }
    this.#clock.schedule(() => {
      if (answer === 'served') {
        resultCallback(SUCCESS);
        return;
      }
      const delayMillis = Math.min(backoff, 5_000) * (0.8 + 0.4 * this.#random());
      const givesUp = this.#protocol === 'grpc' || retries === 5;
      if (givesUp || this.#clock.now() + delayMillis > endsAt) {
        resultCallback(FAILED);
        return;
      }
      this.#clock.schedule(() => this.#send(resultCallback, retries + 1, endsAt, backoff * 1.5), delayMillis);
    }, this.#collector.latencyMillis());
  }
}
