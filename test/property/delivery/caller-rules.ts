import type { Facts } from './facts.ts';
import type { Payments } from './payments.ts';
import type { Fate, Sending } from './records.ts';
import { LONGEST_WAIT_MILLIS, PUT_MILLIS } from './records.ts';
import type { Usual } from './usual.ts';

/** How long a bound of three lasts: nothing is answered for so long. */
const SILENCE_MILLIS = 1_000;

/** Rules of what callers are told, and when. */
export class CallerRules {
  readonly #facts: Facts;
  readonly #payments: Payments;
  readonly #usual: Usual;

  constructor(facts: Facts, payments: Payments, usual: Usual) {
    this.#facts = facts;
    this.#payments = payments;
    this.#usual = usual;
  }

  /** At the end of an offer. */
  checkOffered(fate: Fate): void {
    const { state } = this.#facts.observed.snapshot();
    const wasSent = fate.sendings.length > 0;
    if (this.#facts.endedAt !== undefined) {
      this.#insist(fate.told?.code === 1, `${fate.n} came after shutdown(), and its caller was not told so`);
    } else if (state !== 'CLOSED') {
      if (!wasSent) this.#facts.note('rejected');
    } else if (this.#facts.lastTransitionAt !== this.#facts.now) {
      this.#checkBoundOfThree(fate, wasSent);
    }
  }

  checkAccepted(fate: Fate): void {
    const { options, endedAt, now, observed, lastBlockAt } = this.#facts;
    if (fate.sendings.some(({ answer }) => answer?.meaning === 'success')) return;
    const live = fate.sendings.find(({ isLive }) => isLive);
    if (options.retention === undefined) {
      this.#checkReported(fate, live);
      return;
    }
    this.#insist(fate.items > 0, `the empty batch ${fate.n} was kept`);
    // After the time-out, only a SUCCESS counts.
    const isInvalid = live?.answer?.meaning === 'invalid' && live.answer.inTime === 'yes';
    this.#insist(!isInvalid, `${fate.n} was kept though it is invalid`);
    const isBeingPut =
      options.store !== 'none' && (now - (endedAt ?? now) <= PUT_MILLIS || now === lastBlockAt);
    this.#insist(
      // At the call itself, what is overdue is found first.
      endedAt === undefined || now === endedAt || options.isPersistent || isBeingPut,
      `${fate.n} was kept after shutdown()`,
    );
    this.#insist(fate.isGone || observed.isStored(fate.n), `${fate.n} was accepted before the store had it`);
    this.#payments.kept(fate);
    if (live !== undefined && live.answer === undefined) this.#checkHandOver(fate, live);
  }

  checkRefused(fate: Fate, error: unknown): void {
    const { endedAt } = this.#facts;
    this.#insist(
      typeof (error as Error | undefined)?.message === 'string',
      `the caller of ${fate.n} was told FAILED without an error`,
    );
    if (endedAt !== undefined && fate.offeredAt > endedAt) {
      this.#insist(
        (error as { code?: unknown }).code === 'ERR_EXPORTER_SHUTDOWN',
        `${fate.n} came after shutdown(), and its caller was told ${String(error)}`,
      );
    } else {
      this.#insist(
        !this.#couldBeKept(fate),
        `the caller of ${fate.n} was told FAILED, though there was room to keep it`,
      );
    }
  }

  /** Nobody waits for longer than the contract allows. */
  checkWaiting(): void {
    const { observed, options, now, lastBlockAt, fates } = this.#facts;
    if (!observed.timersAreHonest()) return;
    const timeOut = options.exportTimeoutMillis || Number.POSITIVE_INFINITY;
    const ofFallback = options.hasFallback ? timeOut : 0;
    const storing = options.store === 'none' ? 0 : PUT_MILLIS;
    for (const fate of fates) {
      if (fate.told !== undefined || fate.isRecovered || lastBlockAt >= fate.offeredAt) continue;
      const waited = now - fate.offeredAt;
      const wait = (what: string, most: number): void =>
        this.#insist(waited <= most, `the caller of ${what} ${fate.n} has waited for ${waited} ms`);
      wait('batch', timeOut + ofFallback + 2 * storing);
      const [live] = fate.sendings;
      if (live === undefined || live.answer !== undefined || live.to !== 'inner') continue;
      if (this.#facts.endedAt !== undefined) continue;
      if (live.state === 'HALF_OPEN') wait('the probe', LONGEST_WAIT_MILLIS + storing + ofFallback);
      this.#checkStillUsual(fate, live);
    }
  }

  #checkBoundOfThree(fate: Fate, wasSent: boolean): void {
    const { options, sendings, now, observed } = this.#facts;
    const perhapsOut = sendings.filter(
      (sending) =>
        sending.isLive &&
        sending.fate.handedOverAt !== undefined &&
        sending.answer === undefined &&
        sending.fate !== fate,
    );
    if (!options.retention?.handOverMillis || perhapsOut.length < 3) {
      this.#insist(wasSent, `${fate.n} was held up while CLOSED`);
      return;
    }
    const out = this.#facts.handedOver().filter((sending) => sending.fate !== fate);
    const isSilent =
      out.filter(({ at }) => now - at > SILENCE_MILLIS).length >= 3 &&
      now - this.#facts.lastAnswerOrTimeOutAt() > SILENCE_MILLIS;
    // A store may have no room.
    if (!isSilent || observed.snapshot().forced !== null || options.store !== 'none') return;
    if (fate.items === 0 || !this.#facts.hasRoom(fate)) return;
    this.#insist(!wasSent, `${fate.n} was sent while three are handed over and nothing is answered`);
    this.#insist(fate.told?.code === 0, `the caller of ${fate.n} waits, though it was kept at once`);
    this.#facts.note('kept at once behind three');
  }

  /** Without retention only a rejected batch is reported as SUCCESS, or a probe after a while. */
  #checkReported(fate: Fate, live: Sending | undefined): void {
    const isReported =
      this.#facts.options.reportRejectedAs === 'success' &&
      (live === undefined ||
        (live.state === 'HALF_OPEN' && this.#facts.now - live.at >= LONGEST_WAIT_MILLIS));
    this.#insist(isReported, `the caller of ${fate.n} was told SUCCESS for nothing`);
  }

  /** Not before it took longer than usual. */
  #checkHandOver(fate: Fate, live: Sending): void {
    const { now, observed, endedAt, options, sendings, lastBlockAt } = this.#facts;
    if (this.#facts.mayBeOver(live)) {
      // Where its timer was lost, or has had to wait, it may be handed over as well.
      if (!observed.timersAreHonest() || lastBlockAt === now) fate.handedOverAt = now;
      return;
    }
    // What a shutdown gives up may stay in a persistent store.
    if (endedAt !== undefined) return;
    fate.handedOverAt = now;
    this.#facts.note(live.state === 'HALF_OPEN' ? 'probes handed over' : 'handed over');
    const tookMillis = now - live.at;
    if (live.state === 'HALF_OPEN' && tookMillis >= LONGEST_WAIT_MILLIS) return;
    const handOverMillis = options.retention?.handOverMillis || Number.POSITIVE_INFINITY;
    const dueBesideOther = live.at + handOverMillis;
    const isBesideOther = sendings.some(
      (sending) =>
        sending.fate !== fate &&
        sending.fate.handedOverAt !== undefined &&
        this.#facts.wasPerhapsOutAt(sending, dueBesideOther),
    );
    const least = Math.max(handOverMillis, isBesideOther ? 0 : this.#usual.since(live.at).min);
    this.#insist(
      tookMillis >= least,
      `${fate.n} was handed over after ${tookMillis} ms, ${least} ms are usual`,
    );
  }

  /** It is handed over as soon as it takes longer than usual, if there is room. */
  #checkStillUsual(fate: Fate, live: Sending): void {
    const { options, now } = this.#facts;
    const handOverMillis = options.retention?.handOverMillis ?? 0;
    if (handOverMillis === 0 || options.store !== 'none' || fate.items === 0) return;
    if (!this.#facts.hasRoom(fate, live)) return;
    const others = this.#facts.handedOver().map((sending) => sending.fate.handedOverAt ?? now);
    const besideOther =
      others.length === 0 ? Number.POSITIVE_INFINITY : Math.max(live.at + handOverMillis, ...others);
    const due = Math.min(live.at + this.#usual.since(live.at).max, besideOther);
    this.#insist(now <= due, `${fate.n} should have been handed over ${now - due} ms ago`);
  }

  #couldBeKept(fate: Fate): boolean {
    const { options, endedAt } = this.#facts;
    if (options.store !== 'none' || fate.items === 0 || endedAt !== undefined) return false;
    if (fate.sendings.some(({ answer }) => answer?.meaning === 'invalid')) return false;
    return this.#facts.hasRoom(
      fate,
      fate.sendings.findLast(({ to }) => to === 'inner'),
    );
  }

  #insist(condition: boolean, otherwise: string): void {
    this.#facts.insist(condition, otherwise);
  }
}
