import type { BatchStore } from '../delivery/batch-store.ts';

/** Memory for the kept batches of several exporters. Each may use an equal part, which shrinks as more exporters come. */
export class SharedMemory {
  readonly #maxBytes: number;
  #stores = 0;

  /** @param maxBytes - what all exporters keep at most, by the library's estimate; above 0 */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** A store for one more exporter. */
  store(): BatchStore<unknown> {
    this.#stores++;
    const kept = new Map<string, { readonly bytes: number; readonly batch: unknown }>();
    let used = 0;
    const remove = (id: string): void => {
      used -= kept.get(id)?.bytes ?? 0;
      kept.delete(id);
    };
    return {
      persistent: false,
      open: () => [],
      put: ({ id, bytes = 0 }, batch) => {
        const quota = this.#maxBytes / this.#stores;
        if (bytes > quota) {
          throw new RangeError(
            `a batch of about ${bytes} bytes is larger than the ${Math.floor(quota)} bytes for all`,
          );
        }
        const dropped: string[] = [];
        for (const oldest of kept.keys()) {
          if (used + bytes <= quota) break;
          remove(oldest);
          dropped.push(oldest);
        }
        kept.set(id, { bytes, batch });
        used += bytes;
        return dropped;
      },
      get: (id) => kept.get(id)?.batch,
      delete(ids) {
        for (const id of ids) remove(id);
      },
      async close() {
        kept.clear();
        used = 0;
      },
    };
  }
}
