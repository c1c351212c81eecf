import type { Clock } from '../breaker/clock.ts';
import type { Dropped, StoredBatch } from './batch-store.ts';
import type { EvictionReason, LossReason } from './delivery-snapshot.ts';
import { estimateBytes } from './estimate-bytes.ts';
import type { Ledger } from './ledger.ts';
import { memoryStore } from './memory-store.ts';
import type { Entry } from './retention-index.ts';
import { RetentionIndex } from './retention-index.ts';
import type { CompleteRetentionOptions } from './retention-options.ts';
import { StoredBatches } from './stored-batches.ts';

/** What retention needs of the exporter that it belongs to. */
export interface RetentionHost<T> {
  /** The exporter's name. */
  readonly name: string;
  readonly clock: Clock;
  readonly ledger: Ledger;
  readonly hasFallback: boolean;
  /** Converts a reading of the clock. */
  toUnixMillis(at: number): number;
  uniqueId(): string;
  /** A batch was given up; the ledger has it in flight. `undefined`: its content cannot be had, or nobody needs it. */
  passOn(batch: T | undefined, items: number, reason: LossReason, wasSent: boolean): void;
  /** The number of kept batches has changed. */
  changed(): void;
  /** Writes one line for the operator. */
  warn(message: string): void;
  report(message: string, error: unknown): void;
}

/** The call that sends a batch knows the batch's place, so that a late answer finds it. */
export interface Placed {
  entry: Entry | undefined;
}

/** What this library itself needs for a kept batch, so that tiny batches count, too. */
const ENTRY_BYTES = 400;

const REASONS: Readonly<Record<Exclude<EvictionReason, 'shutdown'>, string>> = {
  full: 'it is full, and the oldest go first',
  expired: 'they were kept for longer than maxAgeMillis',
  attempts: 'their redeliveries failed maxAttempts times',
  invalid: 'the backend refused them',
  unreadable: 'the store could not read them',
};

/** Holds what did not get through: the index above, the store below, and the books of both. Sends nothing. */
export class Retention<T> {
  readonly index: RetentionIndex;
  readonly #host: RetentionHost<T>;
  readonly #store: StoredBatches<T>;
  readonly #maxAttempts: number;
  /** Entries in use whose content the store has dropped meanwhile, or another process has taken over. */
  readonly #withdrawn = new Map<Entry, 'dropped' | 'taken'>();
  #warnOfEviction = true;
  #ended = false;
  #closed = false;

  /** @throws what the store throws when it is opened */
  constructor(host: RetentionHost<T>, options: CompleteRetentionOptions<T>) {
    this.#host = host;
    this.index = new RetentionIndex(options.maxItems, options.maxBytes, options.maxAgeMillis);
    this.#maxAttempts = options.maxAttempts;
    this.#store = new StoredBatches<T>(options.store ?? memoryStore<T>(), host.clock, host.report);
    this.#store.open(
      host.name,
      (batches) => this.#found(batches),
      (ids) => this.#takenOver(ids),
    );
  }

  /** Whether what is kept outlives the process. */
  get isPersistent(): boolean {
    return this.#store.isPersistent;
  }

  /** Finds what is overdue. */
  look(at: number): void {
    this.#store.look(at);
  }

  /**
   * Gives a batch a place and stores it, if there can be room for it. One of `stored` and `refused` follows: within this
   * call, where the store answers at once.
   *
   * @param batch - nobody else may change it
   * @param call - the call by which an exporter has seen it
   * @param stored - not if the batch was delivered meanwhile
   */
  place(
    batch: T,
    items: number,
    call: Placed | undefined,
    stored: (entry: Entry) => void,
    refused: () => void,
  ): void {
    if (items === 0 || this.#closed || (this.#ended && !this.isPersistent)) {
      refused();
      return;
    }
    const keptAt = this.#host.clock.now();
    const bytes = ENTRY_BYTES + estimateBytes(batch);
    const expired = this.#take(this.index.expired(keptAt));
    const fits = this.index.fits(items, bytes);
    const pushedOut = fits ? this.#take(this.index.inTheWayOf(items, bytes)) : [];
    // Read first: a store that is full makes room by itself.
    const passOnExpired = this.#giveUp(expired, 'expired');
    const passOnPushedOut = this.#giveUp(pushedOut, 'full');
    let tell = refused;
    if (fits) {
      const wasSent = call !== undefined;
      const facts = { id: this.#host.uniqueId(), items, bytes, keptAt, notBefore: keptAt, wasSent };
      const entry = this.index.append(facts, this.#host.ledger.deliveries);
      if (wasSent) call.entry = entry;
      tell = this.#put(entry, batch, call, stored, refused);
    }
    // After the state has changed, because the fallback may call back into the exporter.
    passOnExpired();
    passOnPushedOut();
    // Last, because the caller may throw when it is told.
    tell();
  }

  /** A batch that has a place did not get through: it is kept there. */
  keep(entry: Entry, batch: T | undefined): void {
    entry.deliveriesSeen = this.#host.ledger.deliveries;
    this.#host.ledger.keep(entry.items);
    this.putBack(entry, batch);
    this.#host.changed();
  }

  /** A batch that is not kept needs its place no more. */
  release(entry: Entry): void {
    this.#remove([entry]);
    this.#host.changed();
  }

  /** The backend has a batch that was kept. */
  redelivered(entry: Entry): void {
    this.#host.ledger.redeliver(entry.items);
    this.release(entry);
  }

  /** The redelivery of a batch has failed. */
  redeliveryFailed(entry: Entry, batch: T): void {
    const { deliveries } = this.#host.ledger;
    // If nothing else got through in between, it is the backend's fault rather than the batch's.
    if (deliveries > entry.deliveriesSeen) entry.failures++;
    entry.deliveriesSeen = deliveries;
    if (entry.failures >= this.#maxAttempts) this.evictAtHand(entry, batch, 'attempts');
    else this.putBack(entry, batch);
  }

  /** A batch is not being sent any more, and keeps its place. */
  putBack(entry: Entry, batch: T | undefined): void {
    const withdrawn = this.#withdrawn.get(entry);
    if (withdrawn === 'taken') this.#take([entry]);
    else if (withdrawn === 'dropped') this.evictAtHand(entry, batch, 'full');
    else this.index.move(entry, 'waiting');
  }

  /** Gives up a kept batch whose content is at hand, or cannot be had. */
  evictAtHand(entry: Entry, batch: T | undefined, reason: Exclude<EvictionReason, 'shutdown'>): void {
    this.#remove([entry]);
    this.#countEvicted([entry], reason);
    this.#host.passOn(batch, entry.items, reason, entry.wasSent);
    this.#host.changed();
  }

  isExpired(entry: Entry): boolean {
    return this.index.isExpired(entry, this.#host.clock.now());
  }

  /** Gives up what was kept for too long. */
  dropExpired(): void {
    this.#giveUp(this.#take(this.index.expired(this.#host.clock.now())), 'expired')();
  }

  /**
   * Reads a batch that is to be sent again.
   *
   * @param unread - it cannot be sent: the store failed, and the batch keeps its place; there was nothing to send any more;
   * or it was gone before
   */
  read(
    entry: Entry,
    read: (batch: T) => void,
    unread: (outcome: 'failed' | 'nothing to send' | 'went on') => void,
  ): void {
    this.#store.get(
      entry.id,
      (batch) => {
        // It may have been delivered, given up, or become too old while the store was busy.
        if (entry.state !== 'sending') {
          unread('went on');
          return;
        }
        if (batch !== undefined && !this.isExpired(entry)) {
          read(batch);
          return;
        }
        if (this.#withdrawn.has(entry)) this.putBack(entry, batch);
        else this.evictAtHand(entry, batch, batch === undefined ? 'unreadable' : 'expired');
        unread('nothing to send');
      },
      () => {
        const isGone = entry.state === 'gone';
        if (!isGone) this.putBack(entry, undefined);
        unread(isGone ? 'went on' : 'failed');
      },
    );
  }

  /** The circuit has left CLOSED: the next eviction, and the next refusal of the store, are news again. */
  circuitOpened(): void {
    this.#warnOfEviction = true;
    this.#store.circuitOpened();
  }

  /** `shutdown()` has begun: nothing is kept from now on, except in a persistent store. */
  end(): void {
    this.#ended = true;
  }

  /** What is handed over is not waited for any more: it is kept. */
  keepHandedOver(isMeant: (entry: Entry) => boolean = () => true): void {
    for (const entry of this.index.all()) {
      if (entry.state !== 'handed over' || !isMeant(entry)) continue;
      this.keep(entry, undefined);
    }
  }

  /**
   * Takes out everything, one batch after the other, as `shutdown()` gives it up: until its turn, a late answer still counts.
   *
   * @param each - takes the batch over, which the ledger has in flight; `read` gives the content, `undefined` if it cannot
   * be had
   */
  async takeAll(each: (entry: Entry, read: () => Promise<T | undefined>) => Promise<void>): Promise<void> {
    // A batch that the store has not taken yet is not kept, and its caller is told so.
    this.#store.abandon();
    for (const entry of this.index.all()) {
      if (entry.state === 'gone') continue;
      if (entry.state !== 'handed over') this.#host.ledger.evict(entry.items, 'shutdown');
      this.#take([entry]);
      await each(entry, () => new Promise((read) => this.#store.get(entry.id, read)));
      this.#delete([entry]);
    }
  }

  /** What the store has not answered has failed. */
  abandonStore(): void {
    this.#store.abandon();
  }

  /** Releases the store. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#store.close();
  }

  #found(batches: readonly StoredBatch[]): void {
    if (batches.length === 0) return;
    const at = this.#host.clock.now();
    const offset = this.#host.toUnixMillis(at) - at;
    for (const { items } of batches) this.#host.ledger.recover(items);
    const facts = batches.map(({ id, items, bytes = 0, keptAt, notBefore = 0 }) => {
      return { id, items, bytes, keptAt: keptAt - offset, notBefore: notBefore - offset, wasSent: false };
    });
    this.index.prepend(facts, this.#host.ledger.deliveries);
    // Age and budget hold for what was found, too.
    this.dropExpired();
    this.#giveUp(this.#take(this.index.inTheWayOf(0, 0)), 'full')();
    this.#host.changed();
  }

  /** Another process delivers them: the ledger keeps them, the index does not. */
  #takenOver(ids: readonly string[]): void {
    for (const id of ids) {
      const entry = this.index.byId(id);
      if (entry?.state === 'waiting') this.#take([entry]);
      else if (entry !== undefined) this.#withdrawn.set(entry, 'taken');
    }
    this.#host.changed();
  }

  /** @returns tells one of the listeners if the store has answered within this call, and otherwise does nothing */
  #put(
    entry: Entry,
    batch: T,
    call: Placed | undefined,
    stored: (entry: Entry) => void,
    refused: () => void,
  ): () => void {
    const { id, items, bytes, keptAt } = entry;
    let tell = (): void => {};
    let returned = false;
    const answered = (listener: () => void): void => {
      if (returned) listener();
      else tell = listener;
    };
    this.#store.put(
      { id, items, bytes, keptAt: this.#host.toUnixMillis(keptAt) },
      batch,
      (dropped) => {
        this.#drop(dropped);
        answered(() => {
          // The batch may have been delivered while the store was busy with it.
          if (entry.state === 'gone') this.#delete([entry]);
          else stored(entry);
        });
      },
      () => {
        if (entry.state === 'gone') return;
        this.#take([entry]);
        if (call !== undefined) call.entry = undefined;
        answered(refused);
      },
      (dropped) => {
        this.#drop(dropped);
        this.#delete([entry]);
      },
    );
    returned = true;
    return tell;
  }

  /** The store has dropped batches to make room. */
  #drop(ids: Dropped | undefined): void {
    const evicted: Entry[] = [];
    // A store that drops nothing may well return nothing.
    for (const id of Array.isArray(ids) ? ids : []) {
      const entry = this.index.byId(id);
      // Taken at once: a store may name a batch twice.
      if (entry?.state === 'waiting') evicted.push(...this.#take([entry]));
      else if (entry !== undefined) this.#withdrawn.set(entry, 'dropped');
    }
    if (evicted.length === 0) return;
    this.#countEvicted(evicted, 'full');
    for (const { items, wasSent } of evicted) this.#host.passOn(undefined, items, 'full', wasSent);
    this.#host.changed();
  }

  #take(entries: readonly Entry[]): readonly Entry[] {
    for (const entry of entries) {
      this.#withdrawn.delete(entry);
      this.index.move(entry, 'gone');
    }
    return entries;
  }

  /**
   * What is to go has been taken out of the index.
   *
   * @returns passes it on
   */
  #giveUp(entries: readonly Entry[], reason: 'full' | 'expired'): () => void {
    if (entries.length === 0) return () => {};
    const { hasFallback, passOn } = this.#host;
    this.#countEvicted(entries, reason);
    this.#host.changed();
    const contents = hasFallback ? entries.map(({ id }) => this.#store.take(id)) : [];
    if (!hasFallback) this.#delete(entries);
    return () => {
      for (const [index, { items, wasSent }] of entries.entries()) {
        const content = contents[index];
        if (content === undefined) passOn(undefined, items, reason, wasSent);
        else content((batch) => passOn(batch, items, batch === undefined ? 'unreadable' : reason, wasSent));
      }
    };
  }

  #remove(entries: readonly Entry[]): void {
    this.#take(entries);
    this.#delete(entries);
  }

  #delete(entries: readonly Entry[]): void {
    this.#store.delete(entries.map(({ id }) => id));
  }

  #countEvicted(entries: readonly Entry[], reason: Exclude<EvictionReason, 'shutdown'>): void {
    for (const { items } of entries) this.#host.ledger.evict(items, reason);
    if (!this.#warnOfEviction) return;
    this.#warnOfEviction = false;
    this.#host.warn(`retention has begun to give up batches: ${REASONS[reason]}`);
  }
}
