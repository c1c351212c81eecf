import { describe, expect, it } from 'vitest';
import { FAILURE, NOT_SENT, pass, REFUSED, Rig, recordWarnings, settled, watch } from './rig.ts';

const NOTHING = { batches: 0, items: 0 };
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

describe('the last chance', () => {
  it.each(['CLOSED', 'OPEN', 'HALF_OPEN', 'forced CLOSED'])(
    'sends what is kept, oldest first, while %s',
    async (state) => {
      const rig = new Rig({ fallback: true, successThreshold: 2 });
      rig.trip('A');
      rig.keep('B', 'C');
      if (state === 'CLOSED') rig.breaker.reset();
      if (state === 'forced CLOSED') rig.breaker.forceClosed();
      if (state === 'HALF_OPEN') {
        rig.mayProbe = true;
        rig.export('probe');
      }
      const before = rig.inner.names.length;
      expect(rig.state).toBe(state.replace('forced ', ''));
      const { transitions } = rig.exporter.snapshot();

      await rig.exporter.shutdown();

      expect(rig.inner.names.slice(before)).toEqual(['A', 'B', 'C']);
      expect(rig.delivery).toMatchObject({
        kept: NOTHING,
        lost: NOTHING,
        fallback: NOTHING,
        redelivered: { batches: 3 },
        evicted: { shutdown: 0 },
      });
      expect(rig.exporter.snapshot()).toMatchObject({ transitions, state: state.replace('forced ', '') });
      expect(lossWarnings()).toEqual([]);
    },
  );

  it('counts, and changes no state, policy or streak', async () => {
    const rig = new Rig();
    rig.trip('A');
    const { consecutiveFailures } = rig.exporter.snapshot();
    await rig.exporter.shutdown();
    expect(rig.exporter.snapshot()).toMatchObject({
      state: 'OPEN',
      consecutiveFailures,
      attemptsSinceOpened: 0,
      exports: { success: 1, failure: 1 },
      probes: { success: 0, failure: 0 },
      lastSuccessAt: rig.clock.now(),
    });
    expect(rig.asked).toBe(0);
  });

  it('is none while forced OPEN: all goes to the fallback', async () => {
    const rig = new Rig({ fallback: true });
    rig.keep('A', 'B');
    await rig.exporter.shutdown();
    expect(rig.inner.names).toEqual([]);
    expect(rig.fallback.names).toEqual(['A', 'B']);
    expect(rig.delivery).toMatchObject({ kept: NOTHING, fallback: { batches: 2 }, evicted: { shutdown: 2 } });
    expect(lossWarnings()).toEqual([]);
  });

  it('ends when the circuit is forced open in its course', async () => {
    const rig = new Rig({ fallback: true });
    rig.keepAndClose('A', 'B');
    rig.inner.does = 'hold';
    void rig.exporter.shutdown();
    rig.breaker.forceOpen();
    rig.inner.release();
    await pass(rig.clock, 1_000);
    expect(rig.inner.names).toEqual(['A']);
    expect(rig.fallback.names).toEqual(['B']);
  });

  it.each([
    ['fails', FAILURE],
    ['is ignored', NOT_SENT],
  ])(
    'goes on until one %s: what is unsent then goes to the fallback, that one too',
    async (_what, outcome) => {
      const rig = new Rig({ fallback: true });
      rig.keepAndClose('A', 'B', 'C');
      rig.inner.does = ([name]) => (name === 'B' ? outcome : 'success');
      await rig.exporter.shutdown();
      expect(rig.inner.names).toEqual(['A', 'B']);
      expect(rig.fallback.names).toEqual(['B', 'C']);
      expect(rig.delivery).toMatchObject({
        kept: NOTHING,
        redelivered: { batches: 1 },
        fallback: { batches: 2 },
        evicted: { attempts: 0, shutdown: 2 },
      });
    },
  );

  it('evicts an invalid one, and goes on', async () => {
    const rig = new Rig({ fallback: true });
    rig.keepAndClose('A', 'B', 'C');
    rig.inner.does = ([name]) => (name === 'B' ? REFUSED : 'success');
    await rig.exporter.shutdown();
    expect(rig.inner.names).toEqual(['A', 'B', 'C']);
    expect(rig.fallback.names).toEqual(['B']);
    expect(rig.delivery).toMatchObject({
      redelivered: { batches: 2 },
      fallback: { batches: 1 },
      evicted: { invalid: 1, shutdown: 0 },
    });
  });

  it('never sends what is too old', async () => {
    const rig = new Rig({ fallback: true, retention: { maxAgeMillis: 10, idleMillis: 0 } });
    rig.keepAndClose('A');
    rig.clock.advance(11);
    await rig.exporter.shutdown();
    expect(rig.inner.names).toEqual([]);
    expect(rig.delivery.evicted).toMatchObject({ expired: 1, shutdown: 0 });
  });

  it('waits for the redelivery that is out, and goes on from there', async () => {
    const rig = new Rig({ fallback: true });
    rig.keepAndClose('A', 'B');
    rig.inner.does = ([name]) => (name === 'A' ? 'hold' : 'success');
    void rig.exporter.redeliver();
    void rig.exporter.shutdown();
    await settled();
    expect(rig.inner.names).toEqual(['A']);
    rig.inner.release();
    await settled();
    expect(rig.inner.names).toEqual(['A', 'B']);
    expect(rig.delivery).toMatchObject({ redelivered: { batches: 2 } });
  });

  it('ends at once when the redelivery that is out fails', async () => {
    const rig = new Rig({ fallback: true });
    rig.keepAndClose('A', 'B');
    rig.inner.does = 'hold';
    void rig.exporter.redeliver();
    const down = watch(rig.exporter.shutdown());
    rig.inner.release(FAILURE);
    await settled();
    expect(rig.inner.names).toEqual(['A']);
    expect(rig.fallback.names).toEqual(['A', 'B']);
    expect(down.done).toBe(true);
  });

  it('is one at a time', async () => {
    const rig = new Rig();
    rig.keepAndClose('A', 'B');
    rig.inner.does = 'hold';
    void rig.exporter.shutdown();
    await settled();
    expect(rig.inner.names).toEqual(['A']);
  });

  it.each(Array.from({ length: 12 }, (_, turns) => ({ turns })))(
    'sends nothing more once one has failed, though a live batch succeeds $turns microtasks later',
    async ({ turns }) => {
      const rig = new Rig();
      rig.inner.does = 'hold';
      rig.export('live');
      rig.keepAndClose('A', 'B');
      void rig.exporter.shutdown();
      await settled();
      const [live, first] = rig.inner.held.splice(0);

      first?.(FAILURE);
      for (let turn = 0; turn < turns; turn++) await Promise.resolve();
      live?.({ code: 0 });
      await settled();

      expect(rig.inner.names).toEqual(['live', 'A']);
      for (const answer of rig.inner.held) answer({ code: 0 });
      expect(rig.delivery).toMatchObject({ kept: NOTHING, delivered: { batches: 1 }, lost: { batches: 2 } });
    },
  );
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
    await pass(rig.clock, 300);
    expect(down.done).toBe(false);
    await pass(rig.clock, 100);
    expect(down.done).toBe(true);
  });

  it('is none with shutdownTimeoutMillis 0; what answers at once still gets through', async () => {
    const rig = new Rig({ fallback: true, shutdownTimeoutMillis: 0 });
    rig.trip('A');
    rig.keep('B');
    rig.inner.does = ([name]) => (name === 'A' ? 'success' : 'hang');
    const down = watch(rig.exporter.shutdown());
    await settled();
    rig.clock.advance(0);
    await settled();
    rig.clock.advance(0);
    await settled();
    expect(down.done).toBe(true);
    expect(rig.delivery).toMatchObject({ kept: NOTHING, inFlight: NOTHING, redelivered: { batches: 1 } });
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

  it('does not let an earlier call that hangs keep the others from it', async () => {
    const rig = new Rig({ fallback: true });
    rig.fallback.does = 'hang';
    rig.inner.does = REFUSED;
    rig.export('poison');
    rig.fallback.does = 'success';
    rig.keep('A', 'B', 'C');
    void rig.exporter.shutdown();
    await pass(rig.clock, 1_000);
    expect(rig.fallback.names).toEqual(['poison', 'A', 'B', 'C']);
    expect(rig.delivery).toMatchObject({ fallback: { batches: 3 }, lost: NOTHING, inFlight: { batches: 1 } });
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
    rig.inner.release(FAILURE);
    rig.inner.release(FAILURE);
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

describe('whether the circuit is CLOSED is judged at the call', () => {
  it('CLOSED: it waits for the inner exporter and the fallback for as long as that takes', async () => {
    const rig = new Rig({ fallback: true });
    let endInner = (): void => {};
    let endFallback = (): void => {};
    rig.inner.shutdown = () =>
      new Promise((done) => {
        endInner = done;
      });
    rig.fallback.shutdown = () =>
      new Promise((done) => {
        endFallback = done;
      });
    const down = watch(rig.exporter.shutdown());
    await settled();
    rig.breaker.forceOpen();
    await pass(rig.clock, 100_000, 10_000);
    expect(down.done).toBe(false);
    endInner();
    await pass(rig.clock, 100_000, 10_000);
    expect(down.done).toBe(false);
    endFallback();
    await settled();
    expect(down.done).toBe(true);
  });

  it('CLOSED: it waits for a live batch that the fallback has already', async () => {
    const rig = new Rig({ fallback: true });
    rig.inner.does = REFUSED;
    rig.fallback.does = 'hold';
    rig.export('live');
    const down = watch(rig.exporter.shutdown());
    await pass(rig.clock, 2_000);
    rig.fallback.release();
    await pass(rig.clock, 1_000);
    expect(rig.told['live']).toEqual([{ code: 0 }]);
    expect(rig.delivery).toMatchObject({ fallback: { batches: 1 }, lost: NOTHING });
    expect(down.done).toBe(true);
  });

  it('CLOSED: the fallback is shut down though the inner exporter never ends', async () => {
    const rig = new Rig({ fallback: true });
    rig.inner.shutdown = () => new Promise(() => {});
    const down = watch(rig.exporter.shutdown());
    await pass(rig.clock, 60_000, 1_000);
    expect(rig.fallback.shutdowns).toBe(1);
    expect(down.done).toBe(false);
  });

  it('CLOSED: what is kept has shutdownTimeoutMillis all the same', async () => {
    const rig = new Rig();
    rig.keepAndClose('A');
    rig.inner.does = 'hang';
    const down = watch(rig.exporter.shutdown());
    await pass(rig.clock, 900);
    expect(down.done).toBe(false);
    await pass(rig.clock, 100);
    expect(down.done).toBe(true);
    expect(rig.delivery).toMatchObject({ lost: { batches: 1 }, evicted: { shutdown: 1 } });
  });

  it('OPEN: not waited for longer, though the circuit is closed meanwhile', async () => {
    const rig = new Rig();
    rig.trip('A');
    rig.inner.does = 'hang';
    rig.inner.shutdown = () => new Promise(() => {});
    const down = watch(rig.exporter.shutdown());
    await settled();
    rig.breaker.reset();
    await pass(rig.clock, 1_000);
    expect(down.done).toBe(true);
  });

  it('passes on what the inner exporter rejects with when CLOSED, however slow the fallback', async () => {
    const rig = new Rig({ fallback: true });
    rig.inner.shutdown = () => Promise.reject(new Error('mine'));
    let end = (): void => {};
    rig.fallback.shutdown = () =>
      new Promise((done) => {
        end = done;
      });
    const down = watch(rig.exporter.shutdown());
    await settled();
    await settled();
    end();
    await settled();
    expect(down).toMatchObject({ done: true, rejected: { message: 'mine' } });
  });

  it('tells onError what the inner exporter rejects with when OPEN', async () => {
    const rig = new Rig();
    rig.trip('A');
    rig.inner.shutdown = () => Promise.reject(new Error('mine'));
    await expect(rig.exporter.shutdown()).resolves.toBeUndefined();
    expect(rig.problems).toHaveLength(1);
  });

  it('calls each shutdown once, after the last chance, and returns the same promise', async () => {
    const rig = new Rig({ fallback: true });
    rig.keepAndClose('A');
    rig.inner.does = 'hold';
    const first = rig.exporter.shutdown();
    expect(rig.exporter.shutdown()).toBe(first);
    await settled();
    expect(rig.inner.shutdowns).toBe(0);
    rig.inner.release();
    await first;
    expect([rig.inner.shutdowns, rig.fallback.shutdowns]).toEqual([1, 1]);
  });
});
