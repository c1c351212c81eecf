import type { Facts } from './facts.ts';
import type { Payments } from './payments.ts';
import type { Fate, InTime, Sending } from './records.ts';

/** Rules of what is sent: when, in which order, and never twice. */
export class SendingRules {
  readonly #facts: Facts;
  readonly #payments: Payments;

  constructor(facts: Facts, payments: Payments) {
    this.#facts = facts;
    this.#payments = payments;
  }

  checkLive(sending: Sending): void {
    const { fate, state } = sending;
    this.#insist(this.#facts.endedAt === undefined, `${fate.n} was sent though it came after shutdown()`);
    this.#insist(fate.sendings.length === 0, `${fate.n} was sent twice within export()`);
    this.#checkOneProbe(sending);
    this.#insist(state !== 'OPEN', `${fate.n} was sent while OPEN`);
    this.#facts.note(state === 'HALF_OPEN' ? 'live probes' : 'live sendings');
  }

  checkOwn(sending: Sending): void {
    const { fate, state } = sending;
    const { sendings, options, endedAt, observed } = this.#facts;
    this.#checkNotOver(fate, 'sent');
    this.#insist(
      fate.told?.code === 0 || fate.isRecovered || fate.sendings[0]?.state === 'HALF_OPEN',
      `${fate.n} was sent again, but its caller was not told SUCCESS`,
    );
    this.#insist(observed.isStored(fate.n), `${fate.n} was sent again, but the store does not hold it`);
    const others = sendings.filter(
      (out) => out.to === 'inner' && !out.isLive && this.#facts.isSurelyOut(out),
    );
    // After half of its time, the last drain goes on without what it has waited for.
    const mayHang = endedAt === undefined ? 0 : 1;
    this.#insist(others.length <= mayHang, `${fate.n} was sent again while ${others[0]?.fate.n} is`);
    this.#insist(
      fate.failures.min < (options.retention?.maxAttempts ?? 0),
      `${fate.n} was sent again after ${fate.failures.min} failures that count`,
    );
    this.#checkAge(sending);
    this.#checkOneProbe(sending);
    if (endedAt !== undefined) {
      this.#facts.note('sent at shutdown');
      this.#insist(observed.snapshot().forced !== 'OPEN', `${fate.n} was sent while forced OPEN`);
    } else if (state === 'HALF_OPEN') {
      this.#checkOtherProbe(fate);
      if (this.#payments.lastTickAt !== sending.at) this.#payments.payByTick(`${fate.n} became a probe`);
      this.#facts.note('kept batches as probes');
    } else {
      this.#insist(state === 'CLOSED', `${fate.n} was sent again while OPEN`);
      this.#checkTurn(fate);
      this.#payments.pay(fate);
    }
    this.#payments.ownAccord();
  }

  checkFallback({ fate }: Sending): void {
    const { endedAt, options } = this.#facts;
    this.#insist(options.hasFallback, 'there is no fallback');
    this.#checkNotOver(fate, 'given to the fallback');
    this.#insist(
      endedAt === undefined || fate.isRecovered || fate.offeredAt <= endedAt,
      `${fate.n} came after shutdown(), and went to the fallback`,
    );
    this.#facts.note('given to the fallback');
    this.#checkEviction(fate);
  }

  /**
   * A redelivery that failed counts where something else got through since its last failure.
   *
   * @param since - the failure was not before this
   * @param until - the failure was not after this
   */
  ownFailed(sending: Sending, since: number, until: number, inTime: InTime): void {
    const { fate } = sending;
    const { failures } = fate;
    if (this.#facts.endedAt !== undefined || sending.state === 'HALF_OPEN') return;
    // A time-out whose timer was lost may not have been noticed yet; one that was answered late was noticed before.
    const isNoticed =
      sending.answer === undefined ? this.#facts.observed.timersAreHonest() : inTime === 'yes';
    // Its first sending may have got through meanwhile: then it keeps no place.
    const isDelivered = fate.sendings.some(({ answer }) => answer?.meaning === 'success');
    if (isNoticed && !isDelivered) this.#payments.cancelGrants();
    const last = lastFailure(fate, sending);
    const successes = this.#facts.sendings.filter(
      ({ to, answer, fate: other }) => to === 'inner' && answer?.meaning === 'success' && other !== fate,
    );
    const isSure = successes.some(
      ({ answer, fate: other }) =>
        answer?.inTime === 'yes' && !other.isGone && answer.order > last.until && answer.order < since,
    );
    const isPossible =
      until === Number.POSITIVE_INFINITY ||
      successes.some(
        ({ answer }) => answer !== undefined && answer.order > last.since && answer.order <= until,
      );
    if (isSure && inTime === 'yes') failures.min++;
    if (isPossible) failures.max++;
    failures.since = since;
    failures.until = until;
    this.#facts.note(isPossible ? 'failures that count' : 'failures that do not count');
  }

  #checkOneProbe({ fate, state, to }: Sending): void {
    if (state !== 'HALF_OPEN' || this.#facts.endedAt !== undefined) return;
    const other = this.#facts.sendings.find(
      (sending) =>
        sending.to === to &&
        sending.state === 'HALF_OPEN' &&
        sending.generation === this.#facts.generation &&
        this.#facts.isSurelyOut(sending),
    );
    this.#insist(other === undefined, `${fate.n} is a probe beside ${other?.fate.n}`);
  }

  /** After a failed probe, another batch is the next. */
  #checkOtherProbe(fate: Fate): void {
    const { options, fates, observed } = this.#facts;
    const last = this.#facts.sendings.findLast(({ state, to }) => to === 'inner' && state === 'HALF_OPEN');
    if (last?.answer?.meaning !== 'failure' || last.isLive) return;
    // In between it was only OPEN: a circuit that was closed by hand begins anew.
    if (last.generation + 2 !== this.#facts.generation) return;
    // A slow store is read first: the choice was before that.
    const isOther = (other: Fate): boolean =>
      other !== fate &&
      this.#facts.isSurelyKept(other) &&
      (other.told?.at ?? Number.POSITIVE_INFINITY) < this.#payments.lastTickAt;
    const hasChoice =
      options.store === 'asynchronous' ? fates.some(isOther) : observed.snapshot().delivery.kept.batches > 1;
    if (!hasChoice) return;
    this.#insist(last.fate !== fate, `${fate.n} probes again right after it failed`);
  }

  #checkNotOver(fate: Fate, what: 'sent' | 'given to the fallback'): void {
    for (const { answer, to } of fate.sendings) {
      if (to === 'fallback') this.#facts.violate(`${fate.n} was ${what} after the fallback had it`);
      // What is evicted is read from a slow store before the fallback has it.
      const isRead = what === 'sent' || this.#facts.options.store !== 'asynchronous';
      if (to === 'inner' && answer?.meaning === 'success' && isRead)
        this.#facts.violate(`${fate.n} was ${what} again after SUCCESS`);
      if (to === 'inner' && answer?.meaning === 'invalid' && answer.inTime === 'yes' && what === 'sent')
        this.#facts.violate(`${fate.n} was sent again after it was invalid`);
    }
    if (this.#facts.endedAt !== undefined) return;
    const isOut = fate.sendings.some((sending) => this.#facts.isSurelyOut(sending));
    this.#insist(!isOut, `${fate.n} was ${what} while it is being sent`);
  }

  #checkAge({ fate, at }: Sending): void {
    const maxAgeMillis = this.#facts.options.retention?.maxAgeMillis ?? Number.POSITIVE_INFINITY;
    const [live, own] = fate.sendings;
    // A batch that was handed over, or that a store did not take at first, may count from either moment.
    const failedAt = live?.isLive ? (live.answer?.at ?? own?.at ?? at) : 0;
    const keptAt = Math.max(fate.told?.at ?? at, failedAt);
    this.#insist(at - keptAt <= maxAgeMillis, `${fate.n} was sent after ${at - keptAt} ms in retention`);
  }

  /** No batch is sent again before every other one that was kept all the time had its turn. */
  #checkTurn(fate: Fate): void {
    const last = fate.sendings.findLast(({ isLive, to }) => !isLive && to === 'inner');
    if (last?.state === 'HALF_OPEN') return;
    // redeliver() sends what was kept at its call, and passes others over.
    if (this.#payments.redelivering > 0 || (last?.order ?? 0) < this.#payments.redeliveredAs) return;
    for (const other of this.#facts.fates) {
      if (other === fate || !this.#facts.isSurelyKept(other)) continue;
      if (last === undefined) {
        const neverSent = !other.sendings.some(({ isLive }) => !isLive);
        if (neverSent && this.#isOlder(other, fate))
          this.#facts.violate(`${fate.n} was sent again before ${other.n}, which is older`);
      } else if (this.#wasPassedOver(other, last)) {
        this.#facts.violate(`${fate.n} was sent again before it was the turn of ${other.n}`);
      }
    }
  }

  /** What was handed over may come back behind others. */
  #isOlder(other: Fate, fate: Fate): boolean {
    if (other.handedOverAt !== undefined || fate.handedOverAt !== undefined) return false;
    return (other.keptAs ?? 0) < (fate.keptAs ?? 0);
  }

  #wasPassedOver(other: Fate, since: Sending): boolean {
    const last = other.sendings.at(-1);
    const wasSent = Math.max(last?.order ?? 0, last?.answer?.order ?? 0) >= since.order;
    return !wasSent && !other.isRecovered && (other.told?.at ?? Number.POSITIVE_INFINITY) < since.at;
  }

  /** The oldest goes first. */
  #checkEviction(fate: Fate): void {
    const { endedAt, options, fates } = this.#facts;
    const wasKept =
      fate.told?.code === 0 &&
      fate.sendings.every(({ answer }) => answer !== undefined && answer.meaning !== 'invalid');
    if (!wasKept || endedAt !== undefined || fate.isRecovered || options.store !== 'none') return;
    if (fate.failures.max >= (options.retention?.maxAttempts ?? 0)) return;
    const older = fates.find((other) => this.#facts.isSurelyKept(other) && this.#isOlder(other, fate));
    this.#insist(older === undefined, `${fate.n} was evicted before ${older?.n}, which is older`);
  }

  #insist(condition: boolean, otherwise: string): void {
    this.#facts.insist(condition, otherwise);
  }
}

/** Between which two moments a batch failed for the last time before it was sent again, or was kept. */
function lastFailure({ failures, sendings, told }: Fate, again: Sending): { since: number; until: number } {
  // When exactly a batch was recovered is not seen.
  const keptAs = told?.order ?? (failures.until > 0 ? 0 : again.order);
  const live = sendings.find(({ isLive }) => isLive);
  const answeredAs = live?.answer?.order ?? 0;
  const earliest = live?.answer?.inTime === 'yes' ? answeredAs : (live?.order ?? 0);
  // A time-out is seen as such only later.
  const before = sendings.findLast((sending) => sending.to === 'inner' && sending !== again);
  const isSeen = before === undefined || before.answer !== undefined || failures.until > before.order;
  const latest = isSeen ? Math.max(failures.until, answeredAs, keptAs) : again.order;
  return { since: Math.max(failures.since, earliest), until: Math.min(latest, again.order) };
}
