import type { Facts } from './facts.ts';
import type { Fate } from './records.ts';

/** What a redelivery is paid by: the success of a live batch, a call of `redeliver()`, or a tick. */
export class Payments {
  /** Calls of `redeliver()` that have not resolved. */
  redelivering = 0;
  /** The order of the last call of `redeliver()` that has resolved. */
  redeliveredAs = 0;
  lastTickAt = Number.NEGATIVE_INFINITY;
  readonly #facts: Facts;
  #grants = 0;
  /** By late successes: they wait for an offer or a tick. */
  #lateGrants = 0;
  #keepings = 0;
  #keptAtRedeliver = 0;
  #lastForcedAt = Number.NEGATIVE_INFINITY;
  #lastOwnAt = Number.NEGATIVE_INFINITY;
  #lastOfferAt: number | undefined;
  /** Since when something is kept or handed over, and since when something is kept. */
  #somethingSince: number | undefined;
  #keptSince: number | undefined;
  readonly #pauses: number[] = [];

  constructor(facts: Facts) {
    this.#facts = facts;
  }

  offered(): void {
    const { now } = this.#facts;
    if (this.#lastOfferAt !== undefined) this.#pauses.push(now - this.#lastOfferAt);
    this.#lastOfferAt = now;
    this.#grants += this.#takeLate();
  }

  /** A batch has its place in retention's order from now on. */
  kept(fate: Fate): void {
    fate.keptAs ??= ++this.#keepings;
    this.#somethingSince ??= this.#facts.now;
  }

  /** A store is given a batch: one that it did not take before has lost its place. */
  put(fate: Fate, refusedFrom: number): void {
    fate.refusedFrom = refusedFrom;
    if (fate.told === undefined) fate.keptAs = undefined;
    this.kept(fate);
  }

  redeliverCalled(): void {
    this.redelivering++;
    this.#keptAtRedeliver = this.#keepings;
  }

  redeliverSettled(): void {
    this.redelivering--;
    this.redeliveredAs = this.#facts.nextOrder();
  }

  forced(): void {
    this.#lastForcedAt = this.#facts.now;
  }

  /** Something of the exporter's own accord begins or ends. */
  ownAccord(): void {
    this.#lastOwnAt = this.#facts.now;
  }

  /** A live sending of this duration was successful. */
  grant(durationMillis: number): void {
    if (durationMillis > 1_000) this.#lateGrants += this.#pace;
    else this.#grants += this.#pace;
  }

  cancelGrants(): void {
    this.#grants = 0;
    this.#lateGrants = 0;
  }

  /** A grant that finds nothing to send is void. */
  clampGrants(): void {
    const { delivery, state } = this.#facts.observed.snapshot();
    const out = this.#facts.sendings.filter(
      (sending) =>
        sending.to === 'inner' &&
        !sending.isLive &&
        this.#facts.isSurelyOut(sending) &&
        !sending.fate.sendings.some(({ answer }) => answer?.meaning === 'success'),
    );
    const sendable = state === 'CLOSED' ? Math.max(0, delivery.kept.batches - out.length) : 0;
    this.#grants = Math.min(this.#grants, sendable);
    this.#lateGrants = Math.min(this.#lateGrants, sendable);
  }

  pay(fate: Fate): void {
    if (this.redelivering > 0 && (fate.keptAs ?? 0) <= this.#keptAtRedeliver) {
      this.#facts.note('sent by redeliver()');
    } else if (this.#grants > 0) {
      this.#grants--;
      this.#facts.note('granted');
    } else {
      this.#facts.note('ticks while CLOSED');
      this.payByTick(`${fate.n} was sent again`);
      // The tick pays for one in any case.
      this.#grants += Math.max(0, this.#takeLate() - 1);
    }
  }

  payByTick(what: string): void {
    const { now, options, observed } = this.#facts;
    const { forced, delivery } = observed.snapshot();
    const isPossible = options.retention !== undefined && options.retention.idleMillis > 0;
    this.#facts.insist(isPossible, `${what} though nothing paid for it`);
    this.#facts.insist(delivery.kept.batches > 0, `${what} while nothing is kept`);
    const since = Math.max(this.#lastOfferAt ?? 0, this.lastTickAt, this.#somethingSince ?? now);
    this.lastTickAt = now;
    // A slow store is read first: the tick was before that.
    if (options.store === 'asynchronous') return;
    this.#facts.insist(forced === null, `${what} by a tick while forced`);
    const { least } = this.#idleMillis();
    this.#facts.insist(
      now - since >= least,
      `${what} ${now - since} ms after the last offer, tick or first keeping: nothing paid for it, and a tick needs ${least} ms`,
    );
  }

  /** A tick comes when it is due. */
  checkTicks(): void {
    const { options, observed, endedAt, now } = this.#facts;
    const { retention, store } = options;
    const { state, forced, delivery } = observed.snapshot();
    if (retention === undefined || retention.idleMillis === 0 || store !== 'none' || forced !== null) return;
    if (endedAt !== undefined || !observed.timersAreHonest() || delivery.kept.batches === 0) return;
    // A batch that is too old is only evicted at a tick.
    if (retention.maxAgeMillis !== Number.POSITIVE_INFINITY || this.redelivering > 0) return;
    const isBusy = this.#facts.sendings.some(
      (sending) =>
        sending.to === 'inner' &&
        sending.answer === undefined &&
        (!sending.isLive || sending.state === 'HALF_OPEN'),
    );
    if (isBusy) return;
    const since = Math.max(
      ...[this.#lastOfferAt ?? 0, this.lastTickAt, this.#lastOwnAt, this.#lastForcedAt],
      ...[this.#facts.lastAnswerOrTimeOutAt(), this.#keptSince ?? now],
    );
    const { most } = this.#idleMillis();
    this.#facts.insist(
      now - since <= most + 1,
      `no tick for ${now - since} ms while ${state}, though ${delivery.kept.batches} batches are kept and ${most} ms are enough`,
    );
  }

  noteKept(): void {
    const { now, observed, sendings } = this.#facts;
    const { kept } = observed.snapshot().delivery;
    this.#keptSince = kept.batches === 0 ? undefined : (this.#keptSince ?? now);
    const isHandedOver = sendings.some(({ fate, answer }) => fate.handedOverAt !== undefined && !answer);
    this.#somethingSince = kept.batches > 0 || isHandedOver ? (this.#somethingSince ?? now) : undefined;
  }

  get #pace(): number {
    return this.#facts.options.retention?.pace ?? 0;
  }

  #takeLate(): number {
    const due = Math.min(this.#lateGrants, this.#pace);
    this.#lateGrants -= due;
    if (due > 0) this.#facts.note('granted late');
    return due;
  }

  /** Offers at the same time may count as one. */
  #idleMillis(): { least: number; most: number } {
    const idleMillis = this.#facts.options.retention?.idleMillis ?? 0;
    const rhythm = (pauses: readonly number[]): number =>
      Math.max(idleMillis, Math.min(2 * Math.max(0, ...pauses.slice(-4)), 10 * idleMillis));
    const [every, real] = [rhythm(this.#pauses), rhythm(this.#pauses.filter((pause) => pause > 0))];
    return { least: Math.min(every, real), most: Math.max(every, real) };
  }
}
