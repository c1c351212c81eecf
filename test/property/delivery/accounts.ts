import type { DeliverySnapshot } from '../../../src/index.ts';
import type { Facts } from './facts.ts';
import type { Sending } from './records.ts';

/** Rules of the ledger, whatever has happened. */
export class Accounts {
  readonly #facts: Facts;
  #before: DeliverySnapshot | undefined;

  constructor(facts: Facts) {
    this.#facts = facts;
  }

  check(): void {
    const { delivery } = this.#facts.observed.snapshot();
    for (const unit of ['batches', 'items'] as const) this.#checkSums(delivery, unit);
    this.#checkReasons(delivery);
    this.#checkAnswers(delivery);
    this.#checkBudget(delivery);
    this.#checkDurable(delivery);
    this.#before = structuredClone(delivery);
  }

  #checkSums(delivery: DeliverySnapshot, unit: 'batches' | 'items'): void {
    const { fates, losses, isShuttingDown } = this.#facts;
    const { offered, delivered, fallback, lost, kept, inFlight, recovered } = delivery;
    const parts = [delivered, fallback, lost, kept, inFlight].map((account) => account[unit]);
    const sum = parts.reduce((a, b) => a + b, 0);
    this.#insist(
      sum === offered[unit],
      `${offered[unit]} ${unit} offered, ${parts.join(' + ')} accounted for`,
    );
    this.#insist(
      parts.every((part) => part >= 0),
      `an account is overdrawn: ${parts.join(', ')}`,
    );
    for (const account of ['offered', 'delivered', 'fallback', 'lost', 'redelivered', 'recovered'] as const) {
      const before = this.#before?.[account][unit] ?? 0;
      this.#insist(delivery[account][unit] >= before, `${account} ran back from ${before} ${unit}`);
    }
    const offers = fates.filter(({ isRecovered }) => !isRecovered);
    const given = unit === 'batches' ? offers.length : offers.reduce((all, { items }) => all + items, 0);
    this.#insist(
      offered[unit] === given + recovered[unit],
      `${offered[unit]} ${unit} offered, ${given} were given, ${recovered[unit]} recovered`,
    );
    const told = losses.reduce((all, loss) => all + loss[unit], 0);
    // What a shutdown gives up is told once, when it is over.
    this.#insist(
      lost[unit] === told || isShuttingDown,
      `${lost[unit]} ${unit} lost, onLoss was told of ${told}`,
    );
  }

  #checkReasons({ lost, lostBy, evicted }: DeliverySnapshot): void {
    const { losses, isShuttingDown, options } = this.#facts;
    const sum = Object.values(lostBy).reduce((a, b) => a + b, 0);
    this.#insist(sum === lost.items, `${lost.items} items lost, ${sum} by their reasons`);
    for (const [reason, items] of Object.entries(lostBy)) {
      const told = losses.filter((loss) => loss.reason === reason).reduce((all, loss) => all + loss.items, 0);
      this.#insist(
        items === told || isShuttingDown,
        `lostBy.${reason} is ${items}, onLoss was told of ${told}`,
      );
    }
    for (const reason of ['full', 'expired', 'attempts', 'unreadable', 'invalid', 'shutdown'] as const) {
      if (evicted[reason] > (this.#before?.evicted[reason] ?? 0)) this.#facts.note(`evicted: ${reason}`);
      if (options.hasFallback) continue;
      const lostAlsoElse = reason === 'invalid' || reason === 'shutdown';
      this.#insist(
        lostAlsoElse ? lostBy[reason] >= evicted[reason] : lostBy[reason] === evicted[reason],
        `evicted.${reason} is ${evicted[reason]}, lostBy.${reason} ${lostBy[reason]}`,
      );
    }
  }

  /** What is delivered was answered with SUCCESS, and what was so answered in time is delivered. */
  #checkAnswers({ delivered, fallback, redelivered }: DeliverySnapshot): void {
    const count = (matches: (sending: Sending) => boolean, isSure: boolean): number =>
      this.#facts.fates.filter((fate) =>
        fate.sendings.some(
          (sending) =>
            sending.answer?.meaning === 'success' &&
            matches(sending) &&
            (!isSure || (sending.answer.inTime === 'yes' && !fate.isGone)),
        ),
      ).length;
    const within = (what: string, actual: number, least: number, most: number): void =>
      this.#insist(
        least <= actual && actual <= most,
        `${what} is ${actual}, must be from ${least} to ${most}`,
      );
    for (const [what, to, { batches }] of [
      ['delivered', 'inner', delivered],
      ['fallback', 'fallback', fallback],
    ] as const) {
      const isTo = (sending: Sending): boolean => sending.to === to;
      within(`${what}.batches`, batches, count(isTo, true), count(isTo, false));
    }
    const isOwn = ({ to, isLive }: Sending): boolean => to === 'inner' && !isLive;
    within('redelivered.batches', redelivered.batches, count(isOwn, true), delivered.batches);
  }

  /** What is kept and what is handed over never exceed the budget. */
  #checkBudget({ kept }: DeliverySnapshot): void {
    const { retention, textLength, store } = this.#facts.options;
    if (retention === undefined) {
      this.#insist(kept.batches === 0, `${kept.batches} batches are kept without retention`);
      return;
    }
    // A shutdown moves what is handed over as it likes.
    const handedOver = this.#facts.endedAt === undefined ? this.#facts.handedOver() : [];
    const items = kept.items + handedOver.reduce((all, { fate }) => all + fate.items, 0);
    this.#insist(items <= retention.maxItems, `${items} items kept or handed over, of ${retention.maxItems}`);
    if (store === 'none')
      this.#insist(
        items * textLength <= retention.maxBytes,
        `${items} items of ${textLength} bytes kept or handed over, of ${retention.maxBytes}`,
      );
  }

  /** What a persistent store has taken is in it, until it is delivered, given to the fallback, dropped or lost. */
  #checkDurable({ lost, inFlight }: DeliverySnapshot): void {
    const { fates, options, observed } = this.#facts;
    if (!options.isPersistent) return;
    const missing = fates.filter(
      ({ n, told, sendings, isGone }) =>
        told?.code === 0 &&
        !isGone &&
        !observed.isStored(n) &&
        !sendings.some(({ to, answer }) => to === 'fallback' || answer?.meaning === 'success'),
    );
    this.#insist(
      missing.length <= lost.batches + inFlight.batches,
      `${missing.map(({ n }) => n)} were accepted, and are in no store; ${lost.batches} are lost`,
    );
  }

  #insist(condition: boolean, otherwise: string): void {
    this.#facts.insist(condition, otherwise);
  }
}
