import { describe, expect, it } from 'vitest';
import { RetentionQueue } from '../../../src/delivery/retention-queue.ts';

describe('a batch that has left the queue', () => {
  /** What can be reached from it. */
  function reachable(from: object, seen = new Set<object>()): Set<object> {
    seen.add(from);
    for (const value of Object.values(from)) {
      if (typeof value === 'object' && value !== null && !seen.has(value)) reachable(value, seen);
    }
    return seen;
  }

  it('holds on to none of the others: whoever holds it, as a backend that hangs, holds no more than it', () => {
    const queue = new RetentionQueue<object>(10, 100);
    for (const name of ['first', 'second', 'third', 'fourth']) queue.add({ name }, 1, 0);
    const second = queue.oldestAfter(1);
    if (second === undefined) throw new Error('there is a second');
    queue.remove(second);
    const [first, ...rest] = queue.takeAll();
    if (first === undefined) throw new Error('there is a first');

    expect(reachable(second)).toEqual(new Set([second, second.batch]));
    expect(reachable(first)).toEqual(new Set([first, first.batch]));
    expect(rest.map(({ batch }) => batch)).toEqual([{ name: 'third' }, { name: 'fourth' }]);
  });
});
