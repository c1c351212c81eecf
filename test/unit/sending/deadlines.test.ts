import { describe, expect, it, vi } from 'vitest';
import type { Expiring } from '../../../src/sending/deadlines.ts';
import { Deadlines } from '../../../src/sending/deadlines.ts';
import { ManualClock } from '../../../src/testing/manual-clock.ts';

function arrangeDeadlines(timeoutMillis = 100, startMillis = 0) {
  const clock = new ManualClock(startMillis);
  const schedule = vi.spyOn(clock, 'schedule');
  const deadlines = new Deadlines(clock, timeoutMillis);
  const expired: [name: string, at: number][] = [];
  const entry = (name: string, startedAt = clock.now(), expire: () => void = () => {}): Expiring => ({
    startedAt,
    expire(millis) {
      expect(millis).toBe(timeoutMillis);
      expired.push([name, clock.now()]);
      expire();
    },
    waiting: false,
    earlier: undefined,
    later: undefined,
  });
  return { clock, schedule, deadlines, expired, entry };
}

describe('Deadlines', () => {
  it('expires an entry once, when its time is over, and not before', () => {
    const { clock, deadlines, expired, entry } = arrangeDeadlines();
    deadlines.add(entry('a'));
    clock.advance(99);
    expect(expired).toEqual([]);
    clock.advance(1);
    expect(expired).toEqual([['a', 100]]);
    clock.advance(1_000);
    expect(expired).toHaveLength(1);
  });

  it('gives each its own time, from when it began', () => {
    const { clock, deadlines, expired, entry } = arrangeDeadlines();
    deadlines.add(entry('a'));
    clock.advance(30);
    deadlines.add(entry('b', 20));
    deadlines.add(entry('c'));
    clock.advance(1_000);
    expect(expired).toEqual([
      ['a', 100],
      ['b', 120],
      ['c', 130],
    ]);
  });

  it('does not expire what was removed, first, last, in the middle or alone', () => {
    const { clock, deadlines, expired, entry } = arrangeDeadlines();
    const entries = ['a', 'b', 'c', 'd', 'e'].map((name) => entry(name));
    for (const each of entries) deadlines.add(each);
    for (const i of [0, 2, 4]) deadlines.remove(entries[i] as Expiring);
    clock.advance(100);
    expect(expired.map(([name]) => name)).toEqual(['b', 'd']);
    const alone = entry('alone');
    deadlines.add(alone);
    deadlines.remove(alone);
    deadlines.add(entry('next'));
    clock.advance(100);
    expect(expired.map(([name]) => name)).toEqual(['b', 'd', 'next']);
  });

  it('lets go of what was removed or has expired', () => {
    const { clock, deadlines, entry } = arrangeDeadlines();
    const entries = ['a', 'b', 'c'].map((name) => entry(name));
    for (const each of entries) deadlines.add(each);
    deadlines.remove(entries[1] as Expiring);
    clock.advance(100);
    for (const { waiting, earlier, later } of entries)
      expect({ waiting, earlier, later }).toEqual({ waiting: false, earlier: undefined, later: undefined });
  });

  it('takes the removal of what does not wait, and a second one', () => {
    const { clock, deadlines, expired, entry } = arrangeDeadlines();
    const [a, b] = [entry('a'), entry('b')];
    deadlines.remove(a);
    deadlines.add(a);
    deadlines.add(b);
    deadlines.remove(a);
    deadlines.remove(a);
    clock.advance(100);
    expect(expired.map(([name]) => name)).toEqual(['b']);
  });

  it('has one timer for all, and none while nothing waits', () => {
    const { clock, schedule, deadlines, entry } = arrangeDeadlines();
    expect(schedule).not.toHaveBeenCalled();
    const entries = Array.from({ length: 1_000 }, (_, i) => entry(`${i}`));
    for (const each of entries) deadlines.add(each);
    expect(schedule).toHaveBeenCalledTimes(1);
    for (const each of entries) deadlines.remove(each);
    clock.advance(10_000);
    expect(schedule).toHaveBeenCalledTimes(1);
  });

  it('keeps its timer while nothing waits, until its end: then it goes at once, or with the last that waits', () => {
    const { clock, deadlines, expired, entry } = arrangeDeadlines();
    const cancelled = vi.fn();
    vi.spyOn(clock, 'schedule').mockImplementation(() => cancelled);
    const [first, last] = [entry('first'), entry('last')];
    deadlines.add(first);
    deadlines.remove(first);
    expect(cancelled).not.toHaveBeenCalled();
    deadlines.end();
    expect(cancelled).toHaveBeenCalledTimes(1);
    deadlines.add(last);
    deadlines.remove(last);
    expect(cancelled).toHaveBeenCalledTimes(2);
    deadlines.end();
    expect(cancelled).toHaveBeenCalledTimes(2);
    expect(expired).toEqual([]);
  });

  it('times the first of those that wait when its timer comes for one that was answered', () => {
    const { clock, schedule, deadlines, expired, entry } = arrangeDeadlines();
    const answered = entry('answered');
    deadlines.add(answered);
    clock.advance(60);
    deadlines.add(entry('waits'));
    deadlines.remove(answered);
    clock.advance(1_000);
    expect(expired).toEqual([['waits', 160]]);
    expect(schedule.mock.calls.map(([, millis]) => millis)).toEqual([100, 60]);
  });

  it('keeps the order in which they began, not in which they were added', () => {
    const { clock, deadlines, expired, entry } = arrangeDeadlines();
    clock.advance(50);
    for (const [name, startedAt] of [
      ['d', 40],
      ['b', 20],
      ['c', 30],
      ['a', 10],
      ['e', 50],
    ] as const)
      deadlines.add(entry(name, startedAt));
    clock.advance(1_000);
    expect(expired).toEqual([
      ['a', 110],
      ['b', 120],
      ['c', 130],
      ['d', 140],
      ['e', 150],
    ]);
  });

  it('keeps the order in which they were added among those that began at one time', () => {
    const { clock, deadlines, expired, entry } = arrangeDeadlines();
    for (const name of ['a', 'b', 'c']) deadlines.add(entry(name));
    clock.advance(100);
    expect(expired.map(([name]) => name)).toEqual(['a', 'b', 'c']);
  });

  it('expires at once what began so long ago that its time is over', () => {
    const { clock, schedule, deadlines, expired, entry } = arrangeDeadlines();
    clock.advance(500);
    deadlines.add(entry('late', 0));
    expect(schedule.mock.calls[0]?.[1]).toBe(0);
    clock.advance(0);
    expect(expired).toEqual([['late', 500]]);
  });

  it('takes what expiring adds and removes', () => {
    const { clock, deadlines, expired, entry } = arrangeDeadlines();
    const second = entry('second');
    deadlines.add(
      entry('first', 0, () => {
        deadlines.remove(second);
        deadlines.add(entry('third'));
      }),
    );
    deadlines.add(second);
    clock.advance(1_000);
    expect(expired).toEqual([
      ['first', 100],
      ['third', 200],
    ]);
  });

  it('waits on where the clock stepped back', () => {
    let now = 1_000;
    const scheduled: [callback: () => void, millis: number][] = [];
    const expire = vi.fn();
    const deadlines = new Deadlines(
      {
        now: () => now,
        schedule: (callback, millis) => {
          scheduled.push([callback, millis]);
          return () => {};
        },
      },
      100,
    );
    deadlines.add({ startedAt: 1_000, expire, waiting: false, earlier: undefined, later: undefined });
    now = 950;
    scheduled[0]?.[0]();
    expect(expire).not.toHaveBeenCalled();
    expect(scheduled[1]?.[1]).toBe(150);
    now = 1_100;
    scheduled[1]?.[0]();
    expect(expire).toHaveBeenCalledTimes(1);
  });

  it('comes to an end with a time-out that a clock of Unix milliseconds cannot add up exactly', () => {
    const { clock, schedule, deadlines, expired, entry } = arrangeDeadlines(100.7, 1_700_000_000_000);
    // A timer that is always due would never let `advance` return.
    let left = 10;
    schedule.mockImplementation((callback, millis) => {
      if (left-- === 0) throw new Error('armed again and again for the same moment');
      return ManualClock.prototype.schedule.call(clock, callback, millis);
    });
    deadlines.add(entry('a'));
    clock.advance(101);
    expect(expired).toHaveLength(1);
  });

  it('never expires anything, and needs no timer, with a time-out of 0', () => {
    const { clock, schedule, deadlines, expired, entry } = arrangeDeadlines(0);
    const a = entry('a');
    deadlines.add(a);
    clock.advance(1e9);
    deadlines.remove(a);
    expect(expired).toEqual([]);
    expect(schedule).not.toHaveBeenCalled();
  });
});
