import { describe, expect, it } from 'vitest';
import { ManualClock } from '../../../src/testing/manual-clock.ts';

function arrangeClock(startMillis = 0) {
  const clock = new ManualClock(startMillis);
  const ran: [name: string, at: number][] = [];
  const noting = (name: string) => () => {
    ran.push([name, clock.now()]);
  };
  return { clock, ran, noting };
}

describe('ManualClock', () => {
  it('stands still at its start until it is told to advance', () => {
    expect(new ManualClock().now()).toBe(0);
    const clock = new ManualClock(5_000);
    expect([clock.now(), clock.now()]).toEqual([5_000, 5_000]);
    clock.advance(7);
    clock.advance(0);
    expect(clock.now()).toBe(5_007);
  });

  it('runs what is due, once, at its time, and not what is not yet due', () => {
    const { clock, ran, noting } = arrangeClock(100);
    clock.schedule(noting('a'), 10);
    clock.advance(9);
    expect(ran).toEqual([]);
    clock.advance(1);
    expect(ran).toEqual([['a', 110]]);
    clock.advance(1_000);
    expect(ran).toHaveLength(1);
  });

  it('runs callbacks in order of time, then of scheduling, each at its own time', () => {
    const { clock, ran, noting } = arrangeClock();
    clock.schedule(noting('late'), 30);
    clock.schedule(noting('early 1'), 10);
    clock.schedule(noting('middle'), 20);
    clock.schedule(noting('early 2'), 10);
    clock.advance(100);
    expect(ran).toEqual([
      ['early 1', 10],
      ['early 2', 10],
      ['middle', 20],
      ['late', 30],
    ]);
    expect(clock.now()).toBe(100);
  });

  it('runs what callbacks schedule, too, where it is due by then', () => {
    const { clock, ran, noting } = arrangeClock();
    clock.schedule(() => {
      noting('first')();
      clock.schedule(noting('in time'), 5);
      clock.schedule(noting('at once'), 0);
      clock.schedule(noting('too late'), 11);
    }, 10);
    clock.schedule(noting('second'), 12);
    clock.advance(20);
    expect(ran).toEqual([
      ['first', 10],
      ['at once', 10],
      ['second', 12],
      ['in time', 15],
    ]);
    clock.advance(1);
    expect(ran.at(-1)).toEqual(['too late', 21]);
  });

  it('does not run what was cancelled, also by a callback of the same moment', () => {
    const { clock, ran, noting } = arrangeClock();
    const cancelA = clock.schedule(noting('a'), 10);
    clock.schedule(() => cancelC(), 10);
    const cancelC = clock.schedule(noting('c'), 10);
    cancelA();
    clock.advance(10);
    cancelA();
    expect(ran).toEqual([]);
  });

  it('runs what was due in the past without going back', () => {
    const { clock, ran, noting } = arrangeClock(100);
    clock.schedule(noting('overdue'), -50);
    clock.advance(0);
    expect(ran).toEqual([['overdue', 100]]);
  });

  it('never runs backwards, also where a callback advances it', () => {
    const { clock, ran, noting } = arrangeClock();
    clock.schedule(() => clock.advance(100), 10);
    clock.schedule(noting('meanwhile'), 50);
    clock.advance(20);
    expect(clock.now()).toBe(110);
    expect(ran).toEqual([['meanwhile', 50]]);
  });

  it('goes on after a callback that threw', () => {
    const { clock, ran, noting } = arrangeClock();
    clock.schedule(() => {
      throw new Error('broken');
    }, 10);
    clock.schedule(noting('next'), 10);
    expect(() => clock.advance(20)).toThrow('broken');
    clock.advance(0);
    expect(ran).toEqual([['next', 10]]);
  });

  it.each([-1, Number.NaN, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY])(
    'refuses to advance by %f',
    (millis) => {
      const clock = new ManualClock(5);
      expect(() => clock.advance(millis)).toThrow(
        new RangeError(`ManualClock.advance: millis must be a finite number of at least 0, got ${millis}`),
      );
      expect(clock.now()).toBe(5);
    },
  );

  it('refuses to advance by what is no number', () => {
    expect(() => new ManualClock().advance('5' as never)).toThrow(TypeError);
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY])(
    'refuses to start at %f, and to schedule by it',
    (millis) => {
      expect(() => new ManualClock(millis)).toThrow(
        new RangeError(`ManualClock: startMillis must be a finite number, got ${millis}`),
      );
      expect(() => new ManualClock().schedule(() => {}, millis)).toThrow(
        new RangeError(`ManualClock.schedule: delayMillis must be a finite number, got ${millis}`),
      );
    },
  );
});
