import { describe, expect, it } from 'vitest';
import { exporterInternalsOf } from '../../../src/delivery/exporter-internals.ts';
import { FAILURE, neverTrips, Rig } from './rig.ts';

describe('lost items that no exporter has seen', () => {
  const unseen = (rig: Rig) => exporterInternalsOf(rig.exporter)?.ledger.lostUnseen;

  it('are not those of a batch that was sent, and found no room', () => {
    const rig = new Rig({ retention: { maxItems: 1, idleMillis: 0 }, tripPolicy: neverTrips() });
    rig.inner.does = FAILURE;
    rig.export('sent', 2);
    expect(rig.delivery.lostBy.failure).toBe(2);
    expect(unseen(rig)?.failure).toBe(0);
  });

  it('are not those of a batch that was rejected, and whose redelivery has failed', () => {
    const rig = new Rig({ retention: { maxAttempts: 1, idleMillis: 0 }, tripPolicy: neverTrips() });
    rig.inner.does = ([name]) => (name === 'rejected' ? FAILURE : 'success');
    rig.keepAndClose('rejected');
    rig.export('other');
    expect(rig.delivery.lostBy.attempts).toBe(1);
    expect(unseen(rig)?.attempts).toBe(0);
  });

  it('are those of a batch that was rejected, and found no room', () => {
    const rig = new Rig({ retention: { maxItems: 1, idleMillis: 0 } });
    rig.breaker.forceOpen();
    rig.export('rejected', 2);
    expect(unseen(rig)?.rejected).toBe(2);
  });
});
