import { systemClock } from '../breaker/clock.ts';
import {
  aFunction,
  optional,
  optionsObject,
  positiveInteger,
  positiveNumber,
  readOptions,
  refuseUnknownKeys,
} from '../internal/validate-options.ts';
import type { ArbitraryLike, FastCheckLike } from './circuit-arbitraries.ts';
import { circuitArbitraries } from './circuit-arbitraries.ts';
import type { CircuitCommand } from './circuit-command.ts';
import type { Complete, OpensWithin, RecoversWithin } from './circuit-liveness.ts';
import { livenessCommands } from './circuit-liveness.ts';
import { CircuitModel } from './circuit-model.ts';
import { CircuitRun } from './circuit-run.ts';
import { CircuitSystem } from './circuit-system.ts';
import type {
  CreateExporter,
  DrivenExporter,
  ExporterUnderTest,
  ExporterUnderTestOptions,
  InjectedOptions,
} from './circuit-under-test.ts';
import { createRealExporter, OPTIONS_UNDER_TEST } from './circuit-under-test.ts';
import type { ManualClock } from './manual-clock.ts';

export type { FastCheckLike } from './circuit-arbitraries.ts';
export type { OpensWithin, RecoversWithin } from './circuit-liveness.ts';
export type { CreateExporter, ExporterUnderTest } from './circuit-under-test.ts';

/** Options of {@link circuitCommands}: those of the exporter under test, the length of a run, and what must come of it. */
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
  /**
   * After each schedule the backend recovers, and exports go on, evenly spread. The circuit must close before this many
   * of them have been made, and within this time. Both count from the recovery, also if a probe hangs from before.
   * Otherwise the run fails, and says which policy does not let the circuit close.
   *
   * @defaultValue { attempts: 1_000, millis: 3_600_000 }
   */
  readonly recoversWithin?: RecoversWithin | undefined;
  /**
   * Then the backend fails every export: half of them at one moment, the others one second apart. The circuit must open
   * before this many have failed.
   *
   * @defaultValue { failures: 100 }
   */
  readonly opensWithin?: OpensWithin | undefined;
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
 * compared with the real exporter after every command. And it tests your part: after any schedule, the circuit closes once
 * the backend has recovered (`recoversWithin`), and opens when the backend fails every export (`opensWithin`).
 *
 * @remarks
 * Policies and classifier must answer the same when they are asked the same: the model asks them too. Clock and random
 * numbers are the kit's. For `fc.modelRun` only: between the commands of `fc.asyncModelRun`, promises settle that the model
 * does not expect yet.
 *
 * @typeParam Commands - the arbitrary that `fc.commands` returns
 * @param fc - the module fast-check, version 3 or later
 * @param options - the options of the exporter under test
 * @returns the two arguments of `fc.modelRun`: `setup`, and an arbitrary of `commands`
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
    'recoversWithin',
    'opensWithin',
  ]);
  const { minCommands, maxCommands, createExporter, recoversWithin, opensWithin, ...underTest } = options;
  const create = createExporter ?? createRealExporter;
  const least = optional(positiveInteger, 20)(minCommands, 'circuitCommands: option "minCommands"');
  const most = optional(positiveInteger, Math.max(60, 2 * least))(
    maxCommands,
    'circuitCommands: option "maxCommands"',
  );
  if (most < least) {
    throw new RangeError(`circuitCommands: option "maxCommands" must be at least ${least}, got ${most}`);
  }
  const recovery = readOptions<Complete<RecoversWithin>>(
    'circuitCommands: option "recoversWithin"',
    recoversWithin,
    { attempts: optional(positiveInteger, 1_000), millis: optional(positiveNumber, 3_600_000) },
  );
  const opening = readOptions<Complete<OpensWithin>>('circuitCommands: option "opensWithin"', opensWithin, {
    failures: optional(positiveInteger, 100),
  });
  // Bad options are refused now, not by each run; there the policies are wrapped, and bad ones would pass.
  createRealExporter(IDLE_EXPORTER, { ...underTest, ...IDLE_WORLD });
  aFunction(create, 'circuitCommands: option "createExporter"');

  const arbitraries = circuitArbitraries(fc, underTest.exportTimeoutMillis ?? 15_000);
  const schedules = fc.commands(arbitraries, { maxCommands: most, size: 'max' });
  const runs = (atLeast(fc, least, schedules) as ArbitraryLike<Iterable<CircuitCommand>>).map(
    (schedule) => new CircuitRun(schedule, livenessCommands(underTest, recovery, opening)),
  );
  return {
    commands: runs as Commands,
    setup() {
      const real = new CircuitSystem(underTest, create);
      return { real, model: new CircuitModel(underTest, real.clock.now()) };
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

/** The parts of fast-check's `Arbitrary` that {@link atLeast} passes on. */
interface Generator {
  generate(random: unknown, bias: unknown): { readonly value_: Iterable<unknown> };
  shrink(value: unknown, context: unknown): unknown;
}

/** The same commands, never fewer than `least` of them. Shrinking may leave fewer, or no counterexample would be short. */
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
