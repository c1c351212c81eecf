import { describe, expect, it, vi } from 'vitest';
import { Deadlines } from '../../../src/delivery/deadlines.ts';
import { CountingClock } from './rig.ts';

function arrange(limitMillis: number | (() => number) = 100, startMillis = 0) {
  const clock = new CountingClock(startMillis);
  const schedule = vi.spyOn(clock, 'schedule');
  const over: [name: string, at: number][] = [];
  let onOver = (_name: string): void => {};
  const deadlines = new Deadlines<string>(
    clock,
    typeof limitMillis === 'function' ? limitMillis : () => limitMillis,
    (name) => {
      over.push([name, clock.now()]);
      onOver(name);
    },
  );
  return {
    clock,
    schedule,
    deadlines,
    over,
    add: (name: string, startedAt = clock.now()) => deadlines.add(name, startedAt),
    atEnd(listener: (name: string) => void) {
      onOver = listener;
    },
  };
}

describe('a wait', () => {
  it('is over once, when its time is over, and not before', () => {
    const { clock, over, add } = arrange();
    add('a');
    clock.advance(99);
    expect(over).toEqual([]);
    clock.advance(1);
    expect(over).toEqual([['a', 100]]);
    clock.advance(1_000);
    expect(over).toHaveLength(1);
  });

  it('has its own time, from when it began; equals end in the order of their beginning', () => {
    const { clock, over, add } = arrange();
    clock.advance(50);
    for (const [name, startedAt] of [
      ['d', 40],
      ['b', 20],
      ['c', 30],
      ['c too', 30],
      ['a', 10],
      ['e', 50],
    ] as const)
      add(name, startedAt);
    clock.advance(1_000);
    expect(over).toEqual([
      ['a', 110],
      ['b', 120],
      ['c', 130],
      ['c too', 130],
      ['d', 140],
      ['e', 150],
    ]);
  });

  it('that was removed is never over: first, last, in the middle, alone, twice', () => {
    const { clock, deadlines, over, add } = arrange();
    const waits = ['a', 'b', 'c', 'd', 'e'].map((name) => add(name));
    for (const i of [0, 2, 4, 0]) {
      const wait = waits[i];
      if (wait !== undefined) deadlines.remove(wait);
    }
    clock.advance(100);
    deadlines.remove(add('alone'));
    add('next');
    clock.advance(100);
    expect(over.map(([name]) => name)).toEqual(['b', 'd', 'next']);
  });

  it('that has ended holds none of the others', () => {
    const { clock, deadlines, add } = arrange();
    const waits = ['a', 'b', 'c'].map((name) => add(name));
    const [, second] = waits;
    if (second !== undefined) deadlines.remove(second);
    clock.advance(100);
    for (const wait of waits)
      expect(Object.values(wait).filter((value) => waits.includes(value))).toEqual([]);
  });

  it('that began long ago is over as soon as a timer can fire', () => {
    const { clock, over, add } = arrange();
    clock.advance(500);
    add('late', 0);
    expect(over).toEqual([]);
    clock.advance(0);
    expect(over).toEqual([['late', 500]]);
  });

  it('may end others, and begin new ones, when it is over', () => {
    const { clock, deadlines, over, add, atEnd } = arrange();
    add('first');
    const second = add('second');
    atEnd((name) => {
      if (name !== 'first') return;
      deadlines.remove(second);
      add('third');
    });
    clock.advance(1_000);
    expect(over).toEqual([
      ['first', 100],
      ['third', 200],
    ]);
  });

  it('is never over, and needs no timer, without a limit', () => {
    const { clock, deadlines, schedule, over, add } = arrange(Number.POSITIVE_INFINITY);
    add('a');
    clock.advance(1e9);
    deadlines.look(clock.now());
    expect(over).toEqual([]);
    expect(schedule).not.toHaveBeenCalled();
    expect(deadlines.oldestStartedAt).toBe(0);
  });
});

describe('the timer', () => {
  it('is one for all, and none before the first', () => {
    const { clock, schedule, deadlines, add } = arrange();
    expect(schedule).not.toHaveBeenCalled();
    const waits = Array.from({ length: 1_000 }, (_, i) => add(`${i}`));
    expect(schedule).toHaveBeenCalledTimes(1);
    for (const wait of waits) deadlines.remove(wait);
    clock.advance(10_000);
    expect(schedule).toHaveBeenCalledTimes(1);
  });

  it('stays while nothing waits, until the end; then it goes at once, or with the last that waits', () => {
    const { clock, deadlines, add } = arrange();
    deadlines.remove(add('first'));
    expect(clock.pending.size).toBe(1);
    deadlines.end();
    expect(clock.pending.size).toBe(0);
    const last = add('last');
    expect(clock.pending.size).toBe(1);
    deadlines.remove(last);
    expect(clock.pending.size).toBe(0);
  });

  it('is for the next wait when it comes for one that has ended', () => {
    const { clock, deadlines, over, add } = arrange();
    const ended = add('ended');
    clock.advance(60);
    add('waits');
    deadlines.remove(ended);
    clock.advance(1_000);
    expect(over).toEqual([['waits', 160]]);
  });

  it('that fires too early looks again', () => {
    const { clock, schedule, over, add } = arrange();
    schedule.mockImplementationOnce((callback) => CountingClock.prototype.schedule.call(clock, callback, 30));
    add('a');
    clock.advance(99);
    expect(over).toEqual([]);
    clock.advance(1);
    expect(over).toEqual([['a', 100]]);
  });

  it('comes to an end where the clock cannot add up the limit exactly', () => {
    const { clock, schedule, over, add } = arrange(100.7, 1_700_000_000_000);
    // A timer that is always due would never let `advance` return.
    let left = 10;
    schedule.mockImplementation((callback, millis) => {
      if (left-- === 0) throw new Error('armed again and again for the same moment');
      return CountingClock.prototype.schedule.call(clock, callback, millis);
    });
    add('a');
    clock.advance(101);
    expect(over).toHaveLength(1);
  });
});

describe('no timer is trusted to fire', () => {
  function arrangeLost() {
    const arranged = arrange();
    arranged.clock.losesTimers = true;
    return arranged;
  }

  it('a look finds what is overdue: it is marked, and over at the next look 50 ms later', () => {
    const { clock, deadlines, over, add } = arrangeLost();
    add('a');
    clock.advance(100);
    deadlines.look(100);
    expect(over).toEqual([]);
    expect(deadlines.oldestStartedAt).toBe(0);
    clock.advance(49);
    deadlines.look(149);
    expect(over).toEqual([]);
    clock.advance(1);
    deadlines.look(150);
    expect(over).toEqual([['a', 150]]);
    expect(deadlines.isEmpty).toBe(true);
  });

  it('what is marked is over sooner where a timer of 0 ms fires', () => {
    const { clock, deadlines, over, add } = arrangeLost();
    add('a');
    clock.advance(5_000);
    clock.losesTimers = false;
    deadlines.look(clock.now());
    expect(over).toEqual([]);
    clock.advance(0);
    expect(over).toEqual([['a', 5_000]]);
  });

  it('a late timer lets the answers that wait in the sockets of a blocked process come in first', () => {
    const { clock, deadlines, over, add } = arrangeLost();
    const wait = add('a');
    clock.advance(20_000);
    clock.losesTimers = false;
    // What the late timer does.
    deadlines.look(clock.now());
    deadlines.remove(wait);
    clock.advance(1_000);
    expect(over).toEqual([]);
    expect(deadlines.isEmpty).toBe(true);
  });

  it('each has its own 50 ms', () => {
    const { clock, deadlines, over, add } = arrangeLost();
    add('a');
    clock.advance(40);
    add('b');
    for (const at of [100, 140, 150]) deadlines.look(at);
    expect(over.map(([name]) => name)).toEqual(['a']);
    deadlines.look(190);
    expect(over.map(([name]) => name)).toEqual(['a', 'b']);
  });

  it('one timer of 0 ms serves all that is overdue', () => {
    const { clock, deadlines, over, add } = arrangeLost();
    add('a');
    clock.advance(10);
    add('b');
    clock.advance(200);
    clock.losesTimers = false;
    const before = clock.pending.size;
    for (const at of [210, 210, 220]) deadlines.look(at);
    expect(clock.pending.size).toBe(before + 1);
    clock.advance(0);
    expect(over.map(([name]) => name)).toEqual(['a', 'b']);
    // What becomes overdue at the same moment has one again.
    add('c', 0);
    deadlines.look(clock.now());
    clock.advance(0);
    expect(over.map(([name]) => name)).toEqual(['a', 'b', 'c']);
  });

  it('a timer of 0 ms goes with what it was for, after the end', () => {
    const { clock, deadlines, add } = arrangeLost();
    const wait = add('a');
    clock.advance(100);
    clock.losesTimers = false;
    deadlines.look(100);
    deadlines.end();
    deadlines.remove(wait);
    expect(clock.pending.size).toBe(0);
    const other = add('b', 0);
    deadlines.look(100);
    deadlines.remove(other);
    expect(clock.pending.size).toBe(0);
  });

  it('a timer of 0 ms that was lost is made anew', () => {
    const { clock, deadlines, over, add } = arrangeLost();
    add('a');
    clock.advance(100);
    deadlines.look(100);
    clock.losesTimers = false;
    clock.advance(10);
    deadlines.look(110);
    clock.advance(0);
    expect(over).toEqual([['a', 110]]);
  });

  it('a lost timer is made anew by the next wait or look, and what was waiting is over in time', () => {
    const { clock, deadlines, over, add } = arrangeLost();
    deadlines.remove(add('ended'));
    clock.advance(150);
    add('a');
    clock.losesTimers = false;
    clock.advance(120);
    expect(over).toEqual([]);
    deadlines.look(clock.now());
    clock.advance(0);
    expect(over).toEqual([['a', 270]]);
    clock.losesTimers = true;
    add('b');
    clock.advance(101);
    clock.losesTimers = false;
    add('c');
    clock.advance(100);
    expect(over.map(([name]) => name)).toEqual(['a', 'b', 'c']);
  });
});

describe('a limit that changes', () => {
  it('holds from the next look on, for what waits already, too', () => {
    let limitMillis = 100;
    const { clock, deadlines, over, add } = arrange(() => limitMillis);
    add('a');
    clock.advance(20);
    add('b');
    clock.advance(20);
    limitMillis = 30;
    deadlines.look(clock.now());
    clock.advance(0);
    expect(over).toEqual([['a', 40]]);
    clock.advance(10);
    expect(over).toEqual([
      ['a', 40],
      ['b', 50],
    ]);
  });

  it('that grows makes the timer look again', () => {
    let limitMillis = 100;
    const { clock, over, add } = arrange(() => limitMillis);
    add('a');
    limitMillis = 200;
    clock.advance(199);
    expect(over).toEqual([]);
    clock.advance(1);
    expect(over).toEqual([['a', 200]]);
  });
});

describe('expireAll()', () => {
  it('ends all that waits, what is overdue first, and leaves nothing to look for', () => {
    const { clock, deadlines, over, add } = arrange();
    clock.losesTimers = true;
    add('overdue');
    clock.advance(100);
    deadlines.look(100);
    add('a');
    add('b');
    deadlines.expireAll();
    expect(over.map(([name]) => name)).toEqual(['overdue', 'a', 'b']);
    expect(deadlines.isEmpty).toBe(true);
    expect(deadlines.oldestStartedAt).toBeUndefined();
    deadlines.look(10_000);
    expect(over).toHaveLength(3);
  });
});
