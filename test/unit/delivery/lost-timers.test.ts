import { describe, expect, it } from 'vitest';
import { FAILURE, Rig } from './rig.ts';
import { arrange } from './store-rig.ts';

/** Where no timer fires, the first export finds what is overdue, the second, after its grace, ends it. */
function exportTwiceAfter(rig: Rig, millis: number): void {
  rig.clock.advance(millis);
  rig.export('B');
  rig.clock.advance(50);
  rig.export('C');
}

describe('no timer is trusted', () => {
  it('a store that does not answer is found by the next export', () => {
    const { rig } = arrange();
    rig.breaker.forceOpen();
    rig.clock.losesTimers = true;
    rig.export('A');
    exportTwiceAfter(rig, 1_000);
    expect(rig.told['A']).toMatchObject([{ code: 1 }]);
  });

  it('a fallback that does not answer is found by the next export', () => {
    const rig = new Rig({ retention: false, fallback: true, exportTimeoutMillis: 300 });
    rig.breaker.forceOpen();
    rig.fallback.does = 'hold';
    rig.clock.losesTimers = true;
    rig.export('A');
    exportTwiceAfter(rig, 300);
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
    exportTwiceAfter(rig, 1_000);
    expect(rig.told['probe']).toMatchObject([{ error: { code: 'ERR_CIRCUIT_OPEN' } }]);
  });
});
