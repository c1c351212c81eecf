import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CircuitBreakerExporterOptions, ExportResultLike } from '../../src/index.ts';
import {
  CircuitBreaker,
  CircuitBreakerExporter,
  consecutiveFailures,
  everyNthAttempt,
  slowExportRate,
} from '../../src/index.ts';
import { ManualClock } from '../../src/testing/manual-clock.ts';
import { runs } from './runs.ts';

/** Promises of the contract that hold whatever happens, one by one, checked without the model. */

type Answer = 'success' | 'failure' | 'invalid' | 'ignored';
type Reaction = Answer | 'hold' | 'throw' | 'twice' | 'reject';
type Op =
  | { readonly op: 'export'; readonly items: number; readonly reaction: Reaction }
  | { readonly op: 'answer'; readonly index: number; readonly answer: Answer }
  | { readonly op: 'advance'; readonly millis: number }
  | { readonly op: 'forceOpen' | 'forceClosed' | 'reset' };

const answers = fc.constantFrom<Answer>('success', 'failure', 'failure', 'failure', 'invalid', 'ignored');
const reactions = fc.oneof(
  { arbitrary: answers, weight: 4 },
  { arbitrary: fc.constant<Reaction>('hold'), weight: 3 },
  { arbitrary: fc.constantFrom<Reaction>('throw', 'twice', 'reject'), weight: 1 },
);
const ops = fc.array(
  fc.oneof(
    {
      arbitrary: fc.record({ op: fc.constant('export' as const), items: fc.nat(5), reaction: reactions }),
      weight: 10,
    },
    {
      arbitrary: fc.record({ op: fc.constant('answer' as const), index: fc.nat(9), answer: answers }),
      weight: 6,
    },
    {
      arbitrary: fc.record({
        op: fc.constant('advance' as const),
        millis: fc.constantFrom(1, 400, 1_000, 5_000, 15_000),
      }),
      weight: 4,
    },
    {
      arbitrary: fc.record({ op: fc.constantFrom('reset', 'reset', 'forceOpen', 'forceClosed') }),
      weight: 1,
    },
  ) as fc.Arbitrary<Op>,
  { minLength: 20, maxLength: 80, size: 'max' },
);

const RESULTS: Readonly<Record<Answer, () => ExportResultLike>> = {
  success: () => ({ code: 0 }),
  failure: () => ({ code: 1, error: new Error('down') }),
  invalid: () => ({ code: 1, error: Object.assign(new Error('refused'), { code: 400 }) }),
  ignored: () => ({ code: 1, error: new Error('Concurrent export limit reached') }),
};

interface Call {
  readonly items: number;
  readonly isProbe: boolean;
  /** Counts the changes of state, and the resets. */
  readonly generation: number;
  readonly startedAt: number;
  readonly callback: (result: ExportResultLike) => void;
  answered: boolean;
}

interface Caller {
  readonly items: number;
  answers: number;
  call: Call | undefined;
}

/** An exporter, and all that can be seen of it from outside. */
class World {
  readonly clock = new ManualClock();
  readonly callers: Caller[] = [];
  readonly exporter: CircuitBreakerExporter<unknown[]>;
  readonly violations: string[] = [];
  generation = 0;
  tripPolicyAsked = 0;
  readonly #timeoutMillis: number;
  #reaction: Reaction = 'hold';

  constructor(options: CircuitBreakerExporterOptions<unknown[]>) {
    this.#timeoutMillis = options.exportTimeoutMillis ?? 15_000;
    const policy = consecutiveFailures(2);
    this.exporter = new CircuitBreakerExporter<unknown[]>(
      { export: (batch, callback) => this.#innerExport(batch, callback), shutdown: async () => {} },
      {
        probePolicy: everyNthAttempt(3),
        ...options,
        clock: this.clock,
        onError: () => {},
        onTransition: () => {
          this.generation += 1;
        },
        tripPolicy: {
          createDetector: () => {
            const detector = policy.createDetector();
            return {
              onSuccess: (at, millis) => {
                this.tripPolicyAsked += 1;
                return detector.onSuccess(at, millis);
              },
              onFailure: (at, millis, error) => {
                this.tripPolicyAsked += 1;
                return detector.onFailure(at, millis, error);
              },
              reset: () => detector.reset(),
            };
          },
        },
      },
    );
  }

  get calls(): Call[] {
    return this.callers.flatMap(({ call }) => (call === undefined ? [] : [call]));
  }

  /** Exports that the inner exporter has not answered in time so far. */
  inFlight(): Call[] {
    const timeoutMillis = this.#timeoutMillis || Number.POSITIVE_INFINITY;
    return this.calls.filter(
      ({ answered, startedAt }) => !answered && this.clock.now() - startedAt < timeoutMillis,
    );
  }

  play(step: Op): void {
    switch (step.op) {
      case 'export':
        this.#export(step.items, step.reaction);
        break;
      case 'answer':
        answer(this.calls.at(-1 - step.index), step.answer);
        break;
      case 'advance':
        this.clock.advance(step.millis);
        break;
      default:
        if (step.op === 'reset') this.generation += 1;
        this.exporter.breaker[step.op]();
    }
  }

  #export(items: number, reaction: Reaction): void {
    this.#reaction = reaction;
    const caller: Caller = { items, answers: 0, call: undefined };
    this.callers.push(caller);
    this.exporter.export(new Array<number>(items).fill(0), () => {
      caller.answers += 1;
    });
  }

  #innerExport(batch: unknown[], callback: (result: ExportResultLike) => void): unknown {
    const { state } = this.exporter.breaker;
    if (state === 'OPEN') this.violations.push('an inner call while OPEN');
    const call: Call = {
      items: batch.length,
      isProbe: state === 'HALF_OPEN',
      generation: this.generation,
      startedAt: this.clock.now(),
      callback,
      answered: false,
    };
    if (call.isProbe && this.#isProbing()) this.violations.push('a second probe in flight');
    this.callers.at(-1)!.call = call;
    const reaction = this.#reaction;
    if (reaction === 'throw') {
      call.answered = true;
      throw new Error('the inner exporter threw');
    }
    if (reaction === 'reject') return Promise.reject(new Error('the inner exporter rejected'));
    if (reaction === 'twice') answer(call, 'failure');
    if (reaction === 'twice') answer(call, 'success');
    else if (reaction !== 'hold') answer(call, reaction);
    return undefined;
  }

  #isProbing(): boolean {
    // Without an export time-out, a probe that hangs is given up after 30 s.
    return this.inFlight().some(
      ({ isProbe, generation, startedAt }) =>
        isProbe && generation === this.generation && this.clock.now() - startedAt < 30_000,
    );
  }
}

function answer(call: Call | undefined, kind: Answer): void {
  if (call === undefined) return;
  call.answered = true;
  call.callback(RESULTS[kind]());
}

/** Whatever happens, `holds` after every step. */
function always(options: CircuitBreakerExporterOptions<unknown[]>, holds: (world: World) => boolean): void {
  fc.assert(
    fc.property(ops, (steps) => {
      const world = new World(options);
      return steps.every((step) => {
        world.play(step);
        return holds(world);
      });
    }),
    runs(300),
  );
}

const variants: readonly (readonly [string, CircuitBreakerExporterOptions<unknown[]>])[] = [
  ['the defaults', {}],
  ['successThreshold 2', { successThreshold: 2 }],
  ['no export time-out', { exportTimeoutMillis: 0 }],
];

describe.each(variants)('whatever happens, with %s', (_name, options) => {
  it('there are never two probes in flight', () => {
    always(options, ({ violations }) => !violations.includes('a second probe in flight'));
  });

  it('there is no inner call while OPEN', () => {
    always(options, ({ violations }) => !violations.includes('an inner call while OPEN'));
  });

  it('every export is answered at most once', () => {
    always(options, ({ callers }) => callers.every((caller) => caller.answers <= 1));
  });

  it('a result of an earlier generation changes no state, no streak, and is shown to no policy', () => {
    fc.assert(
      fc.property(ops, (steps) => {
        const world = new World(options);
        for (const step of steps) {
          const late = step.op === 'answer' ? world.calls.at(-1 - step.index) : undefined;
          const isStale = late !== undefined && late.generation !== world.generation;
          const before = isStale ? decisive(world) : undefined;
          world.play(step);
          if (isStale) expect(decisive(world)).toEqual(before);
        }
      }),
      runs(300),
    );
  });
});

/** What decides about exports to come. */
function decisive({ exporter, tripPolicyAsked, generation }: World) {
  const {
    state,
    forced,
    since,
    consecutiveFailures: failures,
    consecutiveInvalid,
    consecutiveIgnored,
    ...rest
  } = exporter.snapshot();
  const { attemptsSinceOpened, failedProbes } = rest;
  return {
    ...{ state, forced, since, failures, consecutiveInvalid, consecutiveIgnored },
    ...{ attemptsSinceOpened, failedProbes },
    ...{ tripPolicyAsked, generation },
  };
}

describe('whatever happens', () => {
  it('success + failure + invalid + ignored + rejected + in flight = exports seen, in batches and in items', () => {
    always({}, (world) => {
      const { exports, items } = world.exporter.snapshot();
      const sum = (counts: typeof exports) => Object.values(counts).reduce((a, b) => a + b, 0);
      const itemsOf = (list: readonly { items: number }[]) => list.reduce((all, one) => all + one.items, 0);
      return (
        sum(exports) + world.inFlight().length === world.callers.length &&
        sum(items) + itemsOf(world.inFlight()) === itemsOf(world.callers)
      );
    });
  });

  it('every export has been answered exactly once when its time-out is over', () => {
    fc.assert(
      fc.property(ops, (steps) => {
        const world = new World({});
        for (const step of steps) world.play(step);
        world.clock.advance(15_000);
        expect(world.callers.filter((caller) => caller.answers !== 1)).toEqual([]);
      }),
      runs(300),
    );
  });

  it('reading changes nothing', () => {
    fc.assert(
      fc.property(ops, (steps) => {
        const [read, unread] = [new World({ random: () => 0.3 }), new World({ random: () => 0.3 })];
        for (const step of steps) {
          for (let i = 0; i < 3; i++) JSON.stringify([read.exporter.breaker.state, read.exporter.snapshot()]);
          read.play(step);
          unread.play(step);
        }
        expect(read.exporter.snapshot()).toEqual(unread.exporter.snapshot());
      }),
      runs(100),
    );
  });

  it('every caller of a probe has been answered within a second', () => {
    always({}, ({ callers, clock }) =>
      callers.every(
        ({ call, answers }) => !call?.isProbe || answers > 0 || clock.now() - call.startedAt < 1_000,
      ),
    );
  });

  it('what throws before it sends anything opens no circuit, closes none, and fails no probe', () => {
    fc.assert(
      fc.property(ops, (steps) => {
        const world = new World({});
        for (const step of steps) {
          const before = world.exporter.snapshot();
          world.play(step);
          if (step.op !== 'export' || step.reaction !== 'throw') continue;
          const after = world.exporter.snapshot();
          // An attempt may have become a probe.
          expect([before.state, 'HALF_OPEN']).toContain(after.state);
          expect(after.consecutiveFailures).toBe(before.consecutiveFailures);
          expect(after.probes).toEqual(before.probes);
        }
      }),
      runs(300),
    );
  });

  it('a circuit with slowExportRate is closed only by a probe that is quick enough', () => {
    const durations = fc.array(fc.constantFrom(0, 100, 101, 500), {
      minLength: 20,
      maxLength: 60,
      size: 'max',
    });
    fc.assert(
      fc.property(durations, (millis) => {
        const clock = new ManualClock();
        const breaker = new CircuitBreaker({
          clock,
          tripPolicy: slowExportRate({ slowerThanMillis: 100, window: { exports: 4 } }),
          probePolicy: everyNthAttempt(2),
        });
        for (const durationMillis of millis) {
          const permit = breaker.tryAcquire();
          if (permit === undefined) continue;
          clock.advance(durationMillis);
          permit.succeed();
          if (permit.probe) expect(breaker.state).toBe(durationMillis > 100 ? 'OPEN' : 'CLOSED');
        }
      }),
      runs(200),
    );
  });

  it('a time of day that is set changes nothing but the times that are shown', () => {
    const times = fc.array(fc.tuple(fc.nat(5_000), fc.integer({ min: -7_200_000, max: 7_200_000 })), {
      minLength: 20,
      maxLength: 60,
      size: 'max',
    });
    fc.assert(
      fc.property(times, (pauses) => {
        const runWith = (follows: boolean) => {
          const time = { now: 0, unixMillis: 1_700_000_000_000 };
          const elapsed: number[] = [];
          const breaker = new CircuitBreaker({
            clock: { now: () => time.now, unixMillis: () => time.unixMillis, schedule: () => () => {} },
            tripPolicy: consecutiveFailures(1),
            probePolicy: (context) => {
              elapsed.push(context.elapsedMillis);
              return context.elapsedMillis >= 5_000;
            },
          });
          for (const [pauseMillis, step] of pauses) {
            const permit = breaker.tryAcquire();
            time.now += pauseMillis;
            time.unixMillis += pauseMillis + (follows ? step : 0);
            permit?.fail();
          }
          const { notClosedMillis, exportDurations, exports, transitions, attemptsSinceOpened } =
            breaker.snapshot();
          return { elapsed, notClosedMillis, exportDurations, exports, transitions, attemptsSinceOpened };
        };
        expect(runWith(true)).toEqual(runWith(false));
      }),
      runs(200),
    );
  });
});
