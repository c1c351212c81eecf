import type { HeldBatch } from './segment/segment.ts';

/** A batch that no segment has yet. */
export type BatchInMemory = HeldBatch & { readonly record: Buffer };

/** The batches of one exporter, by id. */
export class HeldBatches {
  readonly #all = new Map<string, HeldBatch>();
  /** Oldest first. */
  readonly #inMemory = new Map<string, BatchInMemory>();
  #bytesInMemory = 0;

  /** What the batches that no segment has take up. */
  get bytesInMemory(): number {
    return this.#bytesInMemory;
  }

  get itemsInMemory(): number {
    let items = 0;
    for (const { header } of this.#inMemory.values()) items += header.items;
    return items;
  }

  get oldestInMemory(): BatchInMemory | undefined {
    return this.#inMemory.values().next().value;
  }

  get(id: string): HeldBatch | undefined {
    return this.#all.get(id);
  }

  /** The batches that no segment has, oldest first. */
  inMemory(): BatchInMemory[] {
    return [...this.#inMemory.values()];
  }

  isInMemory(held: BatchInMemory): boolean {
    return this.#inMemory.get(held.header.id) === held;
  }

  /**
   * Adds a batch that was found in a segment.
   *
   * @returns `'again'` for one that was thought to be lost, `'twice'` for one that is held elsewhere and was not added
   */
  addStored(held: HeldBatch): 'new' | 'again' | 'twice' {
    const known = this.#all.get(held.header.id);
    const isHeld = known !== undefined && (known.record !== undefined || known.segment?.isGone === false);
    if (isHeld) return 'twice';
    this.#all.set(held.header.id, held);
    return known === undefined ? 'new' : 'again';
  }

  addInMemory(held: BatchInMemory): void {
    this.#all.set(held.header.id, held);
    this.#inMemory.set(held.header.id, held);
    this.#bytesInMemory += held.record.length;
  }

  /** A segment has the batch now. @param bytes - the length of its record */
  leftMemory({ header }: HeldBatch, bytes: number): void {
    if (this.#inMemory.delete(header.id)) this.#bytesInMemory -= bytes;
  }

  /** Takes a batch out, of its segment too. */
  remove(id: string): HeldBatch | undefined {
    const held = this.#all.get(id);
    if (held === undefined) return undefined;
    this.#all.delete(id);
    held.segment?.live.delete(id);
    if (held.record !== undefined) this.leftMemory(held, held.record.length);
    return held;
  }
}
