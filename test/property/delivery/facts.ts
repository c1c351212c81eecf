import type { BooksOptions, Fate, InTime, Loss, Observed, Sending } from './records.ts';

/** What was seen, and what follows from it. */
export class Facts {
  readonly options: BooksOptions;
  readonly observed: Observed;
  readonly fates: Fate[] = [];
  readonly sendings: Sending[] = [];
  readonly losses: Loss[] = [];
  /** What has happened, and how often. */
  readonly seen: Record<string, number> = {};
  readonly log: string[] = [];
  /** When `shutdown()` was called. */
  endedAt: number | undefined;
  isShuttingDown = false;
  generation = 0;
  fallbackFailures = 0;
  lastAnswerAt = Number.NEGATIVE_INFINITY;
  lastTransitionAt = Number.NEGATIVE_INFINITY;
  lastBlockAt = Number.NEGATIVE_INFINITY;
  /** The start of a block of the event loop, while what waited in the sockets comes in. */
  blockedSince: number | undefined;
  #order = 0;
  #violation: string | undefined;

  constructor(options: BooksOptions, observed: Observed) {
    this.options = options;
    this.observed = observed;
  }

  get now(): number {
    return this.observed.now();
  }

  /** Counts what happens. */
  nextOrder(): number {
    return ++this.#order;
  }

  get #timeOutMillis(): number {
    return this.options.exportTimeoutMillis || Number.POSITIVE_INFINITY;
  }

  /** Unanswered, and not timed out either. */
  isSurelyOut(sending: Sending): boolean {
    return sending.answer === undefined && !this.mayBeOver(sending) && !sending.fate.isGone;
  }

  /** Its time-out has passed; whether it was noticed depends on timers. */
  mayBeOver(sending: Sending): boolean {
    return this.now >= sending.at + this.#timeOutMillis;
  }

  /**
   * Neither answered nor surely timed out at a time. A blocked process may hear of the answer before its timers fire, and
   * a store may have dropped the batch.
   */
  wasPerhapsOutAt(sending: Sending, at: number): boolean {
    const isAnswered = sending.answer !== undefined && sending.answer.at < at;
    const isOver = sending.at + this.#timeOutMillis < at && this.observed.timersAreHonest();
    return sending.isLive && !isAnswered && !isOver;
  }

  /** Whether an answer that comes now is in time. */
  inTime(sending: Sending): InTime {
    const dueAt = sending.at + this.#timeOutMillis;
    // What is unanswered when the time of shutdown() is over is given up.
    if (this.endedAt !== undefined) return 'perhaps';
    if (this.now < dueAt) return 'yes';
    if (this.blockedSince !== undefined && this.blockedSince < dueAt)
      return this.observed.timersAreHonest() ? 'yes' : 'perhaps';
    return this.now > dueAt && this.observed.timersAreHonest() ? 'no' : 'perhaps';
  }

  /** Live sendings that are handed over, and for sure unanswered. */
  handedOver(): Sending[] {
    return this.sendings.filter(
      (sending) => sending.isLive && sending.fate.handedOverAt !== undefined && this.isSurelyOut(sending),
    );
  }

  lastAnswerOrTimeOutAt(): number {
    const timeOuts = this.sendings.map(({ at }) => at + this.#timeOutMillis).filter((at) => at <= this.now);
    return Math.max(this.lastAnswerAt, this.lastTransitionAt, ...timeOuts);
  }

  /** Whether there is room for sure: all can be evicted but what is handed over, or being sent again. */
  hasRoom(fate: Fate, own?: Sending): boolean {
    const { retention, textLength } = this.options;
    if (retention === undefined) return false;
    const held = this.sendings.filter(
      (sending) =>
        sending !== own &&
        sending.to === 'inner' &&
        (sending.answer === undefined || sending.answer.at >= fate.offeredAt) &&
        (!sending.isLive || sending.fate.handedOverAt !== undefined),
    );
    const items = held.reduce((all, sending) => all + sending.fate.items, fate.items);
    return items <= retention.maxItems && items * (2 * textLength + 400) + 2_000 <= retention.maxBytes;
  }

  /**
   * Whether a batch is kept for sure. Evictions are not seen as such where nothing takes what is evicted: then nothing is
   * sure once there were any.
   */
  isSurelyKept(fate: Fate): boolean {
    const { retention, store, hasFallback } = this.options;
    if (fate.told?.code !== 0 || fate.isGone) return false;
    if (fate.failures.max >= (retention?.maxAttempts ?? 0)) return false;
    const isElsewhere = fate.sendings.some(
      ({ to, answer }) =>
        to === 'fallback' || answer?.meaning === undefined || ['success', 'invalid'].includes(answer.meaning),
    );
    if (isElsewhere) return false;
    if (store !== 'none') return this.observed.isStored(fate.n);
    const { evicted } = this.observed.snapshot().delivery;
    // The fallback's own circuit loses batches unseen once three have failed in a row.
    return evicted.full + evicted.expired === 0 || (hasFallback && this.fallbackFailures < 3);
  }

  note(what: string): void {
    this.seen[what] = (this.seen[what] ?? 0) + 1;
  }

  say(what: string): void {
    this.log.push(`${this.now - 1_000_000} ms: ${what}`);
  }

  insist(condition: boolean, otherwise: string): void {
    if (!condition) this.violate(otherwise);
  }

  violate(what: string): void {
    this.say(`VIOLATION: ${what}`);
    this.#violation ??= what;
  }

  /** Whether a store may have refused a batch that was to be kept at once: it is sent then like one that comes now. */
  mayBeRefused({ refusedFrom, told, sendings }: Fate): boolean {
    return (
      refusedFrom !== undefined && refusedFrom <= this.now && told === undefined && sendings.length === 0
    );
  }

  /** What is found inside a call of the exporter's would be taken there for a failure of the party that it called. */
  rethrow(): void {
    if (this.#violation === undefined) return;
    const { delivery } = this.observed.snapshot();
    throw new Error(`${this.#violation}\n${this.log.join('\n')}\n${JSON.stringify(delivery)}`);
  }
}
