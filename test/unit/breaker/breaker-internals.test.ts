import { describe, expect, it, vi } from 'vitest';
import { attachInternals, internalsOf } from '../../../src/breaker/breaker-internals.ts';
import {
  acquire,
  always,
  arrangeBreaker,
  arrangeHalfOpen,
  arrangeOpen,
  never,
  recordingTrip,
  START,
} from './arrange.ts';

function internals(breaker: object) {
  const found = internalsOf(breaker);
  if (found === undefined) throw new Error('no internals');
  return found;
}

describe('internalsOf', () => {
  it.each([undefined, null, 5, 'breaker', {}, { state: 'CLOSED', tryAcquire: always }])(
    'finds none on %o',
    (value) => {
      expect(internalsOf(value)).toBeUndefined();
    },
  );

  it('finds them on a breaker under a symbol of the global registry, out of sight', () => {
    const { breaker } = arrangeBreaker();
    const symbol = Symbol.for('otel-circuit-breaker/breaker-internals/2');
    expect(internalsOf(breaker)).toBe((breaker as never as Record<symbol, unknown>)[symbol]);
    expect(internalsOf(breaker)).toBeDefined();
    expect({ ...breaker }).toEqual({});
  });

  it('finds what was attached', () => {
    const { breaker } = arrangeBreaker();
    const like = {};
    attachInternals(like, internals(breaker));
    expect(internalsOf(like)).toBe(internalsOf(breaker));
  });
});

describe('the internals of a breaker', () => {
  it('give permits at a time that was read before, without reading the clock', () => {
    const { breaker, clock } = arrangeBreaker();
    const now = vi.spyOn(clock, 'now');
    const permit = internals(breaker).acquire(1, START + 7);
    permit?.settle('success', undefined, START + 19);
    expect(permit).toMatchObject({ startedAt: START + 7, probe: false });
    expect(now).not.toHaveBeenCalled();
    expect(breaker.snapshot()).toMatchObject({
      lastSuccessAt: START + 19,
      exportDurations: { sum: 0.012, count: 1 },
    });
  });

  it('count an unasked "no" as an attempt, but not as rejected', () => {
    const { breaker } = arrangeOpen({ probePolicy: never });
    expect(internals(breaker).acquireUnasked(5, START)).toBeUndefined();
    expect(breaker.snapshot()).toMatchObject({
      attemptsSinceOpened: 1,
      exports: { rejected: 0 },
      items: { rejected: 0 },
    });
    expect(internals(breaker).acquire(5, START)).toBeUndefined();
    expect(breaker.snapshot()).toMatchObject({ exports: { rejected: 1 }, items: { rejected: 5 } });
  });

  it('let an unasked sending be the probe', () => {
    const { breaker } = arrangeOpen({ probePolicy: always });
    expect(internals(breaker).acquireUnasked(5, START)).toMatchObject({ probe: true, startedAt: START });
    expect(breaker.state).toBe('HALF_OPEN');
  });

  it('tell the probe policy the time that was read before', () => {
    const elapsed: number[] = [];
    const { breaker } = arrangeOpen({
      probePolicy: ({ elapsedMillis }) => {
        elapsed.push(elapsedMillis);
        return false;
      },
    });
    internals(breaker).acquire(1, START + 300);
    internals(breaker).acquire(1, START + 450);
    expect(elapsed).toEqual([300, 450]);
  });

  it('give a permit past the circuit, whose result moves the totals and nothing else', () => {
    const { policy, heard } = recordingTrip({ onFailure: () => true });
    const { breaker, transitions } = arrangeBreaker({ tripPolicy: policy });
    const permits = [1, 2, 3, 4, 5].map((items) => internals(breaker).acquirePast(items, START));
    permits[0]?.settle('failure', new Error('down'), START + 1_000);
    permits[1]?.settle('invalid', new Error('refused'), START + 1_000);
    permits[2]?.settle('success', undefined, START + 1_000);
    permits[3]?.settle('ignored', new Error('no room'), START + 1_000);
    permits[4]?.settleUnsent(new Error('no such date'), START + 1_000);
    expect(heard).toEqual([]);
    expect(transitions).toEqual([]);
    expect(permits.map((permit) => permit.probe)).toEqual([false, false, false, false, false]);
    expect(breaker.snapshot()).toMatchObject({
      state: 'CLOSED',
      consecutiveFailures: 0,
      consecutiveInvalid: 0,
      consecutiveIgnored: 0,
      exports: { success: 1, failure: 1, invalid: 2, ignored: 1, rejected: 0 },
      items: { success: 3, failure: 1, invalid: 7, ignored: 4 },
      lastFailure: { message: 'down', at: START + 1_000 },
      lastInvalid: { message: 'no such date' },
      lastIgnored: { message: 'no room' },
      lastSuccessAt: START + 1_000,
      exportDurations: { sum: 5 },
    });
  });

  it('give a permit past the circuit that moves no streak back, either', () => {
    const { breaker } = arrangeBreaker();
    acquire(breaker).fail();
    acquire(breaker).ignore();
    internals(breaker).acquirePast(1, START).succeed();
    expect(breaker.snapshot()).toMatchObject({ consecutiveFailures: 1, consecutiveIgnored: 1 });
  });

  it('give a permit past an open circuit, too, without an attempt', () => {
    const { breaker } = arrangeOpen({ probePolicy: never });
    internals(breaker).acquirePast(1, START).succeed();
    expect(breaker.snapshot()).toMatchObject({
      state: 'OPEN',
      attemptsSinceOpened: 0,
      consecutiveFailures: 3,
    });
  });

  it('take no probe its place past a half-open circuit', () => {
    const { breaker, probe } = arrangeHalfOpen();
    internals(breaker).acquirePast(1, START).fail();
    expect(breaker.state).toBe('HALF_OPEN');
    probe.succeed();
    expect(breaker.state).toBe('CLOSED');
  });

  it('say how the circuit is held by hand', () => {
    const { breaker } = arrangeBreaker();
    const { forced } = internals(breaker);
    const seen = [forced()];
    breaker.forceOpen();
    seen.push(forced());
    breaker.forceClosed();
    seen.push(forced());
    breaker.reset();
    seen.push(forced());
    expect(seen).toEqual([null, 'OPEN', 'CLOSED', null]);
  });

  it('count those who log what this breaker does', () => {
    const { breaker } = arrangeBreaker();
    expect(internals(breaker).logListeners).toBe(0);
    internals(breaker).logListeners++;
    expect(internals(breaker).logListeners).toBe(1);
  });

  it('convert readings of the clock to Unix milliseconds', () => {
    const { breaker } = arrangeBreaker({
      clock: { now: () => 10, unixMillis: () => START, schedule: () => () => {} },
    });
    expect(internals(breaker).toUnixMillis(30.4)).toBe(START + 20);
  });
});

describe('a sending that was never sent', () => {
  it('counts as invalid, in the numbers and in consecutiveInvalid', () => {
    const { breaker } = arrangeBreaker();
    internals(breaker)
      .acquire(3, START)
      ?.settleUnsent(new RangeError('no such date'), START + 500);
    expect(breaker.snapshot()).toMatchObject({
      consecutiveInvalid: 1,
      exports: { invalid: 1, failure: 0, ignored: 0 },
      items: { invalid: 3 },
      lastInvalid: { name: 'RangeError', message: 'no such date', at: START + 500 },
      exportDurations: { sum: 0.5, count: 1 },
      batchSizes: { sum: 3, count: 1 },
    });
  });

  it('is no success to the state machine: consecutiveFailures stays', () => {
    const { breaker } = arrangeBreaker();
    acquire(breaker).fail();
    acquire(breaker).fail();
    internals(breaker).acquire(1, START)?.settleUnsent(new Error('no such date'), START);
    expect(breaker.snapshot().consecutiveFailures).toBe(2);
    acquire(breaker).fail();
    expect(breaker.state).toBe('OPEN');
  });

  it('as a probe counts in no probes, and frees its place', () => {
    const { breaker, transitions } = arrangeOpen({ probePolicy: always });
    const probe = internals(breaker).acquire(1, START);
    expect(probe?.probe).toBe(true);
    transitions.length = 0;
    probe?.settleUnsent(new Error('no such date'), START);
    expect(transitions).toEqual([]);
    expect(breaker.snapshot()).toMatchObject({ state: 'HALF_OPEN', probes: { success: 0, failure: 0 } });
    expect(acquire(breaker).probe).toBe(true);
  });
});
