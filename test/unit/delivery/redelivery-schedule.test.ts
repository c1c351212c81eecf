import { describe, expect, it, vi } from 'vitest';
import type { Batch } from './rig.ts';
import { FAILURE, NOT_SENT, NOTHING, REFUSED, Rig, settled, watch } from './rig.ts';

/** Kept batches come to nothing, live ones get through. */
const onlyLive =
  (outcome: typeof FAILURE) =>
  (given: Batch): typeof FAILURE | 'success' =>
    given[0]?.startsWith('live') ? 'success' : outcome;

describe('pace: what live successes grant', () => {
  it('is one redelivery by default, of the oldest, and not in place of the live batch', () => {
    const rig = new Rig();
    rig.keepAndClose('A', 'B');

    rig.export('live 1');
    expect(rig.inner.names).toEqual(['live 1', 'A']);
    rig.export('live 2');
    expect(rig.inner.names).toEqual(['live 1', 'A', 'live 2', 'B']);

    expect(rig.delivery).toMatchObject({
      delivered: { batches: 4, items: 4 },
      redelivered: { batches: 2, items: 2 },
      kept: { batches: 0, items: 0 },
    });
  });

  it('comes after the caller of the live batch has been told', () => {
    const rig = new Rig();
    rig.keepAndClose('A');
    let sentBefore = -1;
    rig.exporter.export(['live'], () => {
      sentBefore = rig.inner.batches.length;
    });
    expect(sentBefore).toBe(1);
    expect(rig.inner.names).toEqual(['live', 'A']);
  });

  it('comes also when the caller of the live batch throws', () => {
    const rig = new Rig();
    rig.keepAndClose('A');
    expect(() =>
      rig.exporter.export(['live'], () => {
        throw new Error('mine');
      }),
    ).toThrow('mine');
    expect(rig.inner.names).toEqual(['live', 'A']);
    expect(rig.kept).toBe(0);
  });

  it('is `pace` redeliveries', () => {
    const rig = new Rig({ retention: { pace: 3 } });
    rig.keepAndClose('A', 'B', 'C', 'D', 'E');
    rig.export('live');
    expect(rig.inner.names).toEqual(['live', 'A', 'B', 'C']);
    rig.export('live');
    expect(rig.inner.names.slice(4)).toEqual(['live', 'D', 'E']);
  });

  it('is sent one at a time: the next when the one before is answered', () => {
    const rig = new Rig({ retention: { pace: 3 } });
    rig.keepAndClose('A', 'B', 'C');
    rig.inner.does = (given) => (given[0] === 'live' ? 'success' : 'hold');
    rig.export('live');
    expect(rig.inner.names).toEqual(['live', 'A']);
    rig.export('live');
    expect(rig.inner.names).toEqual(['live', 'A', 'live']);
    rig.inner.release();
    expect(rig.inner.names).toEqual(['live', 'A', 'live', 'B']);
    rig.inner.release();
    expect(rig.inner.names).toEqual(['live', 'A', 'live', 'B', 'C']);
  });

  it('is, with Infinity, all that is kept, as fast as the backend answers, without deep recursion', () => {
    const rig = new Rig({ retention: { pace: Number.POSITIVE_INFINITY } });
    rig.breaker.forceOpen();
    const count = 900;
    for (let i = 0; i < count; i++) rig.exporter.export([`${i}`], () => {});
    rig.breaker.reset();
    let deepest = 0;
    let seen = 0;
    rig.inner.onExport = () => {
      // A look now and then: source maps make a long stack expensive.
      if (seen++ % 100 !== 0) return;
      const { stackTraceLimit } = Error;
      Error.stackTraceLimit = 200;
      deepest = Math.max(deepest, new Error().stack?.split('\n').length ?? 0);
      Error.stackTraceLimit = stackTraceLimit;
    };

    rig.export('live');

    expect(rig.delivery).toMatchObject({ redelivered: { batches: count }, kept: { batches: 0 } });
    expect(rig.inner.names.slice(1)).toEqual(Array.from({ length: count }, (_, i) => `${i}`));
    expect(deepest).toBeLessThan(100);
  });

  it('is, with Infinity, ended by the first that fails', () => {
    const rig = new Rig({ retention: { pace: Number.POSITIVE_INFINITY } });
    rig.keepAndClose('A', 'B', 'C');
    rig.inner.does = (given) => (given[0] === 'B' ? FAILURE : 'success');
    rig.export('live');
    expect(rig.inner.names).toEqual(['live', 'A', 'B']);
  });

  it('grants nothing for a redelivery that succeeds', () => {
    const rig = new Rig();
    rig.keepAndClose('A', 'B');
    rig.export('live');
    expect(rig.inner.names).toEqual(['live', 'A']);
    expect(rig.kept).toBe(1);
  });

  it.each([
    ['a failure', FAILURE],
    ['an ignored result', NOT_SENT],
    ['an invalid result', REFUSED],
  ])('grants nothing for %s', (_what, outcome) => {
    const rig = new Rig();
    rig.keep('A');
    rig.breaker.forceClosed();
    rig.inner.does = outcome;
    rig.export('live');
    expect(rig.inner.names).toEqual(['live']);
  });

  it('counts a live probe that closes the circuit', () => {
    const rig = new Rig();
    rig.trip('A');
    rig.mayProbe = true;
    rig.export('live');
    expect(rig.inner.names).toEqual(['A', 'live', 'A']);
    expect(rig.kept).toBe(0);
  });

  it('does not count a live probe that does not close it yet', () => {
    const rig = new Rig({ successThreshold: 2 });
    rig.trip('A');
    rig.mayProbe = true;
    rig.export('live 1');
    expect(rig.state).toBe('HALF_OPEN');
    expect(rig.inner.names).toEqual(['A', 'live 1']);
    rig.export('live 2');
    expect(rig.inner.names).toEqual(['A', 'live 1', 'live 2', 'A']);
  });

  it('does not count a success of a live batch that is answered while the circuit is open', () => {
    const rig = new Rig();
    rig.inner.does = 'hold';
    rig.export('live');
    rig.keep('A');
    rig.inner.release();
    expect(rig.inner.names).toEqual(['live']);
    rig.breaker.reset();
    expect(rig.inner.names).toEqual(['live']);
  });

  it('nor keeps it for later, while a redelivery is out', () => {
    const rig = new Rig();
    rig.inner.does = 'hold';
    rig.export('live');
    rig.keepAndClose('A', 'B');
    void rig.exporter.redeliver();
    rig.breaker.forceOpen();
    rig.inner.release();
    rig.breaker.reset();
    rig.inner.release();
    expect(rig.inner.names).toEqual(['live', 'A']);
    expect(rig.kept).toBe(1);
  });

  it('counts live successes while the circuit is forced closed', () => {
    const rig = new Rig();
    rig.keep('A');
    rig.breaker.forceClosed();
    rig.export('live');
    expect(rig.inner.names).toEqual(['live', 'A']);
  });

  it('is void when it finds nothing to send', () => {
    const rig = new Rig({ retention: { pace: 5 } });
    for (let i = 0; i < 10; i++) rig.export('live');
    rig.keepAndClose('A', 'B');
    expect(rig.inner.names).not.toContain('A');
    rig.breaker.forceClosed();
    rig.inner.does = NOT_SENT;
    rig.export('C');
    expect(rig.inner.names).not.toContain('A');
  });

  it('is void when all that is left is being sent already', () => {
    const rig = new Rig({ retention: { pace: 5 } });
    rig.keepAndClose('A');
    rig.inner.does = (given) => (given[0] === 'A' ? 'hold' : given[0] === 'B' ? NOT_SENT : 'success');
    rig.export('live');
    rig.export('live');
    rig.export('B');
    rig.inner.release();
    expect(rig.inner.names).toEqual(['live', 'A', 'live', 'B']);
    expect(rig.kept).toBe(1);
  });

  it('is void when redeliver() is sending all that is left', () => {
    const rig = new Rig();
    rig.keepAndClose('A', 'B');
    rig.inner.does = ([name]) => (name?.startsWith('live') ? 'success' : name === 'C' ? NOT_SENT : 'hold');
    rig.export('live 1');
    rig.export('live 2');
    void rig.exporter.redeliver();
    rig.inner.release();
    expect(rig.inner.names).toEqual(['live 1', 'A', 'live 2', 'B']);
    rig.export('C');
    rig.inner.release();
    expect(rig.inner.names).toEqual(['live 1', 'A', 'live 2', 'B', 'C']);
    expect(rig.kept).toBe(1);
  });

  it('is void when the circuit opens', () => {
    const rig = new Rig({ retention: { pace: 5 } });
    rig.keepAndClose('A', 'B');
    rig.inner.does = (given) => (given[0] === 'A' ? 'hold' : 'success');
    rig.export('live');
    rig.breaker.forceOpen();
    rig.inner.release();
    expect(rig.inner.names).toEqual(['live', 'A']);
    rig.breaker.reset();
    rig.inner.does = NOT_SENT;
    rig.export('C');
    expect(rig.inner.names).toEqual(['live', 'A', 'C']);
  });

  it('is void when the circuit opens and closes again while a redelivery is out', () => {
    const rig = new Rig({ retention: { pace: 5 } });
    rig.keepAndClose('A', 'B');
    rig.inner.does = (given) => (given[0] === 'A' ? 'hold' : 'success');
    rig.export('live');
    rig.breaker.forceOpen();
    rig.breaker.reset();
    rig.inner.release();
    expect(rig.inner.names).toEqual(['live', 'A']);
  });

  it.each([
    ['fails', FAILURE],
    ['is ignored', NOT_SENT],
  ])('is cancelled by a redelivery that %s; the others wait for the next live success', (_what, outcome) => {
    const rig = new Rig({ retention: { pace: 3 } });
    rig.keepAndClose('A', 'B', 'C');
    rig.inner.does = onlyLive(outcome);
    rig.export('live');
    expect(rig.inner.names).toEqual(['live', 'A']);
    expect(rig.kept).toBe(3);

    rig.inner.does = 'success';
    rig.export('live');
    expect(rig.inner.names).toEqual(['live', 'A', 'live', 'B', 'C', 'A']);
  });

  it('cancels what other live batches granted, too', () => {
    const rig = new Rig();
    rig.keepAndClose('A', 'B', 'C');
    rig.inner.does = (given) => (given[0] === 'A' ? 'hold' : 'success');
    rig.export('live');
    rig.export('live');
    rig.export('live');
    rig.inner.release(FAILURE);
    expect(rig.inner.names).toEqual(['live', 'A', 'live', 'live']);
  });
});

describe('the round: one poisoned batch must not starve those behind it', () => {
  const poisoned = ([name]: Batch) => (name === 'poison' ? FAILURE : 'success');

  it('a batch that fails lets all others go first, by live successes', () => {
    const rig = new Rig();
    rig.keepAndClose('poison', 'B', 'C');
    rig.inner.does = poisoned;
    for (let i = 0; i < 4; i++) rig.export('live');
    expect(rig.inner.names.filter((name) => name !== 'live')).toEqual(['poison', 'B', 'C', 'poison']);
  });

  it('also by ticks, in an idle hour', () => {
    const rig = new Rig();
    rig.keepAndClose('poison', 'B', 'C', 'D');
    rig.inner.does = poisoned;
    rig.clock.advance(3_600_000);
    expect(rig.delivery).toMatchObject({ redelivered: { batches: 3 }, evicted: { attempts: 0 } });
    expect(rig.inner.names.slice(0, 5)).toEqual(['poison', 'B', 'C', 'D', 'poison']);
  });

  it('several that fail go in turn', () => {
    const rig = new Rig();
    rig.keepAndClose('A', 'B', 'C');
    rig.inner.does = onlyLive(FAILURE);
    for (let i = 0; i < 5; i++) rig.export('live');
    expect(rig.inner.names.filter((name) => name !== 'live')).toEqual(['A', 'B', 'C', 'A', 'B']);
  });
});

describe('live batches are never held up', () => {
  it('the inner exporter sees each within the same call, while a redelivery is out', () => {
    const rig = new Rig({ retention: { pace: Number.POSITIVE_INFINITY } });
    rig.keepAndClose('A', 'B');
    rig.inner.does = (given) => (given[0] === 'A' ? 'hold' : 'success');
    rig.export('live 1');
    for (const name of ['live 2', 'live 3']) {
      rig.export(name);
      expect(rig.inner.names.at(-1)).toBe(name);
      expect(rig.told[name]).toEqual([{ code: 0 }]);
    }
  });

  it('nor one that is offered while the exporter is redelivering', () => {
    const rig = new Rig({ retention: { pace: 2 } });
    rig.keepAndClose('A', 'B');
    const order: string[] = [];
    rig.inner.onExport = ([name]) => {
      order.push(name ?? '');
      if (name === 'A') {
        rig.export('live 2');
        order.push('told');
      }
    };
    rig.export('live 1');
    expect(order).toEqual(['live 1', 'A', 'live 2', 'told', 'B']);
  });
});

describe('a redelivery', () => {
  it('has the time-out of any export, and keeps its place then', () => {
    const rig = new Rig({ exportTimeoutMillis: 2_000, retention: { idleMillis: 0 } });
    rig.keepAndClose('A', 'B');
    rig.inner.does = ([name]) => (name === 'A' ? 'hold' : 'success');
    rig.export('live');
    rig.clock.advance(1_999);
    expect(rig.exporter.snapshot().exports.failure).toBe(0);
    rig.clock.advance(1);
    expect(rig.exporter.snapshot()).toMatchObject({
      exports: { failure: 1 },
      lastFailure: { code: 'ERR_EXPORT_TIMEOUT' },
    });
    expect(rig.kept).toBe(2);
  });

  it('may take as long as it wants with exportTimeoutMillis 0', () => {
    const rig = new Rig({ exportTimeoutMillis: 0, retention: { idleMillis: 0 } });
    rig.keepAndClose('A');
    rig.inner.does = 'hold';
    void rig.exporter.redeliver();
    rig.clock.advance(1e9);
    rig.inner.release();
    expect(rig.delivery.redelivered.batches).toBe(1);
  });

  it('that fails moves totals and lastFailure, and no policy, no state, no streak', () => {
    const onFailure = vi.fn(() => true);
    const onSuccess = vi.fn(() => false);
    const rig = new Rig({
      tripPolicy: { createDetector: () => ({ onFailure, onSuccess, reset: () => {} }) },
    });
    rig.keepAndClose('A');
    rig.inner.does = onlyLive(FAILURE);
    rig.export('live');
    const before = onSuccess.mock.calls.length;
    expect(before).toBe(1);

    expect(onFailure).not.toHaveBeenCalled();
    expect(rig.exporter.snapshot()).toMatchObject({
      state: 'CLOSED',
      consecutiveFailures: 0,
      exports: { success: 1, failure: 1 },
      items: { success: 1, failure: 1 },
      probes: { success: 0, failure: 0 },
      lastFailure: { message: 'down', at: rig.clock.now() },
      exportDurations: { count: 2 },
      batchSizes: { count: 2 },
    });
  });

  it('that succeeds moves totals and lastSuccessAt, and ends no streak', () => {
    const onSuccess = vi.fn(() => true);
    const rig = new Rig({
      tripPolicy: { createDetector: () => ({ onFailure: () => false, onSuccess, reset: () => {} }) },
    });
    rig.keepAndClose('A');
    rig.inner.does = FAILURE;
    rig.export('B');
    rig.inner.does = 'success';

    void rig.exporter.redeliver();

    expect(onSuccess).not.toHaveBeenCalled();
    expect(rig.exporter.snapshot()).toMatchObject({
      state: 'CLOSED',
      consecutiveFailures: 1,
      exports: { success: 2, failure: 1 },
      lastSuccessAt: rig.clock.now(),
    });
  });

  it('that is invalid moves totals and lastInvalid, and no streak', () => {
    const rig = new Rig();
    rig.keepAndClose('A');
    rig.inner.does = onlyLive(REFUSED);
    rig.export('live');
    expect(rig.exporter.snapshot()).toMatchObject({
      consecutiveInvalid: 0,
      exports: { invalid: 1 },
      lastInvalid: { code: 400 },
    });
  });

  it('of a poisoned batch never opens the circuit, nor keeps others from getting through', () => {
    const rig = new Rig({ retention: { maxAttempts: 3 } });
    rig.keepAndClose('poison', 'B', 'C');
    rig.inner.does = ([name]) => (name === 'poison' ? FAILURE : 'success');
    for (let i = 0; i < 5; i++) rig.export('live');
    expect(rig.exporter.snapshot().transitions['CLOSED->OPEN']).toBe(1);
    expect(rig.state).toBe('CLOSED');
    expect(rig.inner.names.filter((name) => name !== 'live')).toEqual([
      'poison',
      'B',
      'C',
      'poison',
      'poison',
    ]);
    expect(rig.delivery).toMatchObject({ kept: NOTHING, evicted: { attempts: 1 } });
  });

  it('is judged as any export: a rejection, no result and no answer are failures, unasked', async () => {
    const rig = new Rig({ classify: () => 'success', retention: { idleMillis: 0 } });
    rig.keepAndClose('A', 'B');
    for (const [i, exports] of [
      () => Promise.reject(new Error('rejected')),
      (_: Batch, answer: (result: never) => void) => answer(undefined as never),
      () => {},
    ].entries()) {
      rig.inner.export = exports as typeof rig.inner.export;
      const redelivering = rig.exporter.redeliver();
      for (let batch = 0; batch < 2; batch++) {
        await settled();
        rig.clock.advance(15_000);
      }
      await redelivering;
      expect(rig.kept).toBe(2);
      expect(rig.exporter.snapshot().exports.failure).toBe(2 * (i + 1));
    }
  });

  it('is classified as any export: what counts as a success is delivered', () => {
    const rig = new Rig({ classify: () => 'success' });
    rig.keepAndClose('A', 'B');
    rig.inner.does = FAILURE;
    void rig.exporter.redeliver();
    expect(rig.delivery).toMatchObject({ kept: NOTHING, redelivered: { batches: 2 } });
  });

  it('is classified as any export: what made export() throw is invalid, and evicted', () => {
    const rig = new Rig({ fallback: true, classify: () => 'failure' });
    rig.keepAndClose('A', 'B');
    rig.inner.does = ([name]) => (name === 'A' ? 'throw' : 'success');
    void rig.exporter.redeliver();
    expect(rig.fallback.names).toEqual(['A']);
    expect(rig.delivery).toMatchObject({ kept: NOTHING, evicted: { invalid: 1 } });
    expect(rig.exporter.snapshot()).toMatchObject({ exports: { invalid: 1 }, consecutiveInvalid: 0 });
  });

  it('is answered once: of two answers the first counts', () => {
    const rig = new Rig();
    rig.keepAndClose('A', 'B');
    rig.inner.does = (given) => (given[0] === 'A' ? 'twice' : 'success');
    void rig.exporter.redeliver();
    expect(rig.inner.names).toEqual(['A', 'B']);
    expect(rig.delivery).toMatchObject({ kept: { batches: 0 }, redelivered: { batches: 2 } });
  });

  it('that is answered after the circuit has opened is delivered, and the next waits', () => {
    const rig = new Rig();
    rig.keepAndClose('A', 'B');
    rig.inner.does = 'hold';
    void rig.exporter.redeliver();
    rig.breaker.forceOpen();
    rig.inner.release();
    expect(rig.inner.names).toEqual(['A']);
    expect(rig.delivery).toMatchObject({ kept: { batches: 1 }, redelivered: { batches: 1 } });
    expect(rig.state).toBe('OPEN');
  });
});

describe('redeliver()', () => {
  it('sends what is kept now, oldest first, as fast as it is answered', async () => {
    const rig = new Rig();
    rig.keepAndClose('A', 'B', 'C');
    await rig.exporter.redeliver();
    expect(rig.inner.names).toEqual(['A', 'B', 'C']);
    expect(rig.kept).toBe(0);
  });

  it('sends one at a time, and resolves when the last is answered', async () => {
    const rig = new Rig();
    rig.keepAndClose('A', 'B');
    rig.inner.does = 'hold';
    const redelivering = watch(rig.exporter.redeliver());
    rig.inner.release();
    await settled();
    expect(rig.inner.names).toEqual(['A', 'B']);
    expect(redelivering.done).toBe(false);
    rig.inner.release();
    await settled();
    expect(redelivering).toEqual({ done: true, rejected: undefined });
  });

  it('does not send what is kept later', async () => {
    const rig = new Rig();
    rig.keep('A');
    rig.breaker.forceClosed();
    rig.inner.does = (given) => (given[0] === 'A' ? 'hold' : FAILURE);
    const redelivering = watch(rig.exporter.redeliver());
    rig.export('B');
    rig.inner.release();
    await settled();
    expect(rig.inner.names).toEqual(['A', 'B']);
    expect(redelivering.done).toBe(true);
    expect(rig.kept).toBe(1);
  });

  it.each([
    ['failed', FAILURE],
    ['were ignored', NOT_SENT],
  ])('ends, and resolves, when three in a row %s', async (_what, outcome) => {
    const rig = new Rig();
    rig.keepAndClose('A', 'B', 'C', 'D', 'E', 'F', 'G');
    rig.inner.does = ([name]) => (name === 'C' ? 'success' : outcome);
    await rig.exporter.redeliver();
    expect(rig.inner.names).toEqual(['A', 'B', 'C', 'D', 'E', 'F']);
    expect(rig.kept).toBe(6);
  });

  it('goes on past one and past two that fail, and does not try them again', async () => {
    const rig = new Rig();
    rig.keepAndClose('A', 'B', 'C', 'D', 'E');
    rig.inner.does = ([name]) => (['A', 'C', 'D'].includes(name ?? '') ? FAILURE : 'success');
    await rig.exporter.redeliver();
    expect(rig.inner.names).toEqual(['A', 'B', 'C', 'D', 'E']);
    expect(rig.kept).toBe(3);
  });

  it('begins where the round is: with the next oldest after the one that failed last', async () => {
    const rig = new Rig();
    rig.keepAndClose('A', 'B', 'C');
    rig.inner.does = FAILURE;
    rig.export('live');
    rig.breaker.reset();
    rig.inner.does = onlyLive(FAILURE);
    rig.export('live');
    rig.inner.does = 'success';
    await rig.exporter.redeliver();
    expect(rig.inner.names).toEqual(['live', 'live', 'A', 'B', 'C', 'live', 'A']);
  });

  it('goes on past an invalid one', async () => {
    const rig = new Rig();
    rig.keepAndClose('A', 'B');
    rig.inner.does = (given) => (given[0] === 'A' ? REFUSED : 'success');
    await rig.exporter.redeliver();
    expect(rig.inner.names).toEqual(['A', 'B']);
    expect(rig.delivery).toMatchObject({ kept: { batches: 0 }, evicted: { invalid: 1 } });
  });

  it.each(['OPEN', 'HALF_OPEN'] as const)('sends nothing while %s, and resolves', async (state) => {
    const rig = new Rig();
    rig.trip('A');
    if (state === 'HALF_OPEN') {
      rig.mayProbe = true;
      rig.inner.does = 'hold';
      rig.export('probe');
    }
    expect(rig.state).toBe(state);
    const before = rig.inner.names.length;
    await rig.exporter.redeliver();
    expect(rig.inner.names).toHaveLength(before);
  });

  it('is over at once while a kept batch probes, and sends nothing when that succeeds', async () => {
    const rig = new Rig();
    rig.trip('A');
    rig.keep('B');
    rig.mayProbe = true;
    rig.inner.does = 'hold';
    rig.clock.advance(15_000);
    expect(rig.state).toBe('HALF_OPEN');
    const redelivering = watch(rig.exporter.redeliver());
    await settled();
    expect(redelivering).toEqual({ done: true, rejected: undefined });
    rig.inner.release();
    expect(rig.state).toBe('CLOSED');
    expect(rig.inner.names).toEqual(['A', 'A']);
  });

  it('is over at once while OPEN, also with a redelivery out', async () => {
    const rig = new Rig({ exportTimeoutMillis: 0 });
    rig.keepAndClose('A', 'B');
    rig.inner.does = 'hold';
    void rig.exporter.redeliver();
    rig.trip('C');
    const redelivering = watch(rig.exporter.redeliver());
    await settled();
    expect(redelivering.done).toBe(true);
    rig.breaker.reset();
    rig.inner.release();
    expect(rig.inner.names).toEqual(['A', 'C']);
  });

  it('is over for each caller when what was kept at its call is sent', async () => {
    const rig = new Rig();
    rig.keep('A');
    rig.breaker.forceClosed();
    let failures = 1;
    rig.inner.does = (given) => (given[0] === 'B' && failures-- > 0 ? FAILURE : 'hold');
    const first = watch(rig.exporter.redeliver());
    rig.export('B');
    const second = watch(rig.exporter.redeliver());
    rig.inner.release();
    await settled();
    expect([first.done, second.done]).toEqual([true, false]);
  });

  it('sends while the circuit is forced closed', async () => {
    const rig = new Rig();
    rig.keep('A');
    rig.breaker.forceClosed();
    await rig.exporter.redeliver();
    expect(rig.inner.names).toEqual(['A']);
  });

  it('ends, and resolves, when the circuit opens', async () => {
    const rig = new Rig();
    rig.keepAndClose('A', 'B');
    rig.inner.does = 'hold';
    const redelivering = rig.exporter.redeliver();
    rig.breaker.forceOpen();
    rig.inner.release();
    await redelivering;
    rig.breaker.reset();
    expect(rig.inner.names).toEqual(['A']);
  });

  it('resolves with nothing kept, without retention, and after shutdown', async () => {
    const rig = new Rig();
    await rig.exporter.redeliver();
    await rig.exporter.shutdown();
    await rig.exporter.redeliver();
    await new Rig({ retention: false }).exporter.redeliver();
    await new Rig({ enabled: false }).exporter.redeliver();
  });

  it('sends each batch once, however often it is called', async () => {
    const rig = new Rig();
    rig.keepAndClose('A', 'B');
    rig.inner.does = 'hold';
    const both = Promise.all([rig.exporter.redeliver(), rig.exporter.redeliver()]);
    rig.inner.release();
    rig.inner.release();
    await both;
    expect(rig.inner.names).toEqual(['A', 'B']);
  });

  it('takes nothing off the grants', () => {
    const rig = new Rig();
    rig.keepAndClose('A');
    void rig.exporter.redeliver();
    rig.keepAndClose('B');
    rig.export('live');
    expect(rig.inner.names).toEqual(['A', 'live', 'B']);
  });

  it('leaves the grants to what was kept later', () => {
    const rig = new Rig({ retention: { pace: 3 } });
    rig.keepAndClose('A', 'B', 'C');
    rig.inner.does = ([name]) => (name === 'A' ? 'hold' : name === 'D' ? NOT_SENT : 'success');
    rig.export('live');
    void rig.exporter.redeliver();
    rig.export('D');
    rig.inner.does = 'success';
    rig.inner.release();
    expect(rig.inner.names).toEqual(['live', 'A', 'D', 'B', 'C', 'D']);
  });

  it('never rejects, whatever the inner exporter does', async () => {
    const rig = new Rig();
    rig.keepAndClose('A', 'B', 'C', 'D');
    rig.inner.export = () => Promise.reject(new Error('no')) as unknown as undefined;
    await expect(rig.exporter.redeliver()).resolves.toBeUndefined();
    expect(rig.kept).toBe(4);
  });

  it('keeps the process alive until it has resolved', async () => {
    const rig = new Rig({ exportTimeoutMillis: 0, retention: { idleMillis: 0 } });
    rig.keepAndClose('A');
    rig.inner.does = 'hold';
    const redelivering = rig.exporter.redeliver();
    expect([...rig.clock.pending]).toEqual([{ keepAlive: true }]);
    rig.inner.release();
    await redelivering;
    expect(rig.clock.pending.size).toBe(0);
  });
});

describe('forceFlush()', () => {
  it('does not redeliver', async () => {
    const rig = new Rig({ fallback: true });
    rig.keepAndClose('A');
    await rig.exporter.forceFlush();
    expect(rig.inner.names).toEqual([]);
    expect(rig.kept).toBe(1);
    expect([rig.inner.flushes, rig.fallback.flushes]).toEqual([1, 1]);
  });
});
