import { describe, expect, it } from 'vitest';
import { exporterInternalsOf } from '../../../src/delivery/exporter-internals.ts';
import { FakeStore } from './fake-store.ts';
import { balance, FAILURE, NOTHING, pass, Rig, recordWarnings, SUCCESS, settled, watch } from './rig.ts';
import { arrange, kept } from './store-rig.ts';

const warnings = recordWarnings();

describe('what an earlier process has kept', () => {
  it('counts as offered, kept and recovered from then on, and comes before all else', async () => {
    const store = new FakeStore({ persistent: true, mode: 'at once', opens: 'later' });
    store.recovers('A', 'B');
    const { rig } = arrange({}, store);
    expect(store.opening?.name).toBe('otlp');
    rig.keep('C');
    expect(rig.delivery).toMatchObject({ recovered: NOTHING, offered: { batches: 1 } });
    await store.answer();
    expect(rig.delivery).toMatchObject({
      offered: { batches: 3, items: 3 },
      kept: { batches: 3 },
      recovered: { batches: 2, items: 2 },
    });
    expect(balance(rig.delivery)).toEqual([0, 0]);
    rig.breaker.reset();
    await rig.exporter.redeliver();
    expect(rig.inner.names).toEqual(['A', 'B', 'C']);
    expect(rig.delivery).toMatchObject({ delivered: { batches: 3 }, redelivered: { batches: 3 } });
  });

  it('may be known at once', async () => {
    const store = new FakeStore({ persistent: true, mode: 'at once' });
    store.recovers('A');
    const { rig } = arrange({}, store);
    expect(rig.delivery.recovered.batches).toBe(1);
    await rig.exporter.redeliver();
    expect(rig.inner.names).toEqual(['A']);
  });

  it('may be found later, and comes before all else, too', async () => {
    const store = new FakeStore({ persistent: true, mode: 'at once' });
    const { rig } = arrange({}, store);
    rig.keep('C');
    store.recovers('A', 'B');
    store.opening?.onFound(store.found);
    store.opening?.onFound([]);
    expect(rig.delivery).toMatchObject({ recovered: { batches: 2 }, kept: { batches: 3 } });
    rig.breaker.reset();
    await rig.exporter.redeliver();
    expect(rig.inner.names).toEqual(['A', 'B', 'C']);
  });

  it('is sent by ticks of a service that has not exported anything yet', () => {
    const store = new FakeStore({ persistent: true, mode: 'at once' });
    store.recovers('A');
    const { rig } = arrange({ retention: { idleMillis: 1_000 } }, store);
    rig.clock.advance(1_000);
    expect(rig.inner.names).toEqual(['A']);
    expect(rig.clock.pending.size).toBe(0);
  });

  it('has its age in Unix milliseconds, whatever the clock of this process says', () => {
    const store = new FakeStore({ persistent: true, mode: 'at once' });
    store.recovers('A', 'B');
    store.found = [
      { id: 'A', items: 1, keptAt: 1_700_000_000_000 - 60_001 },
      { id: 'B', items: 1, keptAt: 1_700_000_000_000 - 59_000 },
    ];
    const { rig } = arrange({ retention: { maxAgeMillis: 60_000 } }, store);
    const clock = { now: () => 5, unixMillis: () => 1_700_000_000_000, schedule: () => () => {} };
    const other = new Rig({ clock, retention: { store, maxAgeMillis: 60_000, idleMillis: 0 } });
    void other.exporter.redeliver();
    expect(other.inner.names).toEqual(['B']);
    expect(other.delivery.evicted.expired).toBe(1);
    expect(rig.kept).toBe(2);
  });

  it('is not sent before the time that the store says, unless somebody demands it', async () => {
    const store = new FakeStore({ persistent: true, mode: 'at once' });
    store.recovers('A', 'B');
    store.found = store.found.map((batch) => (batch.id === 'A' ? { ...batch, notBefore: 1_030_000 } : batch));
    const { rig } = arrange({}, store);
    rig.export('live');
    expect(rig.inner.names).toEqual(['live', 'B']);
    rig.clock.advance(30_000);
    rig.export('later');
    expect(rig.inner.names.slice(-2)).toEqual(['later', 'A']);
  });

  it('is evicted where it exceeds the budget, the oldest first', () => {
    const store = new FakeStore({ persistent: true, mode: 'at once' });
    store.recovers('A', 'B', 'C');
    const { rig } = arrange({ fallback: true, retention: { maxItems: 2 } }, store);
    expect(rig.fallback.names).toEqual(['A']);
    expect(rig.delivery).toMatchObject({
      recovered: { batches: 3 },
      kept: { batches: 2 },
      evicted: { full: 1 },
    });
  });

  it('begins with no failed attempts', async () => {
    const store = new FakeStore({ persistent: true, mode: 'at once' });
    store.recovers('A');
    const { rig } = arrange({ retention: { maxAttempts: 2 } }, store);
    rig.inner.does = ([name]) => (name === 'A' ? FAILURE : 'success');
    rig.export('live');
    expect(rig.kept).toBe(1);
    rig.export('live');
    expect(rig.kept).toBe(0);
  });

  it('is unknown where the store fails to open: that is reported, and all else goes on', async () => {
    const { rig, store } = arrange({}, new FakeStore({ mode: 'at once', opens: 'rejects' }));
    await settled();
    expect(rig.problems).toEqual(['exporter "otlp": the store failed to open']);
    rig.keep('A');
    expect(store.names).toEqual(['A']);
  });

  it('belongs to one exporter: a store that is open under this name throws, and so does the constructor', () => {
    const store = new FakeStore();
    store.open = () => {
      throw new TypeError('the store is open for "otlp" already');
    };
    expect(() => arrange({}, store)).toThrow(new TypeError('the store is open for "otlp" already'));
  });
});

describe('what another process has taken over', () => {
  it('is kept to the end: neither sent, nor lost, nor given to the fallback, and takes no room', async () => {
    const store = new FakeStore({ persistent: true, mode: 'at once' });
    const { rig } = arrange({ fallback: true, retention: { maxItems: 2 } }, store);
    rig.keepAndClose('A', 'B');
    store.opening?.onTaken?.(['unknown', ...store.batches.keys()]);
    expect(rig.delivery).toMatchObject({ kept: { batches: 2 }, lost: NOTHING });
    rig.keepAndClose('C', 'D');
    rig.export('live');
    await rig.exporter.redeliver();
    expect(rig.inner.names).toEqual(['live', 'C', 'D']);
    expect(rig.delivery).toMatchObject({
      delivered: { batches: 3 },
      kept: { batches: 2 },
      inFlight: NOTHING,
    });
    await rig.exporter.shutdown();
    expect(rig.delivery).toMatchObject({ kept: { batches: 2 }, lost: NOTHING, fallback: NOTHING });
    expect(balance(rig.delivery)).toEqual([0, 0]);
  });

  it('is not unreadable where the store finds that out when it is to read it', async () => {
    const { rig, store } = await kept(['A', 'B'], {}, new FakeStore({ persistent: true }));
    const [id = ''] = store.batches.keys();
    rig.export('live');
    store.batches.delete(id);
    store.opening?.onTaken?.([id]);
    await store.answer();
    rig.export('later');
    await store.answer();
    expect(rig.delivery).toMatchObject({
      evicted: { unreadable: 0 },
      lost: NOTHING,
      kept: { batches: 1 },
      redelivered: { batches: 1 },
    });
    expect(rig.inner.names).toEqual(['live', 'B', 'later']);
  });

  it.each([
    ['delivered', SUCCESS, { kept: NOTHING, delivered: { batches: 1 } }],
    ['kept', FAILURE, { kept: { batches: 1 }, delivered: NOTHING }],
  ])('while it is being sent is %s by what comes of that', async (_, result, books) => {
    for (const how of ['again', 'handed over']) {
      const store = new FakeStore({ persistent: true, mode: 'at once' });
      const { rig } = arrange({}, store);
      rig.inner.does = 'hold';
      if (how === 'again') {
        rig.keepAndClose('A');
        void rig.exporter.redeliver();
      } else {
        rig.export('A');
        rig.clock.advance(1_000);
        expect(rig.told['A']).toEqual([SUCCESS]);
      }
      store.opening?.onTaken?.([...store.batches.keys()]);
      rig.inner.release(result);
      expect(rig.delivery, how).toMatchObject({ ...books, inFlight: NOTHING, lost: NOTHING });
      rig.inner.does = 'success';
      rig.breaker.reset();
      await rig.exporter.redeliver();
      expect(rig.inner.names, how).toEqual(['A']);
      expect(balance(rig.delivery)).toEqual([0, 0]);
    }
  });
});

it('what another process has taken over while it was being sent takes no room once that has failed', async () => {
  const store = new FakeStore({ persistent: true, mode: 'at once' });
  const { rig } = arrange({ retention: { maxItems: 1 } }, store);
  rig.keepAndClose('A');
  rig.inner.does = 'hold';
  void rig.exporter.redeliver();
  store.opening?.onTaken?.([...store.batches.keys()]);
  rig.inner.release(FAILURE);
  rig.keep('B');
  rig.keep('C');
  expect(rig.delivery).toMatchObject({ kept: { batches: 2 }, evicted: { full: 1 } });
  expect(store.names).toContain('C');
});

it('a batch that is kept because the backend hangs, and that the store refuses during the shutdown, is lost unseen', async () => {
  const store = new FakeStore({ persistent: true, mode: 'at once' });
  const { rig } = arrange({ exportTimeoutMillis: 0 }, store);
  rig.inner.does = 'hold';
  for (const name of ['A', 'B', 'C']) rig.export(name);
  rig.clock.advance(1_000);
  store.mode.put = 'later';
  rig.export('D');
  const down = watch(rig.exporter.shutdown());
  await store.fail();
  expect(rig.told['D']).toMatchObject([{ code: 1, error: { message: 'exporter "otlp" was shut down' } }]);
  expect(rig.delivery.lostBy.shutdown).toBe(1);
  expect(exporterInternalsOf(rig.exporter)?.ledger.lostUnseen.shutdown).toBe(1);
  await pass(rig.clock, 12_000);
  expect(down.done).toBe(true);
});

it('nothing more is sent once a shutdown has given up the redelivery that hangs', async () => {
  const store = new FakeStore({ persistent: true, mode: 'at once' });
  const { rig } = arrange({}, store);
  rig.keepAndClose('A', 'B');
  rig.inner.does = 'hold';
  const down = watch(rig.exporter.shutdown());
  await pass(rig.clock, 12_000);
  expect(down.done).toBe(true);
  const sent = rig.inner.names.length;
  for (let i = 0; i < sent; i++) rig.inner.release();
  await settled();
  expect(rig.inner.names).toHaveLength(sent);
});

describe('shutdown() with a store', () => {
  it('leaves what cannot be delivered in a persistent one: neither lost nor for the fallback, and kept to the end', async () => {
    const store = new FakeStore({ persistent: true, mode: 'at once' });
    const { rig } = arrange({ fallback: true }, store);
    rig.trip('A');
    rig.keep('B');
    rig.inner.does = FAILURE;
    await rig.exporter.shutdown();
    expect(store.names).toEqual(['A', 'B']);
    expect(store.closed).toBe(1);
    expect(rig.fallback.names).toEqual([]);
    expect(rig.delivery).toMatchObject({ kept: { batches: 2 }, lost: NOTHING, evicted: { shutdown: 0 } });
    expect(rig.losses).toEqual([]);
    expect(warnings.filter((line) => line.includes('lost'))).toEqual([]);
  });

  it('leaves what is handed over in a persistent one, and a late SUCCESS delivers it', async () => {
    for (const answer of [SUCCESS, FAILURE]) {
      const store = new FakeStore({ persistent: true, mode: 'at once' });
      const { rig } = arrange({}, store);
      rig.inner.does = 'hold';
      rig.export('A');
      rig.clock.advance(1_000);
      expect(rig.told['A']).toEqual([SUCCESS]);
      const down = watch(rig.exporter.shutdown());
      await pass(rig.clock, 12_000, 500);
      expect(down.done).toBe(true);
      expect(rig.delivery).toMatchObject({ kept: { batches: 1 }, inFlight: NOTHING });
      rig.inner.held[0]?.(answer);
      expect(balance(rig.delivery)).toEqual([0, 0]);
      expect(rig.delivery).toMatchObject({ inFlight: NOTHING, lost: NOTHING });
    }
  });

  it('sends nothing more of what a persistent one keeps, though a live batch gets through then', async () => {
    const store = new FakeStore({ persistent: true, mode: 'at once' });
    const { rig } = arrange({ retention: { pace: 5, handOverMillis: 0 } }, store);
    rig.inner.does = 'hold';
    rig.export('live');
    rig.keepAndClose('A', 'B', 'C', 'D');
    rig.inner.does = FAILURE;
    await rig.exporter.shutdown();
    expect(rig.inner.names).toEqual(['live', 'A', 'B', 'C']);
    rig.inner.does = 'success';
    rig.inner.release();
    expect(rig.told['live']).toEqual([SUCCESS]);
    expect(rig.inner.names).toEqual(['live', 'A', 'B', 'C']);
    expect(rig.delivery).toMatchObject({ delivered: { batches: 1 }, kept: { batches: 4 } });
  });

  it('sends nothing more of what it was busy reading when the time was over', async () => {
    const store = new FakeStore({ persistent: true });
    const { rig } = arrange({ shutdownTimeoutMillis: 500 }, store);
    rig.trip('A');
    await store.answer();
    const down = watch(rig.exporter.shutdown());
    await pass(rig.clock, 500);
    expect(down.done).toBe(true);
    await store.answer();
    expect(rig.inner.names).toEqual(['A']);
    expect(rig.kept).toBe(1);
  });

  it('lets a persistent one take what fails while it goes on', async () => {
    const store = new FakeStore({ persistent: true, mode: 'at once' });
    const { rig } = arrange({}, store);
    rig.inner.does = 'hold';
    rig.export('live');
    rig.inner.shutdown = async () => {
      rig.inner.release(FAILURE);
    };
    await rig.exporter.shutdown();
    expect(rig.told['live']).toEqual([SUCCESS]);
    expect(store.names).toEqual(['live']);
    expect(rig.delivery).toMatchObject({ kept: { batches: 1 }, lost: NOTHING });
  });

  it('puts nothing into it after close(): what comes then goes down the cascade', async () => {
    const store = new FakeStore({ persistent: true, mode: 'at once' });
    const { rig } = arrange({}, store);
    rig.inner.does = 'hold';
    rig.export('live');
    await rig.exporter.shutdown();
    rig.inner.release(FAILURE);
    expect(rig.told['live']).toEqual([FAILURE]);
    expect(store.names).toEqual([]);
  });

  it('gives what is left in one that is not persistent to the fallback', async () => {
    const { rig, store } = await kept(['A', 'B'], { fallback: true });
    store.mode.get = 'at once';
    store.mode.delete = 'at once';
    rig.inner.does = FAILURE;
    await rig.exporter.shutdown();
    expect(rig.fallback.names).toEqual(['A', 'B']);
    expect(store.names).toEqual([]);
    expect(store.closed).toBe(1);
  });

  it('takes no longer than its time where the store hangs, whatever is kept', async () => {
    for (const fallback of [true, false]) {
      const names = Array.from({ length: 20 }, (_, i) => `${i}`);
      const { rig } = await kept(names, { fallback, shutdownTimeoutMillis: 1_000 });
      rig.breaker.forceOpen();
      const down = watch(rig.exporter.shutdown());
      await pass(rig.clock, 1_000);
      expect(down.done).toBe(true);
      expect(rig.delivery).toMatchObject({ kept: NOTHING, lost: { batches: 20 } });
    }
  });

  it('gives up a batch that the store has not taken: its caller is told', async () => {
    const { rig } = arrange({});
    rig.breaker.forceOpen();
    rig.export('A');
    const down = watch(rig.exporter.shutdown());
    await pass(rig.clock, 1_000);
    expect(down.done).toBe(true);
    expect(rig.told['A']).toMatchObject([{ code: 1, error: { code: 'ERR_CIRCUIT_OPEN' } }]);
    expect(balance(rig.delivery)).toEqual([0, 0]);
  });

  it('keeps a batch that the store takes after the rest was left in it', async () => {
    const { rig, store } = arrange({ shutdownTimeoutMillis: 1_000 }, new FakeStore({ persistent: true }));
    rig.inner.does = 'hold';
    rig.export('A');
    rig.clock.advance(1_000);
    expect(store.calls).toHaveLength(1);
    rig.breaker.forceOpen();
    const down = watch(rig.exporter.shutdown());
    await settled();
    await store.answer();
    await pass(rig.clock, 1_000);
    expect(down.done).toBe(true);
    expect(store.names).toEqual(['A']);
    expect(rig.told['A']).toEqual([SUCCESS]);
    expect(rig.delivery).toMatchObject({ kept: { batches: 1 }, inFlight: NOTHING, lost: NOTHING });
  });

  it.each([
    ['CLOSED, and nothing was ever answered', false],
    ['HALF_OPEN', true],
  ])(
    'keeps what is unanswered to the end, and waits for a store that is slow, while %s',
    async (_, isProbe) => {
      const { rig, store } = arrange({}, new FakeStore({ persistent: true }));
      rig.inner.shutdown = () => new Promise(() => {});
      if (isProbe) {
        rig.trip('first');
        await store.answer();
        rig.mayProbe = true;
      }
      rig.inner.does = 'hold';
      rig.export('A');
      const down = watch(rig.exporter.shutdown());
      for (let i = 1; i <= 120 && !down.done; i++) {
        await pass(rig.clock, 50, 50);
        if (i % 4 === 2) await store.answer();
      }
      expect(down.done).toBe(true);
      expect(store.names).toContain('A');
      expect(rig.delivery).toMatchObject({ inFlight: NOTHING, lost: NOTHING });
    },
  );

  it('tells onError what close() rejects with', async () => {
    const { rig, store } = arrange();
    store.close = () => Promise.reject(new Error('busy'));
    await rig.exporter.shutdown();
    expect(rig.problems).toEqual(['exporter "otlp": close() of the store failed']);
  });

  it('gives up a close() that hangs', async () => {
    const { rig, store } = arrange();
    store.close = () => new Promise(() => {});
    rig.breaker.forceOpen();
    const down = watch(rig.exporter.shutdown());
    await pass(rig.clock, 1_000);
    expect(down.done).toBe(true);
  });
});

describe('what an earlier process kept', () => {
  it('is given up at once if it is too old', async () => {
    const store = new FakeStore({ mode: 'at once' });
    store.recovers('old');
    const { rig } = arrange({ retention: { maxAgeMillis: 1_000 } }, store);
    expect(rig.delivery).toMatchObject({ recovered: { batches: 1 }, kept: NOTHING, lostBy: { expired: 1 } });
  });
});

it('no timer is left when the shutdown is over, whatever the store still holds', async () => {
  const store = new FakeStore({ persistent: true, mode: 'at once' });
  const { rig } = arrange({ retention: { idleMillis: 1_000 } }, store);
  rig.inner.does = FAILURE;
  rig.export('A');
  const down = rig.exporter.shutdown();
  await pass(rig.clock, 2_000);
  await down;
  expect(rig.kept).toBe(1);
  expect(rig.clock.pending.size).toBe(0);
});
