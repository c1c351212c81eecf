import { describe, expect, it } from 'vitest';
import { exporterInternalsOf } from '../../../src/delivery/exporter-internals.ts';
import { CircuitBreakerExporter, consecutiveFailures } from '../../../src/index.ts';
import type { ScriptedOutcome } from '../../../src/testing/index.ts';
import type { Batch } from './rig.ts';
import { Backend, FAILURE, NOT_SENT, NOTHING, REFUSED, Rig, SUCCESS, settled, watch } from './rig.ts';

/** An exporter with a fallback and no retention, and a circuit that is open. */
function rejecting(
  does: ScriptedOutcome = 'success',
  options: ConstructorParameters<typeof Rig>[0] = {},
): Rig {
  const rig = new Rig({ fallback: true, retention: false, ...options });
  rig.breaker.forceOpen();
  rig.fallback.does = does;
  return rig;
}

describe('the fallback gets every batch that would otherwise be lost', () => {
  it('the same object', () => {
    const rig = rejecting();
    const given = ['A'];
    rig.exporter.export(given, () => {});
    expect(rig.fallback.batches[0]).toBe(given);
  });

  it('an empty one too', () => {
    const rig = rejecting();
    rig.export('empty', 0);
    expect(rig.fallback.batches).toEqual([[]]);
    expect(rig.delivery.fallback).toEqual({ batches: 1, items: 0 });
  });

  it('what retention evicts: for want of room, for age, after its attempts, as invalid', () => {
    const full = new Rig({ fallback: true, retention: { maxItems: 1 } });
    full.keep('A', 'B');
    expect(full.fallback.names).toEqual(['A']);

    const expired = new Rig({ fallback: true, retention: { maxAgeMillis: 1, idleMillis: 0 } });
    expired.keep('A');
    expired.clock.advance(2);
    expired.keep('B');
    expect(expired.fallback.names).toEqual(['A']);

    const attempts = new Rig({ fallback: true, retention: { maxAttempts: 1 } });
    const invalid = new Rig({ fallback: true });
    for (const [rig, outcome] of [
      [attempts, FAILURE],
      [invalid, REFUSED],
    ] as const) {
      rig.keepAndClose('A');
      rig.inner.does = ([name]) => (name === 'A' ? outcome : 'success');
      rig.export('live');
      expect(rig.fallback.names).toEqual(['A']);
      expect(rig.delivery).toMatchObject({ kept: NOTHING, lost: NOTHING, fallback: { batches: 1 } });
    }
  });

  it('once: a batch is not offered to it again when it fails there', () => {
    const rig = rejecting(FAILURE);
    rig.export('A');
    rig.clock.advance(1e6);
    expect(rig.fallback.names).toEqual(['A']);
  });

  it('not after shutdown()', async () => {
    const rig = rejecting();
    await rig.exporter.shutdown();
    rig.export('A', 2);
    expect(rig.fallback.names).toEqual([]);
    expect(rig.told['A']).toMatchObject([{ code: 1, error: { name: 'ExporterShutdownError' } }]);
    expect(rig.delivery).toMatchObject({ offered: { batches: 1, items: 2 }, lost: { batches: 1, items: 2 } });
    expect(rig.exporter.snapshot().exports).toEqual({
      success: 0,
      failure: 0,
      invalid: 0,
      ignored: 0,
      rejected: 0,
    });
  });

  it('and nothing that the inner exporter has accepted', () => {
    const rig = new Rig({ fallback: true, retention: false });
    rig.export('A');
    expect(rig.fallback.names).toEqual([]);
  });
});

describe('where the caller still waits, the fallback’s result is the caller’s result', () => {
  it('the same object, success or failure', () => {
    const success = { code: 0, note: 'mine' };
    const rig = rejecting(success);
    rig.export('A');
    expect(rig.told['A']).toHaveLength(1);
    expect(rig.told['A']?.[0]).toBe(success);
    rig.fallback.does = FAILURE;
    rig.export('B');
    expect(rig.told['B']?.[0]).toBe(FAILURE);
  });

  it('later, when that is when it answers; till then the batch is in flight', () => {
    const rig = rejecting('hold');
    rig.export('A', 2);
    expect(rig.told['A']).toEqual([]);
    expect(rig.delivery).toMatchObject({ inFlight: { batches: 1, items: 2 } });
    rig.fallback.release();
    expect(rig.told['A']).toEqual([{ code: 0 }]);
    expect(rig.delivery).toMatchObject({ inFlight: NOTHING, fallback: { batches: 1, items: 2 } });
  });

  it('whatever reportRejectedAs says', () => {
    const rig = rejecting(FAILURE, { reportRejectedAs: 'success' });
    rig.export('A');
    expect(rig.told['A']).toEqual([FAILURE]);
    expect(rig.delivery.lost.batches).toBe(1);
  });

  it('with an error of our own where it gave none', () => {
    const rig = rejecting({ code: 1 });
    rig.export('A');
    expect(rig.told['A']).toMatchObject([{ code: 1, error: expect.any(Error) as Error }]);
  });

  it('judged by code alone: what is no SUCCESS is lost, and classify is not asked', () => {
    const rig = rejecting(REFUSED, { classify: () => 'success' });
    rig.export('A', 2);
    expect(rig.told['A']).toEqual([REFUSED]);
    expect(rig.delivery).toMatchObject({ lost: { batches: 1, items: 2 }, fallback: NOTHING });
  });

  it('moves nothing of the breaker', () => {
    const rig = rejecting(FAILURE);
    const before = rig.exporter.snapshot();
    rig.export('A');
    const { exports, consecutiveFailures, lastFailure } = rig.exporter.snapshot();
    expect(exports).toEqual({ ...before.exports, rejected: 1 });
    expect({ consecutiveFailures, lastFailure }).toEqual({ consecutiveFailures: 0, lastFailure: null });
  });
});

describe('the fallback is held to the same rules as the inner exporter', () => {
  it('one answer: of two the first counts', () => {
    const rig = rejecting('twice');
    rig.export('A');
    expect(rig.told['A']).toEqual([{ code: 0 }]);
    expect(rig.delivery).toMatchObject({ fallback: { batches: 1 }, lost: NOTHING });
  });

  it('exportTimeoutMillis, from the moment that it is given the batch', () => {
    const rig = new Rig({ fallback: true, retention: false, exportTimeoutMillis: 1_000 });
    rig.inner.does = 'hang';
    rig.fallback.does = 'hold';
    rig.export('A', 2);
    rig.clock.advance(1_000);
    expect(rig.fallback.names).toEqual(['A']);
    rig.clock.advance(999);
    expect(rig.told['A']).toEqual([]);

    rig.clock.advance(1);

    expect(rig.told['A']).toMatchObject([{ code: 1, error: { name: 'ExportTimeoutError' } }]);
    expect(rig.delivery).toMatchObject({ lost: { batches: 1, items: 2 }, inFlight: NOTHING });
    rig.fallback.release();
    expect(rig.told['A']).toHaveLength(1);
    expect(rig.delivery).toMatchObject({ lost: { batches: 1 }, fallback: NOTHING });
  });

  it('nothing thrown', () => {
    const rig = rejecting('throw');
    expect(() => rig.export('A')).not.toThrow();
    expect(rig.told['A']).toMatchObject([{ code: 1, error: { message: 'scripted throw' } }]);
    expect(rig.delivery.lost.batches).toBe(1);
  });

  it('no promise that rejects, and no missing result', async () => {
    const rig = rejecting();
    rig.fallback.export = () => Promise.reject(new Error('rejected')) as unknown as undefined;
    rig.export('A');
    await settled();
    expect(rig.told['A']).toMatchObject([{ code: 1, error: { message: 'rejected' } }]);
    rig.fallback.export = (_batch, answer) => answer(undefined as never);
    rig.export('B');
    expect(rig.told['B']).toMatchObject([{ code: 1 }]);
    expect(rig.delivery.lost.batches).toBe(2);
  });

  it('lets through, once, what the caller’s callback throws', () => {
    const rig = rejecting();
    let calls = 0;
    expect(() =>
      rig.exporter.export(['A'], () => {
        calls++;
        throw new Error('mine');
      }),
    ).toThrow('mine');
    expect(calls).toBe(1);
    expect(rig.delivery).toMatchObject({ fallback: { batches: 1 }, lost: NOTHING });
  });

  it('may export while it is given a batch: the books stay balanced, and what is being kept has its place', () => {
    const rig = new Rig({ fallback: true, retention: { maxItems: 1 } });
    rig.keep('A');
    rig.fallback.onExport = ([name]) => {
      if (name === 'A') rig.export('C');
    };
    rig.export('B');
    expect(rig.fallback.names).toEqual(['A', 'C']);
    expect(rig.delivery).toMatchObject({
      kept: { batches: 1 },
      fallback: { batches: 2 },
      evicted: { full: 1 },
      inFlight: NOTHING,
    });
  });
});

describe('the fallback has a circuit of its own', () => {
  /** The open circuit gives so many batches to a fallback. */
  function give(rig: Rig, count: number): void {
    for (let i = 0; i < count; i++) rig.export(`${i}`);
  }

  it('that opens after three failures: what it rejects is lost at once, and told as without a fallback', () => {
    const rig = rejecting(FAILURE);
    give(rig, 4);
    expect(rig.fallback.names).toEqual(['0', '1', '2']);
    expect(rig.told['2']).toEqual([FAILURE]);
    expect(rig.told['3']).toMatchObject([{ code: 1, error: { code: 'ERR_CIRCUIT_OPEN' } }]);
    expect(rig.delivery).toMatchObject({ lostBy: { fallback: 4, rejected: 0 } });
    expect(rig.losses.at(-1)).toMatchObject({ reason: 'fallback', error: { code: 'ERR_CIRCUIT_OPEN' } });
  });

  it('that a fallback which hangs opens, too: the open circuit answers at once from then on', () => {
    const rig = rejecting('hang', { exportTimeoutMillis: 200 });
    give(rig, 3);
    rig.clock.advance(200);
    give(rig, 5);
    expect(rig.fallback.names).toHaveLength(3);
    expect(rig.told['4']).toHaveLength(1);
  });

  it('that probes by the default policy, and closes again', () => {
    const rig = rejecting(FAILURE, { random: () => 0.5 });
    give(rig, 3);
    rig.clock.advance(10_000);
    rig.fallback.does = 'success';
    give(rig, 2);
    expect(rig.fallback.names).toHaveLength(5);
    expect(rig.told['1']?.at(-1)).toEqual(SUCCESS);
  });

  it.each([
    ['refused this payload', REFUSED],
    ['sent nothing', NOT_SENT],
    ['threw', 'throw'],
  ] as const)('that does not open where the fallback %s', (_, outcome) => {
    const rig = rejecting(outcome);
    give(rig, 10);
    expect(rig.fallback.names).toHaveLength(10);
    expect(rig.delivery.lostBy.fallback).toBe(10);
  });

  it('whose probe holds up its caller for 1 s at most, and is accounted for when it is answered', () => {
    const rig = rejecting(FAILURE, { random: () => 0.5 });
    give(rig, 3);
    rig.clock.advance(10_000);
    rig.fallback.does = 'hold';
    rig.export('probe', 2);
    rig.clock.advance(999);
    expect(rig.told['probe']).toEqual([]);
    rig.clock.advance(1);
    expect(rig.told['probe']).toMatchObject([{ code: 1, error: { code: 'ERR_CIRCUIT_OPEN' } }]);
    expect(rig.delivery.inFlight).toEqual({ batches: 1, items: 2 });
    rig.fallback.release();
    expect(rig.told['probe']).toHaveLength(1);
    expect(rig.delivery).toMatchObject({ fallback: { batches: 1, items: 2 }, inFlight: NOTHING });
  });

  it('has the caller of a batch that is no probe wait for its answer', () => {
    const rig = rejecting('hold');
    give(rig, 1);
    rig.clock.advance(2_000);
    expect(rig.told['0']).toEqual([]);
    rig.fallback.release();
    expect(rig.told['0']).toEqual([SUCCESS]);
  });

  it('whose probe throws lets the next batch be the next probe', () => {
    const rig = rejecting(FAILURE);
    give(rig, 3);
    rig.clock.advance(30_000);
    rig.fallback.does = 'throw';
    give(rig, 2);
    expect(rig.fallback.names).toHaveLength(5);
  });

  it('whose probe has the time of an export, where that is more than 30 s', () => {
    const rig = rejecting(FAILURE, { random: () => 0.5, exportTimeoutMillis: 60_000 });
    give(rig, 3);
    rig.clock.advance(10_000);
    rig.fallback.does = 'hang';
    rig.export('probe');
    for (const millis of [31_000, 28_000]) {
      rig.clock.advance(millis);
      rig.export('rejected');
    }
    expect(rig.fallback.names.slice(3)).toEqual(['probe']);
    rig.clock.advance(61_000);
    rig.export('the next probe');
    expect(rig.fallback.names.slice(3)).toEqual(['probe', 'the next probe']);
  });

  it('moves nothing of the exporter’s breaker, and is not logged', () => {
    const rig = rejecting(FAILURE);
    const seen: unknown[] = [];
    rig.breaker.onTransition((transition) => seen.push(transition));
    give(rig, 5);
    expect(seen).toEqual([]);
    expect(rig.exporter.snapshot().exports).toMatchObject({ failure: 0, rejected: 5 });
  });

  it('not where it is a CircuitBreakerExporter itself', () => {
    const second = new Backend();
    const inner = new CircuitBreakerExporter<Batch>(second, { tripPolicy: consecutiveFailures(10) });
    const exporter = new CircuitBreakerExporter<Batch>(new Backend(), { fallback: inner });
    second.does = FAILURE;
    exporter.breaker.forceOpen();
    for (let i = 0; i < 12; i++) exporter.export(['A'], () => {});
    expect(second.batches).toHaveLength(10);
    expect(exporter.snapshot().delivery.lostBy.fallback).toBe(12);
  });
});

describe('forceFlush() and shutdown() reach the fallback', () => {
  it('once each', async () => {
    const rig = new Rig({ fallback: true });
    await rig.exporter.forceFlush();
    await Promise.all([rig.exporter.shutdown(), rig.exporter.shutdown()]);
    expect([rig.fallback.flushes, rig.fallback.shutdowns]).toEqual([1, 1]);
    expect([rig.inner.flushes, rig.inner.shutdowns]).toEqual([1, 1]);
  });

  it('without forceFlush it is not asked to', async () => {
    const rig = new Rig({ fallback: true });
    Object.assign(rig.fallback, { forceFlush: undefined });
    await expect(rig.exporter.forceFlush()).resolves.toBeUndefined();
  });

  it('what they reject with there goes to onError, and they resolve', async () => {
    const rig = new Rig({ fallback: true });
    rig.fallback.forceFlush = () => Promise.reject(new Error('no'));
    rig.fallback.shutdown = () => Promise.reject(new Error('no'));
    await rig.exporter.forceFlush();
    await rig.exporter.shutdown();
    expect(rig.problems).toHaveLength(2);
  });

  it('a flush begins there when the inner exporter’s is over: the fallback may have been given something by then', async () => {
    const rig = new Rig({ fallback: true });
    const order: string[] = [];
    rig.inner.forceFlush = async () => {
      order.push('inner');
      await settled();
      order.push('inner flushed');
    };
    rig.fallback.forceFlush = async () => void order.push('fallback');
    await rig.exporter.forceFlush();
    expect(order).toEqual(['inner', 'inner flushed', 'fallback']);
  });

  it('a flush that hangs there is given up after exportTimeoutMillis', async () => {
    const rig = new Rig({ fallback: true, exportTimeoutMillis: 1_000 });
    rig.fallback.forceFlush = () => new Promise(() => {});
    const flushing = watch(rig.exporter.forceFlush());
    await settled();
    rig.clock.advance(999);
    await settled();
    expect(flushing.done).toBe(false);
    rig.clock.advance(1);
    await settled();
    expect(flushing).toEqual({ done: true, rejected: undefined });
    expect(rig.problems).toHaveLength(1);
  });
});

describe('the option', () => {
  it.each([[{}], [{ export: () => {} }], [{ shutdown: () => {} }], ['file'], [null]])(
    'refuses %j, which is no exporter',
    (fallback) => {
      const make = (): unknown =>
        new CircuitBreakerExporter(new Backend(), { fallback: fallback as unknown as Backend });
      expect(make).toThrow(TypeError);
      expect(make).toThrow(/"fallback"/);
    },
  );
});

describe('what the circuit of the fallback rejects', () => {
  it('was seen by no exporter, unless the inner exporter has seen it', () => {
    const rig = new Rig({ retention: false, fallback: true });
    const unseen = () => exporterInternalsOf(rig.exporter)?.ledger.lostUnseen.fallback;
    rig.inner.does = FAILURE;
    rig.fallback.does = FAILURE;
    for (const name of ['sent', 'A', 'B']) rig.export(name);
    expect(rig.fallback.names).toHaveLength(3);
    expect(unseen()).toBe(0);
    rig.export('C', 2);
    expect(rig.fallback.names).toHaveLength(3);
    expect(unseen()).toBe(2);
    rig.breaker.reset();
    rig.export('sent, too');
    expect(rig.fallback.names).toHaveLength(3);
    expect(unseen()).toBe(2);
  });
});
