import type { Amount, DeliverySnapshot, EvictionReason, LossReason } from './delivery-snapshot.ts';

/**
 * Keeps the books of an exporter: each batch that is offered moves from one account to another, and is in exactly one at
 * any moment. A batch in no other account is in flight.
 */
export class Ledger {
  /** Of the lost items, those that no exporter has seen, by reason. */
  readonly lostUnseen = noLosses();
  /** The items that had been lost when the last batch got through. */
  lostBefore = 0;
  readonly #offered = nothing();
  readonly #delivered = nothing();
  readonly #fallback = nothing();
  readonly #lost = nothing();
  readonly #kept = nothing();
  readonly #recovered = nothing();
  readonly #redelivered = nothing();
  readonly #evicted: Record<EvictionReason, number> = {
    full: 0,
    expired: 0,
    attempts: 0,
    invalid: 0,
    shutdown: 0,
    unreadable: 0,
  };
  readonly #lostBy = noLosses();

  /** A batch was given to the exporter. */
  offer(items: number): void {
    add(this.#offered, items);
  }

  /** A store had a batch from an earlier process. It counts as offered and as kept. */
  recover(items: number): void {
    add(this.#offered, items);
    add(this.#recovered, items);
    add(this.#kept, items);
  }

  /** How many batches got through so far. */
  get deliveries(): number {
    return this.#delivered.batches;
  }

  /** The inner exporter has accepted a batch. */
  deliver(items: number): void {
    add(this.#delivered, items);
    this.lostBefore = this.#lost.items;
  }

  /** The fallback has accepted a batch. */
  fallBack(items: number): void {
    add(this.#fallback, items);
  }

  /**
   * A batch was given up.
   *
   * @param wasSent - whether an exporter has seen it
   */
  lose(items: number, reason: LossReason, wasSent: boolean): void {
    add(this.#lost, items);
    this.#lostBy[reason] += items;
    if (!wasSent) this.lostUnseen[reason] += items;
  }

  /** Retention has taken a batch. */
  keep(items: number): void {
    add(this.#kept, items);
  }

  /** The inner exporter has accepted a batch that was kept. */
  redeliver(items: number): void {
    take(this.#kept, items);
    this.deliver(items);
    add(this.#redelivered, items);
  }

  /** Retention has given up a batch: it is on its way to the fallback, or lost. */
  evict(items: number, reason: EvictionReason): void {
    take(this.#kept, items);
    this.#evicted[reason] += items;
  }

  /**
   * @param exporter - the exporter's name
   * @param lastOfferedAt - Unix milliseconds
   */
  snapshot(exporter: string, lastOfferedAt: number | null): DeliverySnapshot {
    return {
      exporter,
      offered: { ...this.#offered },
      delivered: { ...this.#delivered },
      fallback: { ...this.#fallback },
      lost: { ...this.#lost },
      kept: { ...this.#kept },
      inFlight: this.#inFlight(),
      recovered: { ...this.#recovered },
      lastOfferedAt,
      redelivered: { ...this.#redelivered },
      evicted: { ...this.#evicted },
      lostBy: { ...this.#lostBy },
    };
  }

  #inFlight(): Amount {
    const rest = { ...this.#offered };
    for (const { batches, items } of [this.#delivered, this.#fallback, this.#lost, this.#kept]) {
      rest.batches -= batches;
      rest.items -= items;
    }
    return rest;
  }
}

function noLosses(): Record<LossReason, number> {
  return {
    rejected: 0,
    failure: 0,
    invalid: 0,
    ignored: 0,
    full: 0,
    expired: 0,
    attempts: 0,
    shutdown: 0,
    unreadable: 0,
    fallback: 0,
    ended: 0,
  };
}

function nothing(): Amount {
  return { batches: 0, items: 0 };
}

function add(amount: Amount, items: number): void {
  amount.batches++;
  amount.items += items;
}

function take(amount: Amount, items: number): void {
  amount.batches--;
  amount.items -= items;
}
