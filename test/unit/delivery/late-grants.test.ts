import { describe, expect, it } from 'vitest';
import type { RigOptions } from './rig.ts';
import { FAILURE, Rig } from './rig.ts';

/** These are kept, and live exports have got through after so many milliseconds. */
function lateSuccesses(
  kept: readonly string[],
  lateCount: number,
  options: RigOptions = {},
  millis = 1_001,
): Rig {
  const rig = new Rig(options);
  rig.keepAndClose(...kept);
  rig.inner.does = 'hold';
  for (let i = 0; i < lateCount; i++) rig.export('late');
  rig.clock.advance(millis);
  rig.inner.does = 'success';
  for (let i = 0; i < lateCount; i++) rig.inner.release();
  return rig;
}

const sent = (rig: Rig): string[] => rig.inner.names.filter((name) => name !== 'late');

describe('a live success that took longer than a second', () => {
  it('grants its redelivery with the next offer, just before the live batch', () => {
    const rig = lateSuccesses(['A', 'B'], 1);
    expect(sent(rig)).toEqual([]);
    rig.export('live');
    // The second one is granted by the quick success.
    expect(sent(rig)).toEqual(['A', 'live', 'B']);
  });

  it('is one of those that took a second or less otherwise: at once', () => {
    expect(sent(lateSuccesses(['A', 'B'], 1, {}, 1_000))).toEqual(['A']);
  });

  it('is paid out `pace` at a time, however many there were', () => {
    const rig = lateSuccesses(['A', 'B', 'C', 'D', 'E'], 2);
    rig.export('live 1');
    expect(sent(rig)).toEqual(['A', 'live 1', 'B']);
    rig.export('live 2');
    expect(sent(rig)).toEqual(['A', 'live 1', 'B', 'C', 'live 2', 'D']);
    rig.export('live 3');
    expect(sent(rig).slice(6)).toEqual(['live 3', 'E']);

    const faster = lateSuccesses(['A', 'B', 'C', 'D', 'E'], 1, { retention: { pace: 2 } });
    faster.export('live');
    expect(sent(faster)).toEqual(['A', 'B', 'live', 'C', 'D']);
  });

  it('grants with Infinity all that is kept, with the next offer', () => {
    const rig = lateSuccesses(['A', 'B', 'C'], 1, { retention: { pace: Number.POSITIVE_INFINITY } });
    expect(sent(rig)).toEqual([]);
    rig.export('live');
    expect(sent(rig)).toEqual(['A', 'B', 'C', 'live']);
  });

  it('pays for what a tick sends, where the service has fallen silent', () => {
    const rig = lateSuccesses(['A', 'B', 'C', 'D'], 1, { retention: { pace: 2 } });
    rig.clock.advance(15_000);
    expect(sent(rig)).toEqual(['A', 'B']);
    rig.clock.advance(15_000);
    expect(sent(rig)).toEqual(['A', 'B', 'C']);
  });

  it('may be a probe that closes the circuit', () => {
    const rig = new Rig();
    rig.trip('A');
    rig.mayProbe = true;
    rig.inner.does = 'hold';
    rig.export('late');
    rig.clock.advance(1_001);
    rig.inner.does = 'success';
    rig.inner.release();
    expect(rig.state).toBe('CLOSED');
    expect(rig.inner.names).toEqual(['A', 'late']);
    rig.export('live');
    expect(rig.inner.names).toEqual(['A', 'late', 'A', 'live']);
  });

  it('grants nothing where nothing is kept, also not what is kept later', () => {
    const rig = lateSuccesses([], 1);
    rig.keepAndClose('A');
    rig.inner.does = FAILURE;
    rig.breaker.forceClosed();
    rig.export('live');
    expect(sent(rig)).toEqual(['live']);

    const delivered = new Rig({ tripPolicy: undefined });
    delivered.keepAndClose('A');
    delivered.inner.does = 'hold';
    delivered.export('late');
    delivered.export('live 1');
    delivered.clock.advance(1_001);
    delivered.inner.does = 'success';
    delivered.inner.release();
    void delivered.exporter.redeliver();
    delivered.inner.release(FAILURE);
    expect(delivered.kept).toBe(1);
    delivered.inner.does = FAILURE;
    delivered.export('live 2');
    expect(sent(delivered)).toEqual(['live 1', 'A', 'live 2']);
  });

  it('has granted nothing once the circuit has opened', () => {
    const rig = lateSuccesses(['A'], 1);
    rig.breaker.forceOpen();
    rig.breaker.forceClosed();
    rig.inner.does = FAILURE;
    rig.export('live');
    expect(sent(rig)).toEqual(['live']);
  });

  it('has granted nothing once a redelivery has failed', () => {
    const rig = lateSuccesses(['A', 'B', 'C'], 3);
    rig.breaker.forceClosed();
    rig.inner.does = FAILURE;
    rig.export('live 1');
    rig.export('live 2');
    expect(sent(rig)).toEqual(['A', 'live 1', 'live 2']);
  });

  it('is not paid out with a batch that is kept because the backend hangs', () => {
    const rig = new Rig({ exportTimeoutMillis: 0 });
    rig.keepAndClose('A');
    rig.inner.does = 'hold';
    for (let i = 0; i < 4; i++) rig.export('late');
    rig.clock.advance(1_001);
    rig.inner.release();
    rig.clock.advance(1_000);
    rig.export('kept at once');
    expect(sent(rig)).toEqual([]);
    rig.inner.release();
    rig.export('live');
    expect(sent(rig)).toEqual(['A', 'live']);
  });
});
