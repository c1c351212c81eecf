import { describe, expect, it } from 'vitest';
import type { RetentionOptions } from '../../../src/index.ts';
import type { Batch } from './rig.ts';
import {
  balance,
  FAILURE,
  NOT_SENT,
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

describe('the last drain', () => {
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
    ['failed', FAILURE],
    ['were ignored', NOT_SENT],
  ])(
    'goes on until three in a row %s: what is unsent then goes to the fallback, these too',
    async (_, outcome) => {
      const rig = new Rig({ fallback: true });
      rig.keepAndClose('A', 'B', 'C', 'D', 'E', 'F', 'G');
      rig.inner.does = ([name]) => (name === 'C' ? 'success' : outcome);
      await rig.exporter.shutdown();
      expect(rig.inner.names).toEqual(['A', 'B', 'C', 'D', 'E', 'F']);
      expect(rig.fallback.names).toEqual(['A', 'B', 'D', 'E', 'F', 'G']);
      expect(rig.delivery).toMatchObject({
        kept: NOTHING,
        redelivered: { batches: 1 },
        fallback: { batches: 6 },
        evicted: { attempts: 0, shutdown: 6 },
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

  it('counts the redelivery that is out at its call', async () => {
    const rig = new Rig({ fallback: true });
    rig.keepAndClose('A', 'B', 'C', 'D');
    rig.inner.does = 'hold';
    void rig.exporter.redeliver();
    const down = watch(rig.exporter.shutdown());
    for (let i = 0; i < 3; i++) rig.inner.release(FAILURE);
    await settled();
    expect(rig.inner.names).toEqual(['A', 'B', 'C']);
    expect(rig.fallback.names).toEqual(['A', 'B', 'C', 'D']);
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

  it('sends nothing more once three have failed, though a live batch succeeds then', async () => {
    const rig = new Rig();
    rig.inner.does = 'hold';
    rig.export('live');
    rig.keepAndClose('A', 'B', 'C', 'D');
    const down = watch(rig.exporter.shutdown());
    await settled();
    const [live] = rig.inner.held.splice(0, 1);
    for (let i = 0; i < 3; i++) rig.inner.release(FAILURE);
    live?.(SUCCESS);
    await settled();
    expect(rig.inner.names).toEqual(['live', 'A', 'B', 'C']);
    expect(down.done).toBe(true);
    expect(rig.delivery).toMatchObject({ kept: NOTHING, delivered: { batches: 1 }, lost: { batches: 4 } });
  });

  it('waits for what is handed over, and sends at the same time what is kept', async () => {
    for (const answer of [SUCCESS, FAILURE]) {
      const rig = new Rig();
      rig.inner.does = 'hold';
      rig.export('A');
      rig.clock.advance(1_000);
      rig.keepAndClose('B', 'C');
      rig.inner.does = 'success';
      const down = watch(rig.exporter.shutdown());
      await settled();
      expect(rig.inner.names).toEqual(['A', 'B', 'C']);
      expect(down.done).toBe(false);
      rig.inner.release(answer);
      await settled();
      expect(down.done).toBe(true);
      // What was handed over and failed has a last chance, too.
      expect(rig.delivery).toMatchObject({ delivered: { batches: 3 }, lost: NOTHING, inFlight: NOTHING });
    }
  });

  describe('where the backend answers others than those handed over, as with an exporter that pauses between retries,', () => {
    /** One batch handed over and unanswered, one that gets through at the shutdown. */
    async function retrying(retention: RetentionOptions<Batch> = {}) {
      const rig = new Rig({ exportTimeoutMillis: 0, retention });
      rig.export('first');
      rig.inner.does = 'hold';
      rig.export('A', 3);
      rig.clock.advance(200);
      rig.clock.advance(800);
      rig.keepAndClose('B');
      rig.inner.does = 'success';
      const down = watch(rig.exporter.shutdown());
      await settled();
      expect(rig.inner.names).toEqual(['first', 'A', 'B']);
      expect(down.done).toBe(false);
      return { rig, down };
    }

    it('these are sent again in the second half of the time', async () => {
      const { rig, down } = await retrying();
      await pass(rig.clock, 200);
      expect(rig.inner.names).toEqual(['first', 'A', 'B']);
      await pass(rig.clock, 100);
      expect(rig.inner.names).toEqual(['first', 'A', 'B', 'A']);
      await settled();
      expect(down.done).toBe(true);
      expect(rig.delivery).toMatchObject({ delivered: { batches: 3 }, lost: NOTHING, inFlight: NOTHING });
    });

    describe('but not those that have been here for longer than maxAgeMillis:', () => {
      it('they are waited for to the end', async () => {
        const { rig, down } = await retrying({ maxAgeMillis: 200 });
        await pass(rig.clock, 350);
        expect(rig.inner.names).toEqual(['first', 'A', 'B']);
        expect(down.done).toBe(false);
        rig.inner.release();
        await settled();
        expect(down.done).toBe(true);
        expect(rig.delivery).toMatchObject({ delivered: { batches: 3 }, evicted: { expired: 0 } });
      });

      it('then they are given up', async () => {
        const { rig, down } = await retrying({ maxAgeMillis: 200 });
        await pass(rig.clock, 500);
        expect(down.done).toBe(true);
        expect(rig.delivery).toMatchObject({
          lostBy: { shutdown: 3, expired: 0 },
          kept: NOTHING,
          inFlight: NOTHING,
        });
      });
    });

    it('and the answers to their first sendings change nothing any more', async () => {
      for (const answer of [SUCCESS, FAILURE, REFUSED]) {
        const { rig } = await retrying();
        await pass(rig.clock, 500);
        rig.inner.release(answer);
        expect(rig.delivery).toMatchObject({ delivered: { batches: 3 }, lost: NOTHING, kept: NOTHING });
        expect(balance(rig.delivery)).toEqual([0, 0]);
      }
    });

    it('and a first sending that is answered before the second delivers, once', async () => {
      const { rig, down } = await retrying();
      rig.inner.does = 'hold';
      await pass(rig.clock, 250);
      expect(rig.inner.names).toEqual(['first', 'A', 'B', 'A']);
      rig.inner.release();
      rig.inner.release(FAILURE);
      await settled();
      expect(down.done).toBe(true);
      expect(rig.delivery).toMatchObject({ delivered: { batches: 3 }, lost: NOTHING, kept: NOTHING });
      expect(balance(rig.delivery)).toEqual([0, 0]);
    });
  });

  it('gives up what is handed over and unanswered at the end, and drops its answer', async () => {
    for (const answer of [SUCCESS, FAILURE, REFUSED]) {
      const rig = new Rig({ fallback: true, exportTimeoutMillis: 60_000 });
      rig.inner.does = 'hold';
      rig.export('A', 3);
      rig.clock.advance(1_000);
      rig.breaker.forceOpen();
      const down = watch(rig.exporter.shutdown());
      await pass(rig.clock, 1_000);
      expect(down.done).toBe(true);
      expect(rig.fallback.names).toEqual(['A']);
      expect(rig.delivery).toMatchObject({ fallback: { batches: 1 }, inFlight: NOTHING, kept: NOTHING });
      rig.inner.release(answer);
      expect(rig.delivery).toMatchObject({ fallback: { batches: 1 }, delivered: NOTHING, lost: NOTHING });
      expect(balance(rig.delivery)).toEqual([0, 0]);
    }
  });

  it('counts a late answer to what waits for its turn with a fallback that is slow', async () => {
    const rig = new Rig({ fallback: true, exportTimeoutMillis: 60_000 });
    rig.inner.does = 'hold';
    rig.fallback.does = 'hold';
    rig.export('A');
    rig.export('B');
    rig.clock.advance(1_000);
    rig.breaker.forceOpen();
    const down = watch(rig.exporter.shutdown());
    await pass(rig.clock, 600);
    expect(rig.fallback.names).toEqual(['A']);
    rig.inner.release();
    rig.inner.release();
    rig.fallback.release();
    await pass(rig.clock, 400);
    expect(down.done).toBe(true);
    expect(rig.fallback.names).toEqual(['A']);
    expect(rig.delivery).toMatchObject({
      fallback: { batches: 1 },
      delivered: { batches: 1 },
      lost: NOTHING,
    });
    expect(balance(rig.delivery)).toEqual([0, 0]);
  });

  it('gives up what is handed over also where it times out after that', async () => {
    const rig = new Rig();
    rig.inner.does = 'hold';
    rig.export('A', 3);
    rig.clock.advance(1_000);
    rig.breaker.forceOpen();
    await Promise.all([rig.exporter.shutdown(), pass(rig.clock, 20_000, 500)]);
    expect(rig.delivery).toMatchObject({ lost: { items: 3 }, lostBy: { shutdown: 3 }, kept: NOTHING });
    expect(rig.clock.pending.size).toBe(0);
  });
});
