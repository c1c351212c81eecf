import { causeOf } from '../internal/causes.ts';
import { openPromise } from '../internal/open-promise.ts';
import type { LossReason } from './delivery-snapshot.ts';
import type { ExportResultLike, ResultCallback } from './exporter-contract.ts';
import { ACCEPTED } from './exporter-contract.ts';
import type { Fallback } from './fallback.ts';
import type { Ledger } from './ledger.ts';

/** What it needs of the exporter that it belongs to. */
export interface UndeliveredHost<T> {
  readonly fallback: Fallback<T> | undefined;
  onLoss(reason: LossReason, batches: number, items: number, error: unknown): void;
  warn(message: string): void;
}

/** Where a batch ends that did not get through and is not kept: with the fallback, or lost. */
export class Undelivered<T> {
  readonly #host: UndeliveredHost<T>;
  readonly #ledger: Ledger;
  #warnOfIgnored = true;
  /** What the shutdown has given up. */
  readonly #givenUp = { batches: 0, items: 0 };
  /** What was given up has been told; whatever follows is told at once. */
  #isSummedUp = false;
  /** Items that the fallback did not take during the shutdown. */
  #refusedByFallback = 0;

  constructor(host: UndeliveredHost<T>, ledger: Ledger) {
    this.#host = host;
    this.#ledger = ledger;
  }

  /** A live batch got through: the next loss by an ignored result is news again. */
  liveSucceeded(): void {
    this.#warnOfIgnored = true;
  }

  /**
   * To the fallback, if there is one; otherwise the batch is lost.
   *
   * @param batch - `undefined`: its content cannot be had
   */
  passOn(
    batch: T | undefined,
    items: number,
    reason: LossReason,
    result: ExportResultLike,
    callback: ResultCallback | undefined,
    wasSent: boolean,
  ): void {
    const { fallback } = this.#host;
    if (fallback === undefined || batch === undefined) {
      this.lose(items, reason, result.error, wasSent);
      callback?.(result);
      return;
    }
    this.#send(fallback, batch, items, result, callback, wasSent);
  }

  /** @param wasSent - whether an exporter has seen it */
  lose(items: number, reason: LossReason, error: unknown, wasSent: boolean): void {
    this.#ledger.lose(items, reason, wasSent);
    if (reason === 'shutdown' && !this.#isSummedUp) {
      this.#givenUp.batches++;
      this.#givenUp.items += items;
      return;
    }
    if (reason === 'fallback') this.#refusedByFallback += items;
    this.#host.onLoss(reason, 1, items, error);
    if (reason !== 'ignored' || !this.#warnOfIgnored) return;
    this.#warnOfIgnored = false;
    const cause = causeOf(error);
    this.#host.warn(
      `the exporter refuses batches without sending them${cause === null ? '' : ` (${cause})`}, and they are lost`,
    );
  }

  /** `shutdown()` has begun. */
  end(): void {
    this.#refusedByFallback = 0;
  }

  /**
   * The shutdown gives up a batch that was kept or handed over.
   *
   * @param read - reads its content; `undefined`: it cannot be had
   * @param isTimeOver - whether the fallback has had its time
   * @param inTime - waits for a promise until then
   */
  async giveUp(
    { items, wasSent }: { readonly items: number; readonly wasSent: boolean },
    read: () => Promise<T | undefined>,
    isTimeOver: () => boolean,
    inTime: (answered: Promise<void>) => Promise<boolean>,
  ): Promise<void> {
    const { fallback } = this.#host;
    let batch: T | undefined;
    // A store that hangs must not prolong the shutdown.
    if (fallback !== undefined && !isTimeOver())
      await inTime(
        read().then((content) => {
          batch = content;
        }),
      );
    if (fallback === undefined || batch === undefined) {
      this.lose(items, 'shutdown', undefined, wasSent);
      return;
    }
    const { promise, resolve } = openPromise();
    const expire = this.#send(fallback, batch, items, ACCEPTED, undefined, wasSent, resolve);
    if (!(await inTime(promise))) expire();
  }

  /** Tells what the shutdown has given up. */
  sumUp(): void {
    const { batches, items } = this.#givenUp;
    this.#isSummedUp = true;
    if (batches > 0) this.#host.onLoss('shutdown', batches, items, undefined);
    const lost = items + this.#refusedByFallback;
    if (lost > 0)
      this.#host.warn(`items lost because they could not be delivered before the shutdown: ${lost}`);
  }

  /** @returns gives the batch up, if it is unanswered */
  #send(
    fallback: Fallback<T>,
    batch: T,
    items: number,
    otherwise: ExportResultLike,
    callback: ResultCallback | undefined,
    wasSent: boolean,
    answered: () => void = () => {},
  ): () => void {
    return fallback.send({
      batch,
      items,
      otherwise,
      callback,
      settled: (accepted, error, seen) => {
        if (accepted) this.#ledger.fallBack(items);
        else this.lose(items, 'fallback', error, wasSent || seen);
        answered();
      },
    });
  }
}
