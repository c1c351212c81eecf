import { describe, expect, it } from 'vitest';
import type { RollingCounter } from '../../../src/breaker/rolling-window.ts';
import { createRollingCounter } from '../../../src/breaker/rolling-window.ts';

function held({ total, hits }: RollingCounter): [total: number, hits: number] {
  return [total, hits];
}

/** A moment far from 0, as in Unix time. */
const AT = 1_700_000_000_123;

describe('a window of the last n exports', () => {
  it('holds n at most, and lets the oldest go', () => {
    const counter = createRollingCounter({ exports: 3 });
    const seen: unknown[] = [held(counter)];
    for (const hit of [true, false, true, false, false, true]) {
      counter.add(AT, hit);
      seen.push(held(counter));
    }
    expect(seen).toEqual([
      [0, 0],
      [1, 1],
      [2, 1],
      [3, 2],
      [3, 1],
      [3, 1],
      [3, 1],
    ]);
  });

  it('does not care for time', () => {
    const counter = createRollingCounter({ exports: 2 });
    counter.add(AT, true);
    counter.add(AT + 1e12, true);
    expect(held(counter)).toEqual([2, 2]);
  });

  it('holds what came after it was cleared, and nothing else', () => {
    const counter = createRollingCounter({ exports: 3 });
    for (let i = 0; i < 4; i++) counter.add(AT, true);
    counter.clear();
    expect(held(counter)).toEqual([0, 0]);
    const seen: unknown[] = [];
    for (const hit of [false, true, false, false, false]) {
      counter.add(AT, hit);
      seen.push(held(counter));
    }
    expect(seen).toEqual([
      [1, 0],
      [2, 1],
      [3, 1],
      [3, 1],
      [3, 0],
    ]);
  });
});

describe('a window of the last n milliseconds', () => {
  it.each([0, 1, 49, 50, 51, 499, 777, 999])(
    'counts a result of %i ms into it for 90 % of the window, and not beyond it',
    (offset) => {
      const counter = createRollingCounter({ millis: 1_000 });
      const at = AT + offset;
      counter.add(at, true);
      counter.add(at + 900, false);
      expect(held(counter)).toEqual([2, 1]);
      counter.add(at + 1_000, false);
      expect(held(counter)).toEqual([2, 0]);
    },
  );

  it('lets results go as they grow old, one after the other', () => {
    const counter = createRollingCounter({ millis: 1_000 });
    const seen: unknown[] = [];
    for (let step = 0; step < 30; step++) {
      counter.add(step * 100, step % 2 === 0);
      seen.push(held(counter));
    }
    expect(seen.slice(8, 12)).toEqual([
      [9, 5],
      [10, 5],
      [10, 5],
      [10, 5],
    ]);
    expect(seen.at(-1)).toEqual([10, 5]);
  });

  it('is empty but for the newest after a long silence', () => {
    const counter = createRollingCounter({ millis: 1_000 });
    for (let i = 0; i < 100; i++) counter.add(AT + i * 10, true);
    counter.add(AT + 1e9, false);
    expect(held(counter)).toEqual([1, 0]);
  });

  it('goes on counting where the clock stepped back, and loses nothing', () => {
    const counter = createRollingCounter({ millis: 1_000 });
    counter.add(AT, true);
    counter.add(AT - 500, true);
    counter.add(AT - 5_000, false);
    expect(held(counter)).toEqual([3, 2]);
    counter.add(AT + 900, false);
    expect(held(counter)).toEqual([4, 2]);
    counter.add(AT + 1_050, false);
    expect(held(counter)).toEqual([2, 0]);
  });

  it('holds nothing after it was cleared, also of the same moment', () => {
    const counter = createRollingCounter({ millis: 1_000 });
    counter.add(AT, true);
    counter.add(AT + 500, true);
    counter.clear();
    expect(held(counter)).toEqual([0, 0]);
    counter.add(AT + 500, true);
    counter.add(AT + 5_000, false);
    expect(held(counter)).toEqual([1, 0]);
  });

  it('does not let its memory grow with traffic', () => {
    const counter = createRollingCounter({ millis: 60_000 });
    for (let i = 0; i < 100_000; i++) counter.add(AT, i % 4 === 0);
    expect(held(counter)).toEqual([100_000, 25_000]);
    counter.add(AT + 60_000, false);
    expect(held(counter)).toEqual([1, 0]);
  });
});
