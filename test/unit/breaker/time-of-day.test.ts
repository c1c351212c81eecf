import { describe, expect, it } from 'vitest';
import { internalsOf } from '../../../src/breaker/breaker-internals.ts';
import { acquire, always, arrangeBreaker, fail } from './arrange.ts';

const NOON = 1_700_000_000_000;

/** A breaker whose clock has run for a second at noon. */
function arrange() {
  const time = { now: 1_000, unixMillis: NOON };
  const clock = { now: () => time.now, unixMillis: () => time.unixMillis, schedule: () => () => {} };
  const pass = (millis: number): void => {
    time.now += millis;
    time.unixMillis += millis;
  };
  return { ...arrangeBreaker({ clock, probePolicy: always, probeTimeoutMillis: 60_000 }), time, pass };
}

describe('the time of day', () => {
  it('is what transitions and snapshots show', () => {
    const { breaker, transitions, pass } = arrange();
    pass(500);
    acquire(breaker).succeed();
    acquire(breaker).invalid();
    acquire(breaker).ignore();
    pass(500);
    fail(breaker, 3);
    expect(transitions[0]?.at).toBe(NOON + 1_000);
    expect(breaker.snapshot()).toMatchObject({
      since: NOON + 1_000,
      notClosedSince: NOON + 1_000,
      lastSuccessAt: NOON + 500,
      lastInvalid: { at: NOON + 500 },
      lastIgnored: { at: NOON + 500 },
      lastFailure: { at: NOON + 1_000 },
    });
  });

  it('is what now() says if the clock has no other', () => {
    const { breaker } = arrangeBreaker({ clock: { now: () => 5_000, schedule: () => () => {} } });
    breaker.forceOpen();
    expect(breaker.snapshot().since).toBe(5_000);
  });

  it.each([
    ['forward', 3_600_000],
    ['back', -3_600_000],
  ])('changes no duration, cooldown, elapsedMillis or notClosedMillis when it is set %s', (_, step) => {
    const elapsed: number[] = [];
    const time = { now: 0, unixMillis: NOON };
    const clock = { now: () => time.now, unixMillis: () => time.unixMillis, schedule: () => () => {} };
    const { breaker } = arrangeBreaker({
      clock,
      probePolicy: ({ elapsedMillis }) => {
        elapsed.push(elapsedMillis);
        return elapsedMillis >= 5_000;
      },
    });
    const slow = acquire(breaker);
    time.now += 250;
    time.unixMillis += 250 + step;
    slow.succeed();
    fail(breaker, 3);
    time.now += 4_999;
    time.unixMillis += 4_999 + step;
    expect(breaker.tryAcquire()).toBeUndefined();
    time.now += 1;
    acquire(breaker);
    expect(elapsed).toEqual([4_999, 5_000]);
    expect(breaker.snapshot()).toMatchObject({ notClosedMillis: 5_000, exportDurations: { sum: 0.25 } });
  });

  it.each([1_000, -1_000])('is not followed when it moves by %i ms: times do not flicker', (step) => {
    const { breaker, time, transitions } = arrange();
    time.unixMillis += step;
    expect(breaker.snapshot().since).toBe(NOON);
    breaker.forceOpen();
    expect(transitions[0]?.at).toBe(NOON);
  });

  it.each([1_001, -1_001])('is followed when it moves by %i ms, for all times that are shown', (step) => {
    const { breaker, time, transitions } = arrange();
    acquire(breaker).succeed();
    time.unixMillis += step;
    expect(breaker.snapshot()).toMatchObject({ since: NOON + step, lastSuccessAt: NOON + step });
    breaker.forceOpen();
    expect(transitions[0]?.at).toBe(NOON + step);
    expect(internalsOf(breaker)?.toUnixMillis(1_000)).toBe(NOON + step);
  });

  it('is followed by a transition, too, without a snapshot', () => {
    const { breaker, time, transitions } = arrange();
    time.unixMillis += 7_000;
    breaker.forceOpen();
    expect(transitions[0]?.at).toBe(NOON + 7_000);
  });

  it('adds up small moves until they are worth following', () => {
    const { breaker, time } = arrange();
    const seen = [600, 600, 600].map((step) => {
      time.unixMillis += step;
      return breaker.snapshot().since - NOON;
    });
    expect(seen).toEqual([0, 1_200, 1_200]);
  });

  it('is not read by an export', () => {
    let readings = 0;
    const { breaker } = arrangeBreaker({
      clock: { now: () => 0, unixMillis: () => ++readings, schedule: () => () => {} },
    });
    readings = 0;
    acquire(breaker).succeed();
    acquire(breaker).fail();
    expect(readings).toBe(0);
  });
});
