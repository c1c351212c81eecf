import type { Clock } from '../breaker/clock.ts';
import type { EvictionReason } from './delivery-snapshot.ts';
import type { Ledger } from './ledger.ts';
import type { CompleteRetentionOptions } from './retention-options.ts';
import type { KeptBatch } from './retention-queue.ts';
import { RetentionQueue } from './retention-queue.ts';

/** What retention needs of the exporter that it belongs to. */
export interface RetentionHost<T> {
  readonly clock: Clock;
  readonly ledger: Ledger;
  /** What is given up goes on, to the fallback or lost; the ledger has it in flight. */
  passOn(batch: T, items: number): void;
  /** One line for the operator. */
  warn(message: string): void;
}

/** Why retention itself gives a batch up; at shutdown the delivery does. */
type OwnReason = Exclude<EvictionReason, 'shutdown'>;

const REASONS: Readonly<Record<OwnReason, string>> = {
  full: 'it is full, and the oldest go first',
  expired: 'they were kept for longer than maxAgeMillis',
  attempts: 'their redeliveries failed maxAttempts times',
  invalid: 'the backend refused them',
};

/** Holds what did not get through, within its budget, and keeps the books of it. Sends nothing. */
export class Retention<T> {
  readonly #host: RetentionHost<T>;
  readonly #queue: RetentionQueue<T>;
  #warnOfEviction = true;
  #ended = false;

  constructor(host: RetentionHost<T>, options: CompleteRetentionOptions) {
    this.#host = host;
    this.#queue = new RetentionQueue(options.maxItems, options.maxAgeMillis);
  }

  /** How many batches are kept now. */
  get batches(): number {
    return this.#queue.batches;
  }

  /** The number of the batch that was kept last. */
  get lastNumber(): number {
    return this.#queue.lastNumber;
  }

  /**
   * Keeps a batch, if it can; the ledger has it in flight.
   *
   * @returns whether it is kept
   */
  keep(batch: T, items: number): boolean {
    if (this.#ended || items === 0) return false;
    const at = this.#host.clock.now();
    const expired = this.#queue.takeExpired(at);
    const fits = this.#queue.fits(items);
    const pushedOut = fits ? this.#queue.takeForRoom(items) : [];
    if (fits) {
      this.#queue.add(batch, items, at);
      this.#host.ledger.keep(items);
    }
    // Last, because the fallback may call back into the exporter.
    this.#passOn(expired, 'expired');
    this.#passOn(pushedOut, 'full');
    return fits;
  }

  /** Nothing is kept from now on. */
  end(): void {
    this.#ended = true;
  }

  /** The circuit has left CLOSED: the next eviction is news again. */
  circuitOpened(): void {
    this.#warnOfEviction = true;
  }

  /** Gives up what was kept for too long. */
  dropExpired(): void {
    this.#passOn(this.#queue.takeExpired(this.#host.clock.now()), 'expired');
  }

  /** The oldest batch that came after the one of this number, once what is too old has gone. */
  next(afterNumber = 0): KeptBatch<T> | undefined {
    this.dropExpired();
    return this.#queue.oldestAfter(afterNumber);
  }

  /** It is being sent: it stays until it is released, redelivered or evicted. */
  hold(kept: KeptBatch<T>): void {
    this.#queue.hold(kept);
  }

  /** It is not being sent any more, and keeps its place. */
  release(kept: KeptBatch<T>): void {
    this.#queue.release(kept);
  }

  /** The backend has it. */
  redelivered(kept: KeptBatch<T>): void {
    this.#queue.remove(kept);
    this.#host.ledger.redeliver(kept.items);
  }

  /** It is given up. */
  evict(kept: KeptBatch<T>, reason: OwnReason): void {
    this.#queue.remove(kept);
    this.#passOn([kept], reason);
  }

  /** Gives up all, also what is being sent. The ledger has it in flight, and the caller sees to it. */
  surrender(): readonly KeptBatch<T>[] {
    const all = this.#queue.takeAll();
    for (const { items } of all) this.#host.ledger.evict(items, 'shutdown');
    return all;
  }

  #passOn(evicted: readonly KeptBatch<T>[], reason: OwnReason): void {
    if (evicted.length === 0) return;
    for (const { items } of evicted) this.#host.ledger.evict(items, reason);
    if (this.#warnOfEviction) {
      this.#warnOfEviction = false;
      this.#host.warn(`retention has begun to give batches up: ${REASONS[reason]}`);
    }
    for (const { batch, items } of evicted) this.#host.passOn(batch, items);
  }
}
