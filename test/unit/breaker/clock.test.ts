import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

const DAY = 86_400_000;

/** A system clock of its own: what one test does to it must not reach the next. */
async function freshSystemClock() {
  vi.resetModules();
  return (await import('../../../src/breaker/clock.ts')).systemClock;
}

beforeEach(() => {
  vi.useFakeTimers({ now: 1_000_000 });
});

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

describe('systemClock.now', () => {
  it('is Unix milliseconds', async () => {
    const clock = await freshSystemClock();
    expect(clock.now()).toBe(1_000_000);
    vi.setSystemTime(1_000_500);
    expect(clock.now()).toBe(1_000_500);
  });

  it('never runs backwards, and goes on from where it was when the system is set back', async () => {
    const clock = await freshSystemClock();
    const seen = [clock.now()];
    for (const wall of [400_000, 400_000, 400_300, 100_000, 100_005]) {
      vi.setSystemTime(wall);
      seen.push(clock.now());
    }
    expect(seen).toEqual([1_000_000, 1_000_000, 1_000_000, 1_000_300, 1_000_300, 1_000_305]);
  });

  it('is the system time again once that has caught up', async () => {
    const clock = await freshSystemClock();
    clock.now();
    vi.setSystemTime(400_000);
    clock.now();
    vi.setSystemTime(1_000_000);
    expect(clock.now()).toBe(1_000_000);
    vi.setSystemTime(1_000_010);
    expect(clock.now()).toBe(1_000_010);
    vi.setSystemTime(1_000_005);
    expect(clock.now()).toBe(1_000_010);
    vi.setSystemTime(1_000_006);
    expect(clock.now()).toBe(1_000_011);
  });
});

describe('systemClock.schedule', () => {
  it('calls once, when the time has come', async () => {
    const clock = await freshSystemClock();
    const callback = vi.fn();
    clock.schedule(callback, 500);
    vi.advanceTimersByTime(499);
    expect(callback).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(callback.mock.calls).toEqual([[]]);
    vi.advanceTimersByTime(10_000);
    expect(callback).toHaveBeenCalledTimes(1);
  });

  it('does not call what was cancelled, and takes a cancel after the call', async () => {
    const clock = await freshSystemClock();
    const callback = vi.fn();
    const cancelled = vi.fn();
    const cancelLate = clock.schedule(callback, 500);
    clock.schedule(cancelled, 500)();
    vi.advanceTimersByTime(500);
    cancelLate();
    expect(callback).toHaveBeenCalledTimes(1);
    expect(cancelled).not.toHaveBeenCalled();
    expect(vi.getTimerCount()).toBe(0);
  });

  it('waits for longer than a timer of the platform can', async () => {
    const clock = await freshSystemClock();
    const callback = vi.fn();
    clock.schedule(callback, 60 * DAY);
    vi.advanceTimersByTime(60 * DAY - 1);
    expect(callback).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(callback).toHaveBeenCalledTimes(1);
  });

  it('takes exactly what a timer of the platform can', async () => {
    const clock = await freshSystemClock();
    const callback = vi.fn();
    clock.schedule(callback, 2_147_483_647);
    vi.advanceTimersByTime(2_147_483_647);
    expect(callback).toHaveBeenCalledTimes(1);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('can be cancelled after the first piece of a long wait', async () => {
    const clock = await freshSystemClock();
    const callback = vi.fn();
    const cancel = clock.schedule(callback, 60 * DAY);
    vi.advanceTimersByTime(30 * DAY);
    cancel();
    vi.advanceTimersByTime(60 * DAY);
    expect(callback).not.toHaveBeenCalled();
    expect(vi.getTimerCount()).toBe(0);
  });

  it('keeps no process alive', async () => {
    const clock = await freshSystemClock();
    vi.useRealTimers();
    const setTimeoutSpy = vi.spyOn(globalThis, 'setTimeout');
    const cancel = clock.schedule(() => {}, 60_000);
    const timer = setTimeoutSpy.mock.results[0]?.value as NodeJS.Timeout;
    expect(timer.hasRef()).toBe(false);
    cancel();
  });

  it('takes timers that are numbers, as those of browsers', async () => {
    const clock = await freshSystemClock();
    const clear = vi.fn();
    vi.stubGlobal('setTimeout', () => 17);
    vi.stubGlobal('clearTimeout', clear);
    try {
      clock.schedule(() => {}, 5)();
    } finally {
      vi.unstubAllGlobals();
    }
    expect(clear.mock.calls).toEqual([[17]]);
  });
});

describe('systemClock', () => {
  it('cannot be changed by one user for all', async () => {
    expect(Object.isFrozen(await freshSystemClock())).toBe(true);
  });
});
