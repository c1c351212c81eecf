import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CircuitBreakerExporterOptions, ExportResultLike } from '../../src/index.ts';
import {
  CircuitBreaker,
  CircuitBreakerExporter,
  consecutiveFailures,
  everyNthAttempt,
} from '../../src/index.ts';
import { ManualClock } from '../../src/testing/manual-clock.ts';
import { runs, seed } from './seed.ts';

/** What the contract promises whatever happens, stated one by one, and checked without the model. */

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
  readonly callback: (result: ExportResultLike) => void;
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
  #reaction: Reaction = 'hold';

  constructor(options: CircuitBreakerExporterOptions) {
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
            const count = (method: 'onSuccess' | 'onFailure') => (at: number, millis: number) => {
              this.tripPolicyAsked += 1;
              return detector[method](at, millis);
            };
            return {
              onSuccess: count('onSuccess'),
              onFailure: count('onFailure'),
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

  unanswered(): Caller[] {
    return this.callers.filter((caller) => caller.answers === 0);
  }

  play(step: Op): void {
    switch (step.op) {
      case 'export':
        this.#export(step.items, step.reaction);
        break;
      case 'answer':
        this.calls.at(-1 - step.index)?.callback(RESULTS[step.answer]());
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
    const call = {
      items: batch.length,
      isProbe: state === 'HALF_OPEN',
      generation: this.generation,
      callback,
    };
    if (call.isProbe && this.#isProbing()) this.violations.push('a second probe in flight');
    this.callers.at(-1)!.call = call;
    const reaction = this.#reaction;
    if (reaction === 'throw') throw new Error('the inner exporter threw');
    if (reaction === 'reject') return Promise.reject(new Error('the inner exporter rejected'));
    if (reaction === 'twice') callback(RESULTS.failure());
    if (reaction === 'twice') callback(RESULTS.success());
    else if (reaction !== 'hold') callback(RESULTS[reaction]());
    return undefined;
  }

  #isProbing(): boolean {
    return this.unanswered().some(({ call }) => call?.isProbe && call.generation === this.generation);
  }
}

/** Whatever happens, `holds` after every step. */
function always(options: CircuitBreakerExporterOptions, holds: (world: World) => boolean): void {
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

const variants: readonly (readonly [string, CircuitBreakerExporterOptions])[] = [
  ['the defaults', {}],
  ['successThreshold 2', { successThreshold: 2 }],
  ['no export time-out', { exportTimeoutMillis: 0 }],
];

describe.each(variants)(`whatever happens, with %s (FC_SEED=${seed})`, (_name, options) => {
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
    ...rest
  } = exporter.snapshot();
  const { attemptsSinceOpened, failedProbes } = rest;
  return {
    ...{ state, forced, since, failures, consecutiveInvalid, attemptsSinceOpened, failedProbes },
    ...{ tripPolicyAsked, generation },
  };
}

describe(`whatever happens (FC_SEED=${seed})`, () => {
  it('success + failure + invalid + ignored + rejected + in flight = exports seen, in batches and in items', () => {
    always({}, (world) => {
      const { exports, items } = world.exporter.snapshot();
      const sum = (counts: typeof exports) => Object.values(counts).reduce((a, b) => a + b, 0);
      const itemsOf = (callers: readonly Caller[]) => callers.reduce((all, caller) => all + caller.items, 0);
      return (
        sum(exports) + world.unanswered().length === world.callers.length &&
        sum(items) + itemsOf(world.unanswered()) === itemsOf(world.callers)
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

  it('a probe policy is told the forward steps of the clock that attempts saw, also if the clock runs back', () => {
    const steps = fc.array(fc.integer({ min: -5_000, max: 5_000 }), {
      minLength: 20,
      maxLength: 60,
      size: 'max',
    });
    fc.assert(
      fc.property(steps, (clockSteps) => {
        let now = 1_000_000;
        const told: number[] = [];
        const breaker = new CircuitBreaker({
          clock: { now: () => now, schedule: () => () => {} },
          tripPolicy: consecutiveFailures(1),
          probePolicy: ({ elapsedMillis }) => {
            told.push(elapsedMillis);
            return false;
          },
        });
        breaker.tryAcquire()?.fail();
        let forward = 0;
        const expected: number[] = [];
        for (const step of clockSteps) {
          now += step;
          breaker.tryAcquire();
          forward += Math.max(0, step);
          expected.push(forward);
        }
        expect(told).toEqual(expected);
      }),
      runs(200),
    );
  });
});
