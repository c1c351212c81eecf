import { describe, expect, it } from 'vitest';
import type { ProbeContext, ProbePolicy } from '../../../src/breaker/probe-policies.ts';
import {
  afterCooldown,
  allOf,
  anyOf,
  defaultProbePolicy,
  everyNthAttempt,
  exponentialBackoff,
} from '../../../src/breaker/probe-policies.ts';

function says(policy: ProbePolicy, context: Partial<ProbeContext> = {}): boolean {
  return policy({ attempt: 1, elapsedMillis: 0, failedProbes: 0, random: 0, ...context });
}

/** Policies that are none. */
const BROKEN: [string, () => unknown][] = [
  [
    'throws',
    () => {
      throw new Error('broken');
    },
  ],
  ['returns nothing', () => undefined],
  ['returns 0', () => 0],
  ['is async', async () => false],
  [
    'is async and rejects',
    async () => {
      throw new Error('broken');
    },
  ],
];

/** The attempts, up to `last`, at which a policy probes. */
function attempts(policy: ProbePolicy, failedProbes: number, last = 31): number[] {
  return Array.from({ length: last }, (_, i) => i + 1).filter((attempt) =>
    says(policy, { attempt, failedProbes }),
  );
}

/** The shortest time, in whole milliseconds, at which a policy probes. */
function pause(policy: ProbePolicy, context: Partial<ProbeContext>, most = 100_000): number | undefined {
  let low = 0;
  let high = most;
  if (!says(policy, { ...context, elapsedMillis: high })) return undefined;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (says(policy, { ...context, elapsedMillis: middle })) high = middle;
    else low = middle + 1;
  }
  return low;
}

describe('everyNthAttempt', () => {
  it('probes at the attempts n, 2n, …', () => {
    expect(attempts(everyNthAttempt(7), 0)).toEqual([7, 14, 21, 28]);
    expect(attempts(everyNthAttempt(7), 2)).toEqual([7, 14, 21, 28]);
  });

  it('is every 10th by default', () => {
    expect(attempts(everyNthAttempt(), 0)).toEqual([10, 20, 30]);
    expect(attempts(everyNthAttempt(undefined, { first: undefined }), 0)).toEqual([10, 20, 30]);
  });

  it('with n = 1 is every attempt', () => {
    expect(attempts(everyNthAttempt(1), 0, 4)).toEqual([1, 2, 3, 4]);
  });

  it('with first = 1 is an immediate probe and then every nth, as long as no probe has failed', () => {
    const policy = everyNthAttempt(10, { first: 1 });
    expect(attempts(policy, 0)).toEqual([1, 11, 21, 31]);
    expect(attempts(policy, 1)).toEqual([10, 20, 30]);
  });

  it('with a first above n waits for it, and counts on from there', () => {
    const policy = everyNthAttempt(10, { first: 15 });
    expect(attempts(policy, 0)).toEqual([15, 25]);
    expect(attempts(policy, 3)).toEqual([10, 20, 30]);
  });
});

describe('afterCooldown', () => {
  it('probes once the time has come, exactly then included', () => {
    const policy = afterCooldown(500);
    expect(says(policy, { elapsedMillis: 499.9 })).toBe(false);
    expect(says(policy, { elapsedMillis: 500 })).toBe(true);
    expect(says(policy, { elapsedMillis: 501 })).toBe(true);
  });

  it('of 0 probes at once', () => {
    expect(says(afterCooldown(0))).toBe(true);
  });
});

describe('exponentialBackoff', () => {
  it('doubles from 1 s to 60 s with each failed probe, and draws all of it, by default', () => {
    const policy = exponentialBackoff();
    const pauses = [0, 1, 2, 5, 6, 7].map((failedProbes) => pause(policy, { failedProbes, random: 0.5 }));
    expect(pauses).toEqual([500, 1_000, 2_000, 16_000, 30_000, 30_000]);
    expect(pause(policy, { random: 0 })).toBe(0);
    expect(pause(policy, { random: 0.25 })).toBe(250);
  });

  it.each([
    ['none', 0, 1_000],
    ['none', 0.9, 1_000],
    ['equal', 0, 500],
    ['equal', 0.5, 750],
    ['equal', 0.9, 950],
    ['full', 0, 0],
    ['full', 0.9, 900],
  ] as const)('with jitter %j and %f drawn pauses for %i ms of 1,000', (jitter, random, millis) => {
    expect(pause(exponentialBackoff({ jitter }), { random })).toBe(millis);
  });

  it('grows by its multiplier from its initial to its longest pause', () => {
    const policy = exponentialBackoff({ initialMillis: 10, maxMillis: 500, multiplier: 3, jitter: 'none' });
    expect([0, 1, 2, 3, 4].map((failedProbes) => pause(policy, { failedProbes }))).toEqual([
      10, 30, 90, 270, 500,
    ]);
  });

  it('does not grow with a multiplier of 1', () => {
    const policy = exponentialBackoff({ multiplier: 1, jitter: 'none' });
    expect(pause(policy, { failedProbes: 50 })).toBe(1_000);
  });

  it('never pauses for longer than maxMillis, an initial pause above it included', () => {
    expect(pause(exponentialBackoff({ initialMillis: 900, maxMillis: 100, jitter: 'none' }), {})).toBe(100);
  });

  it.each([
    ['initialMillis 0', { initialMillis: 0, jitter: 'none' }, 0],
    ['maxMillis 0', { maxMillis: 0, jitter: 'none' }, 0],
    ['defaults', { jitter: 'none' }, 60_000],
    [
      'the biggest numbers',
      { initialMillis: Number.MAX_VALUE, maxMillis: 70_000, multiplier: Number.MAX_VALUE, jitter: 'equal' },
      35_000,
    ],
  ] as const)('comes to an end after any number of failed probes, with %s', (_, options, millis) => {
    expect(pause(exponentialBackoff(options), { failedProbes: 5_000 })).toBe(millis);
  });
});

describe('anyOf', () => {
  const no: ProbePolicy = () => false;
  const yes: ProbePolicy = () => true;

  it.each([
    [[no], false],
    [[yes], true],
    [[no, no], false],
    [[no, yes], true],
    [[yes, no], true],
  ])('case %#: says yes when at least one does', (policies, answer) => {
    expect(says(anyOf(...policies))).toBe(answer);
  });

  it('asks each with the context', () => {
    const policy = anyOf(no, ({ attempt }) => attempt === 4);
    expect(attempts(policy, 0, 6)).toEqual([4]);
  });

  it.each<[string, () => unknown]>(BROKEN)('takes a policy that %s for a yes', (_, broken) => {
    expect(says(anyOf(broken as ProbePolicy, no))).toBe(true);
    expect(says(anyOf(no, broken as ProbePolicy))).toBe(true);
  });
});

describe('allOf', () => {
  const no: ProbePolicy = () => false;
  const yes: ProbePolicy = () => true;

  it.each([
    [[no], false],
    [[yes], true],
    [[yes, yes], true],
    [[no, yes], false],
    [[yes, no], false],
  ])('case %#: says yes when all do', (policies, answer) => {
    expect(says(allOf(...policies))).toBe(answer);
  });

  it('asks each with the context', () => {
    const policy = allOf(yes, ({ attempt }) => attempt === 4);
    expect(attempts(policy, 0, 6)).toEqual([4]);
  });

  it.each<[string, () => unknown]>(BROKEN)(
    'takes a policy that %s for a yes: the others decide, in whatever order',
    (_, given) => {
      const broken = given as ProbePolicy;
      expect(says(allOf(broken, no))).toBe(false);
      expect(says(allOf(no, broken))).toBe(false);
      expect(says(allOf(yes, broken, no, broken))).toBe(false);
      expect(says(allOf(yes, broken, yes))).toBe(true);
    },
  );
});

describe('defaultProbePolicy', () => {
  it('probes at every 10th attempt, once a second has passed', () => {
    expect(says(defaultProbePolicy, { attempt: 10, elapsedMillis: 999, random: 0.9 })).toBe(false);
    expect(says(defaultProbePolicy, { attempt: 10, elapsedMillis: 1_000, random: 0.9 })).toBe(true);
    expect(says(defaultProbePolicy, { attempt: 11, elapsedMillis: 1_000, random: 0.9 })).toBe(false);
    expect(
      says(defaultProbePolicy, { attempt: 20, elapsedMillis: 1_000, failedProbes: 3, random: 0.9 }),
    ).toBe(true);
  });

  it.each([
    [0, 0, 2_500],
    [0, 0.5, 3_750],
    [1, 0.5, 7_500],
    [2, 0, 10_000],
    [3, 0, 15_000],
    [9, 0.5, 22_500],
  ])(
    'after %i failed probes, with %f drawn, probes after %i ms at the latest',
    (failedProbes, random, millis) => {
      expect(pause(defaultProbePolicy, { failedProbes, random })).toBe(millis);
    },
  );
});

describe('bad input', () => {
  it.each<[string, () => unknown, typeof TypeError | typeof RangeError, string]>([
    [
      'everyNthAttempt(0)',
      () => everyNthAttempt(0),
      RangeError,
      'everyNthAttempt: n must be a positive integer, got 0',
    ],
    [
      'everyNthAttempt(2.5)',
      () => everyNthAttempt(2.5),
      RangeError,
      'everyNthAttempt: n must be a positive integer, got 2.5',
    ],
    [
      'everyNthAttempt("5")',
      () => everyNthAttempt('5' as never),
      TypeError,
      'everyNthAttempt: n must be a positive integer, got "5"',
    ],
    [
      'everyNthAttempt(null)',
      () => everyNthAttempt(null as never),
      TypeError,
      'everyNthAttempt: n must be a positive integer, got null',
    ],
    [
      'first: 0',
      () => everyNthAttempt(5, { first: 0 }),
      RangeError,
      'everyNthAttempt: option "first" must be a positive integer, got 0',
    ],
    [
      'first: true',
      () => everyNthAttempt(5, { first: true as never }),
      TypeError,
      'everyNthAttempt: option "first" must be a positive integer, got true',
    ],
    [
      'fist: 1',
      () => everyNthAttempt(5, { fist: 1 } as never),
      TypeError,
      'everyNthAttempt: unknown option "fist" (1); known options: first',
    ],
    [
      'options 5',
      () => everyNthAttempt(5, 5 as never),
      TypeError,
      'everyNthAttempt: options must be an object, got 5',
    ],
    [
      'afterCooldown()',
      () => afterCooldown(undefined as never),
      TypeError,
      'afterCooldown: millis must be a finite number of at least 0, got undefined',
    ],
    [
      'afterCooldown(-1)',
      () => afterCooldown(-1),
      RangeError,
      'afterCooldown: millis must be a finite number of at least 0, got -1',
    ],
    [
      'afterCooldown(Infinity)',
      () => afterCooldown(Number.POSITIVE_INFINITY),
      RangeError,
      'afterCooldown: millis must be a finite number of at least 0, got Infinity',
    ],
    [
      'afterCooldown(NaN)',
      () => afterCooldown(Number.NaN),
      RangeError,
      'afterCooldown: millis must be a finite number of at least 0, got NaN',
    ],
    [
      'initialMillis: -1',
      () => exponentialBackoff({ initialMillis: -1 }),
      RangeError,
      'exponentialBackoff: option "initialMillis" must be a finite number of at least 0, got -1',
    ],
    [
      'maxMillis: Infinity',
      () => exponentialBackoff({ maxMillis: Number.POSITIVE_INFINITY }),
      RangeError,
      'exponentialBackoff: option "maxMillis" must be a finite number of at least 0, got Infinity',
    ],
    [
      'multiplier: 0.5',
      () => exponentialBackoff({ multiplier: 0.5 }),
      RangeError,
      'exponentialBackoff: option "multiplier" must be a finite number of at least 1, got 0.5',
    ],
    [
      'multiplier: Infinity',
      () => exponentialBackoff({ multiplier: Number.POSITIVE_INFINITY }),
      RangeError,
      'exponentialBackoff: option "multiplier" must be a finite number of at least 1, got Infinity',
    ],
    [
      'multiplier: "2"',
      () => exponentialBackoff({ multiplier: '2' as never }),
      TypeError,
      'exponentialBackoff: option "multiplier" must be a finite number of at least 1, got "2"',
    ],
    [
      'jitter: "half"',
      () => exponentialBackoff({ jitter: 'half' as never }),
      TypeError,
      'exponentialBackoff: option "jitter" must be one of "full", "equal", "none", got "half"',
    ],
    [
      'initalMillis: 5',
      () => exponentialBackoff({ initalMillis: 5 } as never),
      TypeError,
      'exponentialBackoff: unknown option "initalMillis" (5); known options: initialMillis, maxMillis, multiplier, jitter',
    ],
    ['anyOf()', () => anyOf(), TypeError, 'anyOf: needs at least one policy, got none'],
    [
      'anyOf(5)',
      () => anyOf(everyNthAttempt(), 5 as never),
      TypeError,
      'anyOf: a probe policy must be a function, got 5',
    ],
    ['allOf()', () => allOf(), TypeError, 'allOf: needs at least one policy, got none'],
    [
      'allOf(null)',
      () => allOf(null as never),
      TypeError,
      'allOf: a probe policy must be a function, got null',
    ],
  ])('%s is refused when the policy is made', (_, make, errorClass, message) => {
    expect(make).toThrow(new errorClass(message));
  });
});
