import fc from 'fast-check';
import type { TimerFate } from './clock.ts';
import type { Outcome } from './records.ts';
import type { StoreMood } from './store.ts';
import type { World, WorldOptions } from './world.ts';

type Model = Record<string, never>;
type Command = fc.AsyncCommand<Model, World, false>;

/** Something that can happen; the books are compared with the exporter after each. */
class Step implements Command {
  readonly #text: string;
  readonly #run: (world: World) => void | Promise<void>;

  constructor(text: string, run: (world: World) => void | Promise<void>) {
    this.#text = text;
    this.#run = run;
  }

  check(): boolean {
    return true;
  }

  async run(_model: Model, world: World): Promise<void> {
    // Nothing happens at the very time of something else.
    await world.wait(1);
    await this.#run(world);
    world.books.check(false);
  }

  toString(): string {
    return this.#text;
  }
}

const outcome = fc.constantFrom<Outcome>(
  ...(['success', 'success', 'success', 'failure', 'failure', 'invalid', 'ignored'] as const),
  ...(['throw', 'reject', 'nothing', 'twice', 'hold', 'hold', 'hold'] as const),
);
const answer = fc.constantFrom<Outcome>(
  'success',
  'success',
  'success',
  'failure',
  'invalid',
  'ignored',
  'nothing',
);
/** No empty batch: its copy does not say whose it is. */
const items = fc.constantFrom(1, 1, 2, 3, 9);

const offers = fc
  .tuple(items, fc.oneof({ weight: 3, arbitrary: fc.constant(undefined) }, { weight: 2, arbitrary: outcome }))
  .map(([count, as]) => new Step(`export(${count}, ${as})`, (world) => world.export(count, as)));

const floods = fc.nat(5).map(
  (count) =>
    new Step(`flood(${count})`, (world) => {
      for (let i = 0; i <= count; i++) world.export(1);
    }),
);

const answers = fc
  .tuple(fc.nat(9), answer)
  .map(([index, as]) => new Step(`answer(${index}, ${as})`, (world) => world.answer('inner', index, as)));

const answersOfFallback = fc
  .tuple(fc.nat(9), answer)
  .map(
    ([index, as]) =>
      new Step(`fallbackAnswers(${index}, ${as})`, (world) => world.answer('fallback', index, as)),
  );

const moods = fc.tuple(fc.constantFrom('inner' as const, 'inner' as const, 'fallback' as const), outcome).map(
  ([which, is]) =>
    new Step(`${which} is ${is}`, (world) => {
      world.is[which] = is;
    }),
);

const waits = fc
  .constantFrom(10, 120, 250, 1_000, 1_100, 2_100, 4_000, 9_000, 40_000)
  .map((millis) => new Step(`wait(${millis})`, (world) => world.wait(millis)));

const blocks = fc
  .tuple(fc.constantFrom(150, 1_200, 2_500), fc.nat(3), answer)
  .map(
    ([millis, count, as]) =>
      new Step(`block(${millis}, ${count}, ${as})`, (world) => world.block(millis, count, as)),
  );

const settles = fc.constant(new Step('settle()', (world) => world.wait(0)));

const byHand = fc
  .constantFrom('forceOpen' as const, 'forceClosed' as const, 'reset' as const, 'reset' as const)
  .map((how) => new Step(`${how}()`, (world) => world.force(how)));

const calls = fc
  .constantFrom('redeliver' as const, 'redeliver' as const, 'forceFlush' as const)
  .map((what) => new Step(`${what}()`, (world) => world[what]()));

/** Rarely: not much happens after it. */
const shutdowns = fc
  .nat(15)
  .map((chance) =>
    chance === 0
      ? new Step('shutdown()', (world) => world.shutdown())
      : new Step('wait(30)', (world) => world.wait(30)),
  );

const storeMoods = fc
  .constantFrom<StoreMood>('at once', 'at once', 'soon', 'soon', 'late', 'never', 'throws', 'rejects')
  .map(
    (mood) =>
      new Step(`store: ${mood}`, (world) => {
        if (world.store !== undefined) world.store.mood = mood;
      }),
  );

const storeEvents = fc.constantFrom(
  new Step('store forgets', (world) => {
    if (world.store !== undefined) world.store.forgetful = true;
  }),
  new Step('store finds 2', (world) => world.find(2)),
);

/** Chance alone seldom brings three unanswered exports and a second of silence. */
const hangs = fc.constant(
  new Step('hang()', async (world) => {
    world.is.inner = 'hold';
    for (let i = 0; i < 3; i++) world.export(1);
    await world.wait(1_100);
    world.export(1);
  }),
);

/** What happens to an exporter. */
export const anyCommands = fc.commands<Model, World, false>(
  [
    ...[offers, offers, offers, offers, floods, answers, answers, answers, answersOfFallback],
    ...[
      moods,
      moods,
      waits,
      waits,
      waits,
      blocks,
      settles,
      byHand,
      calls,
      calls,
      storeMoods,
      storeEvents,
      hangs,
      shutdowns,
    ],
  ],
  { size: 'max', maxCommands: 50 },
);

const honest: readonly TimerFate[] = [];
const lossy = fc.array(fc.constantFrom<TimerFate>('on time', 'on time', 'late', 'lost'), {
  minLength: 3,
  maxLength: 9,
});

/** Exact in binary, and no multiple of anything else: no tick comes at the very time of a time-out. */
const IDLE_MILLIS = 3_000 + 2 ** -10;

export const anyOptions: fc.Arbitrary<WorldOptions> = fc.record({
  retention: fc.constantFrom(true, true, true, true, false),
  store: fc.oneof(
    { weight: 3, arbitrary: fc.constant(undefined) },
    {
      weight: 2,
      arbitrary: fc.record({
        persistent: fc.boolean(),
        maxBatches: fc.constantFrom(3, 1_000, 1_000),
        synchronous: fc.boolean(),
        earlier: fc.constantFrom(0, 3),
      }),
    },
  ),
  fallback: fc.boolean(),
  timers: fc.oneof({ weight: 3, arbitrary: fc.constant(honest) }, { weight: 1, arbitrary: lossy }),
  maxItems: fc.constantFrom(4, 10, 100, 100),
  maxBytes: fc.constantFrom(undefined, undefined, 20_000),
  textLength: fc.constantFrom(10, 2_000),
  maxAgeMillis: fc.constantFrom(undefined, undefined, 5_000),
  maxAttempts: fc.constantFrom(1, 2, 10),
  pace: fc.constantFrom(1, 1, 2, Number.POSITIVE_INFINITY),
  idleMillis: fc.constantFrom(IDLE_MILLIS, IDLE_MILLIS, 0),
  handOverMillis: fc.constantFrom(100, 100, 100, 0),
  exportTimeoutMillis: fc.constantFrom(2_003, 2_003, 0),
  successThreshold: fc.constantFrom(1, 1, 2),
  probeEvery: fc.constantFrom(1, 2, 3),
  reportRejectedAs: fc.constantFrom('failure' as const, 'failure' as const, 'success' as const),
});
