import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { systemClock } from '../../../src/breaker/clock.ts';

const DAY = 86_400_000;

beforeEach(() => {
  vi.useFakeTimers({ now: 1_000_000 });
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

describe('systemClock.now', () => {
  it('is performance.now(), which nobody sets', () => {
    const before = systemClock.now();
    expect(before).toBe(performance.now());
    vi.advanceTimersByTime(500);
    vi.setSystemTime(0);
    expect(systemClock.now()).toBe(before + 500);
  });

  it('without performance is the time of day, which stands still instead of running backwards', async () => {
    vi.stubGlobal('performance', undefined);
    vi.resetModules();
    const { systemClock: clock } = await import('../../../src/breaker/clock.ts');
    const seen = [1_000_000, 1_000_500, 400_000, 1_000_499, 1_000_501].map((unixMillis) => {
      vi.setSystemTime(unixMillis);
      return clock.now();
    });
    expect(seen).toEqual([1_000_000, 1_000_500, 1_000_500, 1_000_500, 1_000_501]);
  });
});

describe('systemClock.unixMillis', () => {
  it('is the time of day', () => {
    expect(systemClock.unixMillis?.()).toBe(1_000_000);
    vi.setSystemTime(400_000);
    expect(systemClock.unixMillis?.()).toBe(400_000);
  });
});

describe('systemClock.schedule', () => {
  it('calls once, when the time has come', () => {
    const callback = vi.fn();
    systemClock.schedule(callback, 500);
    vi.advanceTimersByTime(499);
    expect(callback).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(callback.mock.calls).toEqual([[]]);
    vi.advanceTimersByTime(10_000);
    expect(callback).toHaveBeenCalledTimes(1);
  });

  it('does not call what was cancelled, and takes a cancel after the call', () => {
    const callback = vi.fn();
    const cancelled = vi.fn();
    const cancelLate = systemClock.schedule(callback, 500);
    systemClock.schedule(cancelled, 500)();
    vi.advanceTimersByTime(500);
    cancelLate();
    expect(callback).toHaveBeenCalledTimes(1);
    expect(cancelled).not.toHaveBeenCalled();
    expect(vi.getTimerCount()).toBe(0);
  });

  it('waits for as long as a timer of the platform can, if the delay is longer', () => {
    const callback = vi.fn();
    systemClock.schedule(callback, 60 * DAY);
    vi.advanceTimersByTime(24 * DAY);
    expect(callback).not.toHaveBeenCalled();
    vi.advanceTimersByTime(DAY);
    expect(callback).toHaveBeenCalledTimes(1);
  });

  it.each([
    [undefined, false],
    [false, false],
    [true, true],
  ])('with keepAlive %s keeps the process alive: %s', (keepAlive, keepsAlive) => {
    vi.useRealTimers();
    const setTimeoutSpy = vi.spyOn(globalThis, 'setTimeout');
    const cancel = systemClock.schedule(() => {}, 60_000, keepAlive);
    const timer = setTimeoutSpy.mock.results[0]?.value as NodeJS.Timeout;
    expect(timer.hasRef()).toBe(keepsAlive);
    cancel();
  });

  it('takes timers that are numbers, as those of browsers', () => {
    const clear = vi.fn();
    vi.stubGlobal('setTimeout', () => 17);
    vi.stubGlobal('clearTimeout', clear);
    systemClock.schedule(() => {}, 5)();
    expect(clear.mock.calls).toEqual([[17]]);
  });
});

describe('systemClock', () => {
  it('cannot be changed by one user for all', () => {
    expect(Object.isFrozen(systemClock)).toBe(true);
  });
});
