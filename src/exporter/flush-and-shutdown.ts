import type { Clock } from '../breaker/clock.ts';
import type { CircuitState } from '../breaker/snapshot.ts';
import type { Delivery } from '../delivery/delivery.ts';
import { detachedClock } from '../delivery/detached-clock.ts';
import type { ExporterLike } from '../delivery/exporter-contract.ts';
import type { Fallback } from '../delivery/fallback.ts';
import { Waits } from '../delivery/waits.ts';
import { ExportTimeoutError } from '../internal/errors.ts';
import type { CompleteExporterOptions } from './circuit-breaker-exporter-options.ts';

/** What flushing and shutting down need of the exporter. */
export interface FlushHost<T> {
  readonly inner: ExporterLike<T>;
  readonly options: CompleteExporterOptions<T>;
  readonly clock: Clock;
  readonly delivery: Delivery<T>;
  readonly fallback: Fallback<T> | undefined;
  /** The exporter's name in errors. */
  readonly who: string;
  state(): CircuitState;
  report(message: string, error: unknown): void;
}

/** After a flush that was given up, `shutdown()` has so long to find out if what is kept gets through now. */
const SECOND_TRY_MILLIS = 500;

/**
 * `forceFlush()`, `redeliver()` and `shutdown()`: while the backend answers they go on, and otherwise they end soon. The
 * time left is read from the clock, whatever timers do.
 */
export class FlushAndShutdown<T> {
  readonly #host: FlushHost<T>;
  readonly #waits: Waits;
  /** When the last answer had come as a flush was given up. */
  readonly #flushGivenUpAt = { 'the inner exporter': Number.NaN, 'the fallback': Number.NaN };

  constructor(host: FlushHost<T>) {
    this.#host = host;
    this.#waits = new Waits(detachedClock(host.clock));
  }

  /** The circuit has left CLOSED: waits may have to end sooner. */
  circuitOpened(): void {
    this.#waits.look();
  }

  /** Never rejects. */
  async forceFlush(): Promise<void> {
    const { inner, clock, delivery, options } = this.#host;
    const startedAt = clock.now();
    delivery.look(startedAt);
    const innerFlushed = this.#flush(inner);
    const flushed = (): Promise<unknown> => Promise.all([innerFlushed, delivery.handedOverAnswered()]);
    const stillClosed = this.#closedUntilNow();
    const endsAt = (): number => (stillClosed() ? this.#patienceEndsAt(startedAt) : startedAt);
    if (stillClosed())
      await this.#waitForFlush('the inner exporter', () => delivery.recent.lastAt, flushed, endsAt);
    const { fallback, exportTimeoutMillis } = options;
    if (fallback === undefined) return;
    // Only now: it may have been given something meanwhile.
    const fallbackFlushed = this.#flush(fallback);
    const fallbackEndsAt = clock.now() + (exportTimeoutMillis || Number.POSITIVE_INFINITY);
    await this.#waitForFlush(
      'the fallback',
      () => this.#host.fallback?.lastAnswerAt ?? 0,
      () => fallbackFlushed,
      () => fallbackEndsAt,
    );
  }

  /** Never rejects. */
  async redeliver(): Promise<void> {
    await this.#waits.until(this.#host.delivery.redeliver(), () => Number.POSITIVE_INFINITY);
  }

  /** Rejects with what the inner exporter's shutdown rejects with, if the circuit is CLOSED at the call. */
  async shutdown(): Promise<void> {
    const { inner, clock, delivery, fallback, options } = this.#host;
    const startedAt = clock.now();
    const closed = this.#countsAsClosed();
    const secondTry = delivery.hasKept ? SECOND_TRY_MILLIS : 0;
    const stillClosed = this.#closedUntilNow();
    const lastMoment = startedAt + options.shutdownTimeoutMillis;
    const endsAt = (otherwise: number): number => {
      if (this.#wasGivenUp()) return startedAt + secondTry;
      return stillClosed() ? this.#patienceEndsAt(startedAt) : otherwise;
    };
    let fallbackStartedAt = startedAt;
    let fallbackHangs = false;
    const fallbackEndsAt = (): number => {
      const quietSince = Math.max(fallback?.lastAnswerAt ?? 0, fallbackStartedAt);
      return stillClosed() ? quietSince + options.closedShutdownTimeoutMillis : lastMoment;
    };

    const isLast = fallback === undefined && !delivery.isPersistent;
    delivery.look(startedAt);
    delivery.end();
    if (delivery.hasLeftover) {
      // A backend that hangs would otherwise use up the time of the fallback, or of a store on disk.
      const backendMillis = options.shutdownTimeoutMillis / (isLast ? 1 : 2);
      await this.#drain(startedAt, () => endsAt(startedAt + backendMillis));
      fallbackStartedAt = clock.now();
      await delivery.surrender(
        () => clock.now() >= fallbackEndsAt(),
        (answered) => this.#waits.until(answered, fallbackEndsAt),
      );
      fallbackHangs = clock.now() >= fallbackEndsAt();
    }

    const innerShutdown = (async () => inner.shutdown())();
    const innerEnded = closed ? innerShutdown : this.#tell('shutdown', () => innerShutdown);
    // Half of what is left: the fallback or the store needs the rest for what the inner exporter gives up.
    const innerMoment = isLast ? lastMoment : (clock.now() + lastMoment) / 2;
    const ended = await this.#waits.until(innerEnded, () => endsAt(innerMoment));
    // An exporter that has ended in time may still answer, and a caller that waits is to hear it.
    delivery.giveUpUnanswered(!ended);
    if (fallback !== undefined) {
      // What the inner exporter gives up while it is shut down still goes to the fallback.
      if (!fallbackHangs) fallbackStartedAt = clock.now();
      await this.#waits.until(fallback.idle(), fallbackEndsAt);
      const fallbackEnded = this.#tell('shutdown', async () => options.fallback?.shutdown());
      await this.#waits.until(fallbackEnded, fallbackEndsAt);
      fallback.end();
    }
    // What the store has taken over must be there when the process ends.
    const released = delivery.close();
    const storeUntil = stillClosed() ? clock.now() + options.shutdownTimeoutMillis : lastMoment;
    if (!(await this.#waits.until(released, () => storeUntil))) delivery.abandonStore();
    this.#waits.end();
    if (closed && ended) await innerShutdown;
    else if (closed) void this.#tell('shutdown', () => innerShutdown);
  }

  /** Sends what is kept, and waits for what is handed over. */
  async #drain(startedAt: number, endsAt: () => number): Promise<void> {
    const { clock, delivery } = this.#host;
    const { recent } = delivery;
    const drain = (): Promise<void> => delivery.drainFinally(() => clock.now() >= endsAt());
    // Half of the time is for another try.
    const halfTime = (): number => {
      const quietSince = Math.max(recent.lastAt, startedAt);
      return quietSince + Math.max(0, endsAt() - quietSince) / 2;
    };
    let drained = drain();
    if (await this.#waits.until(drained, halfTime)) return;
    const { oldestUnansweredAt = Number.POSITIVE_INFINITY } = delivery;
    if (!recent.lastFailed && recent.lastAt > oldestUnansweredAt) {
      // The backend answers others than those: the exporter may be in the pause before its next retry.
      delivery.keepHandedOver();
      drained = drain();
    }
    await this.#waits.until(drained, endsAt);
  }

  /** Whether the backend can be expected to answer. */
  #countsAsClosed(): boolean {
    return this.#host.state() === 'CLOSED' && !this.#host.delivery.recent.lastFailed;
  }

  /** Whether a flush has just waited in vain for the same silence: `shutdown()` does not wait for it again. */
  #wasGivenUp(): boolean {
    const { recent, oldestUnansweredAt = Number.NEGATIVE_INFINITY } = this.#host.delivery;
    return (
      this.#flushGivenUpAt['the inner exporter'] === recent.lastAt && recent.lastAt <= oldestUnansweredAt
    );
  }

  /** @returns whether the backend can be expected to answer now, and the circuit has not left CLOSED since */
  #closedUntilNow(): () => boolean {
    let closed = this.#countsAsClosed();
    return () => {
      closed &&= this.#host.state() === 'CLOSED';
      return closed;
    };
  }

  /** When nothing has got through for the exporter's patience: since the last answer that was no failure, or the call. */
  #patienceEndsAt(startedAt: number): number {
    const { recent } = this.#host.delivery;
    const patienceMillis = recent.patience(this.#host.options.closedShutdownTimeoutMillis);
    return Math.max(recent.lastGoodAt, startedAt) + patienceMillis;
  }

  #flush(exporter: ExporterLike<T>): Promise<void> {
    return this.#tell('forceFlush', async () => exporter.forceFlush?.());
  }

  /**
   * Waits, unless a flush was given up and nothing has been answered since: a log processor flushes after every batch.
   */
  async #waitForFlush(
    what: 'the inner exporter' | 'the fallback',
    lastAnswerAt: () => number,
    flushed: () => Promise<unknown>,
    endsAt: () => number,
  ): Promise<void> {
    const givenUpAt = this.#flushGivenUpAt;
    if (givenUpAt[what] === lastAnswerAt() || (await this.#waits.until(flushed(), endsAt))) return;
    givenUpAt[what] = lastAnswerAt();
    this.#host.report(
      `forceFlush() of ${what} was given up`,
      new ExportTimeoutError(`forceFlush() of ${what} of ${this.#host.who} was not answered in time`),
    );
  }

  /** Runs something that must not reject: `onError` hears of it. */
  async #tell(what: string, run: () => Promise<unknown>): Promise<void> {
    try {
      await run();
    } catch (error) {
      this.#host.report(`${what}() of an exporter that it wraps rejected`, error);
    }
  }
}
