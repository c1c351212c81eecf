import { describe, expect, it, vi } from 'vitest';
import type { CircuitBreaker } from '../../../src/breaker/circuit-breaker.ts';
import type { Permit } from '../../../src/breaker/permit.ts';
import type { CircuitTransition } from '../../../src/breaker/transition-listeners.ts';
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

describe('forceOpen()', () => {
  it('rejects everything: no probes, no attempts, and the probe policy is not asked', () => {
    const probePolicy = vi.fn(always);
    const { breaker, clock, transitions } = arrangeBreaker({ probePolicy });
    breaker.forceOpen();
    clock.advance(1_000_000);
    expect(breaker.tryAcquire()).toBeUndefined();
    expect(breaker.tryAcquire()).toBeUndefined();
    expect(probePolicy).not.toHaveBeenCalled();
    expect(steps(transitions)).toEqual(['CLOSED->OPEN']);
    expect(transitions[0]).not.toHaveProperty('error');
    expect(breaker.snapshot()).toMatchObject({
      state: 'OPEN',
      forced: 'OPEN',
      attemptsSinceOpened: 0,
      exports: { rejected: 2 },
    });
  });

  it('ends a HALF_OPEN, and no probe has failed by that', () => {
    const { breaker, clock, transitions } = arrangeHalfOpen();
    clock.advance(10);
    breaker.forceOpen();
    expect(steps(transitions)).toEqual(['HALF_OPEN->OPEN']);
    expect(breaker.snapshot()).toMatchObject({
      failedProbes: 0,
      probes: { failure: 0 },
      since: START + 10,
      notClosedSince: START,
    });
    expect(breaker.tryAcquire()).toBeUndefined();
  });

  it('holds an open circuit open without a transition, and keeps its attempts', () => {
    const { breaker, transitions } = arrangeOpen({ probePolicy: never });
    breaker.tryAcquire();
    breaker.forceOpen();
    breaker.tryAcquire();
    expect(transitions).toEqual([]);
    expect(breaker.snapshot()).toMatchObject({ forced: 'OPEN', attemptsSinceOpened: 1 });
  });

  it('outlives the answers of earlier exports', () => {
    const { policy, heard } = recordingTrip();
    const { breaker } = arrangeBreaker({ tripPolicy: policy });
    const earlier = acquire(breaker);
    breaker.forceOpen();
    earlier.succeed();
    expect(breaker.state).toBe('OPEN');
    expect(heard).toEqual([]);
  });
});

describe('forceClosed()', () => {
  it('lets everything pass, counts results and trips nothing', () => {
    const { policy, heard } = recordingTrip({ onFailure: () => true });
    const { breaker, transitions } = arrangeBreaker({ tripPolicy: policy });
    breaker.forceClosed();
    fail(breaker, 10);
    expect(breaker.state).toBe('CLOSED');
    expect(heard).toEqual([]);
    expect(transitions).toEqual([]);
    expect(breaker.snapshot()).toMatchObject({
      forced: 'CLOSED',
      consecutiveFailures: 10,
      exports: { failure: 10 },
    });
  });

  it('keeps from the policy what began before it, too', () => {
    const { policy, heard } = recordingTrip({ onFailure: () => true });
    const { breaker } = arrangeBreaker({ tripPolicy: policy });
    const earlier = acquire(breaker);
    breaker.forceClosed();
    earlier.fail();
    expect(breaker.state).toBe('CLOSED');
    expect(heard).toEqual([]);
  });

  it('closes an open circuit by hand, and resets the detector', () => {
    const { policy, heard } = recordingTrip({ onFailure: () => true });
    const { breaker, clock, transitions } = arrangeBreaker({ tripPolicy: policy, probePolicy: never });
    fail(breaker, 1);
    clock.advance(70);
    heard.length = 0;
    breaker.forceClosed();
    expect(steps(transitions)).toEqual(['CLOSED->OPEN', 'OPEN->CLOSED']);
    expect(heard).toEqual([['reset']]);
    expect(breaker.tryAcquire()?.probe).toBe(false);
    expect(breaker.snapshot()).toMatchObject({
      since: START + 70,
      notClosedSince: null,
      notClosedMillis: 70,
      transitions: { 'OPEN->CLOSED': 1, 'HALF_OPEN->CLOSED': 0 },
    });
  });

  it('closes a half-open circuit by hand', () => {
    const { breaker, probe, transitions } = arrangeHalfOpen();
    breaker.forceClosed();
    expect(steps(transitions)).toEqual(['HALF_OPEN->CLOSED']);
    probe.fail();
    expect(breaker.state).toBe('CLOSED');
  });

  it('takes the place of forceOpen()', () => {
    const { breaker } = arrangeBreaker();
    breaker.forceOpen();
    breaker.forceClosed();
    expect(breaker.snapshot()).toMatchObject({ state: 'CLOSED', forced: 'CLOSED' });
    breaker.forceOpen();
    expect(breaker.snapshot()).toMatchObject({ state: 'OPEN', forced: 'OPEN' });
  });
});

describe('reset()', () => {
  it('is back to automatic from forced CLOSED: failures trip again, counted from 0', () => {
    const { breaker } = arrangeBreaker();
    breaker.forceClosed();
    fail(breaker, 5);
    breaker.reset();
    expect(breaker.snapshot().forced).toBeNull();
    fail(breaker, 2);
    expect(breaker.state).toBe('CLOSED');
    fail(breaker, 1);
    expect(breaker.state).toBe('OPEN');
  });

  it('is back to automatic from forced OPEN, and CLOSED', () => {
    const { breaker, transitions } = arrangeBreaker();
    breaker.forceOpen();
    breaker.reset();
    expect(breaker.snapshot()).toMatchObject({ state: 'CLOSED', forced: null });
    expect(steps(transitions)).toEqual(['CLOSED->OPEN', 'OPEN->CLOSED']);
    expect(acquire(breaker).probe).toBe(false);
  });

  it('closes a half-open circuit', () => {
    const { breaker, transitions } = arrangeHalfOpen();
    breaker.reset();
    expect(steps(transitions)).toEqual(['HALF_OPEN->CLOSED']);
    expect(breaker.snapshot()).toMatchObject({ state: 'CLOSED', failedProbes: 0, attemptsSinceOpened: 0 });
  });

  it('of a closed circuit resets the detector without a transition, and does not move since', () => {
    const { breaker, clock, transitions } = arrangeBreaker();
    fail(breaker, 2);
    clock.advance(10);
    breaker.reset();
    fail(breaker, 2);
    expect(breaker.state).toBe('CLOSED');
    expect(transitions).toEqual([]);
    expect(breaker.snapshot().since).toBe(START);
  });

  it('never clears totals', () => {
    const { breaker } = arrangeOpen({ probePolicy: never });
    breaker.tryAcquire();
    acquireAfterReset();
    expect(breaker.snapshot()).toMatchObject({
      exports: { failure: 3, rejected: 1, success: 1 },
      transitions: { 'CLOSED->OPEN': 1, 'OPEN->CLOSED': 1 },
    });

    function acquireAfterReset(): void {
      breaker.reset();
      acquire(breaker).succeed();
    }
  });
});

describe('every entry into CLOSED', () => {
  it('resets the detector', () => {
    const { breaker, probe } = arrangeHalfOpen();
    probe.succeed();
    fail(breaker, 2);
    expect(breaker.state).toBe('CLOSED');
    fail(breaker, 1);
    expect(breaker.state).toBe('OPEN');
  });
});

describe("a user's function that moves the state itself", () => {
  const hands = {
    'forceOpen()': (breaker: CircuitBreaker) => breaker.forceOpen(),
    'forceClosed()': (breaker: CircuitBreaker) => breaker.forceClosed(),
    'reset()': (breaker: CircuitBreaker) => breaker.reset(),
  };
  const cases = Object.entries(hands).flatMap(([name, move]) =>
    ([true, false] as const).map((answer) => ({ name, move, answer })),
  );

  /** What the breaker is after the call, and nothing else was done to it. */
  function expectMovedByHand(breaker: CircuitBreaker, name: string, transitions: CircuitTransition[]): void {
    const expected = {
      'forceOpen()': { state: 'OPEN', forced: 'OPEN' },
      'forceClosed()': { state: 'CLOSED', forced: 'CLOSED' },
      'reset()': { state: 'CLOSED', forced: null },
    }[name];
    expect(breaker.snapshot()).toMatchObject(expected ?? {});
    for (const { from, to } of transitions) expect(from).not.toBe(to);
    expect(Object.values(breaker.snapshot().transitions).reduce((sum, each) => sum + each)).toBe(
      transitions.length,
    );
  }

  it.each(cases)('in the trip policy: $name decides, whether it says $answer', ({ name, move, answer }) => {
    const { policy } = recordingTrip({
      onFailure: () => {
        move(breaker);
        return answer;
      },
    });
    const { breaker, transitions } = arrangeBreaker({ tripPolicy: policy });
    fail(breaker, 1);
    expectMovedByHand(breaker, name, transitions);
  });

  it.each(cases)('in the probe policy: $name decides, whether it says $answer', ({ name, move, answer }) => {
    const { breaker, transitions } = arrangeBreaker({
      probePolicy: () => {
        move(breaker);
        return answer;
      },
    });
    fail(breaker, 3);
    breaker.tryAcquire();
    expectMovedByHand(breaker, name, transitions);
  });

  it.each(cases)('in isTooSlow(): $name decides, whether it says $answer', ({ name, move, answer }) => {
    const { policy } = recordingTrip({ onFailure: () => true });
    const detector = Object.assign(policy.createDetector(), {
      isTooSlow() {
        move(breaker);
        return answer;
      },
    });
    const { breaker, transitions } = arrangeBreaker({
      tripPolicy: { createDetector: () => detector },
      probePolicy: always,
    });
    fail(breaker, 1);
    acquire(breaker).succeed();
    expectMovedByHand(breaker, name, transitions);
  });

  it.each(Object.entries(hands))('in random or onError: %s decides', (name, move) => {
    const { breaker, transitions } = arrangeBreaker({
      random: () => 2,
      onError: () => {
        if (breaker.snapshot().forced === null && breaker.state === 'CLOSED' && !moved) {
          moved = true;
          move(breaker);
        }
      },
    });
    let moved = false;
    fail(breaker, 3);
    expectMovedByHand(breaker, name, transitions);
  });

  it.each(['forceClosed', 'reset'] as const)(
    'in reset() of the detector: forceOpen() decides, at %s()',
    (close) => {
      let isArmed = false;
      const { policy } = recordingTrip({ onFailure: () => true });
      const detector = Object.assign(policy.createDetector(), {
        reset() {
          if (isArmed) breaker.forceOpen();
        },
      });
      const { breaker, transitions } = arrangeBreaker({ tripPolicy: { createDetector: () => detector } });
      fail(breaker, 1);
      isArmed = true;
      breaker[close]();
      expectMovedByHand(breaker, 'forceOpen()', transitions);
    },
  );

  it('lets no second probe through where the probe policy begins one itself', () => {
    let nested: Permit | undefined;
    const { breaker } = arrangeOpen({
      probePolicy: ({ attempt }) => {
        if (attempt === 1) nested = breaker.tryAcquire();
        return true;
      },
    });
    expect(breaker.tryAcquire()).toBeUndefined();
    expect(nested?.probe).toBe(true);
    expect(breaker.state).toBe('HALF_OPEN');
  });
});
