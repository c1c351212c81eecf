import { describe, expect, it } from 'vitest';
import type { Entry } from '../../../src/delivery/retention-index.ts';
import { RetentionIndex } from '../../../src/delivery/retention-index.ts';

interface Size {
  readonly items?: number;
  readonly bytes?: number;
  readonly keptAt?: number;
}

const facts = (id: string, { items = 1, bytes = 1, keptAt = 0 }: Size = {}) => ({
  id,
  items,
  bytes,
  keptAt,
  notBefore: 0,
  wasSent: false,
});

function arrange({ maxItems = 10, maxBytes = 100, maxAgeMillis = Number.POSITIVE_INFINITY } = {}) {
  const index = new RetentionIndex(maxItems, maxBytes, maxAgeMillis);
  return {
    index,
    /** A batch that is kept. */
    keep(id: string, size?: Size): Entry {
      const entry = index.append(facts(id, size), 0);
      index.move(entry, 'waiting');
      return entry;
    },
  };
}

const ids = (entries: readonly Entry[]): string[] => entries.map(({ id }) => id);

describe('the order', () => {
  it('is that in which batches came; what is found later comes before all, oldest first', () => {
    const { index, keep } = arrange();
    for (const id of ['c', 'd']) keep(id);
    index.prepend([facts('a'), facts('b')], 0);
    keep('e');
    index.prepend([facts('before a')], 0);
    expect(ids(index.all())).toEqual(['before a', 'a', 'b', 'c', 'd', 'e']);
    expect(index.batches).toBe(6);
    const positions = index.all().map(({ position }) => position);
    expect(positions).toEqual([...positions].sort((a, b) => a - b));
    expect(index.lastPosition).toBe(positions.at(-1));
  });

  it('is kept by batches that leave and come back', () => {
    const { index, keep } = arrange();
    const [a, b] = ['a', 'b', 'c'].map((id) => keep(id)) as [Entry, Entry];
    index.move(a, 'sending');
    index.move(a, 'waiting');
    index.move(b, 'gone');
    keep('d');
    expect(ids(index.all())).toEqual(['a', 'c', 'd']);
  });

  it('holds wherever a batch leaves: the oldest, the newest, one that was found', () => {
    const { index, keep } = arrange();
    const [c, d] = ['c', 'd'].map((id) => keep(id)) as [Entry, Entry];
    index.prepend([facts('a'), facts('b')], 0);
    index.move(c, 'gone');
    expect(ids(index.all())).toEqual(['a', 'b', 'd']);
    index.move(d, 'gone');
    keep('e');
    expect(ids(index.all())).toEqual(['a', 'b', 'e']);
    for (const entry of index.all()) index.move(entry, 'gone');
    expect(ids(index.all())).toEqual([]);
    keep('f');
    expect(ids(index.all())).toEqual(['f']);
  });

  it('finds the oldest behind a position that meets a condition', () => {
    const { index, keep } = arrange();
    const [a] = ['a', 'b', 'c'].map((id) => keep(id)) as [Entry];
    const any = (): boolean => true;
    expect(index.oldestAfter(Number.NEGATIVE_INFINITY, any)?.id).toBe('a');
    expect(index.oldestAfter(a.position, any)?.id).toBe('b');
    expect(index.oldestAfter(a.position, ({ id }) => id !== 'b')?.id).toBe('c');
    expect(index.oldestAfter(index.lastPosition, any)).toBeUndefined();
  });

  it('finds by id what has a place', () => {
    const { index, keep } = arrange();
    const a = keep('a');
    expect(index.byId('a')).toBe(a);
    index.move(a, 'gone');
    expect(index.byId('a')).toBeUndefined();
  });
});

describe('the budget', () => {
  it('is of items and of bytes: what exceeds either does not fit', () => {
    const { index } = arrange();
    expect(index.fits(10, 100)).toBe(true);
    expect(index.fits(11, 100)).toBe(false);
    expect(index.fits(10, 101)).toBe(false);
  });

  it('makes room by the oldest, as many as it takes and no more', () => {
    const { index, keep } = arrange();
    keep('a', { items: 3 });
    keep('b', { items: 3 });
    keep('c', { items: 4 });
    expect(ids(index.inTheWayOf(0, 0))).toEqual([]);
    expect(ids(index.inTheWayOf(1, 1))).toEqual(['a']);
    expect(ids(index.inTheWayOf(3, 1))).toEqual(['a']);
    expect(ids(index.inTheWayOf(4, 1))).toEqual(['a', 'b']);
  });

  it('makes room for bytes, too', () => {
    const { index, keep } = arrange();
    for (const id of ['a', 'b', 'c']) keep(id, { bytes: 30 });
    expect(ids(index.inTheWayOf(1, 10))).toEqual([]);
    expect(ids(index.inTheWayOf(1, 11))).toEqual(['a']);
    expect(ids(index.inTheWayOf(1, 41))).toEqual(['a', 'b']);
  });

  it.each(['storing', 'handed over', 'sending'] as const)(
    'holds what is %s: it is never in the way, and its room is not to be had',
    (state) => {
      const { index, keep } = arrange();
      index.move(index.append(facts('a', { items: 4, bytes: 50 }), 0), state);
      keep('b', { items: 4, bytes: 10 });
      expect(index.fits(6, 50)).toBe(true);
      expect(index.fits(7, 50)).toBe(false);
      expect(index.fits(6, 51)).toBe(false);
      expect(ids(index.inTheWayOf(6, 1))).toEqual(['b']);
      expect(index.waiting).toBe(1);
    },
  );

  it('counts as kept what waits or is sent again, and nothing that is only handed over', () => {
    const { index, keep } = arrange();
    const entries = ['a', 'b', 'c'].map((id) => keep(id));
    const [a, b, c] = entries as [Entry, Entry, Entry];
    const seen: unknown[] = [];
    const look = (): void => void seen.push([index.batches, index.kept, index.waiting]);
    look();
    index.move(a, 'sending');
    look();
    index.move(b, 'handed over');
    look();
    index.append(facts('d'), 0);
    look();
    for (const entry of [a, c]) index.move(entry, 'gone');
    look();
    index.move(b, 'waiting');
    look();
    expect(seen).toEqual([
      [3, 3, 3],
      [3, 3, 2],
      [3, 2, 1],
      [4, 2, 1],
      [2, 0, 0],
      [2, 1, 1],
    ]);
  });

  it('is had again by what leaves', () => {
    const { index, keep } = arrange();
    const entry = keep('a', { items: 10, bytes: 100 });
    for (const state of ['sending', 'gone', 'waiting', 'gone'] as const) index.move(entry, state);
    expect([index.batches, index.waiting, index.fits(10, 100), index.inTheWayOf(10, 100)]).toEqual([
      0,
      0,
      true,
      [],
    ]);
    expect([entry.state, index.kept]).toEqual(['gone', 0]);
    keep('b', { items: 4, bytes: 40 });
    expect(ids(index.inTheWayOf(6, 60))).toEqual([]);
    index.move(entry, 'waiting');
    expect([entry.state, index.kept, index.batches]).toEqual(['gone', 1, 1]);
  });

  it('may be exceeded by what is found: the oldest are in the way', () => {
    const { index, keep } = arrange();
    keep('c', { items: 5 });
    index.prepend([facts('a', { items: 5 }), facts('b', { items: 5 })], 0);
    expect(ids(index.inTheWayOf(0, 0))).toEqual(['a']);
  });
});

describe('the age', () => {
  it('is over for what was kept for longer than maxAgeMillis, and not for what is being sent', () => {
    const { index, keep } = arrange({ maxAgeMillis: 1_000 });
    index.move(keep('sending', { keptAt: 0 }), 'sending');
    keep('a', { keptAt: 1 });
    keep('b', { keptAt: 2 });
    expect(ids(index.expired(1_001))).toEqual([]);
    expect(ids(index.expired(1_002))).toEqual(['a']);
    expect(ids(index.expired(5_000))).toEqual(['a', 'b']);
  });
});

it('a batch that has left holds on to none of the others', () => {
  const { index, keep } = arrange();
  const [first, second, third] = ['a', 'b', 'c', 'd'].map((id) => keep(id)) as [Entry, Entry, Entry];
  for (const entry of [second, first]) index.move(entry, 'gone');
  for (const entry of [first, second])
    expect(Object.values(entry).filter((value) => typeof value === 'object')).toEqual([]);
  expect(ids(index.all())).toEqual(['c', 'd']);
  index.move(third, 'gone');
  expect(index.oldestAfter(Number.NEGATIVE_INFINITY, () => true)?.id).toBe('d');
});
