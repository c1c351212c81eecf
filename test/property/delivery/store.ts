import type { BatchStore, StoredBatch } from '../../../src/index.ts';
import type { WorldClock } from './clock.ts';
import { PUT_MILLIS } from './records.ts';

/** How a store answers `put`. */
export type StoreMood = 'at once' | 'soon' | 'late' | 'never' | 'throws' | 'rejects';

export interface FakeStoreOptions {
  readonly persistent: boolean;
  /** `put` drops the oldest above so many batches. */
  readonly maxBatches: number;
  /** Whether `open` and `get` answer within the call. */
  readonly synchronous: boolean;
}

const SOON_MILLIS = 40;
/** Later than a `put` may be. */
const LATE_MILLIS = 1_500;

/** A store that answers late, fails, forgets, drops and finds. It writes down what is not allowed. */
export class FakeStore<T> implements BatchStore<T> {
  readonly persistent: boolean;
  mood: StoreMood = 'at once';
  /** The next `get` finds nothing. */
  forgetful = false;
  readonly held = new Map<string, { readonly entry: StoredBatch; readonly batch: T }>();
  readonly violations: string[] = [];
  closed = 0;
  #opening: Parameters<BatchStore<T>['open']>[0] | undefined;
  readonly #clock: WorldClock;
  readonly #options: FakeStoreOptions;
  readonly #earlier: readonly StoredBatch[];
  readonly #known = new Set<string>();
  readonly #deleted = new Set<string>();
  readonly #onPut: (batch: T, refusedFrom: number) => void;
  readonly #onDrop: (batch: T) => void;

  /**
   * @param onPut - hears of what is given to it, and from when on that may have been refused
   * @param onDrop - hears of what is dropped, and of what cannot be read
   */
  constructor(
    clock: WorldClock,
    options: FakeStoreOptions,
    earlier: readonly [StoredBatch, T][],
    onPut: (batch: T, refusedFrom: number) => void,
    onDrop: (batch: T) => void,
  ) {
    this.#onPut = onPut;
    this.#onDrop = onDrop;
    this.persistent = options.persistent;
    this.#clock = clock;
    this.#options = options;
    this.#earlier = earlier.map(([entry]) => entry);
    for (const [entry, batch] of earlier) this.#take(entry, batch);
  }

  open(
    opening: Parameters<BatchStore<T>['open']>[0],
  ): readonly StoredBatch[] | Promise<readonly StoredBatch[]> {
    if (this.#opening !== undefined) this.violations.push('the store was opened twice');
    this.#opening = opening;
    const found = (): StoredBatch[] => this.#earlier.filter(({ id }) => this.held.has(id));
    return this.#options.synchronous ? found() : this.#later(found, SOON_MILLIS);
  }

  /** Takes over what another process has kept. */
  find(found: readonly [StoredBatch, T][]): boolean {
    if (!this.persistent || this.#opening === undefined || this.closed > 0) return false;
    for (const [entry, batch] of found) this.#take(entry, batch);
    this.#opening.onFound(found.map(([entry]) => entry));
    return true;
  }

  put(entry: StoredBatch, batch: T): readonly string[] | Promise<readonly string[]> {
    if (this.#known.has(entry.id)) this.violations.push(`${entry.id} was put twice`);
    if (this.#opening === undefined) this.violations.push('put before open');
    if (this.closed > 0) this.violations.push('put after close');
    this.#known.add(entry.id);
    const isRefused = this.mood === 'rejects' || this.mood === 'throws';
    this.#onPut(batch, this.#clock.now() + (isRefused ? 0 : PUT_MILLIS));
    switch (this.mood) {
      case 'throws':
        throw new Error('disk full');
      case 'rejects':
        return Promise.reject(new Error('disk full'));
      case 'never':
        return new Promise(() => {});
      case 'at once':
        return this.#accept(entry, batch);
      default:
        return this.#later(
          () => this.#accept(entry, batch),
          this.mood === 'soon' ? SOON_MILLIS : LATE_MILLIS,
        );
    }
  }

  get(id: string): T | undefined | Promise<T | undefined> {
    if (!this.#known.has(id) || this.#deleted.has(id))
      this.violations.push(`get of ${id}, which is not there`);
    const { forgetful } = this;
    this.forgetful = false;
    const read = (): T | undefined => {
      const batch = this.held.get(id)?.batch;
      if (forgetful && batch !== undefined) this.#onDrop(batch);
      return forgetful ? undefined : batch;
    };
    return this.#options.synchronous ? read() : this.#later(read, SOON_MILLIS);
  }

  delete(ids: readonly string[]): void | Promise<void> {
    for (const id of ids) {
      if (!this.#known.has(id)) this.violations.push(`delete of ${id}, which was never there`);
      this.#deleted.add(id);
      this.held.delete(id);
    }
    // A delete that fails harms nothing: the batch is sent twice at worst.
    if (this.mood === 'rejects') return Promise.reject(new Error('read-only'));
    if (this.mood === 'throws') throw new Error('read-only');
  }

  close(): Promise<void> {
    this.closed++;
    return this.mood === 'rejects' ? Promise.reject(new Error('closed badly')) : Promise.resolve();
  }

  /** Whether a batch is held. */
  has(matches: (batch: T) => boolean): boolean {
    return [...this.held.values()].some(({ batch }) => matches(batch));
  }

  #accept(entry: StoredBatch, batch: T): readonly string[] {
    if (this.closed > 0) throw new Error('closed');
    this.#take(entry, batch);
    const dropped = [...this.held.keys()].slice(0, Math.max(0, this.held.size - this.#options.maxBatches));
    for (const id of dropped) {
      const gone = this.held.get(id);
      if (gone !== undefined) this.#onDrop(gone.batch);
      this.held.delete(id);
    }
    return dropped;
  }

  #take(entry: StoredBatch, batch: T): void {
    this.#known.add(entry.id);
    if (!this.#deleted.has(entry.id)) this.held.set(entry.id, { entry, batch });
  }

  #later<R>(give: () => R, millis: number): Promise<R> {
    return new Promise((resolve, reject) =>
      this.#clock.after(millis, () => {
        try {
          resolve(give());
        } catch (error) {
          reject(error);
        }
      }),
    );
  }
}
