import { describe, expect, it, vi } from 'vitest';
import { settledWithin } from '../../../src/sending/within.ts';
import { ManualClock } from '../../../src/testing/manual-clock.ts';

const forEver = new Promise<void>(() => {});

describe('settledWithin', () => {
  it('says true for what is settled in time, and cancels its timer', async () => {
    const clock = new ManualClock();
    const cancel = vi.fn();
    const schedule = vi.fn(() => cancel);
    const timed = { now: () => clock.now(), schedule };
    expect(await settledWithin(timed, 100, Promise.resolve())).toBe(true);
    expect(schedule.mock.calls).toEqual([[expect.any(Function), 100]]);
    expect(cancel).toHaveBeenCalledTimes(1);
  });

  it('says true for what rejects in time, and leaves the rejection to the caller', async () => {
    const rejected = Promise.reject(new Error('rejected'));
    expect(await settledWithin(new ManualClock(), 100, rejected)).toBe(true);
    await expect(rejected).rejects.toThrow('rejected');
  });

  it('says false for what is not settled in time', async () => {
    const clock = new ManualClock();
    const settled = settledWithin(clock, 100, forEver);
    clock.advance(100);
    expect(await settled).toBe(false);
  });

  it.each([0, -50])(
    'takes no time where %i ms are left, and no timer: only what has settled counts',
    async (millis) => {
      const schedule = vi.fn();
      const clock = { now: () => 0, schedule };
      expect(await settledWithin(clock, millis, forEver)).toBe(false);
      expect(await settledWithin(clock, millis, Promise.resolve())).toBe(true);
      expect(schedule).not.toHaveBeenCalled();
    },
  );

  it('waits without a timer where there is no limit', async () => {
    const schedule = vi.fn(() => () => {});
    expect(await settledWithin({ now: () => 0, schedule }, Number.POSITIVE_INFINITY, Promise.resolve())).toBe(
      true,
    );
    expect(schedule).not.toHaveBeenCalled();
  });
});
