import { describe, expect, it } from 'vitest';
import { afterCooldown, consecutiveFailures, everyNthAttempt } from '../../../src/index.ts';
import { simulateOutage } from '../../../src/testing/simulate-outage.ts';

const outage = { startMillis: 10_000, endMillis: 60_000 };
const base = { everyMillis: 1_000, outage, untilMillis: 120_000 };

describe('simulateOutage', () => {
  it('counts the time to open from the start of the outage, and the time to close from its end', () => {
    const result = simulateOutage({ ...base, options: { probePolicy: everyNthAttempt(4) } });

    // Failures at 10, 11 and 12 s; attempts 4, 8 … from 13 s on are the probes: 16, 20 … 60 s.
    expect(result.openedAfterMillis).toBe(2_000);
    expect(result.closedAfterMillis).toBe(0);
    expect(result.probes).toBe(12);
  });

  it('tells what became of the batches', () => {
    const result = simulateOutage({ ...base, options: { probePolicy: everyNthAttempt(4) } });

    // 120 batches: 3 failures and 11 failed probes, 36 rejected between them.
    expect(result).toMatchObject({ delivered: 70, rejected: 36, lost: 50 });
  });

  it('plays a batch each everyMillis, also where that is a fraction', () => {
    const result = simulateOutage({ everyMillis: 0.1, outage, untilMillis: 10.7 });

    expect(result.delivered).toBe(107);
  });

  it('loses nothing with retention', () => {
    const result = simulateOutage({ ...base, options: { retention: {} }, untilMillis: 200_000 });

    expect(result).toMatchObject({ delivered: 200, lost: 0 });
  });

  it('holds the transitions in their order', () => {
    const result = simulateOutage({ ...base, options: { probePolicy: afterCooldown(50_000) } });

    expect(result.timeline.map(({ from, to, at }) => `${at} ${from}->${to}`)).toEqual([
      '12000 CLOSED->OPEN',
      '62000 OPEN->HALF_OPEN',
      '62000 HALF_OPEN->CLOSED',
    ]);
    expect(result.closedAfterMillis).toBe(2_000);
  });

  it('answers null for what never happened', () => {
    expect(
      simulateOutage({ ...base, options: { tripPolicy: consecutiveFailures(1_000) } }).openedAfterMillis,
    ).toBeNull();
    expect(
      simulateOutage({ ...base, options: { probePolicy: afterCooldown(1e9) } }).closedAfterMillis,
    ).toBeNull();
  });

  it('lets exports fail after a while', () => {
    expect(simulateOutage({ ...base, failAfterMillis: 8_000 }).openedAfterMillis).toBe(10_000);
  });

  it('has the same result each time', () => {
    expect(simulateOutage(base)).toEqual(simulateOutage(base));
  });

  it.each([
    ['everyMillis', { ...base, everyMillis: 0 }, RangeError],
    ['untilMillis', { ...base, untilMillis: Number.NaN }, RangeError],
    ['failAfterMillis', { ...base, failAfterMillis: -1 }, RangeError],
    ['endMillis', { ...base, outage: { startMillis: 5, endMillis: 4 } }, RangeError],
    ['startMillis', { ...base, outage: { endMillis: 4 } }, TypeError],
    ['clock', { ...base, options: { clock: {} } }, TypeError],
    ['breaker', { ...base, options: { breaker: {} } }, TypeError],
    ['everyMilis', { ...base, everyMilis: 5 }, TypeError],
    ['retension', { ...base, options: { retension: {} } }, TypeError],
  ])('refuses a bad %s by name', (name, simulation, errorClass) => {
    const simulate = (): unknown => simulateOutage(simulation as never);

    expect(simulate).toThrow(errorClass);
    expect(simulate).toThrow(name);
  });
});
