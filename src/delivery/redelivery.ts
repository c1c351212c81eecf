import type { BreakerInternals, TimedPermit } from '../breaker/breaker-internals.ts';
import type { Clock } from '../breaker/clock.ts';
import type { CircuitState, Classification } from '../breaker/snapshot.ts';
import { openPromise } from '../internal/open-promise.ts';
import { IdleTicks } from './idle-ticks.ts';
import type { Retention } from './retention.ts';
import type { CompleteRetentionOptions } from './retention-options.ts';
import type { KeptBatch } from './retention-queue.ts';

/** Hears once what a sending of a kept batch came to; `delivered`: the backend has it. */
export type RedeliveryListener = (delivered: boolean, classification: Classification) => void;

/** What redelivery needs of the exporter that it belongs to. */
export interface RedeliveryHost<T> {
  readonly clock: Clock;
  readonly circuit: BreakerInternals;
  state(): CircuitState;
  /** Sends a batch, and settles its permit. */
  send(kept: KeptBatch<T>, permit: TimedPermit, settled: RedeliveryListener): void;
}

/**
 * Sends again what is kept: oldest first, one at a time, and no faster than live traffic gets through, so that a backend
 * that has just recovered sees at most 1 + `pace` times its usual load.
 */
export class Redelivery<T> {
  readonly #host: RedeliveryHost<T>;
  readonly #retention: Retention<T>;
  readonly #options: CompleteRetentionOptions;
  readonly #ticks: IdleTicks;
  /** Redeliveries that live traffic has paid for. */
  #grants = 0;
  /** What `redeliver()` asked for, oldest first: each time everything up to the batch of this number. */
  #asked: { readonly upTo: number; readonly over: () => void }[] = [];
  /** Set during the last chance at shutdown; called when there is nothing more to hope for. */
  #lastChanceOver: (() => void) | undefined;
  #sending: KeptBatch<T> | undefined;
  #pumping = false;
  #ended = false;
  #lastLiveSucceeded = false;
  /** The last kept batch whose probe failed: the next probe takes another. */
  #lastFailedProbe = 0;

  constructor(host: RedeliveryHost<T>, retention: Retention<T>, options: CompleteRetentionOptions) {
    this.#host = host;
    this.#retention = retention;
    this.#options = options;
    this.#ticks = new IdleTicks(host.clock, options.idleMillis, () => this.#tick());
  }

  /** A live batch was offered: the service is not idle. */
  offered(): void {
    this.#ticks.postpone();
  }

  /** What is kept has changed. */
  keptChanged(): void {
    if (this.#ended) return;
    if (this.#retention.batches === 0) this.#ticks.stop();
    else this.#ticks.start();
  }

  /** A live batch was answered. {@link pump} follows when its caller has been told. */
  liveSettled(classification: Classification): void {
    this.#lastLiveSucceeded = classification === 'success';
    if (!this.#lastLiveSucceeded || this.#ended || this.#host.state() !== 'CLOSED') return;
    // A grant that finds nothing to send is void.
    const sendable = this.#retention.batches - (this.#sending === undefined ? 0 : 1);
    this.#grants = Math.min(this.#grants + this.#options.pace, sendable);
  }

  /** The circuit has left CLOSED, or something failed: what was granted or asked for is void. */
  cancel(): void {
    this.#grants = 0;
    this.#fulfil(Number.POSITIVE_INFINITY);
  }

  /** Sends all that is kept now, as fast as it is answered, until one fails; only while CLOSED. */
  redeliver(): Promise<void> {
    if (this.#host.state() !== 'CLOSED') return Promise.resolve();
    const { promise, resolve } = openPromise();
    this.#asked.push({ upTo: this.#retention.lastNumber, over: resolve });
    this.pump();
    return promise;
  }

  /** Sends what may be sent now. */
  pump(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    try {
      // A loop, because an exporter may answer at once, ten thousand times.
      while (this.#sending === undefined) {
        const next = this.#lastChanceOver === undefined ? this.#nextDue() : this.#nextOfLastChance();
        if (next === undefined) break;
        this.#sendPast(next);
      }
    } finally {
      this.#pumping = false;
    }
    this.keptChanged();
  }

  /** No ticks, and nothing by grants, from now on; what is being sent goes on. */
  end(): void {
    this.#ended = true;
    this.#ticks.stop();
    this.cancel();
  }

  /**
   * Sends what is kept past the circuit, until one fails or is ignored.
   *
   * @param over - called once, when that is so
   */
  lastChance(over: () => void): void {
    this.#lastChanceOver = over;
    this.pump();
  }

  /** Waits for nothing any more: what is being sent and answered later is dropped. */
  giveUp(): void {
    this.#lastChanceOver = undefined;
    this.#sending = undefined;
  }

  #nextDue(): KeptBatch<T> | undefined {
    if (this.#grants === 0 && this.#asked.length === 0) return undefined;
    const next = this.#host.state() === 'CLOSED' ? this.#retention.next() : undefined;
    if (next === undefined) {
      this.cancel();
      return undefined;
    }
    this.#fulfil(next.number - 1);
    if (this.#asked.length > 0) return next;
    if (this.#grants === 0) return undefined;
    this.#grants--;
    return next;
  }

  /** Nothing is left up to the batch of this number: whoever asked for no more than that is told. */
  #fulfil(upTo: number): void {
    const fulfilled = this.#asked.filter((asked) => asked.upTo <= upTo);
    this.#asked = this.#asked.filter((asked) => asked.upTo > upTo);
    for (const { over } of fulfilled) over();
  }

  #nextOfLastChance(): KeptBatch<T> | undefined {
    const next = this.#host.circuit.forced() === 'OPEN' ? undefined : this.#retention.next();
    if (next === undefined) this.#endLastChance();
    return next;
  }

  #endLastChance(): void {
    const over = this.#lastChanceOver;
    this.#lastChanceOver = undefined;
    over?.();
  }

  /** Stands in for an export while the service is silent. */
  #tick(): void {
    if (this.#host.circuit.forced() !== null) return;
    this.#retention.dropExpired();
    if (this.#sending === undefined) {
      if (this.#host.state() === 'CLOSED') this.#sendOldest();
      else this.#tryProbe();
    }
    this.pump();
  }

  #sendOldest(): void {
    const oldest = this.#retention.next();
    if (oldest !== undefined) this.#sendPast(oldest);
  }

  #tryProbe(): void {
    const next = this.#retention.next(this.#lastFailedProbe) ?? this.#retention.next();
    if (next === undefined) return;
    // Held before the permit is had: a listener that hears of the probe may offer batches, and those push others out.
    this.#hold(next);
    const permit = this.#host.circuit.tryAcquireUnasked(next.items);
    // No probe: a listener has closed the circuit by hand meanwhile, and live traffic alone counts there.
    if (permit?.probe === true) this.#send(next, permit);
    else this.#release(next);
  }

  #sendPast(next: KeptBatch<T>): void {
    this.#hold(next);
    this.#send(next, this.#host.circuit.acquirePast(next.items));
  }

  #hold(kept: KeptBatch<T>): void {
    this.#sending = kept;
    this.#retention.hold(kept);
  }

  #release(kept: KeptBatch<T>): void {
    this.#sending = undefined;
    this.#retention.release(kept);
  }

  #send(kept: KeptBatch<T>, permit: TimedPermit): void {
    this.#host.send(kept, permit, (delivered, classification) => {
      // Else it was given up at shutdown.
      if (this.#sending === kept) this.#settled(kept, permit.probe, delivered, classification);
    });
  }

  #settled(kept: KeptBatch<T>, probe: boolean, delivered: boolean, classification: Classification): void {
    this.#release(kept);
    const failed = classification === 'failure' || classification === 'ignored';
    if (delivered) {
      this.#retention.redelivered(kept);
      this.#lastFailedProbe = 0;
    } else if (classification === 'invalid') {
      this.#retention.evict(kept, 'invalid');
    } else if (probe) {
      if (classification === 'failure') this.#lastFailedProbe = kept.number;
    } else if (this.#lastLiveSucceeded && this.#lastChanceOver === undefined) {
      // Only then is it the batch's fault, and not the backend's.
      kept.failures++;
      if (kept.failures >= this.#options.maxAttempts) this.#retention.evict(kept, 'attempts');
    }
    if (failed) {
      this.cancel();
      this.#endLastChance();
    }
    this.pump();
  }
}
