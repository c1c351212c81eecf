import { describe, expect, it } from 'vitest';
import { CircuitBreakerExporter } from '../../../src/index.ts';
import { ScriptedExporter } from '../../../src/testing/index.ts';
import { FAILURE, NOT_SENT, NOTHING, REFUSED, Rig, recordWarnings } from './rig.ts';

const evictionWarnings = recordWarnings('retention');

/** Redelivers all that is kept, and answers its names. */
function redelivered(rig: Rig): string[] {
  const before = rig.inner.names.length;
  rig.breaker.reset();
  void rig.exporter.redeliver();
  return rig.inner.names.slice(before);
}

describe('retention keeps in order', () => {
  it('in which batches came to it, not in which they were offered', () => {
    const rig = new Rig();
    rig.inner.does = 'hold';
    rig.export('first');
    rig.export('second');
    rig.inner.does = 'success';

    rig.inner.held[1]?.(FAILURE);
    rig.keep('third');
    rig.inner.held[0]?.(FAILURE);

    expect(redelivered(rig)).toEqual(['second', 'third', 'first']);
  });

  it('a batch that is no array by reference', () => {
    const inner = new ScriptedExporter<object>();
    const exporter = new CircuitBreakerExporter<object>(inner, { retention: {} });
    const given = { scopeMetrics: [] };
    const metrics = { scopeMetrics: [{ metrics: [{ dataPoints: [1] }] }] };
    exporter.breaker.forceOpen();
    exporter.export(given, () => {});
    exporter.export(metrics, () => {});
    exporter.breaker.reset();
    void exporter.redeliver();
    expect(inner.batches).toEqual([metrics]);
    expect(inner.batches[0]).toBe(metrics);
  });

  it('up to maxItems items, whatever the number of batches; by default maxBytes alone is the bound', () => {
    const bounded = new Rig({ retention: { maxItems: 20_000 } });
    const unbounded = new Rig();
    for (const rig of [bounded, unbounded]) {
      rig.breaker.forceOpen();
      rig.export('A', 10_000);
      rig.export('B', 10_000);
      expect(rig.kept).toBe(20_000);
      rig.export('C', 1);
    }
    expect(bounded.delivery).toMatchObject({
      kept: { batches: 2, items: 10_001 },
      evicted: { full: 10_000 },
    });
    expect(unbounded.kept).toBe(20_001);
  });
});

describe('when retention is full', () => {
  it('evicts the oldest until the new one fits, and no more', () => {
    const rig = new Rig({ fallback: true, retention: { maxItems: 10 } });
    rig.breaker.forceOpen();
    rig.export('A', 3);
    rig.export('B', 3);
    rig.export('C', 4);

    rig.export('D', 5);

    expect(rig.fallback.names).toEqual(['A', 'B']);
    expect(rig.delivery).toMatchObject({
      kept: { batches: 2, items: 9 },
      fallback: { batches: 2, items: 6 },
      evicted: { full: 6, expired: 0, attempts: 0, invalid: 0, shutdown: 0 },
    });
    expect(rig.told['D']).toEqual([{ code: 0 }]);
    expect(redelivered(rig)).toEqual(['C', 'D']);
  });

  it('loses what it evicts where there is no fallback; its caller is not told again', () => {
    const rig = new Rig({ retention: { maxItems: 1 } });
    rig.keep('A', 'B');
    expect(rig.delivery).toMatchObject({ lost: { batches: 1, items: 1 }, evicted: { full: 1 } });
    expect(rig.told['A']).toEqual([{ code: 0 }]);
  });

  it('keeps a batch that fits exactly', () => {
    const rig = new Rig({ retention: { maxItems: 10 } });
    rig.breaker.forceOpen();
    rig.export('A', 10);
    expect(rig.delivery).toMatchObject({ kept: { items: 10 }, evicted: { full: 0 } });
  });

  it('does not keep a batch that cannot fit, and evicts nothing', () => {
    const rig = new Rig({ retention: { maxItems: 10 } });
    rig.breaker.forceOpen();
    rig.export('A', 5);

    rig.export('huge', 11);

    expect(rig.told['huge']).toMatchObject([{ code: 1, error: { name: 'CircuitOpenError' } }]);
    expect(rig.delivery).toMatchObject({
      kept: { batches: 1, items: 5 },
      lost: { batches: 1, items: 11 },
      evicted: { full: 0 },
    });
    expect(evictionWarnings).toEqual([]);
  });

  it('gives a batch that cannot fit to the fallback, whose result is the caller’s', () => {
    const rig = new Rig({ fallback: true, retention: { maxItems: 10 } });
    rig.breaker.forceOpen();
    rig.fallback.does = FAILURE;
    rig.export('huge', 11);
    expect(rig.told['huge']).toEqual([FAILURE]);
    expect(rig.fallback.names).toEqual(['huge']);
  });

  it('never evicts the batch that is being sent again, but the next', () => {
    const rig = new Rig({ fallback: true, retention: { maxItems: 3 } });
    rig.keepAndClose('A', 'B', 'C');
    rig.inner.does = 'hold';
    void rig.exporter.redeliver();

    rig.keep('D', 'E');

    expect(rig.fallback.names).toEqual(['B', 'C']);
    expect(rig.kept).toBe(3);
    rig.inner.release(FAILURE);
    rig.inner.does = 'success';
    expect(redelivered(rig)).toEqual(['D', 'E', 'A']);
  });

  it('does not keep what fits only in the place of the batch that is being sent again', () => {
    const rig = new Rig({ fallback: true, retention: { maxItems: 3 } });
    rig.breaker.forceOpen();
    rig.export('A', 2);
    rig.export('B', 1);
    rig.breaker.reset();
    rig.inner.does = 'hold';
    void rig.exporter.redeliver();
    rig.breaker.forceOpen();

    rig.export('C', 2);

    expect(rig.fallback.names).toEqual(['C']);
    expect(rig.delivery).toMatchObject({ kept: { batches: 2, items: 3 }, evicted: { full: 0 } });
  });

  it('has room again for what was being sent, once that has come through', () => {
    const rig = new Rig({ retention: { maxItems: 2 } });
    rig.keepAndClose('A', 'B');
    void rig.exporter.redeliver();
    rig.keep('C', 'D');
    expect(rig.delivery).toMatchObject({ kept: { items: 2 }, evicted: { full: 0 } });
  });

  it('evicts by bytes as by items: whatever is exceeded first', () => {
    const rig = new Rig({ fallback: true, retention: { maxBytes: 50_000 } });
    rig.breaker.forceOpen();
    const heavy = (name: string, characters: number): void =>
      rig.exporter.export([name, 'x'.repeat(characters)], () => {});
    heavy('A', 15_000);
    heavy('B', 15_000);
    expect(rig.delivery).toMatchObject({ kept: { batches: 2 }, evicted: { full: 0 } });
    heavy('C', 15_000);
    expect(rig.fallback.names).toEqual(['A']);
    expect(rig.delivery).toMatchObject({ kept: { batches: 2 }, evicted: { full: 2 } });
    heavy('huge', 60_000);
    expect(rig.fallback.names).toEqual(['A', 'huge']);
    expect(rig.delivery).toMatchObject({ kept: { batches: 2 }, evicted: { full: 2 } });
  });

  it('holds 64 MiB by default', () => {
    const rig = new Rig();
    rig.breaker.forceOpen();
    const mebibytes = (count: number): void => rig.exporter.export(['x'.repeat(count * 2 ** 20)], () => {});
    mebibytes(40);
    mebibytes(20);
    expect(rig.delivery).toMatchObject({ kept: { batches: 1 }, lostBy: { full: 1 } });
    mebibytes(65);
    expect(rig.delivery).toMatchObject({ kept: { batches: 1 }, lostBy: { full: 1, rejected: 1 } });
  });

  it('never evicts the batch that a tick is about to probe with, whatever a listener offers', () => {
    const rig = new Rig({ fallback: true, retention: { maxItems: 1, idleMillis: 1_000 } });
    rig.trip('A');
    rig.mayProbe = true;
    rig.breaker.onTransition(({ to }) => {
      if (to === 'HALF_OPEN') rig.export('B');
    });

    rig.clock.advance(1_000);

    expect(rig.inner.names).toEqual(['A', 'A']);
    expect(rig.fallback.names).toEqual(['B']);
    expect(rig.delivery).toMatchObject({ delivered: { batches: 1 }, evicted: { full: 0 } });
  });
});

describe('maxAgeMillis', () => {
  const aged = (maxAgeMillis = 5_000): Rig =>
    new Rig({ fallback: true, retention: { maxAgeMillis, idleMillis: 0, maxItems: 2 } });

  it('is none by default', () => {
    const rig = new Rig({ retention: { idleMillis: 0 } });
    rig.keep('A');
    rig.clock.advance(1e12);
    expect(redelivered(rig)).toEqual(['A']);
  });

  it('does not evict what was kept for exactly so long', () => {
    const rig = aged();
    rig.keep('A');
    rig.clock.advance(5_000);
    expect(redelivered(rig)).toEqual(['A']);
  });

  it('evicts what was kept for longer at the next keeping', () => {
    const rig = aged();
    rig.keep('A');
    rig.clock.advance(5_001);
    expect(rig.delivery.evicted.expired).toBe(0);

    rig.keep('B');

    expect(rig.fallback.names).toEqual(['A']);
    expect(rig.delivery).toMatchObject({ kept: { batches: 1 }, evicted: { expired: 1, full: 0 } });
  });

  it('evicts what is too old before anything goes for want of room', () => {
    const rig = aged();
    rig.keep('A');
    rig.clock.advance(3_000);
    rig.keep('B');
    rig.clock.advance(3_000);

    rig.keep('C');

    expect(rig.fallback.names).toEqual(['A']);
    expect(rig.delivery).toMatchObject({ kept: { batches: 2 }, evicted: { expired: 1, full: 0 } });
  });

  it('never sends what is too old', () => {
    const rig = aged();
    rig.keep('A');
    rig.clock.advance(3_000);
    rig.keep('B');
    rig.clock.advance(3_000);
    expect(redelivered(rig)).toEqual(['B']);
    expect(rig.fallback.names).toEqual(['A']);
    expect(rig.delivery.evicted.expired).toBe(1);
  });

  it('takes no grant for what is too old: the next goes', () => {
    const rig = new Rig({ fallback: true, retention: { maxAgeMillis: 5_000, idleMillis: 0 } });
    rig.keep('A', 'B');
    rig.clock.advance(3_000);
    rig.keep('C');
    rig.breaker.reset();
    rig.clock.advance(3_000);
    rig.export('live');
    expect(rig.inner.names).toEqual(['live', 'C']);
    expect(rig.fallback.names).toEqual(['A', 'B']);
  });

  it('never probes with what is too old, and asks for no attempt when nothing else is kept', () => {
    const rig = new Rig({ retention: { maxAgeMillis: 500, idleMillis: 1_000 } });
    rig.trip('A');
    rig.mayProbe = true;

    rig.clock.advance(1_000);

    expect(rig.inner.names).toEqual(['A']);
    expect(rig.asked).toBe(0);
    expect(rig.delivery).toMatchObject({ kept: { batches: 0 }, evicted: { expired: 1 } });
    expect(rig.clock.pending.size).toBe(0);
  });

  it('evicts what is too old at a tick that sends nothing', () => {
    const rig = new Rig({ retention: { maxAgeMillis: 1_500, idleMillis: 1_000 } });
    rig.trip('A');
    rig.clock.advance(1_000);
    expect(rig.kept).toBe(1);
    rig.clock.advance(1_000);
    expect(rig.delivery).toMatchObject({ kept: { batches: 0 }, evicted: { expired: 1 } });
  });

  it('evicts what is too old at a tick while another is being sent', () => {
    const rig = new Rig({ exportTimeoutMillis: 0, retention: { maxAgeMillis: 1_500, idleMillis: 1_000 } });
    rig.keepAndClose('A', 'B');
    rig.inner.does = 'hang';
    rig.clock.advance(1_000);
    expect(rig.inner.names).toEqual(['A']);

    rig.clock.advance(1_000);

    expect(rig.delivery).toMatchObject({ kept: { batches: 1 }, evicted: { expired: 1 } });
  });

  it('never evicts for its age the batch that is being sent again', () => {
    const rig = aged();
    rig.keepAndClose('A');
    rig.inner.does = 'hold';
    void rig.exporter.redeliver();
    rig.clock.advance(6_000);
    rig.keep('B');
    expect(rig.delivery.evicted.expired).toBe(0);

    rig.inner.release();

    expect(rig.delivery).toMatchObject({ delivered: { batches: 1 }, kept: { batches: 1 } });
  });

  it('evicts what has grown too old while it was being sent in vain', () => {
    const rig = aged();
    rig.keepAndClose('A');
    rig.inner.does = 'hold';
    void rig.exporter.redeliver();
    rig.clock.advance(6_000);
    rig.inner.release(FAILURE);
    rig.inner.does = 'success';

    expect(redelivered(rig)).toEqual([]);
    expect(rig.delivery.evicted.expired).toBe(1);
  });
});

describe('a batch that cannot be delivered', () => {
  /** One redelivery, paid for by a live success. */
  function redeliverOnce(rig: Rig, outcome: typeof FAILURE): void {
    rig.inner.does = (given) => (given[0] === 'poison' ? outcome : 'success');
    rig.export('live');
  }

  it.each([
    ['failed', FAILURE],
    ['was ignored', NOT_SENT],
  ])('is evicted when its redelivery %s maxAttempts times while others got through', (_what, outcome) => {
    const rig = new Rig({ fallback: true, retention: { maxAttempts: 3 } });
    rig.keepAndClose('poison');
    redeliverOnce(rig, outcome);
    redeliverOnce(rig, outcome);
    expect(rig.delivery).toMatchObject({ kept: { batches: 1 }, evicted: { attempts: 0 } });

    redeliverOnce(rig, outcome);

    expect(rig.fallback.names).toEqual(['poison']);
    expect(rig.delivery).toMatchObject({ kept: NOTHING, evicted: { attempts: 1 } });
  });

  it('has 10 attempts by default', () => {
    const rig = new Rig();
    rig.keepAndClose('poison');
    for (let i = 0; i < 9; i++) redeliverOnce(rig, FAILURE);
    expect(rig.kept).toBe(1);
    redeliverOnce(rig, FAILURE);
    expect(rig.delivery).toMatchObject({
      kept: { batches: 0 },
      evicted: { attempts: 1 },
      lost: { items: 1 },
    });
  });

  it('is not counted against it while nothing else gets through: then it is the backend’s fault', () => {
    const rig = new Rig({ retention: { maxAttempts: 1, idleMillis: 1_000 } });
    // A success of before it was kept says nothing of the backend now.
    rig.export('live');
    rig.keepAndClose('A', 'B');
    rig.inner.does = FAILURE;
    rig.clock.advance(60_000);
    expect(rig.inner.names).toHaveLength(61);
    expect(rig.delivery).toMatchObject({ kept: { batches: 2 }, evicted: { attempts: 0 } });
  });

  it('is not counted twice for one success', () => {
    const rig = new Rig({ retention: { maxAttempts: 2 } });
    rig.keepAndClose('poison');
    redeliverOnce(rig, FAILURE);
    for (let i = 0; i < 5; i++) void rig.exporter.redeliver();
    expect(rig.delivery).toMatchObject({ kept: { batches: 1 }, evicted: { attempts: 0 } });
    redeliverOnce(rig, FAILURE);
    expect(rig.delivery).toMatchObject({ kept: NOTHING, evicted: { attempts: 1 } });
  });

  it.each([
    ['another redelivery', (rig: Rig) => rig.keepAndClose('B')],
    ['what came back late', (rig: Rig) => rig.inner.release()],
  ])('is counted against it when %s got through meanwhile', (_, getThrough) => {
    const rig = new Rig({ retention: { maxAttempts: 1, idleMillis: 0 } });
    rig.inner.does = 'hold';
    rig.export('late');
    rig.clock.advance(15_000);
    rig.keepAndClose('poison');
    rig.inner.does = ([name]) => (name === 'B' ? 'success' : FAILURE);
    void rig.exporter.redeliver();
    expect(rig.delivery.evicted.attempts).toBe(0);
    getThrough(rig);
    for (let i = 0; i < 2; i++) void rig.exporter.redeliver();
    expect(rig.delivery.evicted.attempts).toBeGreaterThan(0);
  });

  it('is counted over outages', () => {
    const rig = new Rig({ retention: { maxAttempts: 2 } });
    rig.keepAndClose('poison');
    redeliverOnce(rig, FAILURE);
    rig.trip('C');
    rig.breaker.reset();
    // The round: it is the other one's turn.
    redeliverOnce(rig, FAILURE);
    expect(rig.delivery).toMatchObject({ kept: { batches: 1 }, evicted: { attempts: 0 } });
    redeliverOnce(rig, FAILURE);
    expect(rig.delivery).toMatchObject({ kept: NOTHING, evicted: { attempts: 1 } });
  });

  it('is evicted at once when it comes back invalid, and the next goes', () => {
    const rig = new Rig({ fallback: true, retention: { pace: 2 } });
    rig.keepAndClose('poison', 'B');
    rig.inner.does = (given) => (given[0] === 'poison' ? REFUSED : 'success');

    rig.export('live');

    expect(rig.inner.names).toEqual(['live', 'poison', 'B']);
    expect(rig.fallback.names).toEqual(['poison']);
    expect(rig.delivery).toMatchObject({
      kept: { batches: 0 },
      fallback: { batches: 1 },
      evicted: { invalid: 1 },
      redelivered: { batches: 1 },
    });
  });

  it('is evicted when as a probe of a tick it comes back invalid, which closes the circuit', () => {
    const rig = new Rig({ retention: { idleMillis: 1_000 } });
    rig.trip('poison');
    rig.mayProbe = true;
    rig.inner.does = REFUSED;

    rig.clock.advance(1_000);

    expect(rig.state).toBe('CLOSED');
    expect(rig.exporter.snapshot().probes).toEqual({ success: 1, failure: 0 });
    expect(rig.delivery).toMatchObject({
      kept: { batches: 0 },
      evicted: { invalid: 1 },
      lost: { batches: 1 },
    });
  });
});

it('a redelivery that fails without an error shows one that says so', async () => {
  const rig = new Rig({ retention: { idleMillis: 0 } });
  rig.keepAndClose('A');
  rig.inner.does = { code: 1 };
  await rig.exporter.redeliver();
  expect(rig.exporter.snapshot().lastFailure?.message).toBe(
    'exporter "otlp" answered FAILED and gave no error',
  );
});

describe('the options of retention', () => {
  it.each([
    ['maxItems', 0],
    ['maxItems', 1.5],
    ['maxItems', Number.POSITIVE_INFINITY],
    ['maxBytes', 0],
    ['maxBytes', 1.5],
    ['handOverMillis', -1],
    ['handOverMillis', Number.NaN],
    ['maxAgeMillis', 0],
    ['maxAgeMillis', Number.NaN],
    ['maxAttempts', 0],
    ['maxAttempts', 2.5],
    ['pace', 0],
    ['pace', 0.5],
    ['pace', Number.NaN],
    ['idleMillis', -1],
    ['idleMillis', Number.POSITIVE_INFINITY],
  ])('refuse %s: %s with a RangeError that names both', (key, value) => {
    const make = (): unknown => new Rig({ retention: { [key]: value } });
    expect(make).toThrow(RangeError);
    expect(make).toThrow(new RegExp(`${key}.*${value}`));
  });

  it.each([
    ['maxItems', '5'],
    ['pace', null],
    ['idleMillis', true],
    ['maxItem', 5],
    ['maxBytes', '64 MiB'],
    ['handOverMillis', '100'],
  ])('refuse %s: %s with a TypeError that names both', (key, value) => {
    const make = (): unknown => new Rig({ retention: { [key]: value } });
    expect(make).toThrow(TypeError);
    expect(make).toThrow(new RegExp(`${key}.*${value}`));
  });

  it('take undefined for absent, and Infinity as pace', () => {
    const rig = new Rig({
      retention: {
        maxItems: undefined,
        maxBytes: undefined,
        handOverMillis: undefined,
        store: undefined,
        maxAgeMillis: undefined,
        maxAttempts: undefined,
        pace: Number.POSITIVE_INFINITY,
        idleMillis: undefined,
      },
    });
    rig.keep('A');
    expect(rig.kept).toBe(1);
  });
});
