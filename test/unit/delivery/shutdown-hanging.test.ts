import { describe, expect, it } from 'vitest';
import { consecutiveFailures } from '../../../src/index.ts';
import { FakeStore } from './fake-store.ts';
import { endsAfter, FAILURE, NOTHING, pass, Rig, settled, watch } from './rig.ts';

const never = (): Promise<void> => new Promise(() => {});

describe('a fallback that hangs', () => {
  it('has its time once, also where it hangs in its own shutdown', async () => {
    const rig = new Rig({ fallback: true });
    rig.keepAndClose('A', 'B');
    rig.inner.does = FAILURE;
    rig.fallback.does = 'hold';
    rig.fallback.shutdown = never;
    const down = watch(rig.exporter.shutdown());
    await endsAfter(down, rig.clock, 5_000);
  });

  it('has its time once at shutdown, however many batches are left', async () => {
    const rig = new Rig({ fallback: true });
    rig.keepAndClose('A', 'B', 'C');
    rig.inner.does = FAILURE;
    rig.fallback.does = 'hold';
    const down = watch(rig.exporter.shutdown());
    await pass(rig.clock, 5_000);
    expect(down.done).toBe(true);
    expect(rig.fallback.names).toEqual(['A']);
    expect(rig.delivery).toMatchObject({ lostBy: { fallback: 1, shutdown: 2 }, inFlight: NOTHING });
    const [loss] = rig.losses;
    expect(String(loss?.error)).toMatch(/the fallback of exporter "otlp" gave no answer within 5000 ms$/);
  });

  it('is waited for at a shutdown until it has answered all that it was given', async () => {
    const rig = new Rig({ fallback: true, retention: false });
    rig.breaker.forceOpen();
    rig.fallback.does = 'hold';
    rig.export('A');
    rig.export('B');
    const down = watch(rig.exporter.shutdown());
    await settled();
    rig.fallback.release();
    await settled();
    expect(rig.fallback.shutdowns).toBe(0);
    rig.fallback.release();
    await settled();
    expect(down.done).toBe(true);
    expect(rig.fallback.shutdowns).toBe(1);
    expect(rig.clock.pending.size).toBe(0);
  });

  it('leaves no timer behind', async () => {
    const rig = new Rig({ fallback: true, retention: false });
    rig.breaker.forceOpen();
    rig.export('A');
    rig.fallback.does = 'hold';
    rig.export('B');
    rig.fallback.release();
    const down = watch(rig.exporter.shutdown());
    await settled();
    expect(down.done).toBe(true);
    expect(rig.clock.pending.size).toBe(0);
  });

  it('holds up the first flush only, though what it was given times out meanwhile', async () => {
    const rig = new Rig({ fallback: true, retention: false, exportTimeoutMillis: 300 });
    rig.fallback.does = 'hold';
    rig.fallback.forceFlush = never;
    rig.breaker.forceOpen();
    const first = watch(rig.exporter.forceFlush());
    await pass(rig.clock, 200);
    rig.export('A');
    expect(first.done).toBe(false);
    await pass(rig.clock, 100);
    expect(first.done).toBe(true);
    await pass(rig.clock, 300);
    expect(rig.delivery.lostBy.fallback).toBe(1);
    const second = watch(rig.exporter.forceFlush());
    await pass(rig.clock, 0);
    expect(second.done).toBe(true);
  });
});

describe('after a flush that was given up', () => {
  /** A backend that has answered once, hangs with three handed over, and has kept a flush waiting in vain. */
  async function givenUp() {
    const rig = new Rig({ retention: { idleMillis: 0 } });
    rig.export('warm');
    rig.inner.does = 'hold';
    for (const name of ['A', 'B', 'C']) rig.export(name);
    rig.clock.advance(1_000);
    const flush = watch(rig.exporter.forceFlush());
    await pass(rig.clock, 500);
    expect(flush.done).toBe(true);
    await pass(rig.clock, 1_000);
    return rig;
  }

  it('shutdown() does not wait for the same silence again', async () => {
    const rig = await givenUp();
    const down = watch(rig.exporter.shutdown());
    await pass(rig.clock, 0);
    expect(down.done).toBe(true);
  });

  it('what is kept has half a second to get through', async () => {
    const rig = await givenUp();
    rig.export('kept');
    const down = watch(rig.exporter.shutdown());
    await endsAfter(down, rig.clock, 500);
    expect(rig.delivery.lost.batches).toBe(4);
  });

  it('a backend that is back gets it, and what was handed over, too', async () => {
    const rig = await givenUp();
    rig.export('kept');
    rig.export('kept, too');
    rig.inner.does = 'success';
    const down = watch(rig.exporter.shutdown());
    await pass(rig.clock, 400);
    expect(down.done).toBe(true);
    expect(rig.delivery).toMatchObject({ delivered: { batches: 6 }, lost: NOTHING });
  });
});

describe('a store', () => {
  it('has no more than the time of the whole shutdown where the circuit leaves CLOSED meanwhile', async () => {
    const store = new FakeStore({ persistent: true, mode: 'at once' });
    store.close = never;
    const rig = new Rig({ retention: { store, idleMillis: 0 } });
    rig.inner.does = 'hold';
    rig.inner.shutdown = never;
    rig.export('A');
    const down = watch(rig.exporter.shutdown());
    await pass(rig.clock, 200);
    rig.breaker.forceOpen();
    await endsAfter(down, rig.clock, 800);
  });

  it('that has not taken a batch by the end does not have it, and its caller is told', async () => {
    const store = new FakeStore({ persistent: true });
    const millis = { shutdownTimeoutMillis: 200, closedShutdownTimeoutMillis: 200 };
    const rig = new Rig({ ...millis, retention: { store, idleMillis: 0 } });
    rig.inner.does = 'hold';
    rig.inner.shutdown = never;
    rig.export('A');
    rig.clock.advance(1_000);
    expect(store.calls).toHaveLength(1);
    const down = watch(rig.exporter.shutdown());
    await pass(rig.clock, 900);
    expect(down.done).toBe(true);
    expect(rig.told['A']).toMatchObject([{ code: 1 }]);
    expect(rig.delivery).toMatchObject({ lostBy: { shutdown: 1 }, inFlight: NOTHING });
    // The sum of what the shutdown gave up has been told before that.
    expect(rig.losses).toMatchObject([{ reason: 'shutdown', batches: 1, items: 1 }]);
  });
});

it('a redelivery that hangs holds up the others for half of the patience, where the backend answers live batches', async () => {
  const rig = new Rig({ retention: { idleMillis: 0 } });
  rig.keepAndClose('A', 'B', 'C');
  rig.inner.does = ([name]) => (name === 'A' ? 'hold' : 'success');
  rig.export('live');
  rig.clock.advance(10);
  rig.export('later');
  expect(rig.inner.names).toEqual(['live', 'A', 'later']);
  const down = watch(rig.exporter.shutdown());
  await pass(rig.clock, 600);
  expect(down.done).toBe(true);
  expect(rig.delivery).toMatchObject({ delivered: { batches: 4 }, lostBy: { shutdown: 1 } });
});

it('a late SUCCESS is an answer like any other: the backend can be expected to answer', async () => {
  const rig = new Rig({ tripPolicy: consecutiveFailures(3), retention: { idleMillis: 0 } });
  rig.inner.does = 'hold';
  rig.export('A');
  await pass(rig.clock, 16_000, 1_000);
  expect(rig.delivery.kept.batches).toBe(1);
  rig.inner.release();
  expect(rig.delivery.delivered.batches).toBe(1);
  rig.inner.shutdown = async () => {
    throw new Error('mine');
  };
  await expect(rig.exporter.shutdown()).rejects.toThrow('mine');
});

it('a flush is over when all that was handed over has been answered, also what shutdown() keeps meanwhile', async () => {
  const rig = new Rig({ retention: { idleMillis: 0 } });
  rig.export('warm');
  rig.inner.does = ([name]) => (name === 'live' ? 'success' : 'hold');
  rig.export('A');
  rig.clock.advance(1_000);
  rig.export('live');
  const flush = watch(rig.exporter.forceFlush());
  const down = watch(rig.exporter.shutdown());
  await pass(rig.clock, 300);
  expect(rig.inner.names).toEqual(['warm', 'A', 'live', 'A']);
  expect(flush.done).toBe(false);
  rig.inner.release();
  rig.inner.release();
  await pass(rig.clock, 0);
  expect([flush.done, down.done]).toEqual([true, true]);
  await pass(rig.clock, 1_000);
  expect(rig.problems).toEqual([]);
});

it('failures are no progress: a shutdown does not wait longer for them', async () => {
  const rig = new Rig({ tripPolicy: consecutiveFailures(3), retention: { idleMillis: 0 } });
  rig.inner.does = 'hold';
  for (const name of ['A', 'B']) rig.export(name);
  rig.clock.advance(1_000);
  const down = watch(rig.exporter.shutdown());
  await pass(rig.clock, 3_000);
  rig.inner.release(FAILURE);
  await endsAfter(down, rig.clock, 2_000);
});
