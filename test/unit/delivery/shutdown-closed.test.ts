import { describe, expect, it } from 'vitest';
import {
  balance,
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

describe('live sendings that are unanswered when the inner exporter has not ended in time', () => {
  /** Two live sendings and an inner exporter that hang; not kept, and not CLOSED. */
  async function hanging(options: ConstructorParameters<typeof Rig>[0] = {}) {
    const rig = new Rig({ retention: false, ...options });
    rig.inner.does = 'hold';
    rig.export('A', 2);
    rig.export('B', 3);
    rig.breaker.forceOpen();
    rig.inner.shutdown = () => new Promise(() => {});
    const down = watch(rig.exporter.shutdown());
    await pass(rig.clock, 900);
    expect(rig.told).toEqual({ A: [], B: [] });
    await pass(rig.clock, 200);
    expect(down.done).toBe(true);
    return rig;
  }

  it('are lost, told to their callers, and once to onLoss and the operator', async () => {
    const rig = await hanging();
    for (const name of ['A', 'B'])
      expect(rig.told[name]).toMatchObject([
        { code: 1, error: { message: 'exporter "otlp" gave no answer before the shutdown' } },
      ]);
    expect(rig.losses).toEqual([{ name: 'otlp', reason: 'shutdown', batches: 2, items: 5 }]);
    expect(rig.delivery).toMatchObject({ lostBy: { shutdown: 5 }, inFlight: NOTHING });
    expect(lossWarnings()).toHaveLength(1);
    expect(rig.clock.pending.size).toBe(0);
  });

  it('have no other answer after that', async () => {
    const rig = await hanging();
    const { delivery, exports } = rig.exporter.snapshot();
    rig.inner.release();
    rig.inner.release(FAILURE);
    rig.clock.advance(60_000);
    expect(rig.told).toMatchObject({ A: [expect.anything()], B: [expect.anything()] });
    expect(rig.exporter.snapshot()).toMatchObject({ delivery, exports });
  });

  it('are not given up if they are answered when the caller of another one is told', async () => {
    const rig = new Rig({ retention: false });
    rig.inner.does = 'hold';
    rig.exporter.export(['A'], () => {
      rig.inner.release();
      rig.inner.release(SUCCESS);
    });
    rig.export('B', 3);
    rig.breaker.forceOpen();
    rig.inner.shutdown = () => new Promise(() => {});
    void rig.exporter.shutdown();
    await pass(rig.clock, 1_000);
    expect(rig.told).toEqual({ B: [SUCCESS] });
    expect(rig.delivery).toMatchObject({ delivered: { items: 3 }, lost: { items: 1 }, inFlight: NOTHING });
  });

  it('go to the fallback, whose result is the caller’s', async () => {
    const rig = await hanging({ fallback: true, shutdownTimeoutMillis: 2_100 });
    expect(rig.fallback.names).toEqual(['A', 'B']);
    expect(rig.told).toEqual({ A: [SUCCESS], B: [SUCCESS] });
    expect(rig.delivery).toMatchObject({ fallback: { batches: 2 }, lost: NOTHING });
  });

  it('are a probe, too, whose caller has been answered, also where the inner exporter has ended', async () => {
    const rig = new Rig({ retention: false });
    rig.trip('A');
    rig.mayProbe = true;
    rig.inner.does = 'hold';
    rig.export('probe', 4);
    rig.clock.advance(1_000);
    expect(rig.told['probe']).toHaveLength(1);
    await rig.exporter.shutdown();
    expect(rig.delivery).toMatchObject({ lostBy: { shutdown: 4 }, inFlight: NOTHING });
    rig.inner.release();
    expect(rig.told['probe']).toHaveLength(1);
    expect(balance(rig.delivery)).toEqual([0, 0]);
  });

  it('may have callers that throw when they are told: onError hears of it, and the shutdown goes on', async () => {
    for (const fallback of [true, false]) {
      const rig = new Rig({ retention: false, fallback });
      rig.inner.does = 'hang';
      for (let i = 0; i < 2; i++)
        rig.exporter.export(['A'], () => {
          throw new Error('mine');
        });
      rig.breaker.forceOpen();
      rig.inner.shutdown = () => new Promise(() => {});
      const down = watch(rig.exporter.shutdown());
      await pass(rig.clock, 1_100);
      expect(down).toEqual({ done: true, rejected: undefined });
      expect(rig.problems.filter((problem) => problem.includes('a result callback threw'))).toHaveLength(2);
      expect(rig.delivery.inFlight).toEqual(NOTHING);
      expect(rig.fallback.shutdowns).toBe(fallback ? 1 : 0);
    }
  });

  it('are told to onLoss and the operator together with what was kept', async () => {
    const rig = new Rig({ retention: { handOverMillis: 0 } });
    rig.inner.does = 'hold';
    rig.export('A', 2);
    rig.keep('B', 'C');
    rig.inner.shutdown = () => new Promise(() => {});
    const down = watch(rig.exporter.shutdown());
    await pass(rig.clock, 1_100);
    expect(down.done).toBe(true);
    expect(lossWarnings()).toEqual([expect.stringMatching(/: 4$/)]);
    expect(rig.losses).toEqual([{ name: 'otlp', reason: 'shutdown', batches: 3, items: 4 }]);
  });

  it('are told to the operator together with all that the fallback does not take during the shutdown', async () => {
    const rig = new Rig({ fallback: true, random: () => 0, retention: { handOverMillis: 0 } });
    // Before the shutdown: no loss of it.
    rig.fallback.does = FAILURE;
    rig.inner.does = REFUSED;
    rig.export('before', 7);
    rig.keepAndClose('B', 'C');
    rig.inner.does = 'hold';
    rig.export('A', 2);
    rig.inner.does = FAILURE;
    rig.inner.shutdown = () => new Promise(() => {});
    rig.fallback.does = ([name]) => (name === 'A' ? 'hold' : FAILURE);
    const down = watch(rig.exporter.shutdown());
    await pass(rig.clock, 6_000);
    expect(rig.fallback.names).toEqual(['before', 'B', 'C', 'A']);
    rig.fallback.release(FAILURE);
    await settled();
    expect(down.done).toBe(true);
    expect(lossWarnings()).toEqual([expect.stringMatching(/: 4$/)]);
    expect(rig.losses.map(({ reason }) => reason)).toEqual(['fallback', 'fallback', 'fallback', 'fallback']);
  });

  it('are waited for by their callers where it has ended: it may still answer', async () => {
    const rig = new Rig({ retention: false });
    rig.inner.does = 'hold';
    rig.export('A');
    await rig.exporter.shutdown();
    expect(rig.delivery.inFlight.batches).toBe(1);
    rig.inner.release();
    expect(rig.told['A']).toEqual([SUCCESS]);
    expect(rig.delivery).toMatchObject({ delivered: { batches: 1 }, inFlight: NOTHING });
  });
});

describe('while CLOSED', () => {
  /** Eight successes of so many milliseconds. */
  function usual(millis: number, options: ConstructorParameters<typeof Rig>[0] = {}): Rig {
    const rig = new Rig({ exportTimeoutMillis: 0, ...options });
    rig.inner.does = 'hold';
    for (let i = 0; i < 8; i++) {
      rig.export('usual');
      rig.clock.advance(millis);
      rig.inner.release();
    }
    return rig;
  }

  /** How long shutdown() takes with a backend that hangs. */
  async function patience(rig: Rig): Promise<number> {
    rig.keepAndClose('A');
    rig.inner.does = 'hang';
    rig.inner.shutdown = () => new Promise(() => {});
    const down = watch(rig.exporter.shutdown());
    let millis = 0;
    for (; !down.done && millis < 60_000; millis += 100) await pass(rig.clock, 100);
    return millis;
  }

  it.each([
    ['closedShutdownTimeoutMillis before the first success', () => new Rig(), 5_000],
    ['500 ms at least', () => usual(1), 500],
    ['four times the slowest of the last eight successes', () => usual(500), 2_000],
    ['closedShutdownTimeoutMillis at most', () => usual(2_000), 5_000],
    ['any closedShutdownTimeoutMillis', () => usual(2_000, { closedShutdownTimeoutMillis: 700 }), 700],
  ])('it ends when nothing has been answered for %s', async (_, arrange, millis) => {
    const rig = arrange();
    expect(await patience(rig)).toBe(millis);
    expect(rig.delivery).toMatchObject({ lostBy: { shutdown: 1 }, inFlight: NOTHING });
  });

  it('it goes on as long as the backend answers', async () => {
    const rig = usual(1);
    rig.keepAndClose(...Array.from({ length: 50 }, (_, i) => `${i}`));
    const down = watch(rig.exporter.shutdown());
    for (let i = 0; i < 50; i++) {
      await pass(rig.clock, 400);
      expect(down.done).toBe(false);
      rig.inner.release();
    }
    await settled();
    expect(down.done).toBe(true);
    expect(rig.delivery).toMatchObject({ redelivered: { batches: 50 }, lost: NOTHING });
  });

  it('it gives the fallback closedShutdownTimeoutMillis from its last answer', async () => {
    const rig = new Rig({ fallback: true });
    rig.keepAndClose('A', 'B');
    rig.inner.does = FAILURE;
    rig.fallback.does = 'hold';
    const down = watch(rig.exporter.shutdown());
    await pass(rig.clock, 4_900);
    rig.fallback.release();
    await pass(rig.clock, 4_900);
    expect(down.done).toBe(false);
    expect(rig.fallback.names).toEqual(['A', 'B']);
    await pass(rig.clock, 100);
    expect(rig.fallback.shutdowns).toBe(1);
    expect(rig.delivery).toMatchObject({
      fallback: { batches: 1 },
      lostBy: { fallback: 1 },
      inFlight: NOTHING,
    });
  });

  it('it waits for the shutdown of inner exporter and fallback in turn, each for its time', async () => {
    const rig = new Rig({ fallback: true });
    rig.inner.shutdown = () => new Promise(() => {});
    let end = (): void => {};
    const fallbackShutdown = new Promise<void>((done) => {
      end = done;
    });
    rig.fallback.shutdown = () => {
      rig.fallback.shutdowns++;
      return fallbackShutdown;
    };
    const down = watch(rig.exporter.shutdown());
    await pass(rig.clock, 4_900);
    expect(rig.fallback.shutdowns).toBe(0);
    await pass(rig.clock, 4_900);
    expect([rig.fallback.shutdowns, down.done]).toEqual([1, false]);
    end();
    await settled();
    expect(down.done).toBe(true);
  });

  it('it waits for a live batch that the fallback has already', async () => {
    const rig = new Rig({ fallback: true });
    rig.inner.does = REFUSED;
    rig.fallback.does = 'hold';
    rig.export('live');
    const down = watch(rig.exporter.shutdown());
    await pass(rig.clock, 2_000);
    rig.fallback.release();
    await pass(rig.clock, 1_000);
    expect(rig.told['live']).toEqual([SUCCESS]);
    expect(rig.delivery).toMatchObject({ fallback: { batches: 1 }, lost: NOTHING });
    expect(down.done).toBe(true);
  });

  it('its timers keep the process alive, and no other does', async () => {
    const rig = new Rig({ retention: { idleMillis: 0 } });
    rig.keepAndClose('A');
    rig.inner.does = 'hold';
    const shutdown = rig.exporter.shutdown();
    expect([...rig.clock.pending].map(({ keepAlive }) => keepAlive).sort()).toEqual([false, true]);
    rig.inner.release();
    await shutdown;
    expect(rig.clock.pending.size).toBe(0);
  });
});

describe('whether the circuit is CLOSED is judged at the call', () => {
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
