import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, it } from 'vitest';
import { CircuitBreakerExporter } from '../../../src/index.ts';
import { balance, CountingClock, FAILURE } from './rig.ts';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

const MINUTE = 60_000;

// An order of magnitude; bench/retention-memory.ts measures.
it('does not grow over a simulated week of hourly outages', () => {
  const clock = new CountingClock();
  let isUp = true;
  const exporter = new CircuitBreakerExporter<readonly object[]>(
    {
      export: (_batch, told) => told(isUp ? { code: 0 } : FAILURE),
      shutdown: async () => {},
    },
    { clock, retention: { maxItems: 1_000, pace: 10 } },
  );
  const heapAfter = (hours: number): number => {
    for (let minute = 0; minute < hours * 60; minute++) {
      isUp = minute % 60 < 30;
      clock.advance(MINUTE);
      // Big enough that what is not let go of would show.
      exporter.export(
        Array.from({ length: 100 }, () => ({ payload: new Array(10).fill(minute) })),
        () => {},
      );
      expect(clock.pending.size).toBeLessThanOrEqual(1);
    }
    for (let i = 0; i < 3; i++) collectGarbage();
    return process.memoryUsage().heapUsed;
  };

  const afterADay = heapAfter(24);
  const afterAWeek = heapAfter(6 * 24);

  const { delivery, transitions } = exporter.snapshot();
  expect(transitions['CLOSED->OPEN']).toBe(7 * 24);
  expect(delivery.offered.items).toBe(7 * 24 * 60 * 100);
  expect(delivery.kept.items).toBeLessThanOrEqual(1_000);
  expect(delivery.evicted.full).toBeGreaterThan(0);
  expect(balance(delivery)).toEqual([0, 0]);
  // All that passed through in six days is more than a hundred MiB.
  expect(afterAWeek - afterADay).toBeLessThan(10 * 2 ** 20);
}, 30_000);
