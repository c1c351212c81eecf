import { resolve } from 'node:path';
import type { BatchStore, BatchStoreOpening, Dropped, StoredBatch } from '../delivery/batch-store.ts';
import { Spool } from './spool.ts';
import type { System } from './system.ts';
import { realSystem } from './system.ts';

/** Options of {@link DiskStore}, complete. */
export interface CompleteDiskStoreOptions {
  readonly directory: string;
  readonly maxBytes: number;
  readonly sync: 'batch' | 'none';
}

export const DISK_STORE_DEFAULTS = {
  maxBytes: 64 * 1024 * 1024,
  sync: 'batch',
} as const satisfies Partial<CompleteDiskStoreOptions>;

/** What is open in this process, also by other copies of this package: bundlers make some. */
const OPEN = Symbol.for('otel-circuit-breaker.open-disk-stores');

/** Keeps batches in files. */
export class DiskStore<T> implements BatchStore<T> {
  readonly persistent = true;
  readonly #options: CompleteDiskStoreOptions;
  readonly #system: System;
  #spool: Spool | undefined;
  #name = '';

  /** @param given - the system, in tests */
  constructor(options: CompleteDiskStoreOptions, given: Partial<System> = {}) {
    this.#options = { ...options, directory: resolve(options.directory) };
    this.#system = { ...realSystem, ...given };
  }

  open({ name, onFound, onTaken }: BatchStoreOpening): Promise<readonly StoredBatch[]> {
    const { directory } = this.#options;
    if (this.#spool !== undefined) {
      throw new TypeError(
        `diskStore: this store already serves the exporter ${JSON.stringify(this.#name)}: make one diskStore() for each exporter; they may share the directory`,
      );
    }
    const open = openStores();
    const key = `${directory}\n${name}`;
    if (open.has(key)) {
      throw new TypeError(
        `diskStore: an exporter named ${JSON.stringify(name)} already keeps its batches in ${directory}: give each exporter a name of its own`,
      );
    }
    open.add(key);
    this.#name = name;
    this.#spool = new Spool({ ...this.#options, name, onFound, onTaken }, this.#system);
    return this.#spool.open();
  }

  put(entry: StoredBatch, batch: T): Promise<Dropped> {
    return this.#opened().put(entry, batch);
  }

  get(id: string): Promise<T | undefined> {
    return this.#opened().get(id) as Promise<T | undefined>;
  }

  delete(ids: readonly string[]): Promise<void> {
    return this.#opened().delete(ids);
  }

  async close(): Promise<void> {
    const spool = this.#spool;
    if (spool === undefined) return;
    await spool.close();
    if (this.#spool !== spool) return;
    this.#spool = undefined;
    openStores().delete(`${this.#options.directory}\n${this.#name}`);
  }

  #opened(): Spool {
    if (this.#spool === undefined) throw new Error('the store is not open');
    return this.#spool;
  }
}

function openStores(): Set<string> {
  const holder = globalThis as { [OPEN]?: Set<string> };
  holder[OPEN] ??= new Set();
  return holder[OPEN];
}
