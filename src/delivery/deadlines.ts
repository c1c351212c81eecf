import type { Clock } from '../breaker/clock.ts';

/** One wait of a {@link Deadlines}. */
export interface Wait<S> {
  readonly subject: S;
  /** `clock.now()` when it began. */
  readonly startedAt: number;
}

interface Link<S> extends Wait<S> {
  state: 'waiting' | 'overdue' | 'over';
  overdueSince: number;
  earlier: Link<S> | undefined;
  later: Link<S> | undefined;
}

/**
 * An overdue wait is over at the next look this much later, even if no timer fires. In between, answers that wait in the
 * sockets of a process that was blocked or suspended come in first.
 */
const GRACE_MILLIS = 50;

/**
 * One time limit for many waits. They expire in the order in which they began, and one timer, for the first of them,
 * serves all: a wait that ends in time costs no timer of its own.
 *
 * No timer is trusted to fire: {@link look} finds what is overdue, too, and arms a lost timer anew.
 */
export class Deadlines<S> {
  readonly #clock: Clock;
  readonly #limitMillis: () => number;
  readonly #onOver: (subject: S) => void;
  #first: Link<S> | undefined;
  #last: Link<S> | undefined;
  /** Overdue waits, in their order; each has its grace. */
  readonly #overdue = new Set<Link<S>>();
  #timer: { readonly dueAt: number; readonly cancel: () => void } | undefined;
  #graceTimer: { readonly dueAt: number; readonly cancel: () => void } | undefined;
  #ended = false;

  /**
   * @param limitMillis - how long a wait may take, in milliseconds; `Infinity` = no limit. Asked anew at each look; call
   * {@link look} when it has shrunk
   * @param onOver - is told of each wait that is over. Must not throw
   */
  constructor(clock: Clock, limitMillis: () => number, onOver: (subject: S) => void) {
    this.#clock = clock;
    this.#limitMillis = limitMillis;
    this.#onOver = onOver;
  }

  /** Whether nothing waits, so that {@link look} has nothing to find. */
  get isEmpty(): boolean {
    return this.#first === undefined && this.#overdue.size === 0;
  }

  /** Everything that waits. */
  waiting(): readonly S[] {
    const all = [...this.#overdue];
    for (let link = this.#first; link !== undefined; link = link.later) all.push(link);
    return all.map(({ subject }) => subject);
  }

  /** When the oldest wait began; `undefined` if nothing waits. */
  get oldestStartedAt(): number | undefined {
    for (const { startedAt } of this.#overdue) return startedAt;
    return this.#first?.startedAt;
  }

  add(subject: S, startedAt: number): Wait<S> {
    // Almost always the newest, except where one export began inside another.
    let earlier = this.#last;
    while (earlier !== undefined && earlier.startedAt > startedAt) earlier = earlier.earlier;
    const later = earlier === undefined ? this.#first : earlier.later;
    const link: Link<S> = { subject, startedAt, state: 'waiting', overdueSince: 0, earlier, later };
    this.#join(earlier, link);
    this.#join(link, later);
    this.#arm(startedAt);
    return link;
  }

  /** The wait has ended in time. */
  remove(wait: Wait<S>): void {
    const link = wait as Link<S>;
    if (link.state === 'waiting') this.#unlink(link);
    else this.#overdue.delete(link);
    link.state = 'over';
    if (this.#ended) this.#disarmIfEmpty();
  }

  /** Finds what is overdue; ends what has been overdue for long enough. */
  look(at: number): void {
    if (this.isEmpty) return;
    const limitMillis = this.#limitMillis();
    for (const link of [...this.#overdue]) if (at - link.overdueSince >= GRACE_MILLIS) this.#over(link);
    for (let link = this.#first; link !== undefined; link = this.#first) {
      if (link.startedAt + limitMillis > at) break;
      this.#unlink(link);
      link.state = 'overdue';
      link.overdueSince = at;
      this.#overdue.add(link);
    }
    if (this.#overdue.size > 0 && (this.#graceTimer === undefined || this.#graceTimer.dueAt < at)) {
      this.#graceTimer?.cancel();
      this.#graceTimer = { dueAt: at, cancel: this.#clock.schedule(() => this.#endGrace(), 0) };
    }
    this.#arm(at);
  }

  /** Ends everything that waits, as if its time were over. */
  expireAll(): void {
    for (const link of [...this.#overdue]) this.#over(link);
    for (let link = this.#first; link !== undefined; link = this.#first) {
      this.remove(link);
      this.#onOver(link.subject);
    }
  }

  /** From now on, the timers go whenever nothing waits. Otherwise they stay, because the next wait is seldom far. */
  end(): void {
    this.#ended = true;
    this.#disarmIfEmpty();
  }

  #endGrace(): void {
    this.#graceTimer = undefined;
    for (const link of [...this.#overdue]) this.#over(link);
  }

  #over(link: Link<S>): void {
    // A listener may have ended this one meanwhile.
    if (!this.#overdue.has(link)) return;
    this.remove(link);
    this.#onOver(link.subject);
  }

  #disarmIfEmpty(): void {
    if (!this.isEmpty) return;
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#graceTimer?.cancel();
    this.#graceTimer = undefined;
  }

  #unlink(link: Link<S>): void {
    this.#join(link.earlier, link.later);
    link.earlier = undefined;
    link.later = undefined;
  }

  #join(earlier: Link<S> | undefined, later: Link<S> | undefined): void {
    if (earlier === undefined) this.#first = later;
    else earlier.later = later;
    if (later === undefined) this.#last = earlier;
    else later.earlier = earlier;
  }

  #arm(at: number): void {
    if (this.#first === undefined) return;
    const dueAt = this.#first.startedAt + this.#limitMillis();
    if (dueAt === Number.POSITIVE_INFINITY) return;
    const timer = this.#timer;
    // A timer that fires too early looks again. One that is too late, or should have fired already, is replaced.
    if (timer !== undefined && timer.dueAt <= dueAt && timer.dueAt >= at) return;
    timer?.cancel();
    const restMillis = Math.max(0, dueAt - this.#clock.now());
    this.#timer = { dueAt, cancel: this.#clock.schedule(() => this.#timerFired(), restMillis) };
  }

  #timerFired(): void {
    this.#timer = undefined;
    this.look(this.#clock.now());
  }
}
