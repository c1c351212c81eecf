import { describe, expect, it } from 'vitest';
import {
  endsAfter,
  FAILURE,
  NOTHING,
  pass,
  REFUSED,
  Rig,
  recordWarnings,
  SUCCESS,
  settled,
  watch,
} from './rig.ts';

const warnings = recordWarnings();
const lossWarnings = (): string[] => warnings.filter((warning) => warning.includes('shutdown'));

describe('shutdown() that is out of time', () => {
  it.each([
    ['retention', { retention: {} }],
    ['a fallback', { retention: false, fallback: true }],
    ['both', { retention: {}, fallback: true }],
  ] as const)(
    'is over in one step of the clock, with %s, while OPEN and everything hangs',
    async (_, options) => {
      const rig = new Rig(options);
      rig.fallback.does = 'hang';
      rig.trip('A');
      rig.inner.does = 'hang';
      for (const exporter of [rig.inner, rig.fallback]) exporter.shutdown = () => new Promise(() => {});
      const ending = watch(rig.exporter.shutdown());
      await settled();
      rig.clock.advance(1_000);
      await settled();
      expect(ending).toEqual({ done: true, rejected: undefined });
      expect(rig.delivery.lost.batches + rig.delivery.inFlight.batches).toBe(1);
      expect(rig.delivery.kept).toEqual(NOTHING);
    },
  );

  it('leaves no timer behind', async () => {
    const rig = new Rig({ retention: {}, fallback: true });
    rig.trip('opens');
    rig.mayProbe = true;
    rig.inner.does = 'hold';
    rig.export('probe');
    rig.inner.does = 'success';
    rig.inner.release();
    expect([rig.state, rig.kept]).toEqual(['CLOSED', 0]);
    rig.inner.does = 'hold';
    rig.export('A');
    rig.inner.release();
    rig.trip('B');
    expect(rig.clock.pending.size).toBeGreaterThan(0);
    rig.inner.does = 'success';
    await rig.exporter.shutdown();
    expect(rig.clock.pending.size).toBe(0);
  });

  it('waits for what hangs at its call for no longer than its time-out, and then leaves no timer', async () => {
    const rig = new Rig({ retention: false });
    rig.inner.does = 'hang';
    rig.export('A');
    await rig.exporter.shutdown();
    expect(rig.told['A']).toEqual([]);
    rig.clock.advance(15_000);
    expect(rig.told['A']).toMatchObject([{ code: 1, error: { code: 'ERR_EXPORT_TIMEOUT' } }]);
    expect(rig.clock.pending.size).toBe(0);
  });
});

describe('the time of a shutdown while not CLOSED', () => {
  it('is shutdownTimeoutMillis for all of it, 1 s by default, when nothing answers', async () => {
    const rig = new Rig({ fallback: true });
    rig.trip('A');
    rig.keep('B');
    rig.inner.does = 'hang';
    rig.fallback.does = 'hang';
    rig.inner.shutdown = () => new Promise(() => {});
    rig.fallback.shutdown = () => new Promise(() => {});
    const down = watch(rig.exporter.shutdown());
    await pass(rig.clock, 900);
    expect(down.done).toBe(false);
    await pass(rig.clock, 100);
    expect(down).toEqual({ done: true, rejected: undefined });
    expect(rig.delivery).toMatchObject({ kept: NOTHING, inFlight: NOTHING, lost: { batches: 2 } });
  });

  it('is all for the last chance where there is no fallback', async () => {
    const rig = new Rig({ shutdownTimeoutMillis: 2_000 });
    rig.trip('A');
    rig.inner.does = 'hold';
    void rig.exporter.shutdown();
    await pass(rig.clock, 1_900);
    rig.inner.release();
    await settled();
    expect(rig.delivery).toMatchObject({ redelivered: { batches: 1 }, lost: NOTHING });
  });

  it('is half of it for the last chance where there is a fallback, which has the rest', async () => {
    const rig = new Rig({ fallback: true, shutdownTimeoutMillis: 2_000 });
    rig.trip('A');
    rig.inner.does = 'hold';
    rig.fallback.does = 'hold';
    const down = watch(rig.exporter.shutdown());
    await pass(rig.clock, 900);
    expect(rig.fallback.names).toEqual([]);
    await pass(rig.clock, 100);
    expect(rig.fallback.names).toEqual(['A']);
    await pass(rig.clock, 900);
    expect(down.done).toBe(false);
    rig.fallback.release();
    await settled();
    expect(down.done).toBe(true);
    expect(rig.delivery).toMatchObject({ fallback: { batches: 1 }, lost: NOTHING });
  });

  it('is only what is left, for the inner exporter’s own shutdown', async () => {
    const rig = new Rig();
    rig.trip('A');
    rig.inner.does = 'hold';
    rig.inner.shutdown = () => new Promise(() => {});
    const down = watch(rig.exporter.shutdown());
    await pass(rig.clock, 600);
    rig.inner.release();
    await endsAfter(down, rig.clock, 400);
  });

  it('is none with shutdownTimeoutMillis 0: nothing is sent any more', async () => {
    const rig = new Rig({ fallback: true, shutdownTimeoutMillis: 0 });
    rig.trip('A');
    rig.keep('B');
    const down = watch(rig.exporter.shutdown());
    await pass(rig.clock, 0);
    expect(down.done).toBe(true);
    expect(rig.inner.names).toEqual(['A']);
    expect(rig.delivery).toMatchObject({ kept: NOTHING, inFlight: NOTHING, lost: { batches: 2 } });
    expect([rig.inner.shutdowns, rig.fallback.shutdowns]).toEqual([1, 1]);
  });

  it('holds also where each party answers at once: the clock is read', async () => {
    const rig = new Rig({ fallback: true, shutdownTimeoutMillis: 200 });
    rig.breaker.forceOpen();
    for (let i = 0; i < 2_000; i++) rig.export(`${i}`);
    // Each takes a millisecond, and there is not one turn of the event loop in between.
    rig.fallback.onExport = () => rig.clock.advance(1);
    const before = rig.clock.now();
    await rig.exporter.shutdown();
    expect(rig.clock.now() - before).toBeLessThan(210);
    expect(rig.delivery).toMatchObject({
      kept: NOTHING,
      fallback: { batches: 200 },
      lost: { batches: 1_800 },
    });

    const drained = new Rig({ shutdownTimeoutMillis: 200 });
    drained.trip('first');
    for (let i = 0; i < 2_000; i++) drained.export(`${i}`);
    drained.inner.onExport = () => drained.clock.advance(1);
    await drained.exporter.shutdown();
    expect(drained.delivery).toMatchObject({ kept: NOTHING, redelivered: { batches: 200 } });
  });

  it('begins when the circuit leaves CLOSED, counted from the call', async () => {
    const rig = new Rig({ closedShutdownTimeoutMillis: 10_000 });
    rig.keepAndClose('A');
    rig.inner.does = 'hang';
    const down = watch(rig.exporter.shutdown());
    await pass(rig.clock, 400);
    rig.breaker.forceOpen();
    await endsAfter(down, rig.clock, 600);
  });

  it('holds where the last answer was a failure, though the circuit is CLOSED', async () => {
    const rig = new Rig({ tripPolicy: undefined });
    rig.inner.does = FAILURE;
    rig.export('A');
    expect(rig.state).toBe('CLOSED');
    rig.inner.does = 'hang';
    rig.inner.shutdown = () => Promise.reject(new Error('mine'));
    const down = watch(rig.exporter.shutdown());
    await pass(rig.clock, 900);
    expect(down.done).toBe(false);
    await pass(rig.clock, 100);
    expect(down).toEqual({ done: true, rejected: undefined });
    expect(rig.problems).toHaveLength(1);
  });

  it('drops the answer that comes after it', async () => {
    const rig = new Rig();
    rig.trip('A');
    rig.inner.does = 'hold';
    void rig.exporter.shutdown();
    await pass(rig.clock, 1_000);
    expect(rig.delivery.lost.batches).toBe(1);
    rig.inner.release();
    expect(rig.delivery).toMatchObject({ kept: NOTHING, delivered: NOTHING, lost: { batches: 1 } });
  });
});

describe('what is left then goes to the fallback', () => {
  it('one batch at a time', async () => {
    const rig = new Rig({ fallback: true });
    rig.keep('A', 'B', 'C');
    rig.fallback.does = 'hold';
    void rig.exporter.shutdown();
    await settled();
    expect(rig.fallback.names).toEqual(['A']);
    rig.fallback.release();
    await settled();
    expect(rig.fallback.names).toEqual(['A', 'B']);
    rig.fallback.release(FAILURE);
    await settled();
    expect(rig.fallback.names).toEqual(['A', 'B', 'C']);
    rig.fallback.release();
    await settled();
    expect(rig.delivery).toMatchObject({ fallback: { batches: 2 }, lost: { batches: 1 }, inFlight: NOTHING });
  });

  it('in what time is left: the rest is lost', async () => {
    const rig = new Rig({ fallback: true });
    rig.keep('A', 'B', 'C');
    rig.fallback.does = ([name]) => (name === 'A' ? 'success' : 'hold');
    const down = watch(rig.exporter.shutdown());
    await pass(rig.clock, 1_000);
    expect(rig.fallback.names).toEqual(['A', 'B']);
    expect(rig.delivery).toMatchObject({ fallback: { batches: 1 }, lost: { batches: 2 }, inFlight: NOTHING });
    expect(down.done).toBe(true);
    rig.fallback.release();
    expect(rig.delivery).toMatchObject({ fallback: { batches: 1 }, lost: { batches: 2 } });
  });

  it('does not let an earlier call that hangs keep the others from it, and does not cut that short', async () => {
    const rig = new Rig({ fallback: true });
    rig.fallback.does = 'hold';
    rig.inner.does = REFUSED;
    rig.export('live');
    rig.fallback.does = 'success';
    rig.keep('A', 'B', 'C');
    void rig.exporter.shutdown();
    await pass(rig.clock, 1_000);
    expect(rig.fallback.names).toEqual(['live', 'A', 'B', 'C']);
    expect(rig.delivery).toMatchObject({ fallback: { batches: 3 }, lost: NOTHING, inFlight: { batches: 1 } });
    rig.fallback.release();
    expect(rig.told['live']).toEqual([SUCCESS]);
    expect(rig.delivery).toMatchObject({ fallback: { batches: 4 }, inFlight: NOTHING });
  });

  it('and a live batch that is unanswered there when the time is over has its own time-out still', async () => {
    const rig = new Rig({ fallback: true });
    rig.inner.does = REFUSED;
    rig.fallback.does = 'hang';
    rig.export('live');
    rig.breaker.forceOpen();
    const down = watch(rig.exporter.shutdown());
    await pass(rig.clock, 1_000);
    expect(down.done).toBe(true);
    await pass(rig.clock, 14_000, 1_000);
    expect(rig.told['live']).toMatchObject([{ code: 1, error: { name: 'ExportTimeoutError' } }]);
    expect(rig.delivery).toMatchObject({ lost: { batches: 1 }, inFlight: NOTHING });
  });

  it('before its shutdown() is called', async () => {
    const rig = new Rig({ fallback: true });
    const order: string[] = [];
    rig.keep('A', 'B');
    rig.fallback.onExport = ([name]) => void order.push(name ?? '');
    rig.fallback.shutdown = async () => void order.push('shutdown');
    await rig.exporter.shutdown();
    expect(order).toEqual(['A', 'B', 'shutdown']);
  });

  it('shuts the fallback down after the inner exporter, whose shutdown may yet fail live batches', async () => {
    const rig = new Rig({ fallback: true });
    const order: string[] = [];
    rig.inner.does = 'hold';
    rig.export('live');
    rig.inner.shutdown = async () => {
      order.push('inner shutdown');
      await settled();
      rig.inner.release(FAILURE);
    };
    rig.fallback.onExport = ([name]) => void order.push(name ?? '');
    rig.fallback.shutdown = async () => void order.push('fallback shutdown');
    await rig.exporter.shutdown();
    expect(order).toEqual(['inner shutdown', 'live', 'fallback shutdown']);
    expect(rig.told['live']).toEqual([{ code: 0 }]);
  });
});

describe('the warning of a shutdown', () => {
  it('is one, and says how many items are lost', async () => {
    const rig = new Rig({ name: 'traces' });
    rig.breaker.forceOpen();
    rig.export('A', 4);
    rig.export('B', 3);
    await rig.exporter.shutdown();
    expect(lossWarnings()).toHaveLength(1);
    expect(lossWarnings()[0]).toMatch(/"traces".*\b7\b/);
    expect(rig.delivery).toMatchObject({ lost: { batches: 2, items: 7 }, evicted: { shutdown: 7 } });
  });

  it('counts what the fallback did not take', async () => {
    const rig = new Rig({ fallback: true });
    rig.breaker.forceOpen();
    rig.export('A', 4);
    rig.export('B', 3);
    rig.fallback.does = ([name]) => (name === 'A' ? 'success' : FAILURE);
    await rig.exporter.shutdown();
    expect(lossWarnings()).toHaveLength(1);
    expect(lossWarnings()[0]).toMatch(/\b3\b/);
  });

  it('is none when nothing is lost', async () => {
    const rig = new Rig({ fallback: true });
    rig.keep('A');
    await rig.exporter.shutdown();
    const nothing = new Rig();
    await nothing.exporter.shutdown();
    expect(lossWarnings()).toEqual([]);
  });

  it('is of what was kept alone, not of what was offered too late', async () => {
    const rig = new Rig();
    rig.keepAndClose('A');
    rig.inner.does = 'hold';
    void rig.exporter.shutdown();
    rig.export('late', 5);
    rig.inner.release();
    await settled();
    expect(rig.delivery).toMatchObject({ redelivered: { items: 1 }, lost: { items: 5 } });
    expect(lossWarnings()).toEqual([]);
  });
});

describe('from the call of shutdown() on', () => {
  it('nothing is kept any more: what fails now goes to the fallback, else it is lost', async () => {
    const passedOn = new Rig({ fallback: true });
    const lost = new Rig();
    for (const rig of [passedOn, lost]) {
      rig.inner.does = 'hold';
      rig.export('live');
      rig.inner.shutdown = () => new Promise(() => {});
      void rig.exporter.shutdown();
      rig.inner.release(FAILURE);
      await settled();
      expect(rig.kept).toBe(0);
    }
    expect(passedOn.fallback.names).toEqual(['live']);
    expect(passedOn.told['live']).toEqual([{ code: 0 }]);
    expect(lost.told['live']).toEqual([FAILURE]);
    expect(lost.delivery.lost.batches).toBe(1);
  });

  it('there are no ticks, and no redeliveries by grants', async () => {
    const rig = new Rig({ retention: { idleMillis: 100 } });
    rig.inner.does = 'hold';
    rig.export('live');
    rig.keepAndClose('A', 'B');
    void rig.exporter.shutdown();
    await settled();
    expect(rig.inner.names).toEqual(['live', 'A']);
    rig.inner.release();
    await pass(rig.clock, 900);
    expect(rig.inner.names).toEqual(['live', 'A']);
  });

  it('leaves no timer behind, though a live batch failed during the last chance', async () => {
    const rig = new Rig({ exportTimeoutMillis: 0 });
    rig.inner.does = 'hold';
    rig.export('live');
    rig.keepAndClose('A', 'B');
    const down = watch(rig.exporter.shutdown());
    await settled();
    expect(rig.inner.names).toEqual(['live', 'A']);
    for (let i = 0; i < 3; i++) rig.inner.release(FAILURE);
    await settled();
    expect(down.done).toBe(true);
    expect(rig.clock.pending.size).toBe(0);
    expect(rig.delivery).toMatchObject({ kept: NOTHING, lost: { batches: 3 } });
  });

  it('leaves no timer behind that ticks while CLOSED or OPEN', async () => {
    for (const state of ['CLOSED', 'OPEN']) {
      const rig = new Rig();
      rig.trip('A');
      if (state === 'CLOSED') rig.breaker.reset();
      await rig.exporter.shutdown();
      expect(rig.clock.pending.size).toBe(0);
    }
  });

  it('a pending redeliver() resolves', async () => {
    const rig = new Rig();
    rig.keepAndClose('A', 'B');
    rig.inner.does = 'hold';
    const redelivering = watch(rig.exporter.redeliver());
    void rig.exporter.shutdown();
    await pass(rig.clock, 1_000);
    expect(redelivering).toEqual({ done: true, rejected: undefined });
  });

  it('and called from inside an export, it loses count of nothing', async () => {
    const rig = new Rig({ fallback: true });
    rig.keepAndClose('A', 'B');
    rig.inner.onExport = ([name]) => {
      if (name === 'A') void rig.exporter.shutdown();
    };
    rig.export('live');
    await settled();
    expect(rig.inner.names).toEqual(['live', 'A', 'B']);
    expect(rig.delivery).toMatchObject({ delivered: { batches: 3 }, kept: NOTHING, inFlight: NOTHING });
  });
});
