import type { Meddling } from './circuit-breaker-model.ts';
import type { ByHand, CircuitCommand, Settlement, Which } from './circuit-command.ts';
import {
  acquireCommand,
  advanceCommand,
  answerCommand,
  byHandCommand,
  exportCommand,
  meddleCommand,
  onErrorCommand,
  randomCommand,
  readCommand,
  setTimeOfDayCommand,
  settleCommand,
  visitorCommand,
} from './circuit-command.ts';
import { ANSWERS, REACTIONS } from './circuit-reactions.ts';
import type { RandomBehaviour } from './circuit-users-code-model.ts';

/** An arbitrary of fast-check, as far as it is used here. */
export interface ArbitraryLike<T> {
  map<U>(mapper: (value: T) => U): ArbitraryLike<U>;
}

/**
 * The parts of fast-check that are used here; its module has them. They are described by structure, so that the types of
 * this package do not need fast-check.
 *
 * @typeParam Commands - what `fc.commands` returns
 */
export interface FastCheckLike<Commands> {
  readonly Arbitrary: abstract new () => object;
  boolean(): ArbitraryLike<boolean>;
  integer(constraints: { min: number; max: number }): ArbitraryLike<number>;
  constant<T>(value: T): ArbitraryLike<T>;
  constantFrom<T>(...values: T[]): ArbitraryLike<T>;
  oneof<T>(...arbitraries: ArbitraryLike<T>[]): ArbitraryLike<T>;
  tuple<T extends unknown[]>(...arbitraries: { [K in keyof T]: ArbitraryLike<T[K]> }): ArbitraryLike<T>;
  // biome-ignore lint/suspicious/noExplicitAny: fast-check's own types say which arbitraries it takes
  commands(arbitraries: any[], constraints: { maxCommands: number; size: 'max' }): Commands;
}

type Arbitraries = ArbitraryLike<CircuitCommand>[];

/** The same arbitrary several times, which makes it that much more likely. */
function often<T>(times: number, arbitrary: T): T[] {
  return new Array<T>(times).fill(arbitrary);
}

/** All commands. */
export function circuitArbitraries(
  fc: FastCheckLike<unknown>,
  exportTimeoutMillis: number,
): ArbitraryLike<CircuitCommand>[] {
  return [...sending(fc), ...world(fc, exportTimeoutMillis), ...byHand(fc)];
}

/** Exports, answers and permits: most of a run. */
function sending(fc: FastCheckLike<unknown>): Arbitraries {
  const which = fc.constantFrom<Which>('oldest', 'newest', 0, 1, 2, 3);
  const items = fc.constantFrom(1, 3, 0, 600);
  const reaction = fc.constantFrom(...REACTIONS);
  const answer = fc.constantFrom(...ANSWERS);
  const settlement = fc.constantFrom<Settlement>(
    ['succeed', false],
    ['fail', true],
    ['fail', false],
    ['invalid', true],
    ['ignore', false],
    ['ignore', true],
  );
  const single = fc
    .tuple(items, reaction, fc.constantFrom(false, false, false, false, true))
    .map(([count, reacts, callbackThrows]) =>
      exportCommand({ items: count, reaction: reacts, times: 1, callbackThrows }),
    );
  const several = fc
    .tuple(items, reaction, fc.integer({ min: 2, max: 10 }))
    .map(([count, reacts, times]) =>
      exportCommand({ items: count, reaction: reacts, times, callbackThrows: false }),
    );
  const answers = (again: boolean) =>
    fc.tuple(which, answer).map(([target, result]) => answerCommand(target, result, again));
  const settles = (again: boolean) =>
    fc.tuple(which, settlement).map(([target, method]) => settleCommand(target, method, again));
  return [
    ...often(12, single),
    ...often(3, several),
    ...often(8, answers(false)),
    answers(true),
    fc.constantFrom(undefined, 0, 3).map(acquireCommand),
    settles(false),
    settles(true),
  ];
}

/** Time, and everything else that the world does. */
function world(fc: FastCheckLike<unknown>, exportTimeoutMillis: number): Arbitraries {
  const moments = [exportTimeoutMillis, Math.max(30_000, exportTimeoutMillis)].flatMap((moment) => [
    moment,
    moment - 1,
    moment + 1,
  ]);
  const advance = fc
    .oneof(
      fc.constantFrom(1, 999, 1_000, 2_500, 5_000, 30_000, ...moments.filter((moment) => moment > 0)),
      fc.integer({ min: 0, max: 12_000 }),
    )
    .map(advanceCommand);
  const random = [0, 0.25, 0.999, 1, -0.5, Number.NaN, '0.5', undefined].map((answer) => ({ answer }));
  return [
    ...often(9, advance),
    fc.constantFrom<RandomBehaviour>('throws', ...random).map(randomCommand),
    fc
      .constantFrom<Meddling>('throw', 'throw', 'throw', 'reset', 'reset', 'forceOpen', 'forceClosed')
      .map(meddleCommand),
    fc.constantFrom(3_600_000, -3_600_000, 700, -700).map(setTimeOfDayCommand),
    fc.oneof(
      fc.boolean().map(onErrorCommand),
      fc.constant(undefined).map(visitorCommand),
      fc.constant(undefined).map(readCommand),
    ),
  ];
}

/** Forcing and resetting: rarely, or little else would be seen. */
function byHand(fc: FastCheckLike<unknown>): Arbitraries {
  return [
    fc.constantFrom<ByHand>(...often(6, 'reset' as const), 'forceOpen', 'forceClosed').map(byHandCommand),
  ];
}
