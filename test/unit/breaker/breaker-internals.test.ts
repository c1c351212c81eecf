import { describe, expect, it } from 'vitest';
import { attachInternals, internalsOf } from '../../../src/breaker/breaker-internals.ts';
import {
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
    const symbol = Symbol.for('otel-circuit-breaker/breaker-internals/1');
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
  it('say when a permit was given', () => {
    const { breaker, clock } = arrangeBreaker();
    clock.advance(7);
    expect(internals(breaker).tryAcquire(1)).toMatchObject({ startedAt: START + 7, probe: false });
  });

  it('count an unasked "no" as an attempt, but not as rejected', () => {
    const { breaker } = arrangeOpen({ probePolicy: never });
    expect(internals(breaker).tryAcquireUnasked(5)).toBeUndefined();
    expect(breaker.snapshot()).toMatchObject({
      attemptsSinceOpened: 1,
      exports: { rejected: 0 },
      items: { rejected: 0 },
    });
    expect(internals(breaker).tryAcquire(5)).toBeUndefined();
    expect(breaker.snapshot()).toMatchObject({ exports: { rejected: 1 }, items: { rejected: 5 } });
  });

  it('let an unasked sending be the probe', () => {
    const { breaker } = arrangeOpen({ probePolicy: always });
    expect(internals(breaker).tryAcquireUnasked(5)).toMatchObject({ probe: true, startedAt: START });
    expect(breaker.state).toBe('HALF_OPEN');
  });

  it('give a permit past the circuit, whose result moves the totals and nothing else', () => {
    const { policy, heard } = recordingTrip({ onFailure: () => true });
    const { breaker, clock, transitions } = arrangeBreaker({ tripPolicy: policy });
    const permits = [1, 2, 3, 4].map((items) => internals(breaker).acquirePast(items));
    clock.advance(1_000);
    permits[0]?.fail(new Error('down'));
    permits[1]?.invalid(new Error('refused'));
    permits[2]?.succeed();
    permits[3]?.ignore();
    expect(heard).toEqual([]);
    expect(transitions).toEqual([]);
    expect(permits.map((permit) => permit.probe)).toEqual([false, false, false, false]);
    expect(breaker.snapshot()).toMatchObject({
      state: 'CLOSED',
      consecutiveFailures: 0,
      consecutiveInvalid: 0,
      exports: { success: 1, failure: 1, invalid: 1, ignored: 1, rejected: 0 },
      items: { success: 3, failure: 1, invalid: 2, ignored: 4 },
      lastFailure: { message: 'down', at: START + 1_000 },
      lastInvalid: { message: 'refused' },
      lastSuccessAt: START + 1_000,
      exportDurations: { sum: 4 },
    });
  });

  it('give a permit past an open circuit, too, without an attempt', () => {
    const { breaker } = arrangeOpen({ probePolicy: never });
    internals(breaker).acquirePast(1).succeed();
    expect(breaker.snapshot()).toMatchObject({
      state: 'OPEN',
      attemptsSinceOpened: 0,
      consecutiveFailures: 3,
    });
  });

  it('take no probe its place past a half-open circuit', () => {
    const { breaker, probe } = arrangeHalfOpen();
    internals(breaker).acquirePast(1).fail();
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

  it('let only the first who asks do the logging', () => {
    const { claimLogging } = internals(arrangeBreaker().breaker);
    expect([claimLogging(), claimLogging(), claimLogging()]).toEqual([true, false, false]);
  });
});
