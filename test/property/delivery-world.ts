import fc from 'fast-check';
import type { DeliverySnapshot, ExportResultLike } from '../../src/index.ts';
import { CircuitBreakerExporter, consecutiveFailures } from '../../src/index.ts';
import { ManualClock } from '../../src/testing/index.ts';
import type { Batch, Call, Fate, Meaning, Outcome } from './delivery-books.ts';
import { Books } from './delivery-books.ts';

/** What can happen. Time moves by a millisecond before each. */
export type Step =
  | { readonly do: 'export'; readonly items: number; readonly outcome: Outcome | 'as it is' }
  | { readonly do: 'answer' | 'fallback answers'; readonly which: number; readonly outcome: Outcome }
  | { readonly do: 'backend' | 'fallback'; readonly is: Outcome }
  | { readonly do: 'wait'; readonly millis: number }
  | { readonly do: 'settle' | 'forceOpen' | 'forceClosed' | 'reset' | 'redeliver' | 'shutdown' };

export interface WorldOptions {
  /** A multiple of nothing else: no tick comes at the same time as a time-out. */
  readonly idleMillis: number;
  readonly retention: boolean;
  readonly fallback: boolean;
  readonly maxItems: number;
  readonly maxAgeMillis: number | undefined;
  readonly maxAttempts: number;
  readonly pace: number;
  readonly successThreshold: number;
  readonly exportTimeoutMillis: number;
  /** Every so manyth attempt is a probe. */
  readonly probeEvery: number;
}

/** Exact in binary, and in a thousand ticks never at the same time as a time-out. */
const IDLE_MILLIS = 3_000 + 2 ** -10;

const outcome = (...outcomes: Outcome[]) => fc.constantFrom(...outcomes);
const anyOutcome = outcome(
  'success',
  'success',
  'failure',
  'failure',
  'invalid',
  'ignored',
  'throw',
  'nothing',
  'twice',
  'hold',
  'hold',
);
const answer = outcome('success', 'success', 'failure', 'invalid', 'ignored', 'nothing');

export const anyStep: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({
      do: fc.constant('export' as const),
      items: fc.constantFrom(1, 1, 2, 3, 0, 9),
      outcome: fc.oneof(
        { weight: 3, arbitrary: fc.constant('as it is' as const) },
        { weight: 2, arbitrary: anyOutcome },
      ),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constant('answer' as const), which: fc.nat(9), outcome: answer }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant('fallback answers' as const), which: fc.nat(9), outcome: answer }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('backend' as const), is: anyOutcome }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('fallback' as const), is: anyOutcome }) },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('wait' as const),
      millis: fc.constantFrom(10, 250, 1_000, 2_000, 4_000, 9_000),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constantFrom('settle' as const, 'redeliver' as const, 'reset' as const) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('forceOpen' as const, 'forceClosed' as const) }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constantFrom('shutdown' as const, 'reset' as const, 'reset' as const) }),
  },
);

export const anyOptions: fc.Arbitrary<WorldOptions> = fc.record({
  idleMillis: fc.constantFrom(IDLE_MILLIS, IDLE_MILLIS, 0),
  retention: fc.constantFrom(true, true, true, false),
  fallback: fc.boolean(),
  maxItems: fc.constantFrom(4, 8, 100),
  maxAgeMillis: fc.constantFrom(undefined, undefined, 5_000),
  maxAttempts: fc.constantFrom(1, 2, 10),
  pace: fc.constantFrom(1, 1, 2, Number.POSITIVE_INFINITY),
  successThreshold: fc.constantFrom(1, 1, 2),
  exportTimeoutMillis: fc.constantFrom(2_000, 2_000, 0),
  probeEvery: fc.constantFrom(1, 2, 3),
});

const RESULTS: Readonly<Record<Meaning, ExportResultLike>> = {
  success: { code: 0 },
  failure: { code: 1, error: new Error('down') },
  invalid: { code: 1, error: Object.assign(new Error('Bad Request'), { code: 400 }) },
  ignored: { code: 1, error: new Error('Concurrent export limit reached') },
};

class WorldClock extends ManualClock {
  timers = 0;

  override schedule(callback: () => void, delayMillis: number): () => void {
    this.timers++;
    let over = false;
    const end = (): void => {
      if (!over) this.timers--;
      over = true;
    };
    const cancel = super.schedule(() => {
      end();
      callback();
    }, delayMillis);
    return () => {
      end();
      cancel();
    };
  }
}

type Answer = (result: ExportResultLike) => void;

/** A real exporter on a manual clock between callers, a backend and a fallback, all of which the books watch. */
export class World {
  readonly clock = new WorldClock();
  readonly books: Books;
  readonly exporter: CircuitBreakerExporter<Batch>;
  readonly #fates = new Map<Batch, Fate>();
  readonly #open: Record<'inner' | 'fallback', { call: Call; answer: Answer }[]> = {
    inner: [],
    fallback: [],
  };
  readonly #is: Record<'inner' | 'fallback', Outcome> = { inner: 'success', fallback: 'success' };
  #outcomeOfOffer: Outcome | 'as it is' = 'as it is';
  #offering: Batch | undefined;
  #promises = 0;
  #fault: unknown;
  #calm = true;

  constructor(options: WorldOptions) {
    const {
      retention,
      fallback,
      exportTimeoutMillis,
      maxItems,
      maxAgeMillis,
      maxAttempts,
      pace,
      idleMillis,
    } = options;
    this.exporter = new CircuitBreakerExporter<Batch>(this.#party('inner'), {
      clock: this.clock,
      tripPolicy: consecutiveFailures(2),
      probePolicy: ({ attempt }) =>
        this.#watch(() => this.books.policyAsked()) ?? attempt % options.probeEvery === 0,
      successThreshold: options.successThreshold,
      exportTimeoutMillis,
      random: () => 0,
      onError: () => {},
      onTransition: ({ to }) => this.#watch(() => this.books.stateChanged(to)),
      retention: retention ? { maxItems, maxAgeMillis, maxAttempts, pace, idleMillis } : undefined,
      fallback: fallback ? this.#party('fallback') : undefined,
    });
    this.books = new Books(
      {
        retention: retention
          ? {
              maxItems,
              maxAgeMillis: maxAgeMillis ?? Number.POSITIVE_INFINITY,
              maxAttempts,
              pace,
              idleMillis,
            }
          : undefined,
        fallback,
        exportTimeoutMillis,
        shutdownTimeoutMillis: 1_000,
      },
      { now: () => this.clock.now(), forced: () => this.exporter.snapshot().forced },
    );
  }

  /** @throws when the exporter did what the contract does not allow */
  async run(steps: readonly Step[]): Promise<void> {
    for (const step of steps) {
      await this.#wait(1);
      this.#calm = false;
      await this.#take(step);
      this.#compare();
    }
    await this.#end();
  }

  async #take(step: Step): Promise<void> {
    const { exporter, books } = this;
    switch (step.do) {
      case 'export':
        this.#export(step.items, step.outcome);
        break;
      case 'answer':
        this.#answer('inner', step.which, step.outcome);
        break;
      case 'fallback answers':
        this.#answer('fallback', step.which, step.outcome);
        break;
      case 'backend':
        this.#is.inner = step.is;
        break;
      case 'fallback':
        this.#is.fallback = step.is;
        break;
      case 'wait':
        await this.#wait(step.millis);
        break;
      case 'settle':
        await this.#settle();
        break;
      case 'redeliver':
        books.redeliverCalled();
        this.#await(exporter.redeliver());
        break;
      case 'shutdown':
        books.shutdownCalled();
        this.#await(exporter.shutdown());
        break;
      default:
        books.catchUp();
        exporter.breaker[step.do]();
    }
  }

  #export(items: number, outcome: Outcome | 'as it is'): void {
    const fate = this.books.offer(items);
    // The number of the batch, once an item: what is in it is not looked at.
    const batch: Batch = Array.from({ length: items }, () => fate.number);
    this.#fates.set(batch, fate);
    const stateBefore = this.books.state;
    this.#outcomeOfOffer = outcome;
    this.#offering = batch;
    this.exporter.export(batch, ({ code }) => this.#watch(() => this.books.callerTold(fate, code)));
    this.#offering = undefined;
    this.books.offerOver(fate, stateBefore);
  }

  #party(which: 'inner' | 'fallback') {
    return {
      export: (batch: Batch, answer: Answer): void => {
        const call = this.#watch(() => {
          const fate = this.#fates.get(batch);
          if (fate === undefined) throw new Error('a batch that nobody offered');
          return which === 'inner' ? this.books.innerCalled(fate) : this.books.fallbackCalled(fate);
        });
        if (call === undefined) return;
        this.#open[which].push({ call, answer });
        const offered = which === 'inner' && batch === this.#offering && this.#outcomeOfOffer !== 'as it is';
        this.#behave(call, answer, offered ? (this.#outcomeOfOffer as Outcome) : this.#is[which]);
      },
      shutdown: async (): Promise<void> => {},
    };
  }

  #behave(call: Call, answer: Answer, outcome: Outcome): void {
    switch (outcome) {
      case 'hold':
        break;
      case 'throw':
        this.#watch(() => this.books.answered(call, 'failure'));
        throw new Error('thrown');
      case 'nothing':
        this.#watch(() => this.books.answered(call, 'failure'));
        answer(undefined as unknown as ExportResultLike);
        break;
      case 'twice':
        this.#watch(() => this.books.answered(call, 'success'));
        answer(RESULTS.success);
        answer(RESULTS.failure);
        break;
      default:
        this.#watch(() => this.books.answered(call, outcome));
        answer(RESULTS[outcome]);
    }
  }

  /** Also what was answered before, or has timed out: late and double answers. */
  #answer(which: 'inner' | 'fallback', index: number, outcome: Outcome): void {
    const open = this.#open[which].filter(({ call }) => call.pending);
    const among = index > 7 || open.length === 0 ? this.#open[which] : open;
    const chosen = among[index % Math.max(1, among.length)];
    if (chosen !== undefined) this.#behave(chosen.call, chosen.answer, outcome);
  }

  async #wait(millis: number): Promise<void> {
    const until = this.clock.now() + millis;
    // A shutdown goes on in promises: they get their time at each of its ends.
    for (const at of [this.books.lastChanceEndsAt, this.books.endsAt]) {
      if (at === undefined || at <= this.clock.now() || at >= until) continue;
      await this.#settle();
      this.clock.advance(at - this.clock.now());
      await this.#settle();
    }
    if (this.books.endsAt !== undefined) await this.#settle();
    this.clock.advance(until - this.clock.now());
    await this.#settle();
    this.#compare();
  }

  async #settle(): Promise<void> {
    for (let i = 0; i < 3; i++) {
      await new Promise((resolve) => setImmediate(resolve));
      this.clock.advance(0);
    }
    this.#calm = true;
  }

  /** Everything comes to an end, and to nothing else than an end. */
  async #end(): Promise<void> {
    this.#calm = false;
    this.books.shutdownCalled();
    this.#await(this.exporter.shutdown());
    await this.#wait(2_000);
    for (const which of ['inner', 'fallback'] as const)
      for (const { call, answer } of this.#open[which])
        if (call.pending) this.#behave(call, answer, 'failure');
    await this.#wait(10_000);
    for (const which of ['inner', 'fallback'] as const)
      for (const { call, answer } of this.#open[which])
        if (call.pending) this.#behave(call, answer, 'failure');
    await this.#wait(10_000);
    this.#compare();
    const { kept, inFlight } = this.exporter.snapshot().delivery;
    if (kept.batches !== 0 || inFlight.batches !== 0) throw new Error('something is left after the end');
    const untold = this.books.fates.find(({ told }) => told !== 1);
    if (untold !== undefined)
      throw new Error(`the caller of batch ${untold.number} was told ${untold.told} times`);
    if (this.#promises !== 0) throw new Error(`${this.#promises} promises never resolved`);
    if (this.clock.timers !== 0) throw new Error(`${this.clock.timers} timers are left`);
  }

  #await(promise: Promise<void>): void {
    this.#promises++;
    promise.then(
      () => {
        this.#promises--;
      },
      (error: unknown) => {
        this.#fault ??= error;
      },
    );
  }

  #compare(): void {
    this.#rethrow();
    this.books.compare(this.exporter.snapshot().delivery, this.#calm);
    this.#rethrow();
  }

  /** What is found inside a call of the exporter's would be taken there for a failure of the party that it called. */
  #watch<R>(look: () => R): R | undefined {
    if (this.#fault !== undefined) return undefined;
    try {
      const seen = look();
      mustBalance(this.exporter.snapshot().delivery);
      return seen;
    } catch (error) {
      this.#fault = error;
      return undefined;
    }
  }

  #rethrow(): void {
    if (this.#fault !== undefined) throw this.#fault;
  }
}

function mustBalance({ offered, delivered, fallback, lost, kept, inFlight }: DeliverySnapshot): void {
  for (const unit of ['batches', 'items'] as const) {
    const sum = [delivered, fallback, lost, kept, inFlight].reduce(
      (total, account) => total + account[unit],
      0,
    );
    if (sum !== offered[unit])
      throw new Error(`out of balance: ${offered[unit]} ${unit} offered, ${sum} accounted for`);
    if ([delivered, fallback, lost, kept, inFlight].some((account) => account[unit] < 0))
      throw new Error('an account is overdrawn');
  }
}

/** The property: nothing that the contract does not allow happens, whatever happens. */
export function nothingIsMislaid(seen: Record<string, number> = {}) {
  return fc.asyncProperty(
    anyOptions,
    fc.array(anyStep, { minLength: 5, maxLength: 60, size: 'max' }),
    async (options, steps) => {
      const world = new World(options);
      await world.run(steps);
      for (const [what, times] of Object.entries(world.books.seen)) seen[what] = (seen[what] ?? 0) + times;
    },
  );
}
