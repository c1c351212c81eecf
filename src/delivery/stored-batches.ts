import type { Clock } from '../breaker/clock.ts';
import { isThenable } from '../internal/report-problem.ts';
import type { BatchStore, Dropped, StoredBatch } from './batch-store.ts';
import { StoreCalls } from './store-calls.ts';

/** Receives the content of a batch; `undefined`: it cannot be had. */
export type ContentListener<T> = (batch: T | undefined) => void;

/** The store below retention. A store that fails is reported; one that does not answer in time has failed. */
export class StoredBatches<T> {
  readonly #store: BatchStore<T>;
  readonly #calls: StoreCalls;
  readonly #report: (message: string, error: unknown) => void;
  #reportRefusal = true;

  /** @param report - must not throw */
  constructor(store: BatchStore<T>, clock: Clock, report: (message: string, error: unknown) => void) {
    this.#store = store;
    this.#calls = new StoreCalls(clock, (error) => report('a result callback threw', error));
    this.#report = report;
  }

  /** Whether the store outlives the process. */
  get isPersistent(): boolean {
    return this.#store.persistent;
  }

  /**
   * Opens the store.
   *
   * @param found - hears of what an earlier process kept, at once or later
   * @param onTaken - hears of what another process has taken over
   * @throws what the store throws
   */
  open(
    name: string,
    found: (batches: readonly StoredBatch[]) => void,
    onTaken: (ids: readonly string[]) => void,
  ): void {
    // A store that finds nothing may well return nothing.
    const onFound = (batches: readonly StoredBatch[] | undefined): void => found(batches ?? []);
    const opened = this.#store.open({ name, onFound, onTaken });
    if (!isThenable(opened)) {
      onFound(opened);
      return;
    }
    Promise.resolve(opened)
      .then(onFound)
      .catch((error: unknown) => this.#report('the store failed to open', error));
  }

  /** Finds what is overdue. */
  look(at: number): void {
    this.#calls.look(at);
  }

  /** The circuit has left CLOSED: the next refusal of the store is news again. */
  circuitOpened(): void {
    this.#reportRefusal = true;
  }

  /**
   * Stores a batch. Exactly one of `stored` and `refused` follows, within this call where the store answers at once.
   *
   * @param late - the store has taken it after it had been given up
   */
  put(
    entry: StoredBatch,
    batch: T,
    stored: (dropped: Dropped) => void,
    refused: () => void,
    late: (dropped: Dropped) => void,
  ): void {
    this.#calls.run(
      () => this.#store.put(entry, batch),
      stored,
      (error) => {
        if (this.#reportRefusal) this.#report('the store did not take a batch', error);
        this.#reportRefusal = false;
        refused();
      },
      late,
    );
  }

  /**
   * Reads a batch. Exactly one of `read` and `failed` follows, within this call where the store answers at once.
   *
   * @param failed - by default the content cannot be had
   */
  get(id: string, read: ContentListener<T>, failed: () => void = () => read(undefined)): void {
    this.#calls.run(
      () => this.#store.get(id),
      read,
      (error) => {
        this.#report('the store failed to read a batch', error);
        failed();
      },
    );
  }

  /**
   * Begins to read a batch, and deletes it once it has been read.
   *
   * @returns tells a listener of its content, at once or when the store has answered
   */
  take(id: string): (listener: ContentListener<T>) => void {
    let content: { readonly batch: T | undefined } | undefined;
    let listener: ContentListener<T> | undefined;
    this.get(id, (batch) => {
      this.delete([id]);
      content = { batch };
      listener?.(batch);
    });
    return (given) => {
      if (content === undefined) listener = given;
      else given(content.batch);
    };
  }

  delete(ids: readonly string[]): void {
    if (ids.length === 0) return;
    this.#calls.run(
      () => this.#store.delete(ids),
      () => {},
      (error) => this.#report('the store failed to delete batches', error),
    );
  }

  /** Fails all that is unanswered. */
  abandon(): void {
    this.#calls.abandon();
  }

  /** Waits for what is unanswered, and releases the store. */
  async close(): Promise<void> {
    await this.#calls.idle();
    this.#calls.end();
    try {
      await this.#store.close();
    } catch (error) {
      this.#report('close() of the store failed', error);
    }
  }
}
