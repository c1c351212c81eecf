import { expect } from 'vitest';
import { FakeStore } from './fake-store.ts';
import type { RigOptions } from './rig.ts';
import { Rig } from './rig.ts';

/** An exporter that keeps in a store, and sends nothing again by itself. */
export function arrange({ retention, ...options }: RigOptions = {}, store = new FakeStore()) {
  const rig = new Rig({ ...options, retention: { idleMillis: 0, ...retention, store } });
  return { rig, store };
}

/** Batches that the store has accepted, and a circuit that is closed. */
export async function kept(names: readonly string[], options: RigOptions = {}, store = new FakeStore()) {
  const { rig } = arrange(options, store);
  rig.keep(...names);
  await store.answer();
  rig.breaker.reset();
  expect(store.names).toEqual(names);
  return { rig, store };
}
