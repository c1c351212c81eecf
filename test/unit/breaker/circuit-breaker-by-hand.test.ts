import { describe, expect, it, vi } from 'vitest';
import { CircuitBreaker } from '../../../src/breaker/circuit-breaker.ts';
import type { TripPolicy } from '../../../src/breaker/trip-policies.ts';
import { consecutiveFailures } from '../../../src/breaker/trip-policies.ts';
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

/** Opens at the first failure; `reset` is the detector's. */
function tripsAtOnce(reset: () => void): TripPolicy {
  return { createDetector: () => ({ onSuccess: () => false, onFailure: () => true, reset }) };
}

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

  it('is not prevented by a detector whose reset throws, which onError hears of', () => {
    const error = new Error('reset broke');
    const detector = {
      onSuccess: () => false,
      onFailure: () => true,
      reset: () => {
        throw error;
      },
    };
    const { breaker, problems } = arrangeBreaker({
      tripPolicy: { createDetector: () => detector },
      probePolicy: always,
    });
    fail(breaker, 1);
    acquire(breaker).succeed();
    expect(breaker.state).toBe('CLOSED');
    expect(problems).toEqual([[`circuit "otlp": the trip policy's reset threw`, error]]);
  });
});

describe('policies that break', () => {
  it.each<[string, () => unknown, string, unknown]>([
    [
      'throws',
      () => {
        throw new Error('broken');
      },
      'circuit "otlp": the trip policy threw, taken as no',
      new Error('broken'),
    ],
    [
      'returns no boolean',
      () => 'yes',
      'circuit "otlp": the trip policy returned no boolean, taken as no',
      'yes',
    ],
  ])('take a trip policy that %s as a no, and tell onError', (_, answer, message, error) => {
    const { policy } = recordingTrip({ onFailure: answer, onSuccess: answer });
    const { breaker, problems } = arrangeBreaker({ tripPolicy: policy });
    fail(breaker, 1);
    acquire(breaker).succeed();
    expect(breaker.state).toBe('CLOSED');
    expect(problems).toEqual([
      [message, error],
      [message, error],
    ]);
  });

  it.each<[string, () => unknown, string, unknown]>([
    [
      'throws',
      () => {
        throw new Error('broken');
      },
      'circuit "otlp": the probe policy threw, taken as yes',
      new Error('broken'),
    ],
    [
      'returns no boolean',
      () => undefined,
      'circuit "otlp": the probe policy returned no boolean, taken as yes',
      undefined,
    ],
    [
      'returns what is only falsy',
      () => 0,
      'circuit "otlp": the probe policy returned no boolean, taken as yes',
      0,
    ],
  ])('take a probe policy that %s as a yes, and tell onError', (_, answer, message, error) => {
    const { breaker, problems } = arrangeOpen({ probePolicy: answer as () => boolean });
    expect(breaker.tryAcquire()?.probe).toBe(true);
    expect(breaker.state).toBe('HALF_OPEN');
    expect(problems).toEqual([[message, error]]);
  });

  it.each([
    [
      'throws',
      () => {
        throw new Error('no entropy');
      },
      'circuit "otlp": random threw, taken as 0',
      new Error('no entropy'),
    ],
    ['answers 1', () => 1, 'circuit "otlp": random answered no number in [0, 1), taken as 0', 1],
    [
      'answers less than 0',
      () => -0.1,
      'circuit "otlp": random answered no number in [0, 1), taken as 0',
      -0.1,
    ],
    [
      'answers NaN',
      () => Number.NaN,
      'circuit "otlp": random answered no number in [0, 1), taken as 0',
      Number.NaN,
    ],
    [
      'answers no number',
      () => '0.5',
      'circuit "otlp": random answered no number in [0, 1), taken as 0',
      '0.5',
    ],
  ])('take a random that %s as 0, and tell onError', (_, random, message, error) => {
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
    expect(problems).toEqual([[message, error]]);
  });

  it.each(['forceOpen', 'forceClosed', 'reset'] as const)(
    'may call %s from random: then that decides',
    (byHand) => {
      const states: string[] = [];
      let draws = 0;
      const breaker: CircuitBreaker = new CircuitBreaker({
        tripPolicy: consecutiveFailures(1),
        onTransition: ({ from, to }) => states.push(`${from}>${to}`),
        random: () => {
          if (draws++ === 0) breaker[byHand]();
          return 0;
        },
      });
      breaker.tryAcquire()?.fail();
      const opened = byHand === 'forceOpen';
      expect(states).toEqual(opened ? ['CLOSED>OPEN'] : []);
      expect(breaker.snapshot()).toMatchObject({
        state: opened ? 'OPEN' : 'CLOSED',
        forced: { forceOpen: 'OPEN', forceClosed: 'CLOSED', reset: null }[byHand],
      });
      expect(Object.keys(breaker.snapshot().transitions)).toHaveLength(5);
    },
  );

  it('may open the circuit by hand as the detector is reset: it is told in order, and stays open', () => {
    const states: string[] = [];
    let resets = 0;
    const breaker: CircuitBreaker = new CircuitBreaker({
      tripPolicy: tripsAtOnce(() => {
        resets++;
        breaker.forceOpen();
      }),
      probePolicy: () => true,
      onTransition: ({ from, to }) => states.push(`${from}>${to}`),
    });
    breaker.tryAcquire()?.fail();
    breaker.tryAcquire()?.succeed();
    expect(states).toEqual(['CLOSED>OPEN', 'OPEN>HALF_OPEN', 'HALF_OPEN>OPEN']);
    expect(breaker.snapshot()).toMatchObject({ state: 'OPEN', forced: 'OPEN' });
    expect(resets).toBe(1);
  });

  it.each([
    ['reset', ['HALF_OPEN>CLOSED'], { state: 'CLOSED', forced: null }],
    ['forceOpen', [], { state: 'OPEN', forced: 'OPEN' }],
  ] as const)(
    'may call %s once as the detector is reset: it closes once, or not at all',
    (byHand, closings, end) => {
      const states: string[] = [];
      let resets = 0;
      const breaker: CircuitBreaker = new CircuitBreaker({
        tripPolicy: tripsAtOnce(() => {
          if (resets++ === 0) breaker[byHand]();
        }),
        probePolicy: () => true,
        onTransition: ({ from, to }) => states.push(`${from}>${to}`),
      });
      breaker.tryAcquire()?.fail();
      // From HALF_OPEN by a probe, from OPEN by hand.
      if (byHand === 'reset') breaker.tryAcquire()?.succeed();
      else breaker.reset();
      expect(states.filter((change) => change.endsWith('CLOSED'))).toEqual(closings);
      expect(breaker.snapshot()).toMatchObject(end);
    },
  );

  it('take a random that answers 0 as it is', () => {
    const { problems } = arrangeOpen({ random: () => 0 });
    expect(problems).toEqual([]);
  });

  it('harm nothing when onError throws, too', () => {
    const { breaker } = arrangeOpen({
      probePolicy: () => {
        throw new Error('broken');
      },
      onError: () => {
        throw new Error('broken as well');
      },
    });
    expect(breaker.tryAcquire()?.probe).toBe(true);
    expect(breaker.state).toBe('HALF_OPEN');
  });
});

describe('policies that act', () => {
  it('lets through what a probe policy closed the circuit for, as no probe', () => {
    const { breaker, transitions } = arrangeOpen({
      probePolicy: (): boolean => {
        breaker.reset();
        return true;
      },
    });
    expect(breaker.tryAcquire()?.probe).toBe(false);
    expect(breaker.state).toBe('CLOSED');
    expect(steps(transitions)).toEqual(['OPEN->CLOSED']);
  });

  it('lets nothing through when a probe policy forces the circuit open, whatever it answers', () => {
    const { breaker, transitions } = arrangeOpen({
      probePolicy: (): boolean => {
        breaker.forceOpen();
        return true;
      },
    });
    expect(breaker.tryAcquire()).toBeUndefined();
    expect(breaker.snapshot()).toMatchObject({ state: 'OPEN', forced: 'OPEN', exports: { rejected: 1 } });
    expect(transitions).toEqual([]);
  });

  it('lets nothing through when onError, told of a broken probe policy, forces the circuit open', () => {
    const { breaker } = arrangeOpen({
      probePolicy: () => {
        throw new Error('broken');
      },
      onError: () => {
        breaker.forceOpen();
      },
    });
    expect(breaker.tryAcquire()).toBeUndefined();
    expect(breaker.snapshot()).toMatchObject({ state: 'OPEN', forced: 'OPEN' });
  });

  it.each([
    ['reset()', 'CLOSED', null],
    ['forceClosed()', 'CLOSED', 'CLOSED'],
    ['forceOpen()', 'OPEN', 'OPEN'],
  ] as const)('lets a trip policy that calls %s have its way, whatever it answers', (call, state, forced) => {
    const { policy } = recordingTrip({
      onFailure: () => {
        if (call === 'reset()') breaker.reset();
        else if (call === 'forceClosed()') breaker.forceClosed();
        else breaker.forceOpen();
        return true;
      },
    });
    const { breaker } = arrangeBreaker({ tripPolicy: policy });
    fail(breaker, 1);
    expect(breaker.snapshot()).toMatchObject({ state, forced });
    expect(breaker.snapshot().transitions['CLOSED->OPEN']).toBe(state === 'OPEN' ? 1 : 0);
  });

  it('does not open twice when a trip policy fails another export', () => {
    let nested = false;
    const { policy } = recordingTrip({
      onFailure: () => {
        if (!nested) {
          nested = true;
          fail(breaker, 1);
        }
        return true;
      },
    });
    const { breaker, transitions } = arrangeBreaker({ tripPolicy: policy });
    fail(breaker, 1);
    expect(steps(transitions)).toEqual(['CLOSED->OPEN']);
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
