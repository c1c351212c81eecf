import type { ExporterLike } from '../../../src/delivery/exporter-contract.ts';
import type { Batch } from './batch.ts';

/** A number of batches, and of the spans in them. */
export interface Amount {
  batches: number;
  items: number;
}

/**
 * What a `BatchSpanProcessor` does between the spans and the exporter: it exports one batch at a time, keeps what comes
 * meanwhile in a queue, and drops what does not fit. It is simpler than the real one in two ways: batches come whole, and
 * are dropped whole.
 */
export class BatchProcessor {
  /** What did not fit into the queue. */
  readonly dropped: Amount = { batches: 0, items: 0 };
  /** What the exporter answered with SUCCESS; in spans, batches. */
  readonly succeeded: Amount = { batches: 0, items: 0 };
  /** What the exporter answered with FAILED: the processor does not try again. */
  readonly failed: Amount = { batches: 0, items: 0 };
  readonly #exporter: Pick<ExporterLike<Batch>, 'export'>;
  readonly #itemsOfBatch: number;
  readonly #mostBatches: number;
  readonly #queue: Batch[] = [];
  #exporting = false;
  #looping = false;

  /**
   * @param itemsOfBatch - spans in each batch
   * @param maxQueueSize - spans that wait at most; 0: no processor, each batch is exported as it comes
   */
  constructor(exporter: Pick<ExporterLike<Batch>, 'export'>, itemsOfBatch: number, maxQueueSize: number) {
    this.#exporter = exporter;
    this.#itemsOfBatch = itemsOfBatch;
    this.#mostBatches = maxQueueSize === 0 ? Number.POSITIVE_INFINITY : maxQueueSize / itemsOfBatch;
  }

  /** Spans that wait in the queue. */
  get waitingItems(): number {
    return this.#queue.length * this.#itemsOfBatch;
  }

  add(batch: Batch): void {
    if (this.#mostBatches === Number.POSITIVE_INFINITY || !this.#exporting) this.#export(batch);
    else if (this.#queue.length + 1 <= this.#mostBatches) this.#queue.push(batch);
    else this.#count(this.dropped);
  }

  #export(batch: Batch): void {
    this.#exporting = true;
    let returned = false;
    this.#exporter.export(batch, ({ code }) => {
      this.#exporting = false;
      this.#count(code === 0 ? this.succeeded : this.failed);
      if (returned) this.#exportQueued();
    });
    returned = true;
    this.#exportQueued();
  }

  // A loop, because an open circuit answers a whole queue at once.
  #exportQueued(): void {
    if (this.#looping) return;
    this.#looping = true;
    while (!this.#exporting) {
      const next = this.#queue.shift();
      if (next === undefined) break;
      this.#export(next);
    }
    this.#looping = false;
  }

  #count(amount: Amount): void {
    amount.batches++;
    amount.items += this.#itemsOfBatch;
  }
}
