import type { CircuitState, ExporterSnapshot, ExportResultLike } from '../../../src/index.ts';
import { Accounts } from './accounts.ts';
import { CallerRules } from './caller-rules.ts';
import { Facts } from './facts.ts';
import { Payments } from './payments.ts';
import type { BooksOptions, Fate, Loss, Meaning, Observed, Sending } from './records.ts';
import { SendingRules } from './sending-rules.ts';
import { Usual } from './usual.ts';

/**
 * What an observer of an exporter knows: offers, calls of the parties and their answers, what callers were told. It says
 * at each of them, and between them, what the contract does not allow. It has no queue of its own.
 */
export class Books {
  readonly facts: Facts;
  readonly payments: Payments;
  readonly #usual: Usual;
  readonly #accounts: Accounts;
  readonly #sendingRules: SendingRules;
  readonly #callerRules: CallerRules;
  readonly #timedOut = new Set<Sending>();
  #offering: Fate | undefined;
  #recovered = 0;
  /** When time-outs were last looked for. */
  #lookedAs = 0;

  constructor(options: BooksOptions, observed: Observed) {
    this.facts = new Facts(options, observed);
    this.payments = new Payments(this.facts);
    this.#usual = new Usual(this.facts);
    this.#accounts = new Accounts(this.facts);
    this.#sendingRules = new SendingRules(this.facts, this.payments);
    this.#callerRules = new CallerRules(this.facts, this.payments, this.#usual);
  }

  offer(items: number): Fate {
    const fate = this.#newFate(this.facts.fates.length, items, false);
    this.payments.offered();
    this.#offering = fate;
    this.facts.say(`offer ${fate.n} of ${items} items`);
    return fate;
  }

  /** @param n - below 0 */
  recovered(n: number, items: number): Fate {
    const fate = this.#newFate(n, items, true);
    // What an earlier process kept comes before what came meanwhile.
    fate.keptAs = -1e6 + this.#recovered++;
    return fate;
  }

  /** The call of `export()` is over. */
  offered(fate: Fate): void {
    this.#offering = undefined;
    this.#callerRules.checkOffered(fate);
  }

  sent(to: 'inner' | 'fallback', fate: Fate): Sending {
    const { facts } = this;
    const { state } = facts.observed.snapshot();
    const isLive = to === 'inner' && (this.#offering === fate || facts.mayBeRefused(fate));
    const sending: Sending = {
      ...{ fate, to, isLive, state, generation: facts.generation },
      ...{ at: facts.now, order: facts.nextOrder(), answer: undefined },
    };
    facts.say(`${isLive ? 'live' : 'own'} sending of ${fate.n} to ${to} while ${state}`);
    if (to === 'fallback') this.#sendingRules.checkFallback(sending);
    else if (isLive) this.#sendingRules.checkLive(sending);
    else this.#sendingRules.checkOwn(sending);
    facts.sendings.push(sending);
    fate.sendings.push(sending);
    return sending;
  }

  /** An answer is about to be given. */
  answering(sending: Sending, meaning: Meaning): void {
    const { facts } = this;
    if (sending.answer !== undefined) {
      facts.note('double answers');
      return;
    }
    const inTime = facts.inTime(sending);
    facts.say(`${sending.to} answers ${sending.fate.n}: ${meaning}, in time: ${inTime}`);
    sending.answer = { meaning, at: facts.now, order: facts.nextOrder(), inTime };
    if (sending.to === 'fallback') {
      if (meaning !== 'success') facts.fallbackFailures++;
      return;
    }
    facts.lastAnswerAt = facts.now;
    if (inTime === 'no') facts.note('late answers');
    if (sending.isLive) this.#liveAnswered(sending, meaning);
    else if (inTime !== 'no') this.#ownAnswered(sending, meaning);
  }

  /** What was answered since the rejection may have been heard before it. */
  rejectionHeard({ fate: { failures }, answer }: Sending): void {
    if (failures.until === answer?.order) failures.until = this.facts.nextOrder();
  }

  /** The exporter has taken an answer in. */
  answered(sending: Sending, before: ExporterSnapshot): void {
    const after = this.facts.observed.snapshot();
    const isOwn = !sending.isLive && sending.state !== 'HALF_OPEN';
    if (sending.to === 'inner' && (sending.answer?.inTime === 'no' || isOwn)) {
      const what = sending.isLive ? 'a late answer' : 'a redelivery';
      for (const field of ['state', 'consecutiveFailures'] as const)
        this.facts.insist(
          before[field] === after[field],
          `${what} moved ${field} from ${before[field]} to ${after[field]}`,
        );
    }
    // A fallback may answer while its batch makes room for one that is about to be kept.
    if (sending.to === 'inner') this.payments.clampGrants();
  }

  told(fate: Fate, { code, error }: ExportResultLike): void {
    const { facts } = this;
    facts.say(`caller of ${fate.n} is told ${code}${code === 0 ? '' : ` (${String(error?.name)})`}`);
    facts.insist(fate.told === undefined, `the caller of ${fate.n} was told twice`);
    fate.told ??= { code, at: facts.now, order: facts.nextOrder() };
    if (code === 0) this.#callerRules.checkAccepted(fate);
    else this.#callerRules.checkRefused(fate, error);
  }

  lost(loss: Loss): void {
    const { facts } = this;
    const { reason, batches, items } = loss;
    facts.say(`lost: ${batches} batches, ${items} items, ${reason}`);
    facts.note(`lost: ${reason}`);
    facts.losses.push(loss);
    facts.insist(
      batches === 1 || reason === 'shutdown',
      `onLoss told of ${batches} batches, lost for ${reason}`,
    );
    if (!facts.options.hasFallback) return;
    // A store may drop a batch, or fail to read it: then there is none to give to the fallback.
    const ofStore = facts.options.store === 'none' ? [] : ['unreadable', 'full'];
    facts.insist(
      ['fallback', 'ended', 'shutdown', ...ofStore].includes(reason),
      `lost for ${reason} without a try of the fallback`,
    );
  }

  stateChanged(from: CircuitState, to: CircuitState): void {
    this.facts.say(`${from} -> ${to}`);
    this.facts.note(`to ${to}`);
    this.facts.generation++;
    this.facts.lastTransitionAt = this.facts.now;
    if (to !== 'CLOSED') this.payments.cancelGrants();
  }

  policyAsked(): void {
    const refused = this.facts.fates.find((fate) => this.facts.mayBeRefused(fate) && !fate.isAsked);
    const asker = this.#offering ?? refused;
    if (asker !== undefined) {
      if (asker === refused) this.facts.note('attempts after a refusal of the store');
      asker.isAsked = true;
      return;
    }
    this.facts.say('a tick asks the probe policy');
    this.facts.note('ticks while OPEN');
    this.facts.insist(this.facts.endedAt === undefined, 'a tick after shutdown()');
    this.payments.payByTick('the probe policy was asked');
  }

  shutdownCalled(): void {
    if (this.facts.endedAt !== undefined) return;
    this.facts.endedAt = this.facts.now;
    this.facts.isShuttingDown = true;
    this.payments.cancelGrants();
  }

  /** Every time-out that has passed is a failure of its sending. */
  noteTimeOuts(): void {
    for (const sending of this.facts.sendings) {
      if (sending.answer || !this.facts.mayBeOver(sending) || this.#timedOut.has(sending)) continue;
      this.#timedOut.add(sending);
      this.#noteTimeOut(sending);
    }
    this.#lookedAs = this.facts.nextOrder();
  }

  /** @param isCalm - whether all promises had the time to settle */
  check(isCalm: boolean): void {
    this.#accounts.check();
    this.payments.noteKept();
    if (isCalm) {
      this.#callerRules.checkWaiting();
      this.payments.checkTicks();
    }
    this.facts.rethrow();
  }

  #liveAnswered(sending: Sending, meaning: Meaning): void {
    const { facts } = this;
    const { inTime } = sending.answer ?? {};
    if (meaning !== 'success') return;
    this.#usual.succeeded(facts.now - sending.at, inTime === 'yes');
    const isProbe = sending.state === 'HALF_OPEN' && sending.generation === facts.generation;
    const isClosed = facts.observed.snapshot().state === 'CLOSED';
    if (inTime !== 'no' && (isClosed || isProbe) && facts.endedAt === undefined)
      this.payments.grant(facts.now - sending.at);
  }

  #ownAnswered(sending: Sending, meaning: Meaning): void {
    const { order = 0, inTime = 'perhaps' } = sending.answer ?? {};
    const since = inTime === 'yes' ? order : sending.order;
    this.payments.ownAccord();
    if (meaning === 'success') this.facts.note('redelivered');
    else if (meaning !== 'invalid') this.#sendingRules.ownFailed(sending, since, order, inTime);
  }

  #noteTimeOut(sending: Sending): void {
    // Without its timer it may be noticed at any time later.
    const until = this.facts.observed.timersAreHonest() ? this.facts.nextOrder() : Number.POSITIVE_INFINITY;
    if (sending.to === 'fallback') {
      this.facts.fallbackFailures++;
    } else if (sending.isLive) {
      this.facts.note('time-outs');
      sending.fate.failures.since = this.#lookedAs;
      sending.fate.failures.until = until;
    } else {
      this.facts.note('time-outs of redeliveries');
      this.#sendingRules.ownFailed(sending, this.#lookedAs, until, 'perhaps');
    }
  }

  #newFate(n: number, items: number, isRecovered: boolean): Fate {
    const fate: Fate = {
      ...{ n, items, isRecovered, offeredAt: this.facts.now, sendings: [], isGone: false, isAsked: false },
      ...{ told: undefined, handedOverAt: undefined, keptAs: undefined, refusedFrom: undefined },
      failures: { min: 0, max: 0, since: 0, until: 0 },
    };
    this.facts.fates.push(fate);
    return fate;
  }
}
