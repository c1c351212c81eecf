import { describe, expect, it, vi } from 'vitest';
import type { FailureRateOptions, TripDetector, TripPolicy } from '../../../src/breaker/trip-policies.ts';
import {
  anyTrip,
  consecutiveFailures,
  failureRate,
  slowExportRate,
} from '../../../src/breaker/trip-policies.ts';
import { acquire, arrangeBreaker, fail } from './arrange.ts';

/** What a detector says to a line of results, all at one moment: `.` a success, `x` a failure. */
function answers(detector: TripDetector, results: string, at = 0): boolean[] {
  return [...results].map((result) =>
    result === 'x' ? detector.onFailure(at, 0, undefined) : detector.onSuccess(at, 0),
  );
}

/** At which results, from 1, a new detector says that the circuit shall open. */
function opensAt(policy: TripPolicy, results: string): number[] {
  return answers(policy.createDetector(), results).flatMap((open, i) => (open ? [i + 1] : []));
}

describe('consecutiveFailures', () => {
  it('opens at the threshold, and a success starts anew', () => {
    expect(opensAt(consecutiveFailures(2), 'x.x.xx')).toEqual([6]);
    expect(opensAt(consecutiveFailures(1), '.x')).toEqual([2]);
  });

  it('is 3 by default', () => {
    expect(opensAt(consecutiveFailures(), 'xx.xxx')).toEqual([6]);
  });

  it('goes on saying so beyond the threshold', () => {
    expect(opensAt(consecutiveFailures(2), 'xxxx')).toEqual([2, 3, 4]);
  });

  it('starts anew when it is reset', () => {
    const detector = consecutiveFailures(3).createDetector();
    answers(detector, 'xx');
    detector.reset();
    expect(answers(detector, 'xxx')).toEqual([false, false, true]);
  });
});

describe('failureRate', () => {
  it('opens when half of at least 10 exports failed, by default', () => {
    expect(opensAt(failureRate({ window: { exports: 100 } }), '.....xxxxx')).toEqual([10]);
    expect(opensAt(failureRate({ window: { exports: 100 } }), '......xxxxx')).toEqual([]);
    expect(opensAt(failureRate({ window: { exports: 100 } }), '......xxxxxx')).toEqual([12]);
  });

  it('looks when a failure comes in, at the threshold exactly, too', () => {
    const policy = failureRate({ threshold: 0.3, window: { exports: 10 }, minimumExports: 10 });
    expect(opensAt(policy, 'xxx.......')).toEqual([]);
    expect(opensAt(policy, '.......xxx')).toEqual([10]);
    expect(opensAt(policy, '........xx')).toEqual([]);
  });

  it('says nothing before minimumExports are in the window', () => {
    expect(opensAt(failureRate({ window: { exports: 100 }, minimumExports: 4 }), 'xxxxx')).toEqual([4, 5]);
  });

  it('needs at most as many as a small window holds, by default', () => {
    expect(opensAt(failureRate({ window: { exports: 3 } }), 'xxx')).toEqual([3]);
    expect(opensAt(failureRate({ window: { exports: 10 } }), 'xxxxxxxxxx')).toEqual([10]);
  });

  it('with a threshold of 1 opens when all failed', () => {
    expect(opensAt(failureRate({ threshold: 1, window: { exports: 3 } }), 'xx.xxx')).toEqual([6]);
  });

  it('forgets what is no longer among the last n', () => {
    expect(opensAt(failureRate({ threshold: 1, window: { exports: 2 } }), '..........xx')).toEqual([12]);
  });

  it('forgets what is older than the window', () => {
    const detector = failureRate({ window: { millis: 1_000 }, minimumExports: 2 }).createDetector();
    expect(answers(detector, '....x', 0)).toEqual([false, false, false, false, false]);
    expect(answers(detector, 'x', 900)).toEqual([false]);
    expect(answers(detector, 'x', 1_000)).toEqual([true]);
  });

  it('starts anew when it is reset, with either window', () => {
    for (const window of [{ exports: 4 }, { millis: 1_000 }]) {
      const detector = failureRate({ window, minimumExports: 4 } as FailureRateOptions).createDetector();
      answers(detector, 'xxx');
      detector.reset();
      expect(answers(detector, 'xxxx')).toEqual([false, false, false, true]);
    }
  });

  it('takes an invalid result for a success, and does not see an ignored one', () => {
    const { breaker } = arrangeBreaker({ tripPolicy: failureRate({ threshold: 1, window: { exports: 2 } }) });
    fail(breaker, 1);
    acquire(breaker).invalid();
    fail(breaker, 1);
    acquire(breaker).ignore();
    expect(breaker.state).toBe('CLOSED');
    fail(breaker, 1);
    expect(breaker.state).toBe('OPEN');
  });
});

describe('slowExportRate', () => {
  const policy = slowExportRate({ slowerThanMillis: 100, window: { exports: 4 } });

  it('opens when half of the exports took longer, however they ended', () => {
    const detector = policy.createDetector();
    expect([
      detector.onSuccess(0, 100),
      detector.onFailure(0, 100, undefined),
      detector.onSuccess(0, 101),
      detector.onFailure(0, 101, undefined),
      detector.onSuccess(0, 101),
    ]).toEqual([false, false, false, true, true]);
  });

  it('opens at a slow success', () => {
    const detector = slowExportRate({ slowerThanMillis: 0, window: { exports: 1 } }).createDetector();
    expect([detector.onSuccess(0, 0), detector.onSuccess(0, 1)]).toEqual([false, true]);
  });

  it('looks when a slow one comes in, and never at a quick one', () => {
    const detector = slowExportRate({ slowerThanMillis: 100, window: { exports: 10 } }).createDetector();
    for (let i = 0; i < 9; i++) expect(detector.onFailure(0, 500, undefined)).toBe(false);
    expect(detector.onFailure(0, 1, undefined)).toBe(false);
    expect(detector.onSuccess(0, 1)).toBe(false);
    expect(detector.onFailure(0, 500, undefined)).toBe(true);
  });

  it('finds a probe too slow that took longer, whatever the rate', () => {
    const detector = policy.createDetector();
    expect([100, 100.5].map((millis) => detector.isTooSlow?.(millis))).toEqual([false, true]);
  });

  it('has a threshold and a minimum of its own', () => {
    const detector = slowExportRate({
      slowerThanMillis: 100,
      threshold: 0.75,
      window: { exports: 4 },
      minimumExports: 3,
    }).createDetector();
    expect([500, 1, 500, 500].map((millis) => detector.onSuccess(0, millis))).toEqual([
      false,
      false,
      false,
      true,
    ]);
  });

  it('forgets what is older than the window, and all when it is reset', () => {
    const detector = slowExportRate({
      slowerThanMillis: 100,
      window: { millis: 1_000 },
      minimumExports: 2,
    }).createDetector();
    expect(detector.onSuccess(0, 500)).toBe(false);
    expect(detector.onSuccess(1_000, 500)).toBe(false);
    expect(detector.onSuccess(1_000, 500)).toBe(true);
    detector.reset();
    expect(detector.onSuccess(1_000, 500)).toBe(false);
  });

  it('is shown how long an export took by the breaker, from its permit to its result', () => {
    const { breaker, clock } = arrangeBreaker({
      tripPolicy: slowExportRate({ slowerThanMillis: 100, window: { exports: 1 } }),
    });
    const quick = acquire(breaker);
    clock.advance(100);
    quick.succeed();
    expect(breaker.state).toBe('CLOSED');
    const slow = acquire(breaker);
    clock.advance(101);
    slow.succeed();
    expect(breaker.state).toBe('OPEN');
  });
});

describe('anyTrip', () => {
  function detecting(
    onSuccess: () => unknown,
    onFailure: () => unknown,
    reset: () => void = () => {},
  ): TripPolicy {
    return { createDetector: () => ({ onSuccess, onFailure, reset }) as TripDetector };
  }
  const no = detecting(
    () => false,
    () => false,
  );
  const broken = detecting(
    () => {
      throw new Error('broken');
    },
    () => {
      throw new Error('broken');
    },
  );
  const atSuccess = detecting(
    () => true,
    () => false,
  );

  it('opens when any of them says so, at a failure or a success', () => {
    expect(opensAt(anyTrip(no, consecutiveFailures(2)), 'xx')).toEqual([2]);
    expect(opensAt(anyTrip(consecutiveFailures(2), no), 'xx')).toEqual([2]);
    expect(opensAt(anyTrip(no, atSuccess), 'x.')).toEqual([2]);
    expect(opensAt(anyTrip(no, no), 'x.x')).toEqual([]);
  });

  it('shows each of them every result, with its error, also when one has said yes or thrown', () => {
    const onSuccess = vi.fn(() => false);
    const onFailure = vi.fn(() => false);
    const detector = anyTrip(
      consecutiveFailures(1),
      broken,
      detecting(onSuccess, onFailure),
    ).createDetector();
    const error = new Error('down');
    expect(detector.onFailure(5, 7, error)).toBe(true);
    expect(detector.onSuccess(6, 8)).toBe(false);
    expect(onFailure.mock.calls).toEqual([[5, 7, error]]);
    expect(onSuccess.mock.calls).toEqual([[6, 8]]);
  });

  it('takes a policy that throws or returns no boolean for a no, which does not outweigh the yes of another', () => {
    const unsure = detecting(
      () => undefined,
      () => 'yes',
    );
    expect(opensAt(anyTrip(broken, unsure, consecutiveFailures(1)), 'x')).toEqual([1]);
    expect(opensAt(anyTrip(consecutiveFailures(1), broken, unsure), 'x')).toEqual([1]);
    expect(opensAt(anyTrip(unsure, no, broken), 'x.')).toEqual([]);
  });

  it('resets all of them, also when one throws', () => {
    const reset = vi.fn();
    const says = (): boolean => false;
    const throws = detecting(says, says, () => {
      throw new Error('reset broke');
    });
    anyTrip(throws, detecting(says, says, reset))
      .createDetector()
      .reset();
    expect(reset).toHaveBeenCalledTimes(1);
  });

  it('finds a probe too slow when any of them does, and has no such question where none of them has', () => {
    const slowness = (slowerThanMillis: number) =>
      slowExportRate({ slowerThanMillis, window: { exports: 4 } });
    const detector = anyTrip(slowness(200), consecutiveFailures(), slowness(100)).createDetector();
    expect([100, 101, 201].map((millis) => detector.isTooSlow?.(millis))).toEqual([false, true, true]);
    expect(anyTrip(consecutiveFailures(), no).createDetector()).not.toHaveProperty('isTooSlow');
    expect(
      anyTrip(anyTrip(slowness(100)))
        .createDetector()
        .isTooSlow?.(101),
    ).toBe(true);
  });

  it('finds a probe quick enough for a policy that throws when it is asked', () => {
    const unsure: TripPolicy = {
      createDetector: () => ({
        ...consecutiveFailures().createDetector(),
        isTooSlow() {
          throw new Error('broken');
        },
      }),
    };
    const slow = slowExportRate({ slowerThanMillis: 100, window: { exports: 4 } });
    expect(anyTrip(unsure).createDetector().isTooSlow?.(101)).toBe(false);
    expect(anyTrip(unsure, slow).createDetector().isTooSlow?.(101)).toBe(true);
  });

  it('makes detectors of its own for each breaker', () => {
    const policy = anyTrip(consecutiveFailures(2));
    const [first, second] = [policy.createDetector(), policy.createDetector()];
    expect(answers(first, 'x')).toEqual([false]);
    expect(answers(second, 'x')).toEqual([false]);
    expect(answers(first, 'x')).toEqual([true]);
  });
});

describe('bad input', () => {
  const window = { exports: 20 };

  it.each<[string, () => unknown, typeof TypeError | typeof RangeError, string]>([
    [
      'consecutiveFailures(0)',
      () => consecutiveFailures(0),
      RangeError,
      'consecutiveFailures: threshold must be a positive integer, got 0',
    ],
    [
      'consecutiveFailures(-3)',
      () => consecutiveFailures(-3),
      RangeError,
      'consecutiveFailures: threshold must be a positive integer, got -3',
    ],
    [
      'consecutiveFailures(2.5)',
      () => consecutiveFailures(2.5),
      RangeError,
      'consecutiveFailures: threshold must be a positive integer, got 2.5',
    ],
    [
      'consecutiveFailures("3")',
      () => consecutiveFailures('3' as never),
      TypeError,
      'consecutiveFailures: threshold must be a positive integer, got "3"',
    ],
    [
      'failureRate()',
      () => failureRate(undefined as never),
      TypeError,
      'failureRate: option "window" must be { exports: n } or { millis: n }, got undefined',
    ],
    [
      'failureRate(5)',
      () => failureRate(5 as never),
      TypeError,
      'failureRate: options must be an object, got 5',
    ],
    [
      'threshold: 0',
      () => failureRate({ window, threshold: 0 }),
      RangeError,
      'failureRate: option "threshold" must be a number above 0 and at most 1, got 0',
    ],
    [
      'threshold: 1.1',
      () => failureRate({ window, threshold: 1.1 }),
      RangeError,
      'failureRate: option "threshold" must be a number above 0 and at most 1, got 1.1',
    ],
    [
      'threshold: NaN',
      () => failureRate({ window, threshold: Number.NaN }),
      RangeError,
      'failureRate: option "threshold" must be a number above 0 and at most 1, got NaN',
    ],
    [
      'threshold: "50%"',
      () => failureRate({ window, threshold: '50%' as never }),
      TypeError,
      'failureRate: option "threshold" must be a number above 0 and at most 1, got "50%"',
    ],
    [
      'window: 5',
      () => failureRate({ window: 5 as never }),
      TypeError,
      'failureRate: option "window": options must be an object, got 5',
    ],
    [
      'window: null',
      () => failureRate({ window: null as never }),
      TypeError,
      'failureRate: option "window" must be { exports: n } or { millis: n }, got null',
    ],
    [
      'window: {}',
      () => failureRate({ window: {} as never }),
      TypeError,
      'failureRate: option "window" must be { exports: n } or { millis: n }, got {}',
    ],
    [
      'window: both',
      () => failureRate({ window: { exports: 1, millis: 2 } as never }),
      TypeError,
      'failureRate: option "window" must be { exports: n } or { millis: n }, got {"exports":1,"millis":2}',
    ],
    [
      'window.exports: 0',
      () => failureRate({ window: { exports: 0 } }),
      RangeError,
      'failureRate: option "window": option "exports" must be a positive integer of at most 1000000, got 0',
    ],
    [
      'window.exports: 1.5',
      () => failureRate({ window: { exports: 1.5 } }),
      RangeError,
      'failureRate: option "window": option "exports" must be a positive integer of at most 1000000, got 1.5',
    ],
    [
      'window.exports: 1_000_001',
      () => failureRate({ window: { exports: 1_000_001 } }),
      RangeError,
      'failureRate: option "window": option "exports" must be a positive integer of at most 1000000, got 1000001',
    ],
    [
      'window.exports: "20"',
      () => failureRate({ window: { exports: '20' as never } }),
      TypeError,
      'failureRate: option "window": option "exports" must be a positive integer of at most 1000000, got "20"',
    ],
    [
      'window.millis: 0',
      () => failureRate({ window: { millis: 0 } }),
      RangeError,
      'failureRate: option "window": option "millis" must be a finite number above 0, got 0',
    ],
    [
      'window.seconds: 3',
      () => failureRate({ window: { seconds: 3 } as never }),
      TypeError,
      'failureRate: option "window": unknown option "seconds" (3); known options: exports, millis',
    ],
    [
      'minimumExports: 0',
      () => failureRate({ window, minimumExports: 0 }),
      RangeError,
      'failureRate: option "minimumExports" must be a positive integer, got 0',
    ],
    [
      'minimumExports: null',
      () => failureRate({ window, minimumExports: null as never }),
      TypeError,
      'failureRate: option "minimumExports" must be a positive integer, got null',
    ],
    [
      'minimumExports: 21 of 20',
      () => failureRate({ window, minimumExports: 21 }),
      RangeError,
      'failureRate: option "minimumExports" must be at most the 20 exports of the window, got 21',
    ],
    [
      'minimalExports: 5',
      () => failureRate({ window, minimalExports: 5 } as never),
      TypeError,
      'failureRate: unknown option "minimalExports" (5); known options: threshold, window, minimumExports',
    ],
    [
      'slowerThanMillis absent',
      () => slowExportRate({ window } as never),
      TypeError,
      'slowExportRate: option "slowerThanMillis" must be a finite number of at least 0, got undefined',
    ],
    [
      'slowerThanMillis: -1',
      () => slowExportRate({ window, slowerThanMillis: -1 }),
      RangeError,
      'slowExportRate: option "slowerThanMillis" must be a finite number of at least 0, got -1',
    ],
    [
      'slowExportRate window',
      () => slowExportRate({ slowerThanMillis: 1 } as never),
      TypeError,
      'slowExportRate: option "window" must be { exports: n } or { millis: n }, got undefined',
    ],
    [
      'slowExportRate minimum',
      () => slowExportRate({ slowerThanMillis: 1, window: { exports: 2 }, minimumExports: 3 }),
      RangeError,
      'slowExportRate: option "minimumExports" must be at most the 2 exports of the window, got 3',
    ],
    [
      'slowerThanMillis for failureRate',
      () => failureRate({ window, slowerThanMillis: 1 } as never),
      TypeError,
      'failureRate: unknown option "slowerThanMillis" (1); known options: threshold, window, minimumExports',
    ],
    ['anyTrip()', () => anyTrip(), TypeError, 'anyTrip: needs at least one policy, got none'],
    [
      'anyTrip(null)',
      () => anyTrip(null as never),
      TypeError,
      'anyTrip: a trip policy must be an object with createDetector(), got null',
    ],
    [
      'anyTrip({})',
      () => anyTrip(consecutiveFailures(), {} as never),
      TypeError,
      'anyTrip: a trip policy must be an object with createDetector(), got an object',
    ],
    [
      'anyTrip of no detector',
      () => anyTrip({ createDetector: () => ({}) as TripDetector }).createDetector(),
      TypeError,
      'anyTrip: the result of createDetector() must be an object with onSuccess(), onFailure(), reset(), got an object',
    ],
  ])('%s is refused when the policy is made', (_, make, errorClass, message) => {
    expect(make).toThrow(new errorClass(message));
  });

  it('takes the longest window there is', () => {
    expect(() => failureRate({ window: { exports: 1_000_000 } }).createDetector()).not.toThrow();
  });

  it('takes a minimumExports that just fits', () => {
    expect(() => failureRate({ window, minimumExports: 20 })).not.toThrow();
    expect(() => failureRate({ window: { millis: 1 }, minimumExports: 1_000_000 })).not.toThrow();
  });
});
