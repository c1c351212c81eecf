import { describe, expect, it } from 'vitest';
import { FakeStore } from './fake-store.ts';
import type { RigOptions } from './rig.ts';
import {
  balance,
  FAILURE,
  NOT_SENT,
  NOTHING,
  pass,
  REFUSED,
  recordWarnings,
  SUCCESS,
  settled,
  watch,
} from './rig.ts';
import { arrange, kept } from './store-rig.ts';

const warnings = recordWarnings();

describe('a store that answers later', () => {
  it('has accepted a batch when put has resolved: then its caller gets SUCCESS; until then it is in flight', async () => {
    const { rig, store } = arrange();
    rig.breaker.forceOpen();
    rig.export('A', 3);
    expect(rig.told['A']).toEqual([]);
    expect(rig.delivery).toMatchObject({ inFlight: { batches: 1, items: 3 }, kept: NOTHING });
    await store.answer();
    expect(rig.told['A']).toEqual([SUCCESS]);
    expect(rig.delivery).toMatchObject({ inFlight: NOTHING, kept: { batches: 1, items: 3 } });
    expect([...store.entries.values()]).toEqual([
      { id: expect.any(String), items: 3, bytes: expect.any(Number), keptAt: 1_000_000 },
    ]);
  });

  it('gets a copy of an array', async () => {
    const { rig, store } = arrange();
    rig.breaker.forceOpen();
    const given = ['A'];
    rig.exporter.export(given, () => {});
    given.splice(0);
    await store.answer();
    expect(store.names).toEqual(['A']);
  });

  it('is read for each redelivery, and what got through is deleted', async () => {
    const { rig, store } = await kept(['A', 'B']);
    const redelivering = watch(rig.exporter.redeliver());
    expect(rig.inner.names).toEqual([]);
    await store.answer();
    expect(rig.inner.names).toEqual(['A', 'B']);
    expect(redelivering.done).toBe(true);
    expect(store.names).toEqual([]);
    expect(rig.delivery).toMatchObject({ kept: NOTHING, redelivered: { batches: 2 } });
  });

  it('has its batches in the order in which they came to retention, whenever it answers', async () => {
    const { rig, store } = arrange();
    rig.breaker.forceOpen();
    for (const name of ['A', 'B', 'C']) rig.export(name);
    const [first, ...others] = store.calls.splice(0);
    for (const { answer } of others) answer();
    first?.answer();
    await settled();
    rig.breaker.reset();
    void rig.exporter.redeliver();
    await store.answer();
    expect(rig.inner.names).toEqual(['A', 'B', 'C']);
  });

  it('is deleted from what is evicted, after the fallback has it', async () => {
    const { rig, store } = await kept(['A', 'B'], { fallback: true, retention: { maxItems: 2 } });
    rig.keep('C');
    await store.answer();
    expect(rig.fallback.names).toEqual(['A']);
    expect(store.names).toEqual(['B', 'C']);
    expect(rig.delivery).toMatchObject({ fallback: { batches: 1 }, evicted: { full: 1 }, inFlight: NOTHING });
  });

  it('is deleted from what is evicted, without a fallback', async () => {
    const { rig, store } = await kept(['A', 'B'], { retention: { maxItems: 2 } });
    rig.keep('C');
    expect(rig.delivery).toMatchObject({ lostBy: { full: 1 } });
    await store.answer();
    expect(store.names).toEqual(['B', 'C']);
  });

  it('has a batch that is being put held: it is not evicted for others', async () => {
    const { rig, store } = arrange({ fallback: true, retention: { maxItems: 2 } });
    rig.keep('A', 'B');
    rig.keep('C');
    expect(rig.fallback.names).toEqual(['C']);
    await store.answer();
    expect(store.names).toEqual(['A', 'B']);
  });

  it('has no bounds by default but its own', async () => {
    const { rig, store } = arrange();
    rig.breaker.forceOpen();
    rig.export('A', 50_000);
    rig.exporter.export(['x'.repeat(2 ** 27)], () => {});
    await store.answer();
    expect(store.batches.size).toBe(2);
    expect(rig.delivery.evicted.full).toBe(0);
  });
});

it('a caller that throws when the store has answered later is reported', async () => {
  const { rig, store } = arrange();
  rig.breaker.forceOpen();
  rig.exporter.export(['A'], () => {
    throw new Error('the caller');
  });
  await store.answer();
  expect(rig.problems).toEqual(['exporter "otlp": a result callback threw']);
});

it('what a store cannot give back at a shutdown is lost, and not given to the fallback', async () => {
  const store = new FakeStore({ mode: 'at once' });
  const { rig } = arrange({ fallback: true }, store);
  rig.keep('A');
  store.batches.clear();
  await rig.exporter.shutdown();
  expect(rig.fallback.names).toEqual([]);
  expect(rig.delivery.lostBy.shutdown).toBe(1);
});

describe('a store that does not take a batch', () => {
  it.each(['throws', 'rejects'] as const)('because put %s is as one without room', async (mode) => {
    for (const fallback of [true, false]) {
      const { rig } = arrange({ fallback }, new FakeStore({ mode }));
      rig.breaker.forceOpen();
      rig.export('A', 3);
      await settled();
      if (fallback) {
        expect(rig.told['A']).toEqual([SUCCESS]);
        expect(rig.fallback.names).toEqual(['A']);
      } else {
        expect(rig.told['A']).toMatchObject([{ code: 1, error: { code: 'ERR_CIRCUIT_OPEN' } }]);
        expect(rig.delivery.lostBy.rejected).toBe(3);
      }
      expect(rig.delivery).toMatchObject({ kept: NOTHING, inFlight: NOTHING });
    }
  });

  it('because put is unanswered for 1 s is as one without room; if it resolves after all, it is deleted', async () => {
    const { rig, store } = arrange({ fallback: true });
    rig.breaker.forceOpen();
    rig.export('A');
    rig.clock.advance(999);
    expect(rig.told['A']).toEqual([]);
    rig.clock.advance(1);
    expect(rig.told['A']).toEqual([SUCCESS]);
    expect(rig.fallback.names).toEqual(['A']);
    await store.answer();
    expect(store.names).toEqual([]);
    expect(rig.told['A']).toHaveLength(1);
    expect(rig.delivery).toMatchObject({ fallback: { batches: 1 }, kept: NOTHING });
  });

  it('takes no room for it', async () => {
    const { rig, store } = arrange({ retention: { maxItems: 1 } });
    rig.keep('A');
    await store.fail();
    rig.keep('B');
    await store.answer();
    expect(store.names).toEqual(['B']);
    expect(rig.delivery).toMatchObject({ kept: { batches: 1 }, lostBy: { rejected: 1, full: 0 } });
  });

  it('is reported also before the circuit has ever opened', async () => {
    const { rig } = arrange({}, new FakeStore({ mode: 'rejects' }));
    rig.inner.does = 'hold';
    rig.export('A');
    rig.clock.advance(1_000);
    await settled();
    expect(rig.problems).toEqual(['exporter "otlp": the store did not take a batch']);
  });

  it('is reported once for each opening of the circuit', async () => {
    const { rig } = arrange({}, new FakeStore({ mode: 'rejects' }));
    const refusals = (): number => rig.problems.filter((problem) => problem.includes('store')).length;
    for (let i = 0; i < 3; i++) rig.keep('A');
    await settled();
    expect(refusals()).toBe(1);
    rig.breaker.reset();
    for (let i = 0; i < 3; i++) rig.keep('A');
    await settled();
    expect(refusals()).toBe(2);
  });

  it('has the batch counted by what it met last', async () => {
    const { rig, store } = arrange({ retention: {} });
    rig.inner.does = FAILURE;
    rig.export('A', 2);
    await store.fail();
    expect(rig.told['A']).toEqual([FAILURE]);
    expect(rig.losses).toMatchObject([{ reason: 'failure', items: 2, error: FAILURE.error }]);
  });
});

describe('what a store drops for room', () => {
  it('is evicted as full, lost also where there is a fallback, which cannot have it', async () => {
    const { rig, store } = await kept(['A', 'B'], { fallback: true });
    store.drops = [...store.batches.keys()].slice(0, 1);
    rig.keep('C');
    await store.answer();
    expect(rig.fallback.names).toEqual([]);
    expect(rig.delivery).toMatchObject({ kept: { batches: 2 }, evicted: { full: 1 }, lostBy: { full: 1 } });
    expect(warnings.filter((line) => line.includes('retention'))).toHaveLength(1);
  });

  it('is delivered all the same if it is being sent, and evicted if that fails', async () => {
    for (const answer of [SUCCESS, FAILURE]) {
      const { rig, store } = await kept(['A']);
      const ids = [...store.batches.keys()];
      rig.inner.does = 'hold';
      void rig.exporter.redeliver();
      await store.answer();
      store.drops = ids;
      rig.keep('B');
      await store.answer();
      expect(rig.kept).toBe(2);
      rig.inner.release(answer);
      await store.answer();
      expect(rig.delivery).toMatchObject(
        answer === SUCCESS
          ? { delivered: { batches: 1 }, kept: { batches: 1 } }
          : { lostBy: { full: 1 }, kept: { batches: 1 } },
      );
    }
  });

  it('is evicted once, if the store names it twice', async () => {
    const { rig, store } = await kept(['A', 'B']);
    const [id = ''] = store.batches.keys();
    store.drops = [id, id];
    rig.keep('C');
    await store.answer();
    expect(rig.delivery).toMatchObject({ kept: { batches: 2 }, evicted: { full: 1 }, lostBy: { full: 1 } });
  });

  it('is evicted when a handed-over batch that was dropped fails', async () => {
    const { rig, store } = arrange({ fallback: true });
    rig.inner.does = 'hold';
    rig.export('A');
    rig.clock.advance(1_000);
    await store.answer();
    expect(rig.told['A']).toEqual([SUCCESS]);
    store.drops = [...store.batches.keys()];
    rig.keep('B');
    await store.answer();
    rig.inner.release(FAILURE);
    await store.answer();
    expect(rig.fallback.names).toEqual(['A']);
    expect(rig.delivery).toMatchObject({ kept: { batches: 1 }, evicted: { full: 1 }, inFlight: NOTHING });
  });

  it('is evicted also where put was answered too late', async () => {
    const { rig, store } = await kept(['A']);
    store.drops = [...store.batches.keys()];
    rig.keep('B');
    rig.clock.advance(1_000);
    await store.answer();
    expect(rig.delivery).toMatchObject({ kept: NOTHING, evicted: { full: 1, unreadable: 0 } });
  });

  it('may be unknown', async () => {
    const { rig, store } = await kept(['A']);
    store.drops = ['unknown'];
    rig.keep('B');
    await store.answer();
    expect(rig.kept).toBe(2);
  });
});

describe('what a store cannot give back', () => {
  it('is evicted as unreadable, and the next goes', async () => {
    const { rig, store } = await kept(['A', 'B'], { fallback: true });
    const [first] = store.batches.keys();
    store.batches.delete(first ?? '');
    void rig.exporter.redeliver();
    await store.answer();
    expect(rig.inner.names).toEqual(['B']);
    expect(rig.fallback.names).toEqual([]);
    expect(rig.delivery).toMatchObject({
      kept: NOTHING,
      evicted: { unreadable: 1 },
      lostBy: { unreadable: 1 },
    });
  });

  it.each(['at once', 'later'] as const)(
    'uses up no grant, nor a tick: the next one is sent for it (a store that answers %s)',
    async (mode) => {
      const { rig, store } = await kept(['A', 'B', 'C', 'D', 'E'], { retention: { idleMillis: 60_000 } });
      store.mode.get = mode;
      const [first, , third, fourth] = store.batches.keys();
      for (const id of [first, third, fourth]) store.batches.delete(id ?? '');

      rig.export('live');
      await store.answer();
      expect(rig.inner.names).toEqual(['live', 'B']);

      rig.clock.advance(60_000);
      await store.answer();
      expect(rig.inner.names).toEqual(['live', 'B', 'E']);
      expect(rig.delivery).toMatchObject({ kept: NOTHING, evicted: { unreadable: 3 } });
    },
  );

  it('leaves its grant to nobody where it has been delivered meanwhile, by a late answer', async () => {
    const { rig, store } = arrange({ exportTimeoutMillis: 1_000, retention: { handOverMillis: 0 } });
    rig.inner.does = 'hold';
    rig.export('A');
    rig.clock.advance(1_000);
    await store.answer();
    rig.breaker.reset();
    rig.inner.does = ([name]) => (name === 'B' ? NOT_SENT : 'success');
    rig.export('live');
    expect(store.calls.map(({ method }) => method)).toEqual(['get']);
    rig.inner.release();
    store.mode.put = 'at once';
    rig.export('B');
    await store.answer();
    expect(rig.inner.names).toEqual(['A', 'live', 'B']);
    expect(rig.kept).toBe(1);
  });

  it('leaves its grant to nobody where the circuit has left CLOSED meanwhile', async () => {
    const { rig, store } = await kept(['A', 'B']);
    const [first] = store.batches.keys();
    store.batches.delete(first ?? '');
    rig.export('live');
    rig.breaker.forceOpen();
    rig.breaker.reset();
    await store.answer();
    expect(rig.inner.names).toEqual(['live']);
    expect(rig.kept).toBe(1);
  });

  it('pays for nothing where redeliver() had it read', async () => {
    const { rig, store } = await kept(['A']);
    store.batches.clear();
    void rig.exporter.redeliver();
    rig.inner.does = FAILURE;
    rig.export('B');
    rig.breaker.reset();
    await store.answer();
    expect(rig.inner.names).toEqual(['B']);
    expect(rig.kept).toBe(1);
  });

  it('is no end to three failures in a row of redeliver()', async () => {
    const { rig, store } = await kept(['A', 'B', 'C', 'D', 'E']);
    store.mode.get = 'at once';
    store.batches.delete([...store.batches.keys()][1] ?? '');
    rig.inner.does = FAILURE;
    await rig.exporter.redeliver();
    expect(rig.inner.names).toEqual(['A', 'C', 'D']);
  });

  it('leaves no timer of ticks behind', async () => {
    const { rig, store } = await kept(['A'], { retention: { idleMillis: 1_000 } });
    store.batches.clear();
    rig.clock.advance(1_000);
    await store.answer();
    expect(rig.delivery).toMatchObject({ kept: NOTHING, evicted: { unreadable: 1 } });
    rig.clock.advance(5_000);
    expect(rig.clock.pending.size).toBe(0);
  });

  it('is lost as unreadable when it has been evicted for want of room', async () => {
    const { rig, store } = await kept(['A'], { fallback: true, retention: { maxItems: 1 } });
    store.batches.clear();
    rig.keep('B');
    await store.answer();
    expect(rig.fallback.names).toEqual([]);
    expect(rig.delivery).toMatchObject({ evicted: { full: 1 }, lostBy: { unreadable: 1 } });
  });

  it('is lost as unreadable also where get fails, once it has been evicted', async () => {
    const { rig, store } = await kept(['A'], { fallback: true, retention: { maxItems: 1 } });
    store.mode.get = 'rejects';
    rig.keep('B');
    await store.answer();
    await settled();
    expect(rig.delivery).toMatchObject({
      evicted: { full: 1 },
      lostBy: { unreadable: 1 },
      inFlight: NOTHING,
    });
    expect(rig.problems).toEqual(['exporter "otlp": the store failed to read a batch']);
    expect(store.names).toEqual(['B']);
  });

  it.each(['rejects', 'throws', 'later'] as const)(
    'keeps its place where get %s: it is no failed redelivery of the batch',
    async (mode) => {
      const { rig, store } = await kept(['A', 'B'], { retention: { maxAttempts: 1 } });
      store.mode.get = mode;
      const redelivering = watch(rig.exporter.redeliver());
      await settled();
      for (let i = 0; i < 2; i++) {
        rig.clock.advance(1_000);
        await settled();
      }
      expect(redelivering.done).toBe(true);
      expect(rig.inner.names).toEqual([]);
      expect(rig.delivery).toMatchObject({ kept: { batches: 2 }, evicted: { attempts: 0, unreadable: 0 } });
      expect(rig.problems.length).toBeGreaterThan(0);
      store.mode.get = 'at once';
      await rig.exporter.redeliver();
      expect(rig.inner.names.sort()).toEqual(['A', 'B']);
    },
  );

  it('gives a probe’s place free', async () => {
    const { rig, store } = await kept(['A'], { retention: { idleMillis: 1_000 } });
    rig.keep();
    rig.breaker.reset();
    rig.trip('B');
    await store.answer();
    rig.mayProbe = true;
    store.mode.get = 'rejects';
    rig.clock.advance(1_000);
    await settled();
    expect(rig.state).toBe('HALF_OPEN');
    store.mode.get = 'at once';
    rig.clock.advance(1_000);
    await store.answer();
    expect(rig.state).toBe('CLOSED');
  });

  it('and cannot delete is reported, and delivered all the same', async () => {
    const { rig, store } = await kept(['A']);
    store.mode.get = 'at once';
    store.mode.delete = 'rejects';
    await rig.exporter.redeliver();
    await settled();
    expect(rig.delivery).toMatchObject({ kept: NOTHING, redelivered: { batches: 1 } });
    expect(rig.problems).toEqual(['exporter "otlp": the store failed to delete batches']);
  });
});

describe('a batch that is handed over', () => {
  /** A sending that takes longer than usual, and waits for the store. */
  function storing(options: RigOptions = {}) {
    const { rig, store } = arrange({ exportTimeoutMillis: 0, ...options });
    rig.inner.does = 'hold';
    rig.export('A', 3);
    rig.clock.advance(1_000);
    expect(store.calls.map(({ method }) => method)).toEqual(['put']);
    expect(rig.told['A']).toEqual([]);
    return { rig, store };
  }

  it('is put at that moment; its caller is told when that has resolved; deleted when it is answered', async () => {
    const { rig, store } = storing();
    await store.answer();
    expect(rig.told['A']).toEqual([SUCCESS]);
    expect(store.names).toEqual(['A']);
    expect(rig.delivery).toMatchObject({ inFlight: { batches: 1 }, kept: NOTHING });
    rig.inner.release();
    await store.answer();
    expect(store.names).toEqual([]);
    expect(rig.delivery).toMatchObject({ delivered: { batches: 1, items: 3 }, inFlight: NOTHING });
  });

  it('and is answered with SUCCESS before the store has: its caller gets that, and the store deletes it', async () => {
    const { rig, store } = storing();
    rig.inner.release();
    expect(rig.told['A']).toEqual([SUCCESS]);
    await store.answer();
    expect(store.names).toEqual([]);
    expect(rig.told['A']).toHaveLength(1);
    expect(rig.delivery).toMatchObject({ delivered: { batches: 1 }, kept: NOTHING, inFlight: NOTHING });
  });

  it('and is answered with SUCCESS before the store has, is deleted when that has it', async () => {
    const { rig, store } = storing();
    store.mode.delete = 'at once';
    rig.inner.release();
    await store.answer();
    expect(store.names).toEqual([]);
  });

  it('and is answered with SUCCESS before the store refuses it, is delivered, and nothing else', async () => {
    const { rig, store } = storing({ fallback: true });
    rig.inner.release();
    await store.fail();
    await store.answer();
    expect(rig.told['A']).toEqual([SUCCESS]);
    expect(rig.fallback.names).toEqual([]);
    expect(rig.delivery).toMatchObject({ delivered: { batches: 1 }, lost: NOTHING, inFlight: NOTHING });
  });

  it('and is invalid before the store has answered: it goes to the fallback, whose result its caller gets', async () => {
    const { rig, store } = storing({ fallback: true });
    rig.inner.release(REFUSED);
    expect(rig.told['A']).toEqual([SUCCESS]);
    expect(rig.fallback.names).toEqual(['A']);
    await store.answer();
    expect(store.names).toEqual([]);
    expect(balance(rig.delivery)).toEqual([0, 0]);
  });

  it('and fails before the store has answered: it is kept when that has taken it, and its caller told', async () => {
    const { rig, store } = storing();
    rig.inner.release(FAILURE);
    expect(rig.told['A']).toEqual([]);
    expect(rig.delivery.inFlight.batches).toBe(1);
    await store.answer();
    expect(rig.told['A']).toEqual([SUCCESS]);
    expect(rig.delivery).toMatchObject({ kept: { batches: 1, items: 3 }, inFlight: NOTHING });
  });

  it('and fails before the store refuses it: it goes on down the cascade, once', async () => {
    const { rig, store } = storing();
    rig.inner.release(FAILURE);
    await store.fail();
    expect(rig.told['A']).toEqual([FAILURE]);
    expect(rig.losses).toMatchObject([{ reason: 'failure', items: 3 }]);
    expect(balance(rig.delivery)).toEqual([0, 0]);
  });

  it('is none where the store refuses it: its caller waits as without', async () => {
    const { rig, store } = storing();
    await store.fail();
    expect(rig.told['A']).toEqual([]);
    rig.inner.release();
    expect(rig.told['A']).toEqual([SUCCESS]);
    expect(rig.delivery).toMatchObject({ delivered: { batches: 1 } });
  });

  it('as a probe: its caller is told what the store answers, not that it was rejected', async () => {
    const { rig, store } = arrange({ probePolicy: () => true });
    rig.breaker.forceOpen();
    rig.export('kept');
    await store.answer();
    rig.breaker.reset();
    rig.trip();
    await store.answer();
    rig.inner.does = 'hold';
    rig.export('probe');
    rig.clock.advance(1_000);
    rig.clock.advance(500);
    expect(rig.told['probe']).toEqual([]);
    await store.answer();
    expect(rig.told['probe']).toEqual([SUCCESS]);
  });

  it('as a probe, and refused by the store: its caller is answered as that of a rejected batch', async () => {
    const { rig, store } = arrange({ exportTimeoutMillis: 0 });
    rig.trip('A');
    await store.answer();
    rig.mayProbe = true;
    rig.inner.does = 'hold';
    rig.export('probe');
    rig.clock.advance(1_000);
    await store.fail();
    expect(rig.told['probe']).toMatchObject([{ code: 1, error: { code: 'ERR_CIRCUIT_OPEN' } }]);
    expect(rig.state).toBe('HALF_OPEN');
  });

  it('counts as three only once the store has taken it', async () => {
    const { rig, store } = arrange({ exportTimeoutMillis: 0 });
    rig.inner.does = 'hold';
    for (const name of ['A', 'B', 'C']) rig.export(name);
    rig.clock.advance(1_500);
    rig.export('D');
    expect(rig.inner.names).toContain('D');
    await store.answer();
    rig.export('E');
    expect(rig.inner.names).not.toContain('E');
    await store.fail();
    // No room: it is sent, as without.
    expect(rig.inner.names).toContain('E');
  });

  it.each([
    ['goes to the fallback', true, { fallback: { batches: 1, items: 2 } }],
    ['is lost for the shutdown', false, { lostBy: { shutdown: 2 } }],
  ])(
    'as the third has the next one kept at once; refused by the store after shutdown() has begun, that one %s',
    async (_what, fallback, account) => {
      const { rig, store } = arrange({ exportTimeoutMillis: 0, fallback });
      rig.inner.does = 'hold';
      for (const name of ['A', 'B', 'C']) rig.export(name);
      rig.clock.advance(1_500);
      await store.answer();
      rig.export('D', 2);
      void rig.exporter.shutdown();
      await store.fail();
      expect(rig.inner.names).toEqual(['A', 'B', 'C']);
      expect(rig.told['D']).toMatchObject([{ code: fallback ? 0 : 1 }]);
      expect(rig.delivery).toMatchObject(account);
      expect(balance(rig.delivery)).toEqual([0, 0]);
    },
  );

  it('and answered with SUCCESS after its time-out, while it is being put, is delivered', async () => {
    const { rig, store } = arrange({ retention: { handOverMillis: 0 } });
    rig.inner.does = 'hold';
    rig.export('A');
    rig.clock.advance(15_000);
    expect(store.calls).toHaveLength(1);
    rig.inner.release();
    expect(rig.told['A']).toEqual([SUCCESS]);
    await store.answer();
    expect(store.names).toEqual([]);
    expect(rig.delivery).toMatchObject({ delivered: { batches: 1 }, kept: NOTHING, inFlight: NOTHING });
  });
});

describe('while the store is busy reading', () => {
  it('the time of a probe has not begun', async () => {
    const { rig, store } = arrange({ exportTimeoutMillis: 500, retention: { idleMillis: 1_000 } });
    rig.trip('A');
    await store.answer();
    const before = rig.exporter.snapshot().exportDurations.sum;
    rig.mayProbe = true;
    rig.inner.does = 'hold';
    rig.clock.advance(1_000);
    rig.clock.advance(900);
    await store.answer();
    expect(rig.inner.names).toEqual(['A', 'A']);
    rig.clock.advance(499);
    expect(rig.state).toBe('HALF_OPEN');
    rig.inner.release();
    expect(rig.state).toBe('CLOSED');
    expect(rig.exporter.snapshot().exportDurations.sum - before).toBeCloseTo(0.499);
  });

  it('a circuit that opens keeps the batch from being sent', async () => {
    const { rig, store } = await kept(['A']);
    void rig.exporter.redeliver();
    rig.breaker.forceOpen();
    await store.answer();
    expect(rig.inner.names).toEqual([]);
    expect(rig.kept).toBe(1);
    rig.breaker.reset();
    void rig.exporter.redeliver();
    await store.answer();
    expect(rig.inner.names).toEqual(['A']);
  });

  it('a circuit that opens and closes keeps it from being sent: nothing paid for it', async () => {
    const { rig, store } = await kept(['A']);
    void rig.exporter.redeliver();
    rig.breaker.forceOpen();
    rig.breaker.reset();
    await store.answer();
    expect(rig.inner.names).toEqual([]);
  });

  it('a batch that a shutdown is about to send is kept back by a circuit that is forced open', async () => {
    const { rig, store } = await kept(['A'], { fallback: true });
    const down = watch(rig.exporter.shutdown());
    await settled();
    rig.breaker.forceOpen();
    await store.answer();
    await pass(rig.clock, 1_000);
    await store.answer();
    expect(rig.inner.names).toEqual([]);
    expect(rig.fallback.names).toEqual(['A']);
    expect(down.done).toBe(true);
  });

  it('a batch that a shutdown sends past the open circuit is sent', async () => {
    const { rig, store } = await kept(['A']);
    rig.trip('B');
    await store.answer();
    const down = watch(rig.exporter.shutdown());
    await settled();
    await store.answer();
    expect(rig.inner.names).toEqual(['B', 'A', 'B']);
    await pass(rig.clock, 100);
    expect(down.done).toBe(true);
  });

  it('a batch may be delivered late, and is then not sent', async () => {
    const { rig, store } = arrange({ exportTimeoutMillis: 2_000, retention: { handOverMillis: 0 } });
    rig.inner.does = 'hold';
    rig.export('A');
    rig.clock.advance(2_000);
    await store.answer();
    rig.breaker.reset();
    void rig.exporter.redeliver();
    rig.inner.release();
    await store.answer();
    expect(rig.inner.names).toEqual(['A']);
    expect(rig.delivery).toMatchObject({ delivered: { batches: 1 }, kept: NOTHING, lost: NOTHING });
  });

  it('a batch may become too old, and is then not sent', async () => {
    const { rig, store } = await kept(['A'], { fallback: true, retention: { maxAgeMillis: 500 } });
    void rig.exporter.redeliver();
    rig.clock.advance(600);
    await store.answer();
    expect(rig.inner.names).toEqual([]);
    expect(rig.fallback.names).toEqual(['A']);
    expect(rig.delivery.evicted.expired).toBe(1);
  });

  it('a probe gives its place free when the circuit is closed by hand', async () => {
    const { rig, store } = await kept(['A'], { retention: { idleMillis: 1_000 } });
    rig.trip('B');
    await store.answer();
    rig.mayProbe = true;
    rig.clock.advance(1_000);
    expect(rig.state).toBe('HALF_OPEN');
    rig.breaker.reset();
    await store.answer();
    expect(rig.inner.names).toEqual(['B']);
    expect(rig.kept).toBe(2);
  });
});

it('an id is unique, also across exporters', () => {
  const store = new FakeStore({ mode: 'at once' });
  for (let i = 0; i < 3; i++) {
    const { rig } = arrange({}, store);
    rig.keep('A', 'B');
  }
  expect(store.batches.size).toBe(6);
});

describe('a batch that the store drops while it is being read', () => {
  it('is given up as full, and not as unreadable', async () => {
    const { rig, store } = await kept(['A', 'B']);
    const [id = ''] = store.batches.keys();
    rig.export('live');
    store.drops = [id];
    rig.breaker.forceOpen();
    store.mode.put = 'at once';
    rig.export('C');
    await store.answer();
    expect(rig.delivery.evicted).toMatchObject({ full: 1, unreadable: 0 });
    expect(balance(rig.delivery)).toEqual([0, 0]);
  });
});

it('a store is never asked to delete nothing', async () => {
  const store = new FakeStore({ mode: 'at once' });
  const deleted: (readonly string[])[] = [];
  store.delete = (ids) => void deleted.push(ids);
  const { rig } = arrange({ retention: { maxAgeMillis: 1_000 } }, store);
  rig.keepAndClose('A');
  await rig.exporter.redeliver();
  rig.keep('B');
  expect(rig.delivery.delivered.batches).toBe(1);
  expect(deleted).toHaveLength(1);
});
