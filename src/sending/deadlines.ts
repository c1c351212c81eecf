import type { Clock } from '../breaker/clock.ts';

/** Something that must be over in time, and a link of the list that {@link Deadlines} keeps. */
export interface Expiring {
  /** Unix milliseconds. */
  readonly startedAt: number;
  /** Its time is over. Does not throw. */
  expire(timeoutMillis: number): void;
  // What follows is for `Deadlines` alone.
  waiting: boolean;
  earlier: Expiring | undefined;
  later: Expiring | undefined;
}

/**
 * One time-out for many: since all have the same, they expire in the order in which they began, and one timer, for the
 * first of them, serves all. What is answered in time costs no timer of its own.
 */
export class Deadlines {
  readonly #clock: Clock;
  readonly #timeoutMillis: number;
  #first: Expiring | undefined;
  #last: Expiring | undefined;
  /** The moment the timer is for, in Unix milliseconds, and what cancels it. */
  #timer: { readonly dueAt: number; readonly cancel: () => void } | undefined;
  #ended = false;

  /** @param timeoutMillis - milliseconds; 0 = never */
  constructor(clock: Clock, timeoutMillis: number) {
    this.#clock = clock;
    this.#timeoutMillis = timeoutMillis;
  }

  add(entry: Expiring): void {
    if (this.#timeoutMillis === 0) return;
    // Almost always the newest; not where one export began inside another.
    let earlier = this.#last;
    while (earlier !== undefined && earlier.startedAt > entry.startedAt) earlier = earlier.earlier;
    const later = earlier === undefined ? this.#first : earlier.later;
    entry.waiting = true;
    this.#join(earlier, entry);
    this.#join(entry, later);
    this.#arm();
  }

  remove(entry: Expiring): void {
    if (!entry.waiting) return;
    entry.waiting = false;
    this.#join(entry.earlier, entry.later);
    entry.earlier = undefined;
    entry.later = undefined;
    if (this.#ended) this.#disarmIfIdle();
  }

  /** No more will come: the timer goes with the last that waits. Else it stays, for the next is seldom far. */
  end(): void {
    this.#ended = true;
    this.#disarmIfIdle();
  }

  #disarmIfIdle(): void {
    if (this.#first !== undefined) return;
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #join(earlier: Expiring | undefined, later: Expiring | undefined): void {
    if (earlier === undefined) this.#first = later;
    else earlier.later = later;
    if (later === undefined) this.#last = earlier;
    else later.earlier = earlier;
  }

  #arm(): void {
    if (this.#first === undefined) return;
    const dueAt = this.#first.startedAt + this.#timeoutMillis;
    // A timer that comes too early looks again; one that comes too late must go.
    if (this.#timer !== undefined && this.#timer.dueAt <= dueAt) return;
    this.#timer?.cancel();
    const restMillis = Math.max(0, dueAt - this.#clock.now());
    this.#timer = { dueAt, cancel: this.#clock.schedule(() => this.#expireDue(), restMillis) };
  }

  #expireDue(): void {
    this.#timer = undefined;
    const at = this.#clock.now();
    for (let first = this.#first; first !== undefined; first = this.#first) {
      if (first.startedAt + this.#timeoutMillis > at) break;
      this.remove(first);
      first.expire(this.#timeoutMillis);
    }
    this.#arm();
  }
}
