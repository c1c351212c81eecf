import { describe, expect, it } from 'vitest';
import { SharedMemory } from '../../../src/attach/shared-memory.ts';

const entry = (id: string, bytes: number) => ({ id, items: 1, bytes, keptAt: 0 });

describe('SharedMemory', () => {
  it('gives a single exporter all of it', () => {
    const store = new SharedMemory(100).store();
    expect(store.put(entry('a', 60), 'A')).toEqual([]);
    expect(store.put(entry('b', 40), 'B')).toEqual([]);
    expect(store.get('a')).toBe('A');
  });

  it('drops the oldest batches of an exporter for its new one', () => {
    const store = new SharedMemory(100).store();
    store.put(entry('a', 40), 'A');
    store.put(entry('b', 40), 'B');
    store.put(entry('c', 20), 'C');
    expect(store.put(entry('d', 50), 'D')).toEqual(['a', 'b']);
    expect([store.get('a'), store.get('c'), store.get('d')]).toEqual([undefined, 'C', 'D']);
  });

  it('gives each of several an equal part, whatever the others keep', () => {
    const memory = new SharedMemory(100);
    const [traces, logs] = [memory.store(), memory.store()];
    expect(traces.put(entry('a', 50), 'A')).toEqual([]);
    expect(logs.put(entry('b', 50), 'B')).toEqual([]);
    expect(traces.put(entry('c', 1), 'C')).toEqual(['a']);
    expect(logs.get('b')).toBe('B');
  });

  it('refuses a batch that is larger than the part, and drops nothing for it', () => {
    const store = new SharedMemory(100).store();
    store.put(entry('a', 10), 'A');
    expect(() => store.put(entry('b', 101), 'B')).toThrow(RangeError);
    expect(store.get('a')).toBe('A');
  });

  it('has room again for what is deleted, or closed', async () => {
    const store = new SharedMemory(100).store();
    store.put(entry('a', 100), 'A');
    store.delete(['a', 'unknown']);
    expect(store.put(entry('b', 100), 'B')).toEqual([]);
    await store.close();
    expect(store.get('b')).toBeUndefined();
    expect(store.put(entry('c', 100), 'C')).toEqual([]);
  });

  it('does not outlive the process, and has nothing of an earlier one', () => {
    const store = new SharedMemory(100).store();
    expect(store.persistent).toBe(false);
    expect(store.open({ name: 'traces', onFound: () => {} })).toEqual([]);
  });
});
