import type { CircuitState, DeliverySnapshot, EvictionReason } from '../../src/index.ts';

/** What an exporter may be asked to do with a batch. */
export type Outcome = 'success' | 'failure' | 'invalid' | 'ignored' | 'throw' | 'nothing' | 'twice' | 'hold';

/** What an answer means. */
export type Meaning = 'success' | 'failure' | 'invalid' | 'ignored';

export type Batch = readonly number[];

/** Where a batch is; each is in exactly one place. */
type Place =
  | 'offered'
  | 'inner'
  | 'kept'
  | 'owed'
  | 'surrendered'
  | 'fallback'
  | 'delivered'
  | 'fellBack'
  | 'lost';

export interface Fate {
  readonly number: number;
  readonly items: number;
  place: Place;
  told: number;
  keptAt: number;
  /** The order of keeping. */
  keptAs: number;
  everKept: boolean;
  failures: number;
}

/** One call of the inner exporter's or the fallback's `export`. */
export interface Call {
  readonly fate: Fate;
  readonly to: 'inner' | 'fallback';
  /** Somebody waits for it. */
  readonly live: boolean;
  readonly probe: boolean;
  dueAt: number;
  pending: boolean;
}

export interface BooksOptions {
  readonly retention:
    | {
        readonly maxItems: number;
        readonly maxAgeMillis: number;
        readonly maxAttempts: number;
        readonly pace: number;
        readonly idleMillis: number;
      }
    | undefined;
  readonly fallback: boolean;
  readonly exportTimeoutMillis: number;
  readonly shutdownTimeoutMillis: number;
}

export interface Circuit {
  readonly now: () => number;
  readonly forced: () => 'OPEN' | 'CLOSED' | null;
}

/**
 * The books of an exporter, kept from the contract and from what can be seen outside it: what its callers are told, and
 * what the inner exporter and the fallback are given. Whatever the contract does not allow throws.
 */
export class Books {
  readonly fates: Fate[] = [];
  readonly calls: Call[] = [];
  readonly evicted: Record<EvictionReason, number> = {
    full: 0,
    expired: 0,
    attempts: 0,
    invalid: 0,
    shutdown: 0,
  };
  redelivered = 0;
  redeliveredItems = 0;
  /** How often each of the rarer things happened: a property that never sees them proves nothing. */
  readonly seen: Record<string, number> = {};
  readonly #options: BooksOptions;
  readonly #circuit: Circuit;
  #kept: Fate[] = [];
  #keepings = 0;
  #sending: Call | undefined;
  /** The batch that is being offered in the present call, as long as it is not known whether it was let through. */
  #offered: Fate | undefined;
  /** What the fallback must be given next, in this order. */
  readonly #owed: Fate[] = [];
  #state: CircuitState = 'CLOSED';
  #lastLive: Meaning | undefined;
  #grants = 0;
  #askedUpTo = 0;
  #tickAt: number | undefined;
  #tick:
    | { readonly at: number; readonly must: 'send' | 'ask' | 'nothing'; asked: boolean; sent: boolean }
    | undefined;
  #lastFailedProbe: Fate | undefined;
  #ended:
    | { readonly endsAt: number; readonly lastChanceEndsAt: number; chance: boolean; surrendered: boolean }
    | undefined;

  constructor(options: BooksOptions, circuit: Circuit) {
    this.#options = options;
    this.#circuit = circuit;
  }

  get endsAt(): number | undefined {
    return this.#ended?.endsAt;
  }

  get lastChanceEndsAt(): number | undefined {
    return this.#ended?.lastChanceEndsAt;
  }

  get state(): CircuitState {
    return this.#state;
  }

  note(what: string): void {
    this.seen[what] = (this.seen[what] ?? 0) + 1;
  }

  /** Time has passed: what was due by then has happened. */
  catchUp(until = this.#circuit.now()): void {
    for (;;) {
      const due = this.#firstDue();
      const tickAt = this.#tickAt ?? Number.POSITIVE_INFINITY;
      if (due !== undefined && due.dueAt <= until && due.dueAt <= tickAt) this.#timeOut(due);
      else if (tickAt <= until) this.#onTick(tickAt);
      else break;
    }
    if (this.#ended !== undefined && until >= this.#ended.endsAt) this.#loseSurrendered();
  }

  // What is seen from outside.

  offer(items: number): Fate {
    this.catchUp();
    const fate: Fate = {
      number: this.fates.length,
      items,
      place: 'offered',
      told: 0,
      keptAt: 0,
      keptAs: 0,
      everKept: false,
      failures: 0,
    };
    this.fates.push(fate);
    if (this.#tickAt !== undefined) this.#tickAt = this.#circuit.now() + this.#retention.idleMillis;
    if (this.#ended === undefined) this.#offered = fate;
    else fate.place = 'lost';
    return fate;
  }

  /** The call in which a batch was offered is over. */
  offerOver(fate: Fate, stateBefore: CircuitState): void {
    insist(
      this.#offered === undefined,
      `batch ${fate.number} was neither let through nor rejected in the call`,
    );
    if (stateBefore === 'CLOSED' && this.#ended === undefined)
      insist(
        this.calls.some((call) => call.fate === fate && call.live),
        `live batch ${fate.number} was held up`,
      );
  }

  innerCalled(fate: Fate): Call {
    this.catchUp();
    if (this.#offered === fate) {
      this.#offered = undefined;
      fate.place = 'inner';
      return this.#call(fate, 'inner', true, this.#state !== 'CLOSED');
    }
    this.#mustBeDecided();
    return this.#unaskedCall(fate);
  }

  fallbackCalled(fate: Fate): Call {
    this.catchUp();
    this.#decideRejected();
    const [owed] = this.#owed;
    if (owed === undefined && this.#ended !== undefined) {
      if (fate.place === 'kept') this.#surrender();
      insist(fate.place === 'surrendered', `the fallback got batch ${fate.number}, which is ${fate.place}`);
      const first = this.fates
        .filter(({ place }) => place === 'surrendered')
        .sort((a, b) => a.keptAs - b.keptAs)[0];
      insist(first === fate, 'not the oldest of what was left at shutdown');
      insist(
        !this.calls.some(
          ({ to, live, pending, dueAt }) => to === 'fallback' && !live && pending && dueAt === this.endsAt,
        ),
        'two batches at a time after the last chance',
      );
      this.note('surrendered to the fallback');
      fate.place = 'fallback';
      const call = this.#call(fate, 'fallback', false, false);
      call.dueAt = Math.min(call.dueAt, this.#ended.endsAt);
      return call;
    }
    insist(owed === fate, `the fallback got batch ${fate.number}, ${fate.place}, expected ${owed?.number}`);
    this.#owed.shift();
    fate.place = 'fallback';
    return this.#call(fate, 'fallback', fate.told === 0, false);
  }

  /** An answer is about to be given; whether it can still count is for the books to know. */
  answered(call: Call, meaning: Meaning): void {
    this.catchUp();
    this.#mustBeDecided();
    if (!call.pending) {
      this.note('late or double answers');
      return;
    }
    this.#settle(call, meaning, this.#circuit.now());
  }

  callerTold(fate: Fate, code: number): void {
    this.catchUp();
    this.#decideRejected();
    fate.told++;
    insist(fate.told === 1, `the caller of batch ${fate.number} was told twice`);
    const expected = fate.place === 'lost' ? 1 : 0;
    insist(
      ['kept', 'delivered', 'fellBack', 'lost'].includes(fate.place),
      `the caller of batch ${fate.number} was told while it is ${fate.place}`,
    );
    insist(code === expected, `the caller of batch ${fate.number}, ${fate.place}, was told ${code}`);
    if (fate.place === 'delivered' && this.#state === 'CLOSED' && this.#ended === undefined) {
      const sendable = this.#kept.length - (this.#sending === undefined ? 0 : 1);
      this.#grants = Math.min(this.#grants + (this.#options.retention?.pace ?? 0), sendable);
      this.#lookForNext();
    }
  }

  policyAsked(): void {
    this.catchUp();
    insist(this.#state === 'OPEN', `the probe policy was asked while ${this.#state}`);
    if (this.#offered !== undefined) return;
    const tick = this.#tick;
    insist(
      tick?.at === this.#circuit.now() && !tick.asked,
      'the probe policy was asked for no offer and no tick',
    );
    this.note('ticks while OPEN');
    if (tick !== undefined) tick.asked = true;
  }

  stateChanged(to: CircuitState): void {
    this.catchUp();
    if (this.#state === 'CLOSED') this.#cancel();
    this.#state = to;
  }

  redeliverCalled(): void {
    this.catchUp();
    if (this.#ended !== undefined) return;
    if (this.#state === 'CLOSED') this.#askedUpTo = this.#keepings;
    this.#lookForNext();
  }

  shutdownCalled(): void {
    this.catchUp();
    if (this.#ended !== undefined) return;
    const now = this.#circuit.now();
    const { shutdownTimeoutMillis, fallback } = this.#options;
    this.#ended = {
      endsAt: now + shutdownTimeoutMillis,
      lastChanceEndsAt: now + (fallback ? shutdownTimeoutMillis / 2 : shutdownTimeoutMillis),
      chance: this.#circuit.forced() !== 'OPEN',
      surrendered: false,
    };
    this.#tickAt = undefined;
    this.#cancel();
    this.#lookForNext();
  }

  // Looking.

  /**
   * Compares the books with the exporter's.
   *
   * @param calm - whether all promises had the time to settle
   */
  compare(actual: DeliverySnapshot, calm: boolean): void {
    this.catchUp();
    if (this.#state !== 'CLOSED' && this.#sending === undefined) this.#cancel();
    this.#claimSurrender(actual);
    insist(this.#owed.length === 0, `the fallback was not given ${this.#owed.map(({ number }) => number)}`);
    this.#checkTick();
    if (calm) this.#checkNothingIsHeldBack();
    const undecided = this.#ended !== undefined && this.#circuit.now() >= this.#ended.endsAt && !calm;
    const own = this.totals();
    for (const unit of ['batches', 'items'] as const) {
      const pick = (from: Pick<DeliverySnapshot, 'offered' | 'lost'>): number => from.offered[unit];
      same('offered', unit, pick(actual), pick(own));
      for (const account of ['delivered', 'fallback', 'kept', 'redelivered'] as const)
        same(account, unit, actual[account][unit], own[account][unit]);
      if (undecided) {
        same(
          'lost + in flight',
          unit,
          actual.lost[unit] + actual.inFlight[unit],
          own.lost[unit] + own.inFlight[unit],
        );
      } else {
        same('lost', unit, actual.lost[unit], own.lost[unit]);
        same('inFlight', unit, actual.inFlight[unit], own.inFlight[unit]);
      }
    }
    for (const reason of Object.keys(this.evicted) as EvictionReason[])
      same('evicted', reason, actual.evicted[reason], this.evicted[reason]);
  }

  totals(): Omit<DeliverySnapshot, 'exporter' | 'evicted'> {
    const count = (...places: Place[]) => {
      const there = this.fates.filter(({ place }) => places.includes(place));
      return { batches: there.length, items: there.reduce((sum, { items }) => sum + items, 0) };
    };
    return {
      offered: { batches: this.fates.length, items: this.fates.reduce((sum, { items }) => sum + items, 0) },
      delivered: count('delivered'),
      fallback: count('fellBack'),
      lost: count('lost'),
      kept: count('kept'),
      inFlight: count('offered', 'inner', 'owed', 'surrendered', 'fallback'),
      redelivered: { batches: this.redelivered, items: this.redeliveredItems },
    };
  }

  // The rules.

  get #retention() {
    const { retention } = this.#options;
    if (retention === undefined) throw new Error('no retention');
    return retention;
  }

  #call(fate: Fate, to: 'inner' | 'fallback', live: boolean, probe: boolean): Call {
    const timeout = this.#options.exportTimeoutMillis || Number.POSITIVE_INFINITY;
    const call = { fate, to, live, probe, dueAt: this.#circuit.now() + timeout, pending: true };
    this.calls.push(call);
    return call;
  }

  #firstDue(): Call | undefined {
    let first: Call | undefined;
    for (const call of this.calls) {
      if (call.pending && (first === undefined || call.dueAt < first.dueAt)) first = call;
    }
    return first;
  }

  #timeOut(call: Call): void {
    this.note(call.to === 'inner' ? 'time-outs' : 'time-outs of the fallback');
    this.#settle(call, 'failure', call.dueAt);
  }

  #settle(call: Call, meaning: Meaning, at: number): void {
    call.pending = false;
    const { fate } = call;
    if (call.to === 'fallback') fate.place = meaning === 'success' ? 'fellBack' : 'lost';
    else if (call.live) this.#settleLive(fate, meaning, at);
    else this.#settleUnasked(call, meaning, at);
  }

  #settleLive(fate: Fate, meaning: Meaning, at: number): void {
    this.#lastLive = meaning;
    if (meaning === 'success') fate.place = 'delivered';
    else this.#notDelivered(fate, meaning !== 'invalid', at);
  }

  #settleUnasked(call: Call, meaning: Meaning, at: number): void {
    const { fate } = call;
    // It was given up at shutdown, and is somewhere else now.
    if (this.#sending !== call) return;
    this.#sending = undefined;
    if (meaning === 'success') {
      this.#takeOut(fate);
      fate.place = 'delivered';
      this.redelivered++;
      this.redeliveredItems += fate.items;
      this.#lastFailedProbe = undefined;
      this.note(call.probe ? 'delivered as probes of ticks' : 'redelivered');
    } else if (meaning === 'invalid') {
      this.#evict(fate, 'invalid');
    } else {
      if (call.probe) {
        if (meaning === 'failure') this.#lastFailedProbe = fate;
      } else if (this.#ended === undefined && this.#lastLive === 'success') {
        fate.failures++;
        if (fate.failures >= this.#retention.maxAttempts) this.#evict(fate, 'attempts');
      }
      this.#cancel();
      if (this.#ended !== undefined) this.#ended.chance = false;
    }
    this.#lookForNext(at);
  }

  #notDelivered(fate: Fate, mayHelp: boolean, at: number): void {
    if (mayHelp && this.#options.retention !== undefined && this.#ended === undefined && fate.items > 0) {
      const { maxItems, idleMillis } = this.#options.retention;
      // One that makes room for this one leaves no moment in which nothing is kept.
      const tickAt = this.#tickAt;
      this.#dropExpired(at);
      const held = this.#sending?.fate.items ?? 0;
      if (fate.items <= maxItems - held) {
        while (this.#keptItems() + fate.items > maxItems) {
          const oldest = this.#kept.find((kept) => this.#sending?.fate !== kept);
          if (oldest === undefined) throw new Error('no room in the books');
          this.#evict(oldest, 'full');
        }
        fate.place = 'kept';
        fate.keptAt = at;
        fate.keptAs = ++this.#keepings;
        fate.everKept = true;
        this.#kept.push(fate);
        if (idleMillis > 0) this.#tickAt = tickAt ?? at + idleMillis;
        return;
      }
      this.note('too big to keep');
    }
    this.#passOn(fate);
  }

  #passOn(fate: Fate): void {
    if (this.#options.fallback) {
      fate.place = 'owed';
      this.#owed.push(fate);
    } else {
      fate.place = 'lost';
    }
  }

  #keptItems(): number {
    return this.#kept.reduce((sum, { items }) => sum + items, 0);
  }

  #takeOut(fate: Fate): void {
    this.#kept = this.#kept.filter((kept) => kept !== fate);
    if (this.#kept.length === 0) this.#tickAt = undefined;
  }

  #evict(fate: Fate, reason: EvictionReason): void {
    this.#takeOut(fate);
    this.evicted[reason] += fate.items;
    this.note(`evicted: ${reason}`);
    this.#passOn(fate);
  }

  #expired(at: number): Fate[] {
    const { retention } = this.#options;
    if (retention === undefined) return [];
    return this.#kept.filter(
      (kept) => kept !== this.#sending?.fate && at - kept.keptAt > retention.maxAgeMillis,
    );
  }

  /** A moment at which the contract says that ages are looked at. */
  #dropExpired(at: number): void {
    for (const fate of this.#expired(at)) this.#evict(fate, 'expired');
  }

  /** When there may be something to send, ages are looked at before. */
  #lookForNext(at = this.#circuit.now()): void {
    if (this.#sending !== undefined) return;
    if (this.#state !== 'CLOSED') this.#cancel();
    const paid = this.#state === 'CLOSED' && (this.#grants > 0 || this.#askedUpTo > 0);
    if (paid || this.#hasChance(at)) this.#dropExpired(at);
    if (this.#kept.length === 0) this.#cancel();
  }

  #hasChance(at: number): boolean {
    const ended = this.#ended;
    if (ended === undefined || !ended.chance || ended.surrendered) return false;
    return at < ended.lastChanceEndsAt && this.#circuit.forced() !== 'OPEN';
  }

  #cancel(): void {
    this.#grants = 0;
    this.#askedUpTo = 0;
  }

  #onTick(at: number): void {
    this.#checkTick();
    if (this.#circuit.forced() === null) this.#dropExpired(at);
    if (this.#tickAt !== undefined) this.#tickAt = at + this.#retention.idleMillis;
    const free = this.#kept.length > 0 && this.#sending === undefined && this.#circuit.forced() === null;
    const must = !free
      ? 'nothing'
      : this.#state === 'CLOSED'
        ? 'send'
        : this.#state === 'OPEN'
          ? 'ask'
          : 'nothing';
    this.#tick = { at, must, asked: false, sent: false };
  }

  #checkTick(): void {
    const tick = this.#tick;
    if (tick === undefined) return;
    insist(tick.must !== 'send' || tick.sent, `the tick at ${tick.at} sent nothing while CLOSED`);
    insist(tick.must !== 'ask' || tick.asked, `the tick at ${tick.at} asked for no attempt while OPEN`);
  }

  #unaskedCall(fate: Fate): Call {
    const now = this.#circuit.now();
    insist(
      fate.place === 'kept',
      `batch ${fate.number} was sent of its own accord while it is ${fate.place}`,
    );
    insist(this.#sending === undefined, `batch ${fate.number} was sent while another redelivery is out`);
    this.#dropExpired(now);
    insist(fate.place === 'kept', `batch ${fate.number} was sent though it was kept for too long`);
    const tick = this.#tick?.at === now && !this.#tick.sent ? this.#tick : undefined;
    const probe = this.#state === 'HALF_OPEN' && this.#ended === undefined;
    if (this.#ended !== undefined) {
      insist(this.#hasChance(now), `batch ${fate.number} was sent after the last chance`);
      insist(this.#kept[0] === fate, `batch ${fate.number} was sent before an older one, at the last chance`);
      this.note('sent at the last chance');
    } else if (probe) {
      insist(tick !== undefined, `batch ${fate.number} probed without a tick`);
      insist(
        fate !== this.#lastFailedProbe || this.#kept.length === 1,
        `batch ${fate.number} probed again right after it failed`,
      );
      if (tick !== undefined) tick.sent = true;
    } else {
      this.#payForRedelivery(fate, tick);
    }
    this.#sending = this.#call(fate, 'inner', false, probe);
    return this.#sending;
  }

  #payForRedelivery(fate: Fate, tick: { sent: boolean } | undefined): void {
    insist(this.#state === 'CLOSED', `batch ${fate.number} was sent while ${this.#state}`);
    insist(this.#kept[0] === fate, `batch ${fate.number} was sent before an older one`);
    if (tick !== undefined && this.#circuit.forced() === null) {
      tick.sent = true;
      this.note('ticks while CLOSED');
    } else if (fate.keptAs <= this.#askedUpTo) {
      this.note('sent by redeliver()');
    } else {
      insist(this.#grants > 0, `batch ${fate.number} was sent though nothing paid for it`);
      this.#grants--;
      this.note('granted');
    }
  }

  #mustBeDecided(): void {
    insist(
      this.#offered === undefined,
      'something else happened before it was known what becomes of an offer',
    );
  }

  /** Something came of an offer that did not reach the inner exporter: it was rejected. */
  #decideRejected(): void {
    const fate = this.#offered;
    if (fate === undefined) return;
    this.#offered = undefined;
    this.note('rejected');
    this.#notDelivered(fate, true, this.#circuit.now());
  }

  #checkNothingIsHeldBack(): void {
    if (this.#sending !== undefined || this.#kept.length === 0) return;
    if (this.#ended !== undefined) {
      insist(!this.#hasChance(this.#circuit.now()), 'the last chance sends nothing');
      return;
    }
    if (this.#state !== 'CLOSED') return;
    insist(this.#grants === 0, 'a redelivery that was paid for was not sent');
    insist(
      !this.#kept.some(({ keptAs }) => keptAs <= this.#askedUpTo),
      'redeliver() has stopped, though nothing failed',
    );
  }

  #claimSurrender(actual: DeliverySnapshot): void {
    if (actual.evicted.shutdown > this.evicted.shutdown) this.#surrender();
  }

  #surrender(): void {
    const ended = this.#ended;
    if (ended === undefined) throw new Error('evicted by a shutdown that nobody asked for');
    insist(!ended.surrendered, 'surrendered twice');
    insist(!this.#hasChance(this.#circuit.now()), 'given up while there was still a chance');
    ended.surrendered = true;
    this.#sending = undefined;
    for (const fate of this.#kept) {
      this.evicted.shutdown += fate.items;
      this.note('evicted: shutdown');
      fate.place = this.#options.fallback ? 'surrendered' : 'lost';
    }
    this.#kept = [];
  }

  #loseSurrendered(): void {
    for (const fate of this.fates) if (fate.place === 'surrendered') fate.place = 'lost';
  }
}

function insist(condition: boolean, otherwise: string): void {
  if (!condition) throw new Error(otherwise);
}

function same(account: string, unit: string, actual: number, expected: number): void {
  insist(actual === expected, `${account}, ${unit}: the exporter says ${actual}, the books ${expected}`);
}
