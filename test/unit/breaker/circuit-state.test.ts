import { describe, expect, it } from 'vitest';
import { closed, halfOpened, opened, renewed } from '../../../src/breaker/circuit-state.ts';

describe('the states', () => {
  it('begin CLOSED, in generation 0', () => {
    expect(closed(undefined, 5)).toEqual({ state: 'CLOSED', generation: 0, since: 5 });
  });

  it('are each a new generation, all the way round', () => {
    const first = closed(undefined, 0);
    const open = opened(first, 1, 0.5, false);
    const half = halfOpened(open, 2);
    const reopened = opened(half, 3, 0.5, true);
    expect(
      [first, renewed(first), open, half, reopened, closed(reopened, 4)].map((s) => s.generation),
    ).toEqual([0, 1, 1, 2, 3, 4]);
  });

  it('renew CLOSED without moving since', () => {
    expect(renewed(closed(undefined, 5))).toEqual({ state: 'CLOSED', generation: 1, since: 5 });
  });

  it('open with nothing attempted, and no time gone', () => {
    expect(opened(closed(undefined, 0), 7, 0.25, false)).toEqual({
      state: 'OPEN',
      generation: 1,
      since: 7,
      notClosedSince: 7,
      failedProbes: 0,
      random: 0.25,
      attempts: 0,
    });
  });

  it('half-open with the place free, and keep what the outage came to', () => {
    const open = opened(closed(undefined, 0), 7, 0.25, false);
    open.attempts++;
    expect(halfOpened(open, 9)).toMatchObject({
      state: 'HALF_OPEN',
      generation: 2,
      since: 9,
      notClosedSince: 7,
      failedProbes: 0,
      attempts: 1,
      successes: 0,
      probe: undefined,
    });
  });

  it.each([
    [true, 1],
    [false, 0],
  ])(
    'open again (a failed probe: %s) with %i failed probes more, since the same outage',
    (probeFailed, failedProbes) => {
      const half = halfOpened(opened(closed(undefined, 0), 7, 0.25, false), 9);
      expect(opened(half, 11, 0.75, probeFailed)).toMatchObject({
        since: 11,
        notClosedSince: 7,
        failedProbes,
        random: 0.75,
        attempts: 0,
      });
    },
  );
});
