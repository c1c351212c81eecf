import { systemClock } from '../breaker/clock.ts';
import {
  aFunction,
  optional,
  optionsObject,
  positiveInteger,
  refuseUnknownKeys,
} from '../internal/validate-options.ts';
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
  settleCommand,
  visitorCommand,
} from './circuit-command.ts';
import { CircuitModel } from './circuit-model.ts';
import { ANSWERS, REACTIONS } from './circuit-reactions.ts';
import type {
  CreateExporter,
  DrivenExporter,
  ExporterUnderTest,
  ExporterUnderTestOptions,
  InjectedOptions,
} from './circuit-system.ts';
import { CircuitSystem, createRealExporter, OPTIONS_UNDER_TEST } from './circuit-system.ts';
import type { RandomBehaviour } from './circuit-users-code-model.ts';
import type { ManualClock } from './manual-clock.ts';

export type { CreateExporter, ExporterUnderTest } from './circuit-system.ts';

/** What is tested, and how long a run is. */
export interface CircuitCommandsOptions extends ExporterUnderTestOptions {
  /**
   * Commands in a run, at least. A counterexample is shrunk to fewer.
   *
   * @defaultValue 20
   */
  readonly minCommands?: number | undefined;
  /**
   * Commands in a run, at most.
   *
   * @defaultValue 60, or twice `minCommands` if that is more
   */
  readonly maxCommands?: number | undefined;
  /**
   * Makes the exporter that is tested: your own wrapper around `CircuitBreakerExporter`, for instance.
   *
   * @defaultValue a `CircuitBreakerExporter`
   */
  readonly createExporter?: CreateExporter | undefined;
}

/** An arbitrary of fast-check, as far as it is used here. */
interface ArbitraryLike<T> {
  map<U>(mapper: (value: T) => U): ArbitraryLike<U>;
}

/**
 * The parts of fast-check that are used here: its module is one of these. Named by structure, so that the types of this
 * package do not need fast-check either.
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

/** For `fc.property` and `fc.modelRun`. */
export interface CircuitCommands<Commands> {
  /** An arbitrary of lists of commands. */
  readonly commands: Commands;
  /** A new model and a new exporter, for one run. */
  readonly setup: () => {
    model: { readonly commandsRun: number };
    real: { readonly exporter: ExporterUnderTest; readonly clock: ManualClock };
  };
}

/**
 * Property-tests a circuit breaker with your own policies: random schedules of exports, answers (late, double, none),
 * time, forcing, resetting, listeners and a `random` that throw, against an independent model of the contract, which is
 * compared with the real exporter after every command.
 *
 * @remarks
 * Policies and classifier must answer the same when they are asked the same: the model asks them too. Clock and random
 * numbers are the kit's. For `fc.modelRun` alone: between the commands of `fc.asyncModelRun` promises settle that the model
 * does not expect yet.
 *
 * @typeParam Commands - the arbitrary that `fc.commands` returns
 * @param fc - the module fast-check, version 3 or later
 * @param options - the options of the exporter under test
 * @returns what `fc.modelRun` wants
 * @throws TypeError for a bad value or an unknown option, RangeError for a number out of its range
 *
 * @example
 * ```ts
 * import fc from 'fast-check';
 * import { failureRate } from 'otel-circuit-breaker';
 * import { circuitCommands } from 'otel-circuit-breaker/testing';
 *
 * const { commands, setup } = circuitCommands(fc, {
 *   tripPolicy: failureRate({ threshold: 0.5, window: { exports: 20 } }),
 * });
 * fc.assert(fc.property(commands, (run) => fc.modelRun(setup, run)));
 * ```
 *
 * @see {@link https://fast-check.dev/docs/advanced/model-based-testing/ | model-based testing with fast-check}
 */
export function circuitCommands<Commands>(
  fc: FastCheckLike<Commands>,
  options: CircuitCommandsOptions = {},
): CircuitCommands<Commands> {
  refuseUnknownKeys('circuitCommands', optionsObject('circuitCommands', options), [
    ...OPTIONS_UNDER_TEST,
    'minCommands',
    'maxCommands',
    'createExporter',
  ]);
  const { minCommands, maxCommands, createExporter = createRealExporter, ...rest } = options;
  const least = optional(positiveInteger, 20)(minCommands, 'circuitCommands: option "minCommands"');
  const most = optional(positiveInteger, Math.max(60, 2 * least))(
    maxCommands,
    'circuitCommands: option "maxCommands"',
  );
  if (most < least) {
    throw new RangeError(`circuitCommands: option "maxCommands" must be at least ${least}, got ${most}`);
  }
  // What is wrong with them is said now, and not by each run; there the policies are wrapped, and would pass for good ones.
  createRealExporter(IDLE_EXPORTER, { ...rest, ...IDLE_WORLD });
  aFunction(createExporter, 'circuitCommands: option "createExporter"');
  const arbitraries = [...sending(fc), ...world(fc, rest), ...byHand(fc)];
  return {
    commands: atLeast(fc, least, fc.commands(arbitraries, { maxCommands: most, size: 'max' })),
    setup() {
      const real = new CircuitSystem(rest, createExporter);
      return { real, model: new CircuitModel(rest, real.clock.now()) };
    },
  };
}

const IDLE_EXPORTER: DrivenExporter = { export() {}, async shutdown() {} };

const IDLE_WORLD: InjectedOptions = {
  clock: systemClock,
  random: () => 0,
  onTransition() {},
  onError() {},
};

type Arbitraries = ArbitraryLike<CircuitCommand>[];

/** The same arbitrary several times: that much more likely. */
function often<T>(times: number, arbitrary: T): T[] {
  return new Array<T>(times).fill(arbitrary);
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

/** Time, and what the world does besides. */
function world(
  fc: FastCheckLike<unknown>,
  { exportTimeoutMillis = 15_000, probeTimeoutMillis = 30_000 }: ExporterUnderTestOptions,
): Arbitraries {
  const moments = [exportTimeoutMillis, probeTimeoutMillis].flatMap((moment) => [
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
    fc.oneof(
      fc.boolean().map(onErrorCommand),
      fc.constant(undefined).map(visitorCommand),
      fc.constant(undefined).map(readCommand),
    ),
  ];
}

/** Forcing, and back: seldom, or little else would be seen. */
function byHand(fc: FastCheckLike<unknown>): Arbitraries {
  return [
    fc.constantFrom<ByHand>(...often(6, 'reset' as const), 'forceOpen', 'forceClosed').map(byHandCommand),
  ];
}

/** What of fast-check's `Arbitrary` {@link atLeast} has to pass on. */
interface Generator {
  generate(random: unknown, bias: unknown): { readonly value_: Iterable<unknown> };
  shrink(value: unknown, context: unknown): unknown;
}

/** The same commands, never fewer than `least` of them; shrinking may leave fewer, or no counterexample was short. */
function atLeast<Commands>(fc: FastCheckLike<Commands>, least: number, commands: Commands): Commands {
  const inner = commands as Generator;
  class LongRuns extends fc.Arbitrary {
    generate(random: unknown, bias: unknown): ReturnType<Generator['generate']> {
      for (;;) {
        const generated = inner.generate(random, bias);
        if ([...generated.value_].length >= least) return generated;
      }
    }

    canShrinkWithoutContext(): boolean {
      return false;
    }

    shrink(value: unknown, context: unknown): unknown {
      return inner.shrink(value, context);
    }
  }
  return new LongRuns() as Commands;
}
