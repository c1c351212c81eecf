import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { CircuitBreaker } from '../../../src/breaker/circuit-breaker.ts';
import type { CircuitBreakerOptions } from '../../../src/breaker/circuit-breaker-options.ts';
import type { ProbePolicy } from '../../../src/breaker/probe-policies.ts';
import { afterCooldown, allOf, anyOf } from '../../../src/breaker/probe-policies.ts';
import type { TripDetector, TripPolicy } from '../../../src/breaker/trip-policies.ts';
import { anyTrip, consecutiveFailures } from '../../../src/breaker/trip-policies.ts';
import { acquire, always, arrangeBreaker, arrangeOpen, fail, never } from './arrange.ts';

const broken = new Error('broken');

function throws(): never {
  throw broken;
}

async function rejects(): Promise<never> {
  throw broken;
}

const notABoolean = (got: string): TypeError =>
  new TypeError(`a policy must return true or false, got ${got}`);

const thenable = {
  // biome-ignore lint/suspicious/noThenProperty: promises of other libraries have one
  then: (_: unknown, reject: (reason: Error) => void) => reject(broken),
};

/** What a policy can do wrong, and the error that `onError` receives of it. */
const WAYS: [string, () => unknown, Error][] = [
  ['throws', throws, broken],
  ['returns nothing', () => undefined, notABoolean('undefined')],
  ['returns 0', () => 0, notABoolean('0')],
  ['is async', async () => true, notABoolean('a promise')],
  ['is async and rejects', rejects, notABoolean('a promise')],
  ['returns a promise of its own kind', () => thenable, notABoolean('a promise')],
];

const unhandled = vi.fn();

beforeEach(() => {
  unhandled.mockClear();
  process.on('unhandledRejection', unhandled);
});

afterEach(async () => {
  await new Promise((resolve) => setImmediate(resolve));
  process.off('unhandledRejection', unhandled);
  expect(unhandled).not.toHaveBeenCalled();
});

function tripping(detector: { [K in keyof TripDetector]?: () => unknown }): TripPolicy {
  const no = (): boolean => false;
  const complete = { onSuccess: no, onFailure: no, reset() {}, ...detector };
  return { createDetector: () => complete as TripDetector };
}

describe('a probe policy', () => {
  const combinations: [string, (policy: ProbePolicy) => ProbePolicy][] = [
    ['by itself', (policy) => policy],
    ['in anyOf', (policy) => anyOf(never, policy)],
    ['in allOf', (policy) => allOf(policy, always)],
    ['in allOf in anyOf', (policy) => anyOf(never, allOf(always, policy))],
    ['inside a policy of the user', (policy) => (context) => allOf(policy)(context)],
  ];
  const cases = combinations.flatMap(([where, combine]) =>
    WAYS.map(([how, policy, error]) => [where, how, combine(policy as ProbePolicy), error] as const),
  );

  it.each(cases)('%s that %s is taken for a yes, and reported once', (_where, _how, probePolicy, error) => {
    const { breaker, problems } = arrangeOpen({ probePolicy });
    expect(breaker.tryAcquire()?.probe).toBe(true);
    expect(problems).toEqual([['circuit "otlp": the probe policy failed, taken as yes', error]]);
  });

  it('that is broken is reported also where the others of allOf decide', () => {
    const { breaker, problems } = arrangeOpen({ probePolicy: allOf(throws, afterCooldown(1_000)) });
    expect(breaker.tryAcquire()).toBeUndefined();
    expect(problems).toEqual([['circuit "otlp": the probe policy failed, taken as yes', broken]]);
  });

  it('that is broken is reported to the breaker that asks it, also when it asks another breaker', () => {
    const inner = arrangeOpen({ name: 'inner', probePolicy: allOf(throws) });
    const outer = arrangeOpen({
      name: 'outer',
      probePolicy: allOf(() => inner.breaker.tryAcquire() !== undefined, throws),
    });
    outer.breaker.tryAcquire();
    expect(inner.problems.map(([message]) => message)).toEqual([
      'circuit "inner": the probe policy failed, taken as yes',
    ]);
    expect(outer.problems.map(([message]) => message)).toEqual([
      'circuit "outer": the probe policy failed, taken as yes',
    ]);
  });

  it('that is broken harms nothing where no breaker asks it', () => {
    const context = { attempt: 1, elapsedMillis: 0, failedProbes: 0, random: 0 };
    const { breaker, problems } = arrangeOpen({ probePolicy: never });
    breaker.tryAcquire();
    expect(allOf(throws)(context)).toBe(true);
    breaker.reset();
    expect(allOf(throws)(context)).toBe(true);
    expect(problems).toEqual([]);
  });
});

describe('a trip policy', () => {
  const combinations: [string, (policy: TripPolicy) => TripPolicy][] = [
    ['by itself', (policy) => policy],
    ['in anyTrip', (policy) => anyTrip(consecutiveFailures(9), policy)],
    ['in anyTrip in anyTrip', (policy) => anyTrip(anyTrip(policy), consecutiveFailures(9))],
  ];
  const cases = combinations.flatMap(([where, combine]) =>
    WAYS.map(([how, method, error]) => [where, how, combine, method, error] as const),
  );
  const report = 'circuit "otlp": the trip policy failed, taken as no';

  it.each(cases)(
    '%s that %s when it is shown a result is taken for a no, and reported once',
    (_where, _how, combine, method, error) => {
      const tripPolicy = combine(tripping({ onSuccess: method, onFailure: method }));
      const { breaker, problems } = arrangeBreaker({ tripPolicy });
      fail(breaker, 1);
      expect(problems).toEqual([[report, error]]);
      acquire(breaker).succeed();
      expect(problems).toEqual([
        [report, error],
        [report, error],
      ]);
      expect(breaker.state).toBe('CLOSED');
    },
  );

  it.each(cases)(
    '%s that %s when it is asked about a probe does not find it too slow, and is reported once',
    (_where, _how, combine, isTooSlow, error) => {
      const tripPolicy = combine(tripping({ onFailure: () => true, isTooSlow }));
      const { breaker, problems } = arrangeBreaker({ tripPolicy, probePolicy: always });
      fail(breaker, 1);
      acquire(breaker).succeed();
      expect(breaker.state).toBe('CLOSED');
      expect(problems).toEqual([[report, error]]);
    },
  );

  it.each(combinations)(
    '%s whose reset throws or rejects lets the circuit close, and is reported',
    async (_, combine) => {
      for (const reset of [throws, rejects]) {
        const opening = (): boolean => true;
        const tripPolicy = combine(tripping({ onFailure: opening, reset }));
        const { breaker, problems } = arrangeBreaker({ tripPolicy, probePolicy: always });
        fail(breaker, 1);
        acquire(breaker).succeed();
        expect(breaker.state).toBe('CLOSED');
        await new Promise((resolve) => setImmediate(resolve));
        expect(problems).toEqual([[report, broken]]);
      }
    },
  );

  it.each(combinations)('%s that makes a promise instead of a detector is refused', (_, combine) => {
    const tripPolicy = combine({ createDetector: rejects as never });
    expect(() => new CircuitBreaker({ tripPolicy })).toThrow(
      'the result of createDetector() must be an object with onSuccess(), onFailure(), reset(), got a promise',
    );
  });

  it('that opens the circuit outweighs another that is broken, which is reported', () => {
    const tripPolicy = anyTrip(tripping({ onFailure: throws }), consecutiveFailures(1));
    const { breaker, problems } = arrangeBreaker({ tripPolicy });
    fail(breaker, 1);
    expect(breaker.state).toBe('OPEN');
    expect(problems).toEqual([[report, broken]]);
  });

  it('makes a detector of its own for each breaker', () => {
    const tripPolicy = consecutiveFailures(2);
    const first = arrangeBreaker({ tripPolicy }).breaker;
    const second = arrangeBreaker({ tripPolicy }).breaker;
    fail(first, 1);
    fail(second, 1);
    expect([first.state, second.state]).toEqual(['CLOSED', 'CLOSED']);
    fail(first, 1);
    expect([first.state, second.state]).toEqual(['OPEN', 'CLOSED']);
  });
});

describe('random', () => {
  const noSuchNumber = (got: string): TypeError =>
    new TypeError(`random must return a number in [0, 1), got ${got}`);

  it.each<[string, () => unknown, Error]>([
    ['throws', throws, broken],
    ['returns 1', () => 1, noSuchNumber('1')],
    ['returns less than 0', () => -0.1, noSuchNumber('-0.1')],
    ['returns NaN', () => Number.NaN, noSuchNumber('NaN')],
    ['returns a string', () => '0.5', noSuchNumber('"0.5"')],
    ['is async and rejects', rejects, noSuchNumber('a promise')],
  ])('that %s counts as 0, and is reported', (_, random, error) => {
    const drawn: number[] = [];
    const { breaker, problems } = arrangeOpen({
      random: random as () => number,
      probePolicy: (context) => {
        drawn.push(context.random);
        return false;
      },
    });
    breaker.tryAcquire();
    expect(breaker.state).toBe('OPEN');
    expect(drawn).toEqual([0]);
    expect(problems).toEqual([['circuit "otlp": random failed, taken as 0', error]]);
  });

  it('may return 0', () => {
    const { problems } = arrangeOpen({ random: () => 0 });
    expect(problems).toEqual([]);
  });
});

describe('onError', () => {
  const options: [string, CircuitBreakerOptions][] = [
    ['probePolicy', { probePolicy: throws }],
    ['tripPolicy', { tripPolicy: anyTrip(tripping({ onFailure: throws }), consecutiveFailures(3)) }],
    ['random', { random: throws }],
    ['onTransition', { onTransition: throws }],
    ['an async onTransition', { onTransition: rejects as never }],
  ];

  it.each(options)('that throws or rejects, told of %s, is ignored', (_, given) => {
    for (const onError of [throws, rejects as never]) {
      const { breaker } = arrangeBreaker({ probePolicy: always, ...given, onError });
      fail(breaker, 3);
      expect(breaker.state).toBe('OPEN');
      expect(breaker.tryAcquire()?.probe).toBe(true);
      expect(breaker.state).toBe('HALF_OPEN');
    }
  });
});
