import type { BatchStore, Dropped } from './batch-store.ts';

const NOTHING: readonly never[] = Object.freeze([]);

/** Holds batches in memory: the default store. It answers everything at once. */
export function memoryStore<T>(): BatchStore<T> {
  const batches = new Map<string, T>();
  return {
    persistent: false,
    open: () => NOTHING,
    put(entry, batch): Dropped {
      batches.set(entry.id, batch);
      return NOTHING;
    },
    get: (id) => batches.get(id),
    delete(ids) {
      for (const id of ids) batches.delete(id);
    },
    async close() {
      batches.clear();
    },
  };
}
