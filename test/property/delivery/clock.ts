import type { Clock } from '../../../src/index.ts';

/** What becomes of a timer. */
export type TimerFate = 'on time' | 'late' | 'lost';

interface Timer {
  readonly dueAt: number;
  readonly callback: () => void;
}

/** How late a late timer fires. */
export const LATE_MILLIS = 700;

/** More steps than any history needs: a timer that arms itself anew at once is a loop. */
const MOST_STEPS = 5_000;

/** A manual clock that lets promises settle after each callback, may lose timers, and knows a blocked event loop. */
export class WorldClock implements Clock {
  #now = 1_000_000;
  #scheduled = 0;
  #fates: readonly TimerFate[];
  readonly #timers = new Set<Timer>();
  /** What the world itself does later: no timer of the exporter. */
  readonly #tasks = new Set<Timer>();

  /** @param fates - what becomes of each timer, over and over again */
  constructor(fates: readonly TimerFate[]) {
    this.#fates = fates;
  }

  now(): number {
    return this.#now;
  }

  schedule(callback: () => void, delayMillis: number): () => void {
    const fate = this.#fates[this.#scheduled++ % this.#fates.length] ?? 'on time';
    if (fate === 'lost') return () => {};
    return this.#add(this.#timers, callback, delayMillis + (fate === 'late' ? LATE_MILLIS : 0));
  }

  /** Has the world itself do something later. */
  after(delayMillis: number, callback: () => void): void {
    this.#add(this.#tasks, callback, delayMillis);
  }

  /** Timers of the exporter that are pending. */
  get timers(): number {
    return this.#timers.size;
  }

  get isHonest(): boolean {
    return this.#fates.length === 0;
  }

  /** Every timer that is scheduled from now on fires on time. */
  heal(): void {
    this.#fates = [];
  }

  async advance(millis: number): Promise<void> {
    const until = this.#now + millis;
    await settled();
    for (let steps = 0; ; steps++) {
      if (steps > MOST_STEPS) throw new Error('timers are armed over and over again');
      const next = this.#takeDue(until);
      if (next === undefined) break;
      this.#now = Math.max(this.#now, next.dueAt);
      next.callback();
      await settled();
    }
    this.#now = until;
  }

  /**
   * The event loop is blocked: time passes, and then the timers that are due fire together, before anything else comes in.
   *
   * @param sockets - what has waited in the sockets, and comes in after them
   */
  async block(millis: number, sockets: () => void): Promise<void> {
    this.#now += millis;
    const due = [...this.#timers].filter(({ dueAt }) => dueAt <= this.#now);
    for (const timer of due.sort((a, b) => a.dueAt - b.dueAt)) {
      if (this.#timers.delete(timer)) timer.callback();
    }
    sockets();
    await this.advance(0);
  }

  #add(timers: Set<Timer>, callback: () => void, delayMillis: number): () => void {
    const timer = { dueAt: this.#now + delayMillis, callback };
    timers.add(timer);
    return () => void timers.delete(timer);
  }

  #takeDue(until: number): Timer | undefined {
    let next: Timer | undefined;
    for (const timer of [...this.#tasks, ...this.#timers]) {
      if (timer.dueAt <= until && (next === undefined || timer.dueAt < next.dueAt)) next = timer;
    }
    if (next !== undefined && !this.#tasks.delete(next)) this.#timers.delete(next);
    return next;
  }
}

/** Lets promises settle. */
export async function settled(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}
