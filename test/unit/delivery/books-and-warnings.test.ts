import { describe, expect, it } from 'vitest';
import { exporterInternalsOf } from '../../../src/delivery/exporter-internals.ts';
import { FakeStore } from './fake-store.ts';
import { FAILURE, NOTHING, pass, REFUSED, Rig, recordWarnings } from './rig.ts';
import { arrange } from './store-rig.ts';

const warnings = recordWarnings();
const evictionWarnings = (): string[] => warnings.filter((warning) => warning.includes('retention'));

describe('retention warns when it begins to give up batches, and says why', () => {
  it('full, at the first eviction ever, before the circuit has ever opened', () => {
    const rig = new Rig({ retention: { maxItems: 1, idleMillis: 0 }, tripPolicy: neverTrips() });
    rig.inner.does = FAILURE;
    for (const name of ['A', 'B', 'C']) rig.export(name);
    expect(evictionWarnings()).toEqual([
      'exporter "otlp": retention has begun to give up batches: it is full, and the oldest go first',
    ]);
  });

  it('too old', () => {
    const rig = new Rig({ retention: { maxAgeMillis: 100, idleMillis: 0 } });
    rig.keep('A');
    rig.clock.advance(101);
    rig.keep('B');
    expect(evictionWarnings()).toEqual([
      expect.stringContaining('they were kept for longer than maxAgeMillis'),
    ]);
  });

  it('refused by the backend', async () => {
    const rig = new Rig({ retention: { idleMillis: 0 } });
    rig.keepAndClose('A');
    rig.inner.does = REFUSED;
    await rig.exporter.redeliver();
    expect(evictionWarnings()).toEqual([expect.stringContaining('the backend refused them')]);
  });

  it('out of attempts', () => {
    const rig = new Rig({ retention: { maxAttempts: 1, idleMillis: 0 } });
    rig.keepAndClose('A');
    rig.inner.does = ([name]) => (name === 'A' ? FAILURE : 'success');
    rig.export('live');
    expect(evictionWarnings()).toEqual([
      expect.stringContaining('their redeliveries failed maxAttempts times'),
    ]);
  });
});

describe('lost items that no exporter has seen', () => {
  const unseen = (rig: Rig) => exporterInternalsOf(rig.exporter)?.ledger.lostUnseen;

  it('are not those of a batch that was sent, and found no room', () => {
    const rig = new Rig({ retention: { maxItems: 1, idleMillis: 0 }, tripPolicy: neverTrips() });
    rig.inner.does = FAILURE;
    rig.export('sent', 2);
    expect(rig.delivery.lostBy.failure).toBe(2);
    expect(unseen(rig)?.failure).toBe(0);
  });

  it('are those of a batch that was rejected, and found no room', () => {
    const rig = new Rig({ retention: { maxItems: 1, idleMillis: 0 } });
    rig.breaker.forceOpen();
    rig.export('rejected', 2);
    expect(unseen(rig)?.rejected).toBe(2);
  });
});

describe('no timer is trusted', () => {
  it('a store that does not answer is found by the next export', () => {
    const { rig } = arrange();
    rig.breaker.forceOpen();
    rig.clock.losesTimers = true;
    rig.export('A');
    rig.clock.advance(1_000);
    rig.export('B');
    rig.clock.advance(50);
    rig.export('C');
    expect(rig.told['A']).toMatchObject([{ code: 1 }]);
  });

  it('a fallback that does not answer is found by the next export', () => {
    const rig = new Rig({ retention: false, fallback: true, exportTimeoutMillis: 300 });
    rig.breaker.forceOpen();
    rig.fallback.does = 'hold';
    rig.clock.losesTimers = true;
    rig.export('A');
    rig.clock.advance(300);
    rig.export('B');
    rig.clock.advance(50);
    rig.export('C');
    expect(rig.told['A']).toMatchObject([{ error: { code: 'ERR_EXPORT_TIMEOUT' } }]);
  });

  it('nor is the caller of a probe of the fallback held up', () => {
    const rig = new Rig({ retention: false, fallback: true });
    rig.breaker.forceOpen();
    rig.fallback.does = FAILURE;
    for (const name of ['1', '2', '3']) rig.export(name);
    rig.fallback.does = 'hold';
    rig.clock.losesTimers = true;
    rig.clock.advance(60_000);
    rig.export('probe');
    expect(rig.told['probe']).toEqual([]);
    rig.clock.advance(1_000);
    rig.export('B');
    rig.clock.advance(50);
    rig.export('C');
    expect(rig.told['probe']).toMatchObject([{ error: { code: 'ERR_CIRCUIT_OPEN' } }]);
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

it('a store is never asked to delete nothing', async () => {
  const store = new FakeStore({ mode: 'at once' });
  const deleted: (readonly string[])[] = [];
  store.delete = (ids) => void deleted.push(ids);
  const { rig } = arrange({ retention: { maxAgeMillis: 1_000 } }, store);
  rig.keepAndClose('A');
  await rig.exporter.redeliver();
  rig.keep('B');
  expect(rig.delivery.delivered.batches).toBe(1);
  expect(deleted).toHaveLength(1);
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

function neverTrips() {
  return { createDetector: () => ({ onSuccess: () => false, onFailure: () => false, reset() {} }) };
}
