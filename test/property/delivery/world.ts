import type {
  CircuitBreakerExporterOptions,
  ExporterLike,
  ExportResultLike,
  StoredBatch,
} from '../../../src/index.ts';
import { CircuitBreakerExporter, consecutiveFailures } from '../../../src/index.ts';
import { Books } from './books.ts';
import type { TimerFate } from './clock.ts';
import { settled, WorldClock } from './clock.ts';
import type { Batch, Fate, Item, Meaning, Outcome, Sending } from './records.ts';
import type { FakeStoreOptions } from './store.ts';
import { FakeStore } from './store.ts';

export interface WorldOptions {
  readonly retention: boolean;
  readonly store: (FakeStoreOptions & { readonly earlier: number }) | undefined;
  readonly fallback: boolean;
  readonly timers: readonly TimerFate[];
  readonly maxItems: number;
  readonly maxBytes: number | undefined;
  readonly textLength: number;
  readonly maxAgeMillis: number | undefined;
  readonly maxAttempts: number;
  readonly pace: number;
  readonly idleMillis: number;
  readonly handOverMillis: number;
  readonly exportTimeoutMillis: number;
  readonly successThreshold: number;
  /** Every so manyth attempt is a probe. */
  readonly probeEvery: number;
  readonly reportRejectedAs: 'failure' | 'success';
}

export const SHUTDOWN_MILLIS = 1_000;
export const CLOSED_SHUTDOWN_MILLIS = 3_000;

const RESULTS: Readonly<Record<Meaning, ExportResultLike>> = {
  success: { code: 0 },
  failure: { code: 1, error: new Error('down') },
  invalid: { code: 1, error: Object.assign(new Error('Bad Request'), { code: 400 }) },
  ignored: { code: 1, error: new Error('Concurrent export limit reached') },
};

type Answer = (result: ExportResultLike) => void;
type Party = 'inner' | 'fallback';

/** A real exporter between callers, a backend, a fallback and a store, all of which the books watch. */
export class World {
  readonly clock: WorldClock;
  readonly books: Books;
  readonly store: FakeStore<Batch> | undefined;
  readonly exporter: CircuitBreakerExporter<Batch>;
  readonly is: Record<Party, Outcome> = { inner: 'success', fallback: 'success' };
  readonly #options: WorldOptions;
  readonly #byNumber = new Map<number, Fate>();
  readonly #calls: Record<Party, { readonly sending: Sending; readonly answer: Answer }[]> = {
    inner: [],
    fallback: [],
  };
  readonly #promises: { readonly what: string; readonly at: number; settledAt: number | undefined }[] = [];
  #outcomeOfOffer: Outcome | undefined;
  #offering = false;
  #nextFound = -1;

  constructor(options: WorldOptions) {
    this.#options = options;
    this.clock = new WorldClock(options.timers);
    const { store, fallback, textLength } = options;
    this.books = new Books(
      {
        retention: options.retention
          ? {
              ...options,
              maxAgeMillis: options.maxAgeMillis ?? Number.POSITIVE_INFINITY,
              maxBytes: options.maxBytes ?? Number.POSITIVE_INFINITY,
            }
          : undefined,
        store:
          !options.retention || store === undefined
            ? 'none'
            : store.synchronous
              ? 'synchronous'
              : 'asynchronous',
        isPersistent: options.retention && store?.persistent === true,
        hasFallback: fallback,
        exportTimeoutMillis: options.exportTimeoutMillis,
        textLength,
        reportRejectedAs: this.#reportRejectedAs,
      },
      {
        now: () => this.clock.now(),
        snapshot: () => this.exporter.snapshot(),
        timersAreHonest: () => options.timers.length === 0,
        isStored: (n) => this.store === undefined || this.store.has((batch) => batch[0]?.n === n),
      },
    );
    if (options.retention && store !== undefined) this.store = this.#makeStore(store);
    this.exporter = new CircuitBreakerExporter<Batch>(this.#party('inner'), this.#exporterOptions());
    this.books.check(false);
  }

  /** With retention, SUCCESS would not say whether a batch is kept. */
  get #reportRejectedAs(): 'failure' | 'success' {
    return this.#options.retention ? 'failure' : this.#options.reportRejectedAs;
  }

  #exporterOptions(): CircuitBreakerExporterOptions<Batch> {
    const {
      retention,
      fallback,
      maxItems,
      maxBytes,
      maxAgeMillis,
      maxAttempts,
      pace,
      idleMillis,
      handOverMillis,
    } = this.#options;
    const { books } = this;
    return {
      clock: this.clock,
      tripPolicy: consecutiveFailures(2),
      probePolicy: ({ attempt }) => {
        books.policyAsked();
        return attempt % this.#options.probeEvery === 0;
      },
      successThreshold: this.#options.successThreshold,
      exportTimeoutMillis: this.#options.exportTimeoutMillis,
      shutdownTimeoutMillis: SHUTDOWN_MILLIS,
      closedShutdownTimeoutMillis: CLOSED_SHUTDOWN_MILLIS,
      reportRejectedAs: this.#reportRejectedAs,
      random: () => 0,
      onError: (message) => books.facts.say(`onError: ${message}`),
      onTransition: ({ from, to }) => books.stateChanged(from, to),
      onLoss: (loss) => books.lost(loss),
      retention: retention
        ? {
            maxItems,
            maxBytes,
            maxAgeMillis,
            maxAttempts,
            pace,
            idleMillis,
            handOverMillis,
            store: this.store,
          }
        : undefined,
      fallback: fallback ? this.#party('fallback') : undefined,
    };
  }

  #makeStore(options: FakeStoreOptions & { readonly earlier: number }): FakeStore<Batch> {
    const count = options.persistent ? options.earlier : 0;
    const earlier = Array.from({ length: count }, () => this.#makeRecovered());
    const fateOf = (batch: Batch): Fate | undefined => this.#byNumber.get(batch[0]?.n ?? Number.NaN);
    return new FakeStore<Batch>(
      this.clock,
      options,
      earlier,
      (batch, refusedFrom) => {
        const fate = fateOf(batch);
        if (fate !== undefined) this.books.payments.put(fate, refusedFrom);
      },
      (batch) => {
        const fate = fateOf(batch);
        if (fate !== undefined) fate.isGone = true;
      },
    );
  }

  #makeRecovered(): [StoredBatch, Batch] {
    const n = this.#nextFound--;
    this.#byNumber.set(n, this.books.recovered(n, 2));
    return [{ id: `earlier${n}`, items: 2, keptAt: this.clock.now() - 1_000 }, this.#makeBatch(n, 2)];
  }

  #makeBatch(n: number, items: number): Batch {
    return Array.from({ length: items }, () => ({ n, text: 'x'.repeat(this.#options.textLength) }));
  }

  // What can happen.

  export(items: number, outcome?: Outcome): void {
    const { books } = this;
    const fate = books.offer(items);
    const batch = this.#makeBatch(fate.n, items);
    this.#byNumber.set(fate.n, fate);
    this.#outcomeOfOffer = outcome;
    this.#offering = true;
    this.exporter.export(batch, (result) => {
      books.told(fate, result);
      // The caller may use its array again.
      if (items > 0) (batch as Item[]).splice(0, items, { n: Number.NaN, text: 'used again' });
    });
    this.#offering = false;
    books.offered(fate);
  }

  /** Also answers what was answered before, or has timed out. */
  answer(which: Party, index: number, outcome: Outcome): void {
    const open = this.#calls[which].filter(({ sending }) => sending.answer === undefined);
    const among = index > 7 || open.length === 0 ? this.#calls[which] : open;
    const chosen = among[index % Math.max(1, among.length)];
    if (chosen !== undefined) this.#behave(chosen.sending, chosen.answer, outcome);
  }

  /** The event loop is blocked; answers wait in the sockets. */
  async block(millis: number, answers: number, outcome: Outcome): Promise<void> {
    this.books.facts.say(`blocked for ${millis} ms`);
    this.books.facts.blockedSince = this.clock.now();
    await this.clock.block(millis, () => {
      for (let i = 0; i < answers; i++) this.answer('inner', 0, outcome);
      this.books.facts.blockedSince = undefined;
      this.books.facts.lastBlockAt = this.clock.now();
    });
    await this.wait(0);
  }

  async wait(millis: number): Promise<void> {
    const until = this.clock.now() + millis;
    // The books look in between: what is overdue must not be waited for until the end.
    for (const step of [1, 10, 89, 151, 250, 500, 1_000, 1_000, 2_000, 4_000, 8_000, 16_000, 32_000]) {
      const rest = until - this.clock.now();
      if (rest <= 0) break;
      await this.clock.advance(Math.min(step, rest));
      this.books.noteTimeOuts();
      this.books.check(false);
    }
    for (let i = 0; i < 3; i++) await settled();
    await this.clock.advance(0);
    this.books.noteTimeOuts();
    this.books.check(true);
    this.#checkPromises();
  }

  force(how: 'forceOpen' | 'forceClosed' | 'reset'): void {
    this.books.facts.say(how);
    this.books.payments.forced();
    this.exporter.breaker[how]();
  }

  redeliver(): void {
    this.books.facts.say('redeliver()');
    this.books.payments.redeliverCalled();
    this.#watch('redeliver()', this.exporter.redeliver(), () => {
      this.books.payments.redeliverSettled();
    });
  }

  forceFlush(): void {
    this.books.facts.say('forceFlush()');
    this.#watch('forceFlush()', this.exporter.forceFlush());
  }

  shutdown(): void {
    // A shutdown that has no timers has no time either.
    this.clock.heal();
    this.books.facts.say('shutdown()');
    this.books.shutdownCalled();
    this.#watch('shutdown()', this.exporter.shutdown(), () => {
      this.books.facts.isShuttingDown = false;
    });
  }

  find(count: number): void {
    if (this.store === undefined || !this.store.persistent || this.store.closed > 0) return;
    this.books.facts.say(`the store finds ${count} batches`);
    this.store.find(Array.from({ length: count }, () => this.#makeRecovered()));
  }

  // The end.

  /** Everything comes to an end, and to nothing else than an end. */
  async end(recovers: boolean): Promise<void> {
    const { clock, books } = this;
    books.facts.say('the end');
    clock.heal();
    if (this.store !== undefined) this.store.mood = 'at once';
    if (books.facts.endedAt === undefined) {
      await this.#overcomeLostTimers();
      if (recovers) await this.#recover();
    }
    const calledAt = clock.now();
    const atCall = this.exporter.snapshot();
    const isFirst = books.facts.endedAt === undefined;
    this.shutdown();
    await this.wait(0);
    await this.wait(SHUTDOWN_MILLIS);
    if (isFirst && atCall.state !== 'CLOSED') this.#mustBeSettled('shutdown()', calledAt + SHUTDOWN_MILLIS);
    await this.wait(60_000);
    for (const which of ['inner', 'fallback'] as const)
      while (this.#calls[which].some(({ sending }) => sending.answer === undefined))
        this.answer(which, 0, 'failure');
    await this.wait(1_000);
    this.#checkEnd();
  }

  /** What was overdue is over at the second offer, without any timer. */
  async #overcomeLostTimers(): Promise<void> {
    if (this.#options.timers.length === 0) return;
    for (let i = 0; i < 2; i++) {
      await this.wait(2 * this.#options.exportTimeoutMillis + 2_000);
      this.is.fallback = i === 0 ? this.is.fallback : 'success';
      this.export(1, 'success');
      await this.wait(60);
      this.export(1, 'success');
    }
    await this.wait(1_000);
    if (this.#options.exportTimeoutMillis === 0) return;
    for (const { told, n, isRecovered } of this.books.facts.fates)
      if (told === undefined && !isRecovered)
        this.books.facts.violate(`the caller of ${n} still waits, after two offers`);
    this.books.facts.rethrow();
  }

  /** The backend is well again: then everything that is kept gets there. */
  async #recover(): Promise<void> {
    this.books.facts.say('the backend recovers');
    this.is.inner = 'success';
    this.is.fallback = 'success';
    this.force('reset');
    while (this.#calls.inner.some(({ sending }) => sending.answer === undefined))
      this.answer('inner', 0, 'success');
    await this.wait(3_000);
    for (let i = 0; i < 10; i++) {
      this.force('reset');
      this.export(1, 'success');
      this.redeliver();
      await this.wait(1_000);
    }
    const { kept } = this.exporter.snapshot().delivery;
    if (kept.batches > 0)
      this.books.facts.violate(`${kept.batches} batches are still kept, though the backend is well`);
    this.books.facts.rethrow();
  }

  #checkEnd(): void {
    const { books, exporter, clock } = this;
    const { kept, inFlight } = exporter.snapshot().delivery;
    const stored = this.store?.persistent === true ? this.store.held.size : 0;
    books.facts.insist(
      kept.batches === stored,
      `${kept.batches} batches are kept after the end, ${stored} are in the store`,
    );
    books.facts.insist(inFlight.batches === 0, `${inFlight.batches} batches are in flight after the end`);
    for (const { told, n, isRecovered } of books.facts.fates)
      books.facts.insist(isRecovered || told !== undefined, `the caller of ${n} was never told`);
    for (const { what, settledAt } of this.#promises)
      books.facts.insist(
        settledAt !== undefined || this.#options.timers.length > 0 || this.#mayNeverFlush(what),
        `${what} never resolved`,
      );
    for (const violation of this.store?.violations ?? []) books.facts.violate(violation);
    books.facts.insist(clock.timers === 0, `${clock.timers} timers are left`);
    books.facts.rethrow();
  }

  #checkPromises(): void {
    if (this.#options.timers.length > 0) return;
    const last = Math.max(
      0,
      ...this.books.facts.sendings.map(({ at, answer }) => Math.max(at, answer?.at ?? 0)),
    );
    for (const { what, at, settledAt } of this.#promises) {
      if (settledAt !== undefined || what === 'redeliver()' || this.#mayNeverFlush(what)) continue;
      const until = Math.max(at, last) + 2 * CLOSED_SHUTDOWN_MILLIS + 2 * this.#options.exportTimeoutMillis;
      this.books.facts.insist(
        this.clock.now() <= until,
        `${what} has not resolved, though nothing goes on any more`,
      );
    }
    this.books.facts.rethrow();
  }

  /** The fallback's flush is given up after the time-out of an export: never, where that is 0. */
  #mayNeverFlush(what: string): boolean {
    return what === 'forceFlush()' && this.#options.fallback && this.#options.exportTimeoutMillis === 0;
  }

  #mustBeSettled(what: string, by: number): void {
    const promise = this.#promises.findLast((one) => one.what === what);
    if ((promise?.settledAt ?? Number.POSITIVE_INFINITY) > by)
      this.books.facts.violate(`${what} took longer than it may`);
    this.books.facts.rethrow();
  }

  // The parties.

  #party(which: Party): ExporterLike<Batch> {
    return {
      export: (batch: Batch, answer: Answer): void | Promise<void> => {
        const fate = this.#fateOf(batch);
        if (fate === undefined || batch.length !== fate.items || batch.some(({ n }) => n !== fate.n)) {
          this.books.facts.violate(
            `the ${which} was given a batch that nobody offered: ${JSON.stringify(batch)}`,
          );
          return;
        }
        const sending = this.books.sent(which, fate);
        this.#calls[which].push({ sending, answer });
        const outcome =
          this.#offering && which === 'inner' && sending.isLive ? this.#outcomeOfOffer : undefined;
        return this.#behave(sending, answer, outcome ?? this.is[which]);
      },
      forceFlush: (): Promise<void> => {
        if (this.is[which] === 'hold') return new Promise(() => {});
        return this.is[which] === 'failure' ? Promise.reject(new Error('flush failed')) : Promise.resolve();
      },
      shutdown: (): Promise<void> => {
        if (this.is[which] === 'hold') return new Promise(() => {});
        return this.is[which] === 'failure'
          ? Promise.reject(new Error('shutdown failed'))
          : Promise.resolve();
      },
    };
  }

  #fateOf(batch: Batch): Fate | undefined {
    return this.#byNumber.get(batch[0]?.n ?? Number.NaN);
  }

  #behave(sending: Sending, answer: Answer, outcome: Outcome): void | Promise<void> {
    const give = (meaning: Meaning, how: () => void): void => {
      const before = this.exporter.snapshot();
      this.books.answering(sending, meaning);
      how();
      this.books.answered(sending, before);
    };
    const isWithin = sending.answer === undefined && this.books.facts.sendings.at(-1) === sending;
    switch (outcome) {
      case 'hold':
        return;
      case 'throw':
        // Only within export() is anybody there who catches it.
        if (!isWithin) return give('failure', () => answer(RESULTS.failure));
        this.books.answering(sending, 'invalid');
        throw new RangeError('cannot serialize');
      case 'reject':
        if (!isWithin) return give('failure', () => answer(RESULTS.failure));
        this.books.answering(sending, 'failure');
        queueMicrotask(() => this.books.rejectionHeard(sending));
        return Promise.reject(new Error('down'));
      case 'nothing':
        return give('failure', () => answer(undefined as unknown as ExportResultLike));
      case 'twice':
        give('success', () => answer(RESULTS.success));
        return give('failure', () => answer(RESULTS.failure));
      default:
        give(outcome, () => answer(RESULTS[outcome]));
    }
  }

  #watch(what: string, promise: Promise<void>, then: () => void = () => {}): void {
    const entry = { what, at: this.clock.now(), settledAt: undefined as number | undefined };
    this.#promises.push(entry);
    const settle = (): void => {
      entry.settledAt = this.clock.now();
      this.books.facts.say(`${what} is settled`);
      then();
    };
    promise.then(settle, (error: unknown) => {
      settle();
      // What the inner's shutdown() rejects with is passed on.
      if (what !== 'shutdown()') this.books.facts.violate(`${what} rejected with ${String(error)}`);
    });
  }
}
