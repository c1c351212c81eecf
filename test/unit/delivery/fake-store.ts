import type { BatchStore, BatchStoreOpening, Dropped, StoredBatch } from '../../../src/index.ts';
import type { Batch } from './rig.ts';

/** A call of the store that waits for its answer. */
interface OpenCall {
  readonly method: 'open' | 'put' | 'get' | 'delete';
  answer(): void;
  fail(error: Error): void;
}

/** A store that answers when it is told to, and can fail, forget and drop. */
export class FakeStore implements BatchStore<Batch> {
  readonly persistent: boolean;
  readonly batches = new Map<string, Batch>();
  readonly entries = new Map<string, StoredBatch>();
  /** Calls that are unanswered, oldest first. */
  readonly calls: OpenCall[] = [];
  /** Whether calls of a method are answered at once, later with a promise, or with an error. */
  readonly mode: Record<OpenCall['method'], 'at once' | 'later' | 'throws' | 'rejects'>;
  /** What it has from an earlier process. */
  found: readonly StoredBatch[] = [];
  /** What it drops at the next `put`. */
  drops: Dropped = [];
  opening: BatchStoreOpening | undefined;
  closed = 0;

  constructor({
    persistent = false,
    mode = 'later' as FakeStore['mode']['put'],
    opens = 'at once' as FakeStore['mode']['put'],
  } = {}) {
    this.persistent = persistent;
    this.mode = { open: opens, put: mode, get: mode, delete: mode };
  }

  /** The names of the batches that it holds. */
  get names(): string[] {
    return [...this.batches.values()].map(([name]) => name ?? '');
  }

  /** An earlier process has kept batches. */
  recovers(...names: string[]): void {
    this.found = names.map((name, i) => {
      this.batches.set(name, [name]);
      return { id: name, items: 1, keptAt: i };
    });
  }

  open(opening: BatchStoreOpening): readonly StoredBatch[] | Promise<readonly StoredBatch[]> {
    this.opening = opening;
    return this.#answer('open', () => this.found);
  }

  put(entry: StoredBatch, batch: Batch): Dropped | Promise<Dropped> {
    return this.#answer('put', () => {
      const dropped = this.drops;
      this.drops = [];
      for (const id of dropped) this.batches.delete(id);
      this.batches.set(entry.id, batch);
      this.entries.set(entry.id, entry);
      return dropped;
    });
  }

  get(id: string): Batch | undefined | Promise<Batch | undefined> {
    return this.#answer('get', () => this.batches.get(id));
  }

  delete(ids: readonly string[]): void | Promise<void> {
    return this.#answer('delete', () => {
      for (const id of ids) this.batches.delete(id);
    });
  }

  async close(): Promise<void> {
    this.closed++;
  }

  /** Answers all that is unanswered, also what follows from that. */
  async answer(): Promise<void> {
    for (let next = this.calls.shift(); next !== undefined; next = this.calls.shift()) {
      next.answer();
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  /** Fails the oldest unanswered call. */
  async fail(error = new Error('disk full')): Promise<void> {
    this.calls.shift()?.fail(error);
    await new Promise((resolve) => setImmediate(resolve));
  }

  #answer<V>(method: OpenCall['method'], run: () => V): V | Promise<V> {
    switch (this.mode[method]) {
      case 'at once':
        return run();
      case 'throws':
        throw new Error('disk full');
      case 'rejects':
        return Promise.reject(new Error('disk full'));
      case 'later':
        return new Promise<V>((resolve, reject) => {
          this.calls.push({ method, answer: () => resolve(run()), fail: reject });
        });
    }
  }
}
