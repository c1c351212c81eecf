import { describe, expect, it } from 'vitest';
import { CircuitBreakerExporter, CircuitOpenError } from '../../../src/index.ts';
import type { ScriptedOutcome } from '../../../src/testing/index.ts';
import {
  balance,
  FAILURE,
  NOT_SENT,
  NOTHING,
  REFUSED,
  Rig,
  recordWarnings,
  SUCCESS,
  settled,
} from './rig.ts';

const warnings = recordWarnings();

/** Ways in which a batch does not get through, each on a closed circuit that is held closed. */
const failures: readonly (readonly [string, ScriptedOutcome])[] = [
  ['failed', FAILURE],
  ['timed out', 'hang'],
  ['was ignored', NOT_SENT],
];

function exportOne(rig: Rig, outcome: ScriptedOutcome): void {
  rig.breaker.forceClosed();
  rig.inner.does = outcome;
  rig.export('A', 3);
  if (outcome === 'hang') rig.clock.advance(15_000);
}

describe('a batch goes down a cascade: inner exporter, then retention, then fallback, then lost', () => {
  it('goes no further than the inner exporter when that accepts it', () => {
    const rig = new Rig({ fallback: true });

    rig.export('A', 3);

    expect(rig.told['A']).toEqual([SUCCESS]);
    expect(rig.inner.names).toEqual(['A']);
    expect(rig.fallback.names).toEqual([]);
    expect(rig.delivery).toMatchObject({
      offered: { batches: 1, items: 3 },
      delivered: { batches: 1, items: 3 },
      redelivered: NOTHING,
      kept: NOTHING,
      inFlight: NOTHING,
    });
  });

  it.each(failures)('is kept, and not for the fallback, when it %s', (_what, outcome) => {
    const rig = new Rig({ fallback: true });

    exportOne(rig, outcome);

    expect(rig.told['A']).toEqual([SUCCESS]);
    expect(rig.fallback.names).toEqual([]);
    expect(rig.delivery).toMatchObject({ kept: { batches: 1, items: 3 }, inFlight: NOTHING, lost: NOTHING });
  });

  it.each(failures)('goes to the fallback without retention, when it %s', (_what, outcome) => {
    const rig = new Rig({ fallback: true, retention: false });

    exportOne(rig, outcome);

    expect(rig.told['A']).toEqual([SUCCESS]);
    expect(rig.fallback.names).toEqual(['A']);
    expect(rig.delivery).toMatchObject({ fallback: { batches: 1, items: 3 }, lost: NOTHING, kept: NOTHING });
  });

  it.each(failures)('is lost without either, when it %s', (_what, outcome) => {
    const rig = new Rig({ retention: false });

    exportOne(rig, outcome);

    expect(rig.told['A']).toMatchObject([{ code: 1, error: expect.any(Error) as Error }]);
    expect(rig.delivery).toMatchObject({ lost: { batches: 1, items: 3 }, inFlight: NOTHING });
  });

  it('keeps a rejected batch, else gives it to the fallback, else loses it', () => {
    const kept = new Rig({ fallback: true });
    const passedOn = new Rig({ fallback: true, retention: false });
    const lost = new Rig({ retention: false });
    for (const rig of [kept, passedOn, lost]) {
      rig.breaker.forceOpen();
      rig.export('A', 3);
      expect(rig.inner.names).toEqual([]);
      expect(rig.exporter.snapshot().items.rejected).toBe(3);
    }

    expect(kept.told['A']).toEqual([SUCCESS]);
    expect(kept.delivery).toMatchObject({ kept: { batches: 1, items: 3 }, fallback: NOTHING });
    expect(passedOn.told['A']).toEqual([SUCCESS]);
    expect(passedOn.delivery).toMatchObject({ fallback: { batches: 1, items: 3 } });
    expect(lost.told['A']).toMatchObject([{ code: 1, error: expect.any(CircuitOpenError) as Error }]);
    expect(lost.delivery).toMatchObject({ lost: { batches: 1, items: 3 } });
  });

  it('keeps the batch of a live probe that fails', () => {
    const rig = new Rig();
    rig.trip('A');
    rig.mayProbe = true;
    rig.inner.does = FAILURE;

    rig.export('B');

    expect(rig.exporter.snapshot().probes).toEqual({ success: 0, failure: 1 });
    expect(rig.told['B']).toEqual([SUCCESS]);
    expect(rig.delivery.kept.batches).toBe(2);
  });

  it('never keeps an invalid batch: fallback, else lost', () => {
    const passedOn = new Rig({ fallback: true });
    passedOn.inner.does = REFUSED;
    passedOn.export('A', 3);
    expect(passedOn.told['A']).toEqual([SUCCESS]);
    expect(passedOn.fallback.names).toEqual(['A']);
    expect(passedOn.delivery).toMatchObject({ kept: NOTHING, fallback: { batches: 1, items: 3 } });

    const lost = new Rig();
    lost.inner.does = REFUSED;
    lost.export('A', 3);
    expect(lost.told['A']).toEqual([REFUSED]);
    expect(lost.delivery).toMatchObject({ kept: NOTHING, lost: { batches: 1, items: 3 } });
  });

  it('never keeps what made export() throw, which is invalid: nothing was sent', () => {
    const rig = new Rig({ fallback: true });
    rig.inner.does = 'throw';
    rig.export('A', 3);
    expect(rig.fallback.names).toEqual(['A']);
    expect(rig.delivery).toMatchObject({ kept: NOTHING, fallback: { batches: 1, items: 3 } });
    expect(rig.exporter.snapshot()).toMatchObject({ state: 'CLOSED', exports: { invalid: 1, failure: 0 } });
  });

  it('keeps what an async export() rejected with: it may have been sent', async () => {
    const rig = new Rig();
    rig.inner.export = () => Promise.reject(new Error('rejected')) as unknown as undefined;
    rig.export('A', 3);
    await settled();
    expect(rig.told['A']).toEqual([SUCCESS]);
    expect(rig.delivery).toMatchObject({ kept: { batches: 1, items: 3 } });
  });

  it('keeps a copy of an array: its owner may use it again', () => {
    const rig = new Rig();
    const given = ['A', 'A'];
    rig.breaker.forceOpen();
    rig.exporter.export(given, () => void given.splice(0));
    rig.breaker.reset();
    void rig.exporter.redeliver();
    expect(rig.inner.batches).toEqual([['A', 'A']]);
  });

  it('never keeps an empty batch', () => {
    const rig = new Rig();
    rig.breaker.forceOpen();

    rig.export('empty', 0);

    expect(rig.told['empty']).toMatchObject([{ code: 1 }]);
    expect(rig.delivery).toMatchObject({ kept: NOTHING, lost: { batches: 1, items: 0 } });
    expect(rig.clock.pending.size).toBe(0);
  });

  it('tells the caller of a kept batch SUCCESS at once', () => {
    const rig = new Rig({ fallback: true });
    rig.breaker.forceOpen();
    let within = true;
    let toldWithin = false;
    rig.exporter.export(['A'], () => {
      toldWithin = within;
    });
    within = false;
    expect(toldWithin).toBe(true);
  });

  it('counts a rejected batch that is reported as success as lost all the same', () => {
    const rig = new Rig({ retention: false, reportRejectedAs: 'success' });
    rig.breaker.forceOpen();

    rig.export('A', 3);

    expect(rig.told['A']).toEqual([SUCCESS]);
    expect(rig.delivery).toMatchObject({ lost: { batches: 1, items: 3 } });
    expect(rig.exporter.snapshot().items.rejected).toBe(3);
  });
});

describe('what is delivered, and what lost', () => {
  it('is delivered when classified as success, whatever its code', () => {
    const rig = new Rig({ classify: () => 'success' });
    rig.inner.does = FAILURE;

    rig.export('A', 3);

    expect(rig.told['A']).toEqual([FAILURE]);
    expect(rig.delivery).toMatchObject({ delivered: { batches: 1, items: 3 }, kept: NOTHING });
  });

  it.each(['failure', 'invalid', 'ignored'] as const)(
    'is delivered when answered with SUCCESS, though classified as %s',
    (word) => {
      const rig = new Rig({ fallback: true, classify: () => word });

      rig.export('A', 3);

      expect(rig.told['A']).toEqual([SUCCESS]);
      expect(rig.fallback.names).toEqual([]);
      expect(rig.delivery).toMatchObject({ delivered: { batches: 1, items: 3 }, kept: NOTHING });
    },
  );

  it('is lost when it timed out and is not kept, though it may have arrived', () => {
    const rig = new Rig({ retention: false });
    rig.inner.does = 'hold';
    rig.export('A', 3);
    expect(rig.delivery).toMatchObject({ inFlight: { batches: 1, items: 3 } });
    rig.clock.advance(15_000);
    expect(rig.delivery).toMatchObject({ lost: { batches: 1, items: 3 }, inFlight: NOTHING });

    rig.inner.release();

    expect(rig.delivery).toMatchObject({ lost: { batches: 1, items: 3 }, delivered: NOTHING });
  });

  it('is lost, and not delivered, when SUCCESS comes after its time-out and nothing was kept', () => {
    const rig = new Rig({ retention: false });
    rig.inner.does = 'hold';
    rig.export('A');
    rig.clock.advance(15_000);
    rig.inner.release();
    expect(rig.delivery).toMatchObject({ lost: { batches: 1 }, delivered: NOTHING });
  });
});

describe('a SUCCESS after the time-out', () => {
  /** A batch that timed out and is kept, with its caller told. */
  function timedOut(options: ConstructorParameters<typeof Rig>[0] = {}): Rig {
    const rig = new Rig({ ...options, retention: { idleMillis: 0, ...options.retention } });
    rig.inner.does = 'hold';
    rig.export('A', 3);
    rig.clock.advance(15_000);
    rig.inner.does = 'success';
    expect(rig.told['A']).toEqual([SUCCESS]);
    expect(rig.delivery).toMatchObject({ kept: { batches: 1, items: 3 }, inFlight: NOTHING });
    return rig;
  }

  it('delivers the batch if it is still kept, and moves no state, policy, streak or total of the breaker', () => {
    const rig = timedOut();
    const { delivery, ...breaker } = rig.exporter.snapshot();
    rig.inner.release();
    expect(rig.delivery).toMatchObject({
      kept: NOTHING,
      delivered: { batches: 1, items: 3 },
      redelivered: { batches: 1, items: 3 },
    });
    expect(rig.exporter.snapshot()).toMatchObject(breaker);
    expect(balance(rig.delivery)).toEqual([0, 0]);
    rig.breaker.reset();
    rig.export('live');
    expect(rig.inner.names).toEqual(['A', 'live']);
  });

  it.each([
    ['of a failure', FAILURE],
    ['of another SUCCESS', SUCCESS],
  ])('counts once, and not because %s', (_, second) => {
    const rig = timedOut();
    rig.inner.held[0]?.(second);
    rig.inner.release();
    expect(rig.delivery.delivered.batches).toBe(second === SUCCESS ? 1 : 0);
    expect(balance(rig.delivery)).toEqual([0, 0]);
  });

  it('delivers the batch also while it is being sent again, whose answer is then dropped', () => {
    const rig = timedOut();
    rig.breaker.reset();
    rig.inner.does = 'hold';
    void rig.exporter.redeliver();
    rig.inner.release();
    expect(rig.delivery).toMatchObject({ kept: NOTHING, delivered: { batches: 1 } });
    rig.inner.release(FAILURE);
    expect(rig.delivery).toMatchObject({ kept: NOTHING, delivered: { batches: 1 } });
    expect(rig.exporter.snapshot().exports).toMatchObject({ failure: 2, success: 0 });
  });

  it('of a redelivery delivers it, too', () => {
    const rig = new Rig({ retention: { idleMillis: 0 } });
    rig.keepAndClose('A');
    rig.inner.does = 'hold';
    void rig.exporter.redeliver();
    rig.clock.advance(15_000);
    expect(rig.kept).toBe(1);
    rig.inner.release();
    expect(rig.delivery).toMatchObject({ kept: NOTHING, redelivered: { batches: 1 } });
  });

  it('changes nothing when the batch has been evicted', () => {
    const rig = timedOut({ retention: { maxItems: 3 } });
    rig.export('B', 3);
    expect(rig.delivery).toMatchObject({ kept: { items: 3 }, lost: { items: 3 } });
    rig.inner.release();
    expect(rig.delivery).toMatchObject({ kept: { items: 3 }, lost: { items: 3 }, delivered: NOTHING });
  });
});

describe('exporter.snapshot().delivery', () => {
  it('begins with the name of the exporter and nothing', () => {
    expect(new Rig({ name: 'traces' }).delivery).toEqual({
      exporter: 'traces',
      offered: NOTHING,
      delivered: NOTHING,
      fallback: NOTHING,
      lost: NOTHING,
      kept: NOTHING,
      inFlight: NOTHING,
      recovered: NOTHING,
      lastOfferedAt: null,
      redelivered: NOTHING,
      evicted: { full: 0, expired: 0, attempts: 0, invalid: 0, shutdown: 0, unreadable: 0 },
      lostBy: {
        rejected: 0,
        failure: 0,
        invalid: 0,
        ignored: 0,
        full: 0,
        expired: 0,
        attempts: 0,
        shutdown: 0,
        unreadable: 0,
        fallback: 0,
        ended: 0,
      },
    });
  });

  it('is a copy', () => {
    const rig = new Rig();
    const before = rig.delivery;
    before.offered.items = 99;
    before.evicted.full = 99;
    before.lostBy.full = 99;
    rig.export('A');
    const { offered, evicted, lostBy } = rig.delivery;
    expect([offered.items, evicted.full, lostBy.full]).toEqual([1, 0, 0]);
  });

  it('says when a batch was offered last, rejected or after shutdown() too', async () => {
    const rig = new Rig();
    const seen: (number | null)[] = [];
    const look = (): void => void seen.push(rig.delivery.lastOfferedAt);
    rig.export('A');
    look();
    rig.clock.advance(1_000);
    look();
    rig.keep('B');
    look();
    rig.clock.advance(1_000);
    await rig.exporter.shutdown();
    rig.export('C');
    look();
    expect(seen).toEqual([1_000_000, 1_000_000, 1_001_000, 1_002_000]);
  });

  it('is balanced at every moment, also while a batch is with the inner exporter or the fallback', () => {
    const rig = new Rig({ fallback: true, retention: { maxItems: 2 } });
    const seen: number[][] = [];
    const look = (): void => void seen.push(balance(rig.delivery));
    rig.inner.onExport = look;
    rig.fallback.onExport = look;
    rig.breaker.onTransition(look);
    rig.inner.does = (given) => (given[0] === 'trip' ? FAILURE : 'success');

    rig.export('A', 2);
    rig.export('trip');
    rig.export('B', 2);
    rig.breaker.reset();
    rig.export('C');
    look();

    expect(seen.length).toBeGreaterThan(5);
    expect(seen).toEqual(seen.map(() => [0, 0]));
    expect(rig.delivery).toMatchObject({
      delivered: { batches: 3, items: 5 },
      redelivered: { batches: 1, items: 2 },
      fallback: { batches: 1, items: 1 },
      evicted: { full: 1 },
    });
  });

  it('counts the one that is being sent again as kept, not as in flight', () => {
    const rig = new Rig();
    rig.keepAndClose('A');
    rig.inner.does = 'hold';

    void rig.exporter.redeliver();

    expect(rig.inner.names).toEqual(['A']);
    expect(rig.delivery).toMatchObject({ kept: { batches: 1, items: 1 }, inFlight: NOTHING });
  });
});

describe('a cascade of exporters', () => {
  it('takes a CircuitBreakerExporter as fallback', () => {
    const second = new Rig({ retention: false });
    const first = new Rig({ retention: false });
    const exporter = new CircuitBreakerExporter(first.inner, {
      fallback: second.exporter,
      clock: first.clock,
    });
    const told: number[] = [];
    first.inner.does = FAILURE;

    second.inner.does = FAILURE;
    exporter.export(['A'], ({ code }) => void told.push(code));
    second.breaker.reset();
    second.inner.does = 'success';
    exporter.export(['B'], ({ code }) => void told.push(code));

    expect(told).toEqual([1, 0]);
    expect(exporter.snapshot().delivery).toMatchObject({ lost: { items: 1 }, fallback: { items: 1 } });
  });
});

describe('every loss is told', () => {
  const poisoned = { ...REFUSED };

  it.each([
    ['failure', FAILURE],
    ['invalid', poisoned],
    ['ignored', NOT_SENT],
    ['failure', 'hang'],
    ['invalid', 'throw'],
  ] as const)('to onLoss and in lostBy, once, with the reason %s', (reason, outcome) => {
    const rig = new Rig({ name: 'traces', retention: false });
    exportOne(rig, outcome);
    const error = rig.told['A']?.[0]?.error;
    expect(error).toBeInstanceOf(Error);
    expect(rig.losses).toEqual([{ name: 'traces', reason, batches: 1, items: 3, error }]);
    expect(rig.delivery.lostBy).toMatchObject({ [reason]: 3 });
  });

  it('with the reason rejected, whatever its caller is told', () => {
    for (const reportRejectedAs of ['success', 'failure'] as const) {
      const rig = new Rig({ retention: false, reportRejectedAs });
      rig.breaker.forceOpen();
      rig.export('A', 3);
      expect(rig.losses).toMatchObject([{ reason: 'rejected', batches: 1, items: 3 }]);
      expect(rig.delivery.lostBy.rejected).toBe(3);
    }
  });

  it('with the reason ended after shutdown()', async () => {
    const rig = new Rig({ fallback: true });
    await rig.exporter.shutdown();
    rig.export('A', 3);
    expect(rig.losses).toMatchObject([
      { reason: 'ended', batches: 1, items: 3, error: { code: 'ERR_EXPORTER_SHUTDOWN' } },
    ]);
    expect(rig.delivery.lostBy.ended).toBe(3);
  });

  it('with the reason fallback where the fallback did not take it, and why', () => {
    const rig = new Rig({ retention: false, fallback: true });
    rig.fallback.does = FAILURE;
    rig.breaker.forceOpen();
    rig.export('A', 3);
    expect(rig.losses).toMatchObject([{ reason: 'fallback', items: 3, error: FAILURE.error }]);
    expect(rig.delivery.lostBy).toMatchObject({ fallback: 3, rejected: 0 });
  });

  it('in lostBy so that the sum is what is lost', () => {
    const rig = new Rig({ retention: { maxItems: 2, idleMillis: 0 } });
    rig.inner.does = REFUSED;
    rig.export('A', 5);
    rig.keep('B', 'C', 'D');
    rig.export('huge', 7);
    const { lost, lostBy } = rig.delivery;
    expect(lost.items).toBe(13);
    expect(lostBy).toMatchObject({ invalid: 5, full: 1, rejected: 7 });
    expect(Object.values(lostBy).reduce((a, b) => a + b)).toBe(13);
  });

  it('to no one where nothing is lost', () => {
    const rig = new Rig({ retention: { maxItems: 5 }, fallback: true });
    rig.keep('A', 'B', 'C', 'D', 'E', 'F');
    rig.inner.does = REFUSED;
    rig.breaker.reset();
    rig.export('G');
    expect(rig.losses).toEqual([]);
  });

  it('and a listener that throws or rejects harms nothing, and is reported', async () => {
    for (const onLoss of [
      () => {
        throw new Error('mine');
      },
      () => Promise.reject(new Error('mine')) as unknown as undefined,
    ]) {
      const rig = new Rig({ retention: false, onLoss });
      rig.inner.does = FAILURE;
      rig.export('A');
      await settled();
      expect(rig.told['A']).toEqual([FAILURE]);
      expect(rig.problems).toEqual(['exporter "otlp": onLoss threw']);
    }
  });
});

describe('the warning of what is ignored', () => {
  const ignored = (): string[] => warnings.filter((warning) => warning.includes('without sending'));

  it('is one at the first loss by an ignored result, and one at the first after a success', () => {
    const rig = new Rig({ name: 'logs', retention: false });
    rig.inner.does = NOT_SENT;
    for (let i = 0; i < 3; i++) rig.export('A');
    expect(ignored()).toEqual([
      'exporter "logs": the exporter refuses batches without sending them (local limit), and they are lost',
    ]);
    rig.inner.does = 'success';
    rig.export('B');
    expect(ignored()).toHaveLength(1);
    rig.inner.does = NOT_SENT;
    for (let i = 0; i < 3; i++) rig.export('C');
    expect(ignored()).toHaveLength(2);
    expect(rig.exporter.snapshot()).toMatchObject({
      consecutiveIgnored: 3,
      lastIgnored: { message: 'Concurrent export limit reached' },
    });
  });

  it('is none where they are kept', () => {
    const rig = new Rig();
    rig.inner.does = NOT_SENT;
    rig.export('A');
    expect(ignored()).toEqual([]);
  });
});
