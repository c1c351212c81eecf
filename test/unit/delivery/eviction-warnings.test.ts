import { diag } from '@opentelemetry/api';
import { describe, expect, it } from 'vitest';
import { FAILURE, neverTrips, REFUSED, Rig, recordWarnings } from './rig.ts';

const evictionWarnings = recordWarnings('retention');

describe('the warning of evictions', () => {
  it('is one, and says why, also before the circuit has ever opened', () => {
    const rig = new Rig({ retention: { maxItems: 1, idleMillis: 0 }, tripPolicy: neverTrips() });
    rig.inner.does = FAILURE;
    for (const name of ['A', 'B', 'C']) rig.export(name);
    expect(evictionWarnings).toEqual([
      'exporter "otlp": retention has begun to give up batches: it is full, and the oldest go first',
    ]);
  });

  it('says why where a new batch pushes out what is too old', () => {
    const rig = new Rig({ retention: { maxAgeMillis: 100, idleMillis: 0 } });
    rig.keep('A');
    rig.clock.advance(101);
    rig.keep('B');
    expect(evictionWarnings).toEqual([
      expect.stringContaining('they were kept for longer than maxAgeMillis'),
    ]);
  });

  it('is one at the first eviction ever', () => {
    const rig = new Rig({ name: 'traces', retention: { maxItems: 1 } });
    rig.keep('A');
    expect(evictionWarnings).toEqual([]);
    rig.keep('B', 'C', 'D');
    expect(evictionWarnings).toHaveLength(1);
    expect(evictionWarnings[0]).toContain('"traces"');
  });

  it('is one at the first eviction after each leaving of CLOSED', () => {
    const rig = new Rig({ retention: { maxItems: 1 } });
    rig.trip('A');
    rig.export('B');
    rig.export('C');
    expect(evictionWarnings).toHaveLength(1);
    rig.breaker.reset();

    rig.trip('D');
    rig.export('E');

    expect(evictionWarnings).toHaveLength(2);
  });

  it('is none for what is evicted in the same outage, however many probes fail', () => {
    const rig = new Rig({ retention: { maxItems: 1 } });
    rig.trip('A');
    rig.export('B');
    rig.mayProbe = true;
    rig.trip('C');
    rig.trip('D');
    expect(rig.exporter.snapshot().failedProbes).toBe(2);
    expect(evictionWarnings).toHaveLength(1);
  });

  it.each([
    ['too old', { maxAgeMillis: 1 }, FAILURE, 'they were kept for longer than maxAgeMillis'],
    [
      'given up after its attempts',
      { maxAttempts: 1 },
      FAILURE,
      'their redeliveries failed maxAttempts times',
    ],
    ['invalid', {}, REFUSED, 'the backend refused them'],
  ])('says why: %s', (_what, options, outcome, why) => {
    const rig = new Rig({ retention: { idleMillis: 0, ...options } });
    rig.keepAndClose('A');
    rig.clock.advance(1_000);
    rig.inner.does = (given) => (given[0] === 'live' ? 'success' : outcome);
    rig.export('live');
    expect(rig.kept).toBe(0);
    expect(evictionWarnings).toEqual([expect.stringContaining(why)]);
  });

  it('harms nothing when the logger throws, and onError hears of that', () => {
    const rig = new Rig({ retention: { maxItems: 1 } });
    rig.keep('A');
    const fails = (): never => {
      throw new Error('the logger');
    };
    diag.setLogger(
      { error: fails, warn: fails, info: fails, debug: fails, verbose: fails },
      { suppressOverrideMessage: true },
    );

    expect(() => rig.export('B')).not.toThrow();

    expect(rig.told['B']).toEqual([{ code: 0 }]);
    expect(rig.problems).toEqual(['exporter "otlp": the diag logger threw']);
    expect(rig.delivery).toMatchObject({
      kept: { batches: 1 },
      lost: { batches: 1 },
      inFlight: { batches: 0, items: 0 },
    });
  });
});
