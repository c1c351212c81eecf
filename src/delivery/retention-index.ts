/**
 * Where a batch is that has a place in retention:
 *
 * | state | what it means | becomes |
 * | --- | --- | --- |
 * | `storing` | the store has not answered `put` yet | `handed over`, `waiting`, `gone` |
 * | `handed over` | its live sending goes on; its caller has been answered | `waiting`, `gone` |
 * | `waiting` | kept | `sending`, `gone` |
 * | `sending` | kept, and being sent again | `waiting`, `gone` |
 * | `gone` | delivered, evicted, or not stored after all | |
 *
 * Only what is `waiting` can be evicted to make room.
 */
export type EntryState = 'storing' | 'handed over' | 'waiting' | 'sending' | 'gone';

/** A batch in retention, without its content. Times are readings of the clock. */
export interface Entry {
  readonly id: string;
  readonly items: number;
  /** Estimated. */
  readonly bytes: number;
  readonly keptAt: number;
  /** It is not sent before this time. */
  readonly notBefore: number;
  /** Grows with the order of sending. */
  readonly position: number;
  readonly state: EntryState;
  /** Redeliveries that failed by the batch's own fault. */
  failures: number;
  /** How many batches had got through when it was kept, or when its last redelivery failed. */
  deliveriesSeen: number;
  /** The number of the last try to send it again; 0 = none. */
  lastTry: number;
  /** Whether an exporter has seen it. */
  wasSent: boolean;
}

/** What an entry is made of. */
export type EntryFacts = Pick<Entry, 'id' | 'items' | 'bytes' | 'keptAt' | 'notBefore' | 'wasSent'>;

interface Link extends Entry {
  state: EntryState;
  older: Link | undefined;
  newer: Link | undefined;
}

/** The order, the age and the budget of what is kept. Knows nothing of sending, nor of the batches' content. */
export class RetentionIndex {
  readonly #maxItems: number;
  readonly #maxBytes: number;
  readonly #maxAgeMillis: number;
  // A linked list: batches also leave from the middle, and the next one must cost the same however many have left.
  #oldest: Link | undefined;
  #newest: Link | undefined;
  readonly #byId = new Map<string, Link>();
  #items = 0;
  #bytes = 0;
  #heldItems = 0;
  #heldBytes = 0;
  #waiting = 0;
  #sending = 0;
  #lastPosition = 0;
  #firstPosition = 1;

  /** @param maxAgeMillis - milliseconds; `Infinity` for no limit */
  constructor(maxItems: number, maxBytes: number, maxAgeMillis: number) {
    this.#maxItems = maxItems;
    this.#maxBytes = maxBytes;
    this.#maxAgeMillis = maxAgeMillis;
  }

  /** How many batches have a place. */
  get batches(): number {
    return this.#byId.size;
  }

  /** How many batches are `waiting`. */
  get waiting(): number {
    return this.#waiting;
  }

  /** How many batches are kept: `waiting` or `sending`. */
  get kept(): number {
    return this.#waiting + this.#sending;
  }

  /** The position of the newest batch ever added. */
  get lastPosition(): number {
    return this.#lastPosition;
  }

  /** Whether there can be room for a batch, if need be in the place of others. */
  fits(items: number, bytes: number): boolean {
    return items <= this.#maxItems - this.#heldItems && bytes <= this.#maxBytes - this.#heldBytes;
  }

  /** What has been here for too long, and is not needed elsewhere. */
  expired(at: number): readonly Entry[] {
    return this.#evictableWhile((entry) => this.isExpired(entry, at));
  }

  isExpired(entry: Entry, at: number): boolean {
    return at - entry.keptAt > this.#maxAgeMillis;
  }

  /** The oldest batches, as many as have to go to make room. */
  inTheWayOf(items: number, bytes: number): readonly Entry[] {
    let itemsLeft = this.#items;
    let bytesLeft = this.#bytes;
    return this.#evictableWhile((entry) => {
      if (itemsLeft + items <= this.#maxItems && bytesLeft + bytes <= this.#maxBytes) return false;
      if (entry.state === 'waiting') {
        itemsLeft -= entry.items;
        bytesLeft -= entry.bytes;
      }
      return true;
    });
  }

  /** Everything that has a place, oldest first. */
  all(): readonly Entry[] {
    const all: Entry[] = [];
    for (let link = this.#oldest; link !== undefined; link = link.newer) all.push(link);
    return all;
  }

  byId(id: string): Entry | undefined {
    return this.#byId.get(id);
  }

  /** Adds the newest batch. */
  append(facts: EntryFacts, deliveriesSeen: number): Entry {
    return this.#insert(facts, 'storing', deliveriesSeen, ++this.#lastPosition, this.#newest, undefined);
  }

  /** Adds batches from an earlier process, oldest first, before all that came meanwhile. */
  prepend(all: readonly EntryFacts[], deliveriesSeen: number): void {
    for (const facts of [...all].reverse()) {
      this.#insert(facts, 'waiting', deliveriesSeen, --this.#firstPosition, undefined, this.#oldest);
    }
  }

  /** The only way to change an entry's state. */
  move(entry: Entry, state: EntryState): void {
    const link = entry as Link;
    if (link.state === 'gone' || link.state === state) return;
    this.#count(link, -1);
    link.state = state;
    if (state === 'gone') this.#remove(link);
    else this.#count(link, 1);
  }

  /** The oldest batch behind a position that meets the condition. */
  oldestAfter(position: number, meets: (entry: Entry) => boolean): Entry | undefined {
    let link = this.#oldest;
    while (link !== undefined && (link.position <= position || !meets(link))) link = link.newer;
    return link;
  }

  #insert(
    facts: EntryFacts,
    state: EntryState,
    deliveriesSeen: number,
    position: number,
    older: Link | undefined,
    newer: Link | undefined,
  ): Entry {
    const link: Link = { ...facts, position, state, failures: 0, deliveriesSeen, lastTry: 0, older, newer };
    if (older === undefined) this.#oldest = link;
    else older.newer = link;
    if (newer === undefined) this.#newest = link;
    else newer.older = link;
    this.#byId.set(facts.id, link);
    this.#items += facts.items;
    this.#bytes += facts.bytes;
    this.#count(link, 1);
    return link;
  }

  #remove(link: Link): void {
    const { older, newer } = link;
    // A call that still holds this entry must not hold all that came after it.
    link.older = undefined;
    link.newer = undefined;
    if (older === undefined) this.#oldest = newer;
    else older.newer = newer;
    if (newer === undefined) this.#newest = older;
    else newer.older = older;
    this.#byId.delete(link.id);
    this.#items -= link.items;
    this.#bytes -= link.bytes;
  }

  #count({ state, items, bytes }: Link, sign: 1 | -1): void {
    if (state === 'sending') this.#sending += sign;
    if (state === 'waiting') {
      this.#waiting += sign;
    } else {
      this.#heldItems += sign * items;
      this.#heldBytes += sign * bytes;
    }
  }

  #evictableWhile(goOn: (entry: Entry) => boolean): readonly Entry[] {
    const taken: Entry[] = [];
    for (let link = this.#oldest; link !== undefined && goOn(link); link = link.newer) {
      if (link.state === 'waiting') taken.push(link);
    }
    return taken;
  }
}
