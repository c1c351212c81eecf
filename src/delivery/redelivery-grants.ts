import type { RetentionIndex } from './retention-index.ts';

/** A success that took longer says nothing about how much traffic there is now. */
const LATE_MILLIS = 1_000;

/** The redeliveries that live successes have paid for: `pace` each. A grant that finds nothing to send is void. */
export class RedeliveryGrants {
  /** How many redeliveries may be sent now. */
  due = 0;
  #late = 0;
  readonly #pace: number;
  readonly #index: RetentionIndex;

  constructor(pace: number, index: RetentionIndex) {
    this.#pace = pace;
    this.#index = index;
  }

  /**
   * A live batch got through, in so many milliseconds. After an outage, the exports that a whole fleet has under way get
   * through at once. What these grant is not due at once, too, but at the next offer or tick.
   */
  liveSucceeded(durationMillis: number): void {
    if (durationMillis > LATE_MILLIS) this.#late += this.#pace;
    else this.due += this.#pace;
    this.limit();
  }

  /**
   * A live batch was offered, or a tick stands in for one: of what late successes have granted, as much is due as a quick
   * one would grant.
   *
   * @returns whether there was any
   */
  payLate(): boolean {
    const paid = Math.min(this.#late, this.#pace);
    this.#late -= paid;
    this.due += paid;
    return paid > 0;
  }

  /** @param most - what is kept later is not paid for yet */
  limit(most = this.#index.waiting): void {
    this.due = Math.min(this.due, most);
    this.#late = Math.min(this.#late, most);
  }
}
