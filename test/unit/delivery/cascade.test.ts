import { describe, expect, it } from 'vitest';
import { CircuitBreakerExporter, CircuitOpenError } from '../../../src/index.ts';
import type { ScriptedOutcome } from '../../../src/testing/index.ts';
import { balance, FAILURE, NOT_SENT, REFUSED, Rig } from './rig.ts';

const NOTHING = { batches: 0, items: 0 };
const SUCCESS = { code: 0 };

/** Ways in which a batch does not get through, each on a closed circuit that is held closed. */
const failures: readonly (readonly [string, ScriptedOutcome])[] = [
  ['failed', FAILURE],
  ['made the exporter throw', 'throw'],
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

  it('keeps what timed out once, and a late answer changes nothing', () => {
    const rig = new Rig();
    rig.inner.does = 'hold';
    rig.export('A', 3);
    rig.clock.advance(15_000);

    rig.inner.release();

    expect(rig.told['A']).toEqual([SUCCESS]);
    expect(rig.delivery).toMatchObject({ kept: { batches: 1, items: 3 }, delivered: NOTHING });
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
      redelivered: NOTHING,
      evicted: { full: 0, expired: 0, attempts: 0, invalid: 0, shutdown: 0 },
    });
  });

  it('is a copy', () => {
    const rig = new Rig();
    const before = rig.delivery;
    before.offered.items = 99;
    before.evicted.full = 99;
    rig.export('A');
    expect(rig.delivery.offered.items).toBe(1);
    expect(rig.delivery.evicted.full).toBe(0);
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
