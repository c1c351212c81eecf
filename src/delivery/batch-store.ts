/** A batch in a store, without its content. */
export interface StoredBatch {
  /** Unique across processes. */
  readonly id: string;
  /** Spans, log records or data points. */
  readonly items: number;
  /** An estimate of the batch's size in bytes, if the store knows one. */
  readonly bytes?: number | undefined;
  /** When the batch was first kept, in Unix milliseconds. */
  readonly keptAt: number;
  /** The batch is not sent before this time, in Unix milliseconds. @defaultValue at once */
  readonly notBefore?: number | undefined;
}

/** Ids of batches that a store dropped to make room. They count as evicted with the reason `full`. */
export type Dropped = readonly string[];

/** What a store is opened with. */
export interface BatchStoreOpening {
  /** The exporter's name. */
  readonly name: string;
  /** Adds batches that the store takes over from another process later, oldest first. */
  onFound(more: readonly StoredBatch[]): void;
  /**
   * Tells that another process has taken over batches of this one, and delivers them. They count as kept to the end, as
   * what `shutdown()` leaves in a store does.
   */
  onTaken?(ids: readonly string[]): void;
}

/**
 * Holds the content of kept batches for `retention`. The library keeps the order, the age, the budget and the attempts.
 * Every method may answer at once or with a promise.
 *
 * @typeParam T - the batch type
 */
export interface BatchStore<T> {
  /** Whether the batches outlive the process. */
  readonly persistent: boolean;
  /**
   * Opens the store for one exporter.
   *
   * @returns the batches that an earlier process kept for an exporter of this name, oldest first
   * @throws TypeError if the store is already open under this name in this process: two signals must not mix
   */
  open(opening: BatchStoreOpening): readonly StoredBatch[] | Promise<readonly StoredBatch[]>;
  /**
   * Stores a batch. Answers when the batch is as durable as it gets; a throw or a rejection means that there is no room.
   *
   * @returns the ids of batches that the store dropped to make room
   */
  put(entry: StoredBatch, batch: T): Dropped | Promise<Dropped>;
  /** Reads a batch; `undefined` if it cannot be read any more. */
  get(id: string): T | undefined | Promise<T | undefined>;
  /** Deletes batches. */
  delete(ids: readonly string[]): void | Promise<void>;
  /** Releases at once whatever the store holds. */
  close(): Promise<void>;
}
