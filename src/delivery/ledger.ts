import type { Amount, DeliverySnapshot, EvictionReason } from './delivery-snapshot.ts';

/**
 * Keeps the books of an exporter: each batch that is offered moves from one account to another, and is in exactly one at
 * any moment.
 */
export class Ledger {
  readonly #offered = nothing();
  readonly #delivered = nothing();
  readonly #fallback = nothing();
  readonly #lost = nothing();
  readonly #kept = nothing();
  readonly #redelivered = nothing();
  readonly #evicted: Record<EvictionReason, number> = {
    full: 0,
    expired: 0,
    attempts: 0,
    invalid: 0,
    shutdown: 0,
  };

  /** A batch was given to the exporter. */
  offer(items: number): void {
    add(this.#offered, items);
  }

  /** The inner exporter has accepted it. */
  deliver(items: number): void {
    add(this.#delivered, items);
  }

  /** The fallback has accepted it. */
  fallBack(items: number): void {
    add(this.#fallback, items);
  }

  /** It was given up. */
  lose(items: number): void {
    add(this.#lost, items);
  }

  /** Retention has taken it. */
  keep(items: number): void {
    add(this.#kept, items);
  }

  /** The inner exporter has accepted one that was kept. */
  redeliver(items: number): void {
    take(this.#kept, items);
    add(this.#delivered, items);
    add(this.#redelivered, items);
  }

  /** Retention has given one up: it is on its way to the fallback, or lost. */
  evict(items: number, reason: EvictionReason): void {
    take(this.#kept, items);
    this.#evicted[reason] += items;
  }

  /** @param exporter - the exporter's name */
  snapshot(exporter: string): DeliverySnapshot {
    return {
      exporter,
      offered: { ...this.#offered },
      delivered: { ...this.#delivered },
      fallback: { ...this.#fallback },
      lost: { ...this.#lost },
      kept: { ...this.#kept },
      inFlight: this.#inFlight(),
      redelivered: { ...this.#redelivered },
      evicted: { ...this.#evicted },
    };
  }

  /** What is in no other account is with the inner exporter or the fallback. */
  #inFlight(): Amount {
    const rest = { ...this.#offered };
    for (const { batches, items } of [this.#delivered, this.#fallback, this.#lost, this.#kept]) {
      rest.batches -= batches;
      rest.items -= items;
    }
    return rest;
  }
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
