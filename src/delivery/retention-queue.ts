/** A batch in retention. */
export interface KeptBatch<T> {
  readonly batch: T;
  readonly items: number;
  /** Unix milliseconds. */
  readonly keptAt: number;
  /** Grows with the order of keeping. */
  readonly number: number;
  /** It is being sent again, and must stay until that is over. */
  sending: boolean;
  /** Redeliveries that failed by its own fault. */
  failures: number;
}

interface Link<T> extends KeptBatch<T> {
  older: Link<T> | undefined;
  newer: Link<T> | undefined;
}

/**
 * Batches in the order in which they came, within a budget of items and of age. Knows nothing of sending.
 */
export class RetentionQueue<T> {
  readonly #maxItems: number;
  readonly #maxAgeMillis: number;
  // A linked list: batches also go from the middle, and the cost of the next one must not grow with those that went.
  #oldest: Link<T> | undefined;
  #newest: Link<T> | undefined;
  #items = 0;
  #sendingItems = 0;
  #batches = 0;
  #numbers = 0;

  /** @param maxAgeMillis - milliseconds; `Infinity` for none */
  constructor(maxItems: number, maxAgeMillis: number) {
    this.#maxItems = maxItems;
    this.#maxAgeMillis = maxAgeMillis;
  }

  get batches(): number {
    return this.#batches;
  }

  /** The number of the newest batch that ever came. */
  get lastNumber(): number {
    return this.#numbers;
  }

  /** Whether a batch can be had in at all, if need be in the place of others. */
  fits(items: number): boolean {
    return items <= this.#maxItems - this.#sendingItems;
  }

  /** Takes out what has been here for too long. */
  takeExpired(at: number): readonly KeptBatch<T>[] {
    return this.#takeWhile((kept) => at - kept.keptAt > this.#maxAgeMillis);
  }

  /** Takes the oldest out, until there is room for so many items. */
  takeForRoom(items: number): readonly KeptBatch<T>[] {
    return this.#takeWhile(() => this.#items + items > this.#maxItems);
  }

  /** Takes all out, also what is being sent. */
  takeAll(): readonly KeptBatch<T>[] {
    for (let link = this.#oldest; link !== undefined; link = link.newer) this.release(link);
    return this.#takeWhile(() => true);
  }

  /** Adds the newest; there must be room. */
  add(batch: T, items: number, at: number): void {
    const link: Link<T> = {
      batch,
      items,
      keptAt: at,
      number: ++this.#numbers,
      sending: false,
      failures: 0,
      older: this.#newest,
      newer: undefined,
    };
    if (this.#newest === undefined) this.#oldest = link;
    else this.#newest.newer = link;
    this.#newest = link;
    this.#items += items;
    this.#batches++;
  }

  remove(kept: KeptBatch<T>): void {
    const link = kept as Link<T>;
    const { older, newer } = link;
    // Whoever still holds this one must not hold all that came after it.
    link.older = undefined;
    link.newer = undefined;
    this.release(kept);
    if (older === undefined) this.#oldest = newer;
    else older.newer = newer;
    if (newer === undefined) this.#newest = older;
    else newer.older = older;
    this.#items -= kept.items;
    this.#batches--;
  }

  /** It is being sent: nothing may take it out until it is released or removed. */
  hold(kept: KeptBatch<T>): void {
    kept.sending = true;
    this.#sendingItems += kept.items;
  }

  release(kept: KeptBatch<T>): void {
    if (!kept.sending) return;
    kept.sending = false;
    this.#sendingItems -= kept.items;
  }

  /** The oldest of those that came after the one of this number, if any. */
  oldestAfter(number: number): KeptBatch<T> | undefined {
    let link = this.#oldest;
    while (link !== undefined && link.number <= number) link = link.newer;
    return link;
  }

  #takeWhile(goes: (kept: KeptBatch<T>) => boolean): readonly KeptBatch<T>[] {
    const taken: KeptBatch<T>[] = [];
    let link = this.#oldest;
    while (link !== undefined && goes(link)) {
      const { newer } = link;
      if (!link.sending) {
        this.remove(link);
        taken.push(link);
      }
      link = newer;
    }
    return taken;
  }
}
