import { describe, expect, it, vi } from 'vitest';
import { internalsOf } from '../../../src/breaker/breaker-internals.ts';
import type { CircuitBreakerOptions } from '../../../src/breaker/circuit-breaker-options.ts';
import type { Permit } from '../../../src/breaker/permit.ts';
import { consecutiveFailures, slowExportRate } from '../../../src/breaker/trip-policies.ts';
import { ExportTimeoutError } from '../../../src/internal/errors.ts';
import {
  acquire,
  always,
  arrangeBreaker,
  arrangeHalfOpen,
  arrangeOpen,
  fail,
  never,
  recordingTrip,
  START,
  steps,
} from './arrange.ts';

describe('CLOSED', () => {
  it('is where a breaker begins', () => {
    const { breaker, transitions } = arrangeBreaker();
    expect(breaker.state).toBe('CLOSED');
    expect(breaker.snapshot().since).toBe(START);
    expect(transitions).toEqual([]);
  });

  it('lets every export through, and none as a probe', () => {
    const { breaker } = arrangeBreaker();
    const permits = [acquire(breaker), acquire(breaker), acquire(breaker), acquire(breaker)];
    expect(permits.map(({ probe }) => probe)).toEqual([false, false, false, false]);
  });

  it('opens at the third failure in a row by default, and not before', () => {
    const { breaker, transitions } = arrangeBreaker();
    fail(breaker, 2);
    expect(breaker.state).toBe('CLOSED');
    fail(breaker, 1);
    expect(breaker.state).toBe('OPEN');
    expect(steps(transitions)).toEqual(['CLOSED->OPEN']);
  });

  it.each(['succeed', 'invalid'] as const)('starts counting failures anew after %s()', (settle) => {
    const { breaker } = arrangeBreaker();
    fail(breaker, 2);
    acquire(breaker)[settle]();
    fail(breaker, 2);
    expect(breaker.state).toBe('CLOSED');
    fail(breaker, 1);
    expect(breaker.state).toBe('OPEN');
  });

  it('leaves the count of failures as it is at an ignored result', () => {
    const { breaker } = arrangeBreaker();
    fail(breaker, 2);
    acquire(breaker).ignore();
    expect(breaker.snapshot().consecutiveFailures).toBe(2);
    fail(breaker, 1);
    expect(breaker.state).toBe('OPEN');
  });

  it('shows the trip policy each success, failure and invalid result with its time and duration, and no ignored one', () => {
    const { policy, heard } = recordingTrip();
    const { breaker, clock } = arrangeBreaker({ tripPolicy: policy });
    const permits = [acquire(breaker), acquire(breaker), acquire(breaker), acquire(breaker)];
    clock.advance(5);
    permits[0]?.succeed();
    clock.advance(5);
    permits[1]?.fail();
    permits[2]?.invalid();
    permits[3]?.ignore();
    expect(heard).toEqual([
      ['success', START + 5, 5],
      ['failure', START + 10, 10],
      ['success', START + 10, 10],
    ]);
  });

  it('shows the trip policy what each failure failed with', () => {
    const { policy, errors } = recordingTrip();
    const { breaker } = arrangeBreaker({ tripPolicy: policy });
    const error = new Error('down');
    fail(breaker, 1, error);
    fail(breaker, 1);
    expect(errors).toEqual([error, undefined]);
  });

  it('asks no policy about an export that was never sent', () => {
    const { policy, heard } = recordingTrip({ onFailure: () => true });
    const { breaker } = arrangeBreaker({ tripPolicy: policy });
    const permit = internalsOf(breaker)?.acquire(1, START);
    permit?.settleUnsent(new RangeError('no such date'), START);
    expect(heard).toEqual([]);
    expect(breaker.state).toBe('CLOSED');
  });

  it('opens when the trip policy says so at a success, and then names no error', () => {
    const { policy } = recordingTrip({ onSuccess: () => true });
    const { breaker, transitions } = arrangeBreaker({ tripPolicy: policy });
    acquire(breaker).invalid(new Error('refused'));
    expect(breaker.state).toBe('OPEN');
    expect(transitions).toEqual([{ name: 'otlp', from: 'CLOSED', to: 'OPEN', at: START }]);
  });
});

describe('OPEN', () => {
  it('rejects what the probe policy says no to', () => {
    const { breaker, transitions } = arrangeOpen({ probePolicy: never });
    expect(breaker.tryAcquire(7)).toBeUndefined();
    expect(breaker.state).toBe('OPEN');
    expect(breaker.snapshot()).toMatchObject({ exports: { rejected: 1 }, items: { rejected: 7 } });
    expect(transitions).toEqual([]);
  });

  it('makes the very export that the probe policy says yes to the probe', () => {
    const { breaker, transitions } = arrangeOpen({ probePolicy: ({ attempt }) => attempt === 3 });
    expect(breaker.tryAcquire()).toBeUndefined();
    expect(breaker.tryAcquire()).toBeUndefined();
    expect(breaker.tryAcquire()?.probe).toBe(true);
    expect(breaker.state).toBe('HALF_OPEN');
    expect(steps(transitions)).toEqual(['OPEN->HALF_OPEN']);
    expect(breaker.snapshot().exports.rejected).toBe(2);
  });

  it('asks the probe policy once for each attempt: its number, the time since the opening, failed probes, the draw', () => {
    const asked: unknown[] = [];
    const { breaker, clock } = arrangeOpen({
      random: () => 0.25,
      probePolicy: (context) => {
        asked.push({ ...context });
        return false;
      },
    });
    breaker.tryAcquire();
    clock.advance(100);
    breaker.tryAcquire();
    clock.advance(50);
    breaker.tryAcquire();
    expect(asked).toEqual([
      { attempt: 1, elapsedMillis: 0, failedProbes: 0, random: 0.25 },
      { attempt: 2, elapsedMillis: 100, failedProbes: 0, random: 0.25 },
      { attempt: 3, elapsedMillis: 150, failedProbes: 0, random: 0.25 },
    ]);
  });

  it('counts attempts, time and the draw from the last opening, and failed probes from the first', () => {
    const asked: unknown[] = [];
    const draws = [0.1, 0.2, 0.3];
    const { breaker, clock } = arrangeOpen({
      random: () => draws.shift() ?? Number.NaN,
      probePolicy: (context) => {
        asked.push({ ...context });
        return context.attempt === 2;
      },
    });
    for (let round = 0; round < 2; round++) {
      clock.advance(10);
      breaker.tryAcquire();
      clock.advance(10);
      const probe = acquire(breaker);
      clock.advance(10);
      probe.fail();
    }
    breaker.tryAcquire();
    expect(asked).toEqual([
      { attempt: 1, elapsedMillis: 10, failedProbes: 0, random: 0.1 },
      { attempt: 2, elapsedMillis: 20, failedProbes: 0, random: 0.1 },
      { attempt: 1, elapsedMillis: 10, failedProbes: 1, random: 0.2 },
      { attempt: 2, elapsedMillis: 20, failedProbes: 1, random: 0.2 },
      { attempt: 1, elapsedMillis: 0, failedProbes: 2, random: 0.3 },
    ]);
    expect(draws).toEqual([]);
  });

  it('gives the probe policy one and the same context object every time', () => {
    const contexts = new Set<unknown>();
    const { breaker } = arrangeOpen({
      probePolicy: (context) => {
        contexts.add(context);
        return false;
      },
    });
    breaker.tryAcquire();
    breaker.tryAcquire();
    expect(contexts.size).toBe(1);
  });

  it('draws from random once at each opening, whoever opens, and never else', () => {
    const random = vi.fn(() => 0.5);
    const { breaker } = arrangeBreaker({ random, probePolicy: always });
    fail(breaker, 2);
    acquire(breaker).succeed();
    expect(random).toHaveBeenCalledTimes(0);
    fail(breaker, 3);
    expect(random).toHaveBeenCalledTimes(1);
    acquire(breaker).fail();
    expect(random).toHaveBeenCalledTimes(2);
    acquire(breaker).succeed();
    breaker.forceOpen();
    expect(random).toHaveBeenCalledTimes(3);
  });
});

describe('HALF_OPEN', () => {
  it('rejects the second export while a probe is in flight, and does not count it as an attempt', () => {
    const probePolicy = vi.fn(always);
    const { breaker } = arrangeHalfOpen({ probePolicy });
    expect(breaker.tryAcquire(4)).toBeUndefined();
    expect(breaker.state).toBe('HALF_OPEN');
    expect(probePolicy).toHaveBeenCalledTimes(1);
    expect(breaker.snapshot()).toMatchObject({
      attemptsSinceOpened: 1,
      exports: { rejected: 1 },
      items: { rejected: 4 },
    });
  });

  it.each(['succeed', 'invalid'] as const)('closes after one probe that ends with %s()', (settle) => {
    const { breaker, probe, transitions } = arrangeHalfOpen();
    probe[settle]();
    expect(breaker.state).toBe('CLOSED');
    expect(steps(transitions)).toEqual(['HALF_OPEN->CLOSED']);
    expect(breaker.snapshot().probes).toEqual({ success: 1, failure: 0 });
    expect(breaker.tryAcquire()?.probe).toBe(false);
  });

  it('makes the next export the next probe until successThreshold is reached', () => {
    const { breaker, probe } = arrangeHalfOpen({ successThreshold: 3 });
    probe.succeed();
    expect(breaker.state).toBe('HALF_OPEN');
    const second = acquire(breaker);
    expect(second.probe).toBe(true);
    expect(breaker.tryAcquire()).toBeUndefined();
    second.invalid();
    expect(breaker.state).toBe('HALF_OPEN');
    acquire(breaker).succeed();
    expect(breaker.state).toBe('CLOSED');
    expect(breaker.snapshot().transitions['OPEN->HALF_OPEN']).toBe(1);
  });

  it('does not count successful probes across a failed one', () => {
    const { breaker, probe } = arrangeHalfOpen({ successThreshold: 2 });
    probe.succeed();
    acquire(breaker).fail();
    acquire(breaker).succeed();
    expect(breaker.state).toBe('HALF_OPEN');
    acquire(breaker).succeed();
    expect(breaker.state).toBe('CLOSED');
  });

  it('opens again when the probe fails, with its error, and counts attempts from 1 again', () => {
    const { breaker, clock, probe, transitions } = arrangeHalfOpen({
      probePolicy: ({ attempt, failedProbes }) => failedProbes === 0 || attempt === 2,
    });
    const error = new Error('still down');
    clock.advance(10);
    probe.fail(error);
    expect(transitions).toEqual([{ name: 'otlp', from: 'HALF_OPEN', to: 'OPEN', at: START + 10, error }]);
    expect(transitions[0]?.error).toBe(error);
    expect(breaker.snapshot()).toMatchObject({
      failedProbes: 1,
      attemptsSinceOpened: 0,
      consecutiveFailures: 4,
      probes: { success: 0, failure: 1 },
    });
    expect(breaker.tryAcquire()).toBeUndefined();
    expect(breaker.tryAcquire()?.probe).toBe(true);
  });

  it('frees the place of a probe whose result is ignored: the next export is the next probe', () => {
    const { breaker, probe, transitions } = arrangeHalfOpen();
    probe.ignore();
    expect(breaker.state).toBe('HALF_OPEN');
    expect(breaker.snapshot()).toMatchObject({ failedProbes: 0, probes: { success: 0, failure: 0 } });
    expect(breaker.tryAcquire()?.probe).toBe(true);
    expect(breaker.tryAcquire()).toBeUndefined();
    expect(transitions).toEqual([]);
  });

  it('keeps the successes so far at an ignored probe', () => {
    const { breaker, probe } = arrangeHalfOpen({ successThreshold: 2 });
    probe.succeed();
    acquire(breaker).ignore();
    acquire(breaker).succeed();
    expect(breaker.state).toBe('CLOSED');
  });

  it('shows probes to no trip policy', () => {
    const { policy, heard } = recordingTrip({ onFailure: () => true });
    const { breaker } = arrangeBreaker({ tripPolicy: policy, probePolicy: always, successThreshold: 2 });
    fail(breaker, 1);
    heard.length = 0;
    acquire(breaker).fail();
    acquire(breaker).succeed();
    expect(heard).toEqual([]);
    acquire(breaker).succeed();
    expect(heard).toEqual([['reset']]);
  });
});

describe('a probe that was answered, but took too long', () => {
  const tripPolicy = slowExportRate({ slowerThanMillis: 2_000, window: { exports: 4 }, minimumExports: 2 });

  /** HALF_OPEN, after exports that succeeded slowly. */
  function arrangeSlow(options: CircuitBreakerOptions = {}) {
    const arranged = arrangeBreaker({ tripPolicy, probePolicy: always, ...options });
    const { breaker, clock, transitions } = arranged;
    const permits = [acquire(breaker), acquire(breaker)];
    clock.advance(3_000);
    for (const permit of permits) permit.succeed();
    const probe = acquire(breaker);
    transitions.length = 0;
    return { ...arranged, probe };
  }

  it.each(['succeed', 'invalid'] as const)(
    'with %s(), does not close the circuit: it opens anew, with one more failed probe and no error',
    (settle) => {
      const { breaker, clock, transitions, probe } = arrangeSlow();
      clock.advance(2_001);
      probe[settle]();
      expect(transitions).toEqual([{ name: 'otlp', from: 'HALF_OPEN', to: 'OPEN', at: START + 5_001 }]);
      expect(breaker.snapshot()).toMatchObject({ state: 'OPEN', failedProbes: 1, attemptsSinceOpened: 0 });
    },
  );

  it('is a success to the numbers', () => {
    const { breaker, clock, probe } = arrangeSlow();
    clock.advance(2_001);
    probe.succeed();
    expect(breaker.snapshot()).toMatchObject({
      consecutiveFailures: 0,
      exports: { success: 3, failure: 0 },
      probes: { success: 1, failure: 0 },
      lastFailure: null,
      lastSuccessAt: START + 5_001,
    });
  });

  it('closes the circuit if it was quick enough', () => {
    const { breaker, clock, probe } = arrangeSlow();
    clock.advance(2_000);
    probe.succeed();
    expect(breaker.state).toBe('CLOSED');
  });

  it('takes away the successes before it', () => {
    const { breaker, clock, probe } = arrangeSlow({ successThreshold: 2 });
    probe.succeed();
    const second = acquire(breaker);
    clock.advance(2_001);
    second.succeed();
    acquire(breaker).succeed();
    expect(breaker.state).toBe('HALF_OPEN');
  });

  it('counts as failed if it did fail', () => {
    const { breaker, clock, transitions, probe } = arrangeSlow();
    const error = new Error('down');
    clock.advance(2_001);
    probe.fail(error);
    expect(transitions[0]?.error).toBe(error);
    expect(breaker.snapshot()).toMatchObject({ failedProbes: 1, probes: { success: 0, failure: 1 } });
  });

  it('says nothing if its result is ignored', () => {
    const { breaker, clock, transitions, probe } = arrangeSlow();
    clock.advance(2_001);
    probe.ignore();
    expect(transitions).toEqual([]);
    expect(acquire(breaker).probe).toBe(true);
  });
});

describe('a probe that is never settled', () => {
  it('keeps its place until probeTimeoutMillis have passed', () => {
    const { breaker, clock, transitions } = arrangeHalfOpen({ probeTimeoutMillis: 500 });
    clock.advance(499);
    expect(breaker.tryAcquire()).toBeUndefined();
    expect(breaker.state).toBe('HALF_OPEN');
    expect(transitions).toEqual([]);
  });

  it('counts as a failure at the first attempt from then on, which is attempt 1 of the circuit opened anew', () => {
    const attempts: number[] = [];
    const { breaker, clock, transitions } = arrangeHalfOpen({
      probeTimeoutMillis: 500,
      probePolicy: ({ attempt, failedProbes }) => {
        attempts.push(attempt);
        return failedProbes === 0;
      },
    });
    attempts.length = 0;
    clock.advance(500);
    expect(breaker.state).toBe('HALF_OPEN');
    expect(breaker.tryAcquire()).toBeUndefined();
    expect(attempts).toEqual([1]);
    expect(steps(transitions)).toEqual(['HALF_OPEN->OPEN']);
    expect(transitions[0]?.error).toBeInstanceOf(ExportTimeoutError);
    expect(breaker.snapshot()).toMatchObject({
      state: 'OPEN',
      attemptsSinceOpened: 1,
      failedProbes: 1,
      probes: { failure: 1 },
      exports: { failure: 4, rejected: 1 },
      lastFailure: {
        code: 'ERR_EXPORT_TIMEOUT',
        message: 'the probe of circuit "otlp" was not settled within 500 ms',
        at: START + 500,
      },
    });
  });

  it('may be replaced at once by the export that found it, as the next probe', () => {
    const { breaker, clock, transitions } = arrangeHalfOpen({ probeTimeoutMillis: 500 });
    clock.advance(500);
    expect(breaker.tryAcquire()?.probe).toBe(true);
    expect(steps(transitions)).toEqual(['HALF_OPEN->OPEN', 'OPEN->HALF_OPEN']);
  });

  it('changes nothing when it is settled after all', () => {
    const { breaker, clock, probe } = arrangeHalfOpen({ probeTimeoutMillis: 500 });
    clock.advance(500);
    acquire(breaker);
    const before = breaker.snapshot();
    probe.succeed();
    expect(breaker.snapshot()).toEqual(before);
  });

  it('is waited for during 30 s by default', () => {
    const { breaker, clock } = arrangeHalfOpen();
    clock.advance(29_999);
    expect(breaker.tryAcquire()).toBeUndefined();
    clock.advance(1);
    expect(breaker.tryAcquire()?.probe).toBe(true);
  });

  it('is timed from its own beginning, not from that of an earlier probe', () => {
    const { breaker, clock, probe } = arrangeHalfOpen({ probeTimeoutMillis: 500, successThreshold: 2 });
    clock.advance(400);
    probe.succeed();
    acquire(breaker);
    clock.advance(400);
    expect(breaker.tryAcquire()).toBeUndefined();
    expect(breaker.state).toBe('HALF_OPEN');
  });
});

describe('a result of an earlier generation', () => {
  /** Ways to leave the generation in which an export began. */
  const moves: [string, CircuitBreakerOptions, (permit: (items?: number) => Permit) => void, string][] = [
    ['opened', { probePolicy: never }, () => {}, 'OPEN'],
    ['half-opened', { probePolicy: always }, (permit) => void permit(), 'HALF_OPEN'],
    ['closed again', { probePolicy: always }, (permit) => permit().succeed(), 'CLOSED'],
  ];

  it.each(moves)(
    'of an export begun while CLOSED, after the circuit %s, changes no state, no policy and no streak',
    (_, options, move, state) => {
      const { policy, heard } = recordingTrip({ onFailure: () => failing });
      let failing = true;
      const { breaker, clock, transitions } = arrangeBreaker({ ...options, tripPolicy: policy });
      const late = [1, 2, 3, 4, 5].map(() => internalsOf(breaker)?.acquire(1, clock.now()));
      fail(breaker, 1);
      move((items) => acquire(breaker, items));
      expect(breaker.state).toBe(state);
      failing = false;
      const {
        consecutiveFailures: failures,
        consecutiveInvalid: invalid,
        consecutiveIgnored: ignored,
        attemptsSinceOpened,
      } = breaker.snapshot();
      heard.length = 0;
      transitions.length = 0;
      clock.advance(1_000);

      late[0]?.fail(new Error('late'));
      late[1]?.invalid(new Error('late refusal'));
      late[2]?.succeed();
      late[3]?.ignore();
      late[4]?.settleUnsent(new Error('late and unsent'), clock.now());

      expect(breaker.state).toBe(state);
      expect(transitions).toEqual([]);
      expect(heard).toEqual([]);
      expect(breaker.snapshot()).toMatchObject({
        consecutiveFailures: failures,
        consecutiveInvalid: invalid,
        consecutiveIgnored: ignored,
        attemptsSinceOpened,
      });
    },
  );

  it('is counted in all else', () => {
    const { breaker, clock } = arrangeBreaker({ probePolicy: never });
    const late = [acquire(breaker, 2), acquire(breaker, 3), acquire(breaker, 4), acquire(breaker, 5)];
    fail(breaker, 3);
    clock.advance(2_000);
    late[0]?.fail(new Error('late'));
    late[1]?.invalid(new Error('late refusal'));
    late[2]?.succeed();
    late[3]?.ignore();
    expect(breaker.snapshot()).toMatchObject({
      exports: { success: 1, failure: 4, invalid: 1, ignored: 1, rejected: 0 },
      items: { success: 4, failure: 5, invalid: 3, ignored: 5, rejected: 0 },
      lastFailure: { message: 'late', at: START + 2_000 },
      lastInvalid: { message: 'late refusal', at: START + 2_000 },
      lastSuccessAt: START + 2_000,
      exportDurations: { count: 7, sum: 8 },
      batchSizes: { count: 7, sum: 17 },
    });
  });

  it('of a probe that was cut off by hand counts as a probe, and changes no state', () => {
    const { breaker, probe } = arrangeHalfOpen();
    breaker.forceOpen();
    probe.succeed();
    expect(breaker.state).toBe('OPEN');
    expect(breaker.snapshot()).toMatchObject({ probes: { success: 1, failure: 0 }, consecutiveFailures: 3 });
  });

  it('does not count before a probe of a later HALF_OPEN, either', () => {
    const { breaker, probe, clock } = arrangeHalfOpen({ probeTimeoutMillis: 10 });
    clock.advance(10);
    const second = acquire(breaker);
    probe.succeed();
    expect(breaker.state).toBe('HALF_OPEN');
    expect(breaker.tryAcquire()).toBeUndefined();
    second.succeed();
    expect(breaker.state).toBe('CLOSED');
  });

  it('of before a reset() while CLOSED does not count', () => {
    const { breaker } = arrangeBreaker({ tripPolicy: consecutiveFailures(1) });
    const before = acquire(breaker);
    breaker.reset();
    before.fail();
    expect(breaker.state).toBe('CLOSED');
    expect(breaker.snapshot()).toMatchObject({ consecutiveFailures: 0, exports: { failure: 1 } });
  });
});

describe('a permit', () => {
  it.each(['succeed', 'invalid', 'fail', 'ignore'] as const)(
    'settled by %s() is settled: later calls do nothing',
    (settle) => {
      const { breaker } = arrangeBreaker({ tripPolicy: consecutiveFailures(1) });
      const permit = acquire(breaker);
      permit[settle]();
      const before = breaker.snapshot();
      permit.succeed();
      permit.invalid();
      permit.fail();
      permit.ignore();
      expect(breaker.snapshot()).toEqual(before);
    },
  );

  it('is for 1 item by default', () => {
    const { breaker } = arrangeBreaker();
    acquire(breaker).succeed();
    expect(breaker.snapshot().items.success).toBe(1);
  });

  it('may be for none', () => {
    const { breaker } = arrangeBreaker();
    acquire(breaker, 0).succeed();
    expect(breaker.snapshot()).toMatchObject({ exports: { success: 1 }, items: { success: 0 } });
  });
});

describe('the clock', () => {
  it('is asked for no timer: without exports the state machine does nothing', () => {
    const schedule = vi.fn(() => () => {});
    let now = 0;
    const { breaker } = arrangeHalfOpen({ clock: { now: () => now, schedule }, probeTimeoutMillis: 5 });
    now = 1_000_000;
    expect(breaker.state).toBe('HALF_OPEN');
    expect(schedule).not.toHaveBeenCalled();
  });
});
