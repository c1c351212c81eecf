import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  afterCooldown,
  allOf,
  anyOf,
  defaultProbePolicy,
  everyNthAttempt,
  exponentialBackoff,
} from '../../src/breaker/probe-policies.ts';
import {
  anyTrip,
  consecutiveFailures,
  failureRate,
  slowExportRate,
} from '../../src/breaker/trip-policies.ts';
import type { ProbeContext, ProbePolicy, TripDetector } from '../../src/index.ts';
import { runs } from './runs.ts';

/** Each policy of the contract against the plainest thing that does what the contract says. */

interface Result {
  readonly failed: boolean;
  readonly at: number;
  readonly durationMillis: number;
}

/** Results in order of time; now and then the circuit opens for another reason, and the detector is reset. */
const results = fc
  .array(
    fc.record({
      failed: fc.boolean(),
      pauseMillis: fc.oneof(fc.constantFrom(0, 0, 1, 100), fc.nat(1_500)),
      durationMillis: fc.oneof(fc.constantFrom(0, 99, 100, 101), fc.nat(300)),
      reset: fc.nat(40).map((n) => n === 0),
    }),
    { minLength: 1, maxLength: 150, size: 'max' },
  )
  .map((steps) => {
    // A clock has run for a while, in fractions of milliseconds.
    let at = 12_345.678;
    return steps.map(({ pauseMillis, ...rest }) => {
      at += pauseMillis;
      return { ...rest, at };
    });
  });

function tell(detector: TripDetector, { failed, at, durationMillis }: Result): boolean {
  return failed ? detector.onFailure(at, durationMillis, undefined) : detector.onSuccess(at, durationMillis);
}

/**
 * Feeds a detector; `expected` gets all results since the last reset, and lists the answers that the contract allows.
 * As in a breaker, an answer "open" is followed by a reset.
 */
function follow(
  detector: TripDetector,
  steps: readonly (Result & { readonly reset: boolean })[],
  expected: (seen: readonly Result[]) => readonly boolean[],
): void {
  let seen: Result[] = [];
  for (const [index, step] of steps.entries()) {
    if (step.reset) {
      detector.reset();
      seen = [];
    }
    seen.push(step);
    const allowed = expected(seen);
    const opens = tell(detector, step);
    if (!allowed.includes(opens)) {
      expect.fail(
        `result ${index + 1}, ${seen.length} since the last reset: ${opens}, by the contract ${allowed.join(' or ')}`,
      );
    }
    if (opens) {
      detector.reset();
      seen = [];
    }
  }
}

const thresholds = fc.oneof(fc.constantFrom(0.5, 1, 0.1), fc.double({ min: 0.05, max: 1, noNaN: true }));
const failed = (result: Result) => result.failed;
const slow = (result: Result) => result.durationMillis > 100;

/** Whether the last of some results opens a circuit that looks at all of them. */
function rateOpens(
  seen: readonly Result[],
  bad: (result: Result) => boolean,
  threshold: number,
  minimumExports: number,
): boolean {
  const last = seen.at(-1);
  if (last === undefined || !bad(last) || seen.length < minimumExports) return false;
  return seen.filter(bad).length / seen.length >= threshold;
}

/** The answers over every window that the contract allows: all of the last 90 %, nothing older than the whole. */
function answersOverTime(
  seen: readonly Result[],
  millis: number,
  answer: (window: readonly Result[]) => boolean,
): boolean[] {
  const now = seen.at(-1)!.at;
  const fewest = seen.filter(({ at }) => now - at < 0.9 * millis).length;
  const most = seen.filter(({ at }) => now - at <= millis).length;
  const answers = new Set<boolean>();
  for (let count = fewest; count <= most; count++) answers.add(answer(seen.slice(seen.length - count)));
  return [...answers];
}

describe('trip policies', () => {
  it('consecutiveFailures opens at every failure that makes its threshold, and at no success', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 8 }), results, (threshold, steps) => {
        follow(consecutiveFailures(threshold).createDetector(), steps, (seen) => {
          const inARow = seen.length - 1 - seen.findLastIndex((result) => !result.failed);
          return [inARow >= threshold];
        });
      }),
      runs(300),
    );
  });

  const countWindow = fc.integer({ min: 1, max: 30 }).chain((exports) =>
    fc.record({
      exports: fc.constant(exports),
      minimumExports: fc.option(fc.integer({ min: 1, max: exports })),
    }),
  );

  /** The options of a rate of the last `exports`; without `minimumExports` where it is null. */
  const countOptions = (
    threshold: number,
    { exports, minimumExports }: { exports: number; minimumExports: number | null },
  ) => ({
    threshold,
    window: { exports },
    ...(minimumExports === null ? {} : { minimumExports }),
  });

  it('failureRate of the last n exports', () => {
    fc.assert(
      fc.property(countWindow, thresholds, results, (window, threshold, steps) => {
        const minimumExports = window.minimumExports ?? Math.min(10, window.exports);
        follow(failureRate(countOptions(threshold, window)).createDetector(), steps, (seen) => [
          rateOpens(seen.slice(-window.exports), failed, threshold, minimumExports),
        ]);
      }),
      runs(300),
    );
  });

  it('slowExportRate of the last n exports, however they ended', () => {
    fc.assert(
      fc.property(countWindow, thresholds, results, (window, threshold, steps) => {
        const minimumExports = window.minimumExports ?? Math.min(10, window.exports);
        const policy = slowExportRate({ slowerThanMillis: 100, ...countOptions(threshold, window) });
        follow(policy.createDetector(), steps, (seen) => [
          rateOpens(seen.slice(-window.exports), slow, threshold, minimumExports),
        ]);
      }),
      runs(300),
    );
  });

  const timeWindow = fc.record({
    millis: fc.oneof(fc.constantFrom(1, 7, 1_000, 10_000), fc.integer({ min: 1, max: 60_000 })),
    minimumExports: fc.integer({ min: 1, max: 12 }),
  });

  it('failureRate of the last n ms, within the last tenth of it', () => {
    fc.assert(
      fc.property(timeWindow, thresholds, results, ({ millis, minimumExports }, threshold, steps) => {
        const policy = failureRate({ threshold, window: { millis }, minimumExports });
        follow(policy.createDetector(), steps, (seen) =>
          answersOverTime(seen, millis, (window) => rateOpens(window, failed, threshold, minimumExports)),
        );
      }),
      runs(300),
    );
  });

  it('slowExportRate of the last n ms, within the last tenth of it', () => {
    fc.assert(
      fc.property(timeWindow, thresholds, results, ({ millis, minimumExports }, threshold, steps) => {
        const policy = slowExportRate({
          slowerThanMillis: 100,
          threshold,
          window: { millis },
          minimumExports,
        });
        follow(policy.createDetector(), steps, (seen) =>
          answersOverTime(seen, millis, (window) => rateOpens(window, slow, threshold, minimumExports)),
        );
      }),
      runs(300),
    );
  });

  it('anyTrip opens when any of its policies does, and shows each of them every result', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 6 }), thresholds, results, (inARow, threshold, steps) => {
        const parts = [
          consecutiveFailures(inARow),
          failureRate({ threshold, window: { exports: 7 }, minimumExports: 4 }),
          slowExportRate({ slowerThanMillis: 100, threshold, window: { exports: 5 }, minimumExports: 3 }),
        ];
        const apart = parts.map((policy) => policy.createDetector());
        let sinceReset = 0;
        follow(anyTrip(...parts).createDetector(), steps, (seen) => {
          if (seen.length <= sinceReset) for (const detector of apart) detector.reset();
          sinceReset = seen.length;
          const answers = apart.map((detector) => tell(detector, seen.at(-1)!));
          return [answers.includes(true)];
        });
      }),
      runs(300),
    );
  });

  it('slowExportRate finds a probe too slow exactly when it took longer; anyTrip when any of its policies does', () => {
    fc.assert(
      fc.property(fc.nat(300), fc.nat(300), fc.nat(400), (one, other, durationMillis) => {
        const window = { exports: 5 };
        const parts = [one, other].map((slowerThanMillis) => slowExportRate({ slowerThanMillis, window }));
        const answers = parts.map((policy) => policy.createDetector().isTooSlow?.(durationMillis));
        expect(answers).toEqual([durationMillis > one, durationMillis > other]);
        const any = anyTrip(consecutiveFailures(), ...parts).createDetector();
        expect(any.isTooSlow?.(durationMillis)).toBe(answers.includes(true));
      }),
      runs(300),
    );
  });

  it('one policy makes detectors that know nothing of one another', () => {
    fc.assert(
      fc.property(results, (steps) => {
        const policy = failureRate({ window: { exports: 5 }, minimumExports: 2 });
        const [busy, quiet] = [policy.createDetector(), policy.createDetector()];
        for (const step of steps) tell(busy, step);
        const last = steps.at(-1)!;
        expect(tell(quiet, { ...last, failed: true })).toBe(false);
      }),
      runs(100),
    );
  });
});

const units = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
const contexts: fc.Arbitrary<ProbeContext> = fc.record({
  attempt: fc.oneof(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 1, max: 3_000 })),
  elapsedMillis: fc.oneof(fc.constantFrom(0, 999, 1_000, 2_500, 5_000, 30_000), fc.nat(100_000)),
  failedProbes: fc.oneof(fc.nat(6), fc.constantFrom(100, 1_100, 1_000_000_000)),
  random: fc.oneof(fc.constantFrom(0, 0.5, 1 - Number.EPSILON / 2), units),
});

/** min(maxMillis, initialMillis · multiplier^failedProbes), by multiplying until it is enough. */
function capOf(initialMillis: number, maxMillis: number, multiplier: number, failedProbes: number): number {
  let cap = initialMillis;
  for (let n = 0; n < failedProbes && multiplier !== 1 && cap < maxMillis && cap > 0; n++) cap *= multiplier;
  return Math.min(cap, maxMillis);
}

/** The policy waits for this long, give or take a rounding error. */
function expectDelay(policy: ProbePolicy, context: ProbeContext, delayMillis: number): void {
  const slack = 1e-6 + delayMillis * 1e-6;
  expect(policy({ ...context, elapsedMillis: delayMillis + slack }), `after ${delayMillis} ms`).toBe(true);
  if (delayMillis > slack) {
    expect(policy({ ...context, elapsedMillis: delayMillis - slack }), `before ${delayMillis} ms`).toBe(
      false,
    );
  }
}

describe('probe policies', () => {
  it('everyNthAttempt: n, 2n, …; with first, first + n, … as long as no probe has failed', () => {
    const options = fc.option(fc.integer({ min: 1, max: 60 }));
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 30 }), options, contexts, (n, first, context) => {
        const policy = first === null ? everyNthAttempt(n) : everyNthAttempt(n, { first });
        const start = context.failedProbes === 0 ? (first ?? n) : n;
        const attempts = new Set<number>();
        for (let attempt = start; attempt <= context.attempt; attempt += n) attempts.add(attempt);
        expect(policy(context)).toBe(attempts.has(context.attempt));
      }),
      runs(500),
    );
  });

  it('afterCooldown: elapsed >= millis, and nothing else', () => {
    fc.assert(
      fc.property(fc.nat(50_000), contexts, (millis, context) => {
        expect(afterCooldown(millis)(context)).toBe(context.elapsedMillis >= millis);
        expect(afterCooldown(millis)({ ...context, elapsedMillis: millis })).toBe(true);
      }),
      runs(500),
    );
  });

  const backoffs = fc
    .record({
      initialMillis: fc.oneof(fc.constantFrom(1, 1_000), fc.integer({ min: 1, max: 100_000 })),
      extraMillis: fc.oneof(fc.constantFrom(0, 59_000), fc.nat(1_000_000)),
      multiplier: fc.oneof(fc.constantFrom(1, 2, 1.5, 1e100), fc.double({ min: 1, max: 10, noNaN: true })),
      jitter: fc.constantFrom('full' as const, 'equal' as const, 'none' as const),
    })
    .map(({ extraMillis, ...rest }) => ({ ...rest, maxMillis: rest.initialMillis + extraMillis }));

  it('exponentialBackoff waits for its cap, jittered as the contract says', () => {
    fc.assert(
      fc.property(backoffs, contexts, (options, context) => {
        const { initialMillis, maxMillis, multiplier, jitter } = options;
        const cap = capOf(initialMillis, maxMillis, multiplier, Math.min(context.failedProbes, 5_000));
        const share = { full: context.random, equal: 0.5 + context.random / 2, none: 1 }[jitter];
        // Growth by next to nothing, a billion times over, is nothing to multiply out here.
        fc.pre(context.failedProbes <= 5_000 || multiplier === 1 || multiplier > 1.01);
        expectDelay(exponentialBackoff(options), context, cap * share);
      }),
      runs(500),
    );
  });

  it('exponentialBackoff never waits for longer than maxMillis, nor for Infinity or NaN', () => {
    fc.assert(
      fc.property(backoffs, contexts, (options, context) => {
        const policy = exponentialBackoff(options);
        expect(policy({ ...context, elapsedMillis: options.maxMillis })).toBe(true);
        const least = { full: 0, equal: options.initialMillis / 2, none: options.initialMillis }[
          options.jitter
        ];
        if (least > 0) expect(policy({ ...context, elapsedMillis: least * 0.999 })).toBe(false);
      }),
      runs(500),
    );
  });

  it('exponentialBackoff by default: 1 s, doubled up to 60 s, times the random number', () => {
    fc.assert(
      fc.property(contexts, (context) => {
        const cap = capOf(1_000, 60_000, 2, context.failedProbes);
        expectDelay(exponentialBackoff(), context, cap * context.random);
      }),
      runs(300),
    );
  });

  const partsOf = fc.array(fc.boolean(), { minLength: 1, maxLength: 5 });

  it('anyOf: at least one says yes; allOf: every one does', () => {
    fc.assert(
      fc.property(partsOf, contexts, (answers, context) => {
        const parts = answers.map((answer) => () => answer);
        expect(anyOf(...parts)(context)).toBe(answers.includes(true));
        expect(allOf(...parts)(context)).toBe(!answers.includes(false));
      }),
      runs(200),
    );
  });

  it('defaultProbePolicy is what the contract composes it of', () => {
    const composed = allOf(
      afterCooldown(1_000),
      anyOf(
        everyNthAttempt(10),
        exponentialBackoff({ initialMillis: 5_000, maxMillis: 30_000, jitter: 'equal' }),
      ),
    );
    fc.assert(
      fc.property(contexts, (context) => {
        expect(defaultProbePolicy(context)).toBe(composed(context));
      }),
      runs(500),
    );
  });

  it('defaultProbePolicy: every 10th attempt or after 2.5 to 30 s, none within a second', () => {
    fc.assert(
      fc.property(contexts, (context) => {
        const cap = capOf(5_000, 30_000, 2, context.failedProbes);
        const { elapsedMillis, attempt, random } = context;
        const pause = cap / 2 + (cap / 2) * random;
        fc.pre(Math.abs(elapsedMillis - pause) > 1e-6);
        const wanted = elapsedMillis >= 1_000 && (attempt % 10 === 0 || elapsedMillis >= pause);
        expect(defaultProbePolicy(context)).toBe(wanted);
      }),
      runs(500),
    );
  });
});
