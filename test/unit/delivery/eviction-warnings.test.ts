import { describe, expect, it } from 'vitest';
import { FAILURE, neverTrips, REFUSED, Rig, recordWarnings } from './rig.ts';

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
