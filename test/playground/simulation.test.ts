import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Account } from '../../docs/playground/simulation/lanes.ts';
import { PRESETS } from '../../docs/playground/simulation/presets.ts';
import { runSimulation } from '../../docs/playground/simulation/run-simulation.ts';
import type { Settings } from '../../docs/playground/simulation/settings.ts';
import { DEFAULT_SETTINGS } from '../../docs/playground/simulation/settings.ts';
import { simulateOutage } from '../../src/testing/simulate-outage.ts';
import { anySettings } from './any-settings.ts';
import { asOutage, asResult } from './as-outage.ts';

/** One span a batch, straight to the exporter: what `simulateOutage` plays. */
const STRAIGHT: Settings = { ...DEFAULT_SETTINGS, spans: 1, queue: 0, burst: 0, fallback: false };

function expectSameAsSimulateOutage(settings: Settings): void {
  const { timeline, ...expected } = simulateOutage(asOutage(settings));
  const withoutErrors = timeline.map(({ name, from, to, at }) => ({ name, from, to, at }));
  expect(asResult(runSimulation(settings))).toEqual({ ...expected, timeline: withoutErrors });
}

function balance({ offered, ...others }: Account): { offered: object; sum: object } {
  const sum = { batches: 0, items: 0 };
  for (const { batches, items } of Object.values(others)) {
    sum.batches += batches;
    sum.items += items;
  }
  return { offered, sum };
}

describe('the playground has the numbers of simulateOutage', () => {
  it.each([
    ['the defaults', {}],
    ['an export that fails at once', { fail: 0 }],
    ['no retention', { retention: false }],
    ['a retention that is full', { items: 40 }],
    ['a faster pace', { pace: 5 }],
    ['another threshold', { failures: 5 }],
    ['a rate of failures', { trip: 'rate', window: 30 }],
    ['a rate of slow exports', { trip: 'slow', slower: 5, window: 120 }],
    ['several trip policies', { trip: 'either', slower: 5 }],
    ['every 3rd batch', { probe: 'nth', nth: 3 }],
    ['a fixed pause', { probe: 'cooldown', cooldown: 10 }],
    ['a growing pause', { probe: 'backoff' }],
    ['an hour', { minutes: 60, length: 600 }],
    ['one batch a minute', { rate: 1 / 60, minutes: 60, length: 1_200 }],
  ] satisfies [string, Partial<Settings>][])('for %s', (_name, different) => {
    expectSameAsSimulateOutage({ ...STRAIGHT, ...different });
  });

  it('for any settings that it can play', () => {
    fc.assert(
      fc.property(anySettings, (settings) => {
        const { spans, queue, burst, fallback } = STRAIGHT;
        expectSameAsSimulateOutage({
          ...settings,
          ...{ spans, queue, burst, fallback, backend: 'refuses', minutes: Math.min(5, settings.minutes) },
          // The items of simulateOutage are smaller than spans: memory must hold either.
          memory: 1_024,
        });
      }),
      { numRuns: 50 },
    );
  });

  it('behind a batch processor, too, where no export takes longer than the next batch', () => {
    expectSameAsSimulateOutage({ ...STRAIGHT, queue: 2_048, fail: 0 });
  });
});

describe('a run', () => {
  it('has every span in one account, in both lanes', () => {
    fc.assert(
      fc.property(anySettings, (settings) => {
        const { guarded, bare } = runSimulation({ ...settings, minutes: Math.min(5, settings.minutes) });
        for (const { account } of [guarded, bare]) {
          const { offered, sum } = balance(account);
          expect(sum).toEqual(offered);
          for (const { batches, items } of Object.values(account))
            expect(Math.min(batches, items)).toBeGreaterThanOrEqual(0);
        }
        expect(guarded.account.offered).toEqual(bare.account.offered);
      }),
      { numRuns: 50 },
    );
  });

  it('is the same for the same settings', () => {
    for (const { settings } of PRESETS) expect(runSimulation(settings)).toEqual(runSimulation(settings));
  });

  it('has a sample for each of its times, and at most some hundred of them', () => {
    const { times, guarded, bare } = runSimulation({ ...DEFAULT_SETTINGS, minutes: 60 });
    expect(times.length).toBeLessThan(400);
    for (const { series } of [guarded, bare]) {
      for (const values of Object.values(series)) expect(values).toHaveLength(times.length);
    }
  });

  it('counts every export that reached the backend in the load', () => {
    const { times, guarded, bare } = runSimulation(DEFAULT_SETTINGS);
    const [first = 0, second = 0] = times;
    for (const { series, requests } of [guarded, bare]) {
      const sum = series.load.reduce((total, each) => total + each * (second - first), 0);
      expect(sum).toBe(requests);
    }
  });

  it('adds bursts to the traffic', () => {
    const steady = runSimulation({ ...DEFAULT_SETTINGS, minutes: 1 });
    const bursts = runSimulation({ ...DEFAULT_SETTINGS, minutes: 1, burst: 7, every: 20 });
    const more = bursts.guarded.account.offered.batches - steady.guarded.account.offered.batches;
    expect(more).toBe(14);
  });

  it('loses with the bare exporter what fails, and what its processor has no room for', () => {
    const { account } = runSimulation({
      ...DEFAULT_SETTINGS,
      rate: 10,
      spans: 100,
      start: 10,
      length: 16,
    }).bare;
    // Two exports fail, 8 s each; meanwhile 160 batches come, and the queue holds 20.
    expect(account.lost.batches).toBe(2 + 160 - 20 - 2);
  });

  it('keeps as many spans in memory as the benchmarks do', () => {
    const { series, fullAt } = runSimulation({
      ...DEFAULT_SETTINGS,
      rate: 10,
      spans: 500,
      length: 120,
      memory: 24,
    }).guarded;
    expect(fullAt).toBeGreaterThan(30);
    const most = Math.max(...series.kept);
    expect(most * 1_200).toBeLessThan(24 * 1_024 * 1_024);
    expect(most * 1_200).toBeGreaterThan(0.95 * 24 * 1_024 * 1_024);
  });

  it('gives the fallback what the library would lose', () => {
    const { account } = runSimulation({ ...DEFAULT_SETTINGS, backend: 'rejects', fallback: true }).guarded;
    expect(account.fallback.batches).toBe(12);
    expect(account.lost.batches).toBe(0);
  });

  it.each([
    ['the defaults', {}],
    ['a busy service', { rate: 4, spans: 500 }],
    ['a backend that hangs', { backend: 'hangs' }],
    ['a backend that flaps', { backend: 'flapping', length: 3_000 }],
  ] satisfies [string, Partial<Settings>][])('of an hour takes less than 100 ms: %s', (_name, different) => {
    const settings = { ...DEFAULT_SETTINGS, minutes: 60, ...different };
    // Time of this thread, and the best of several: the machine has other things to do.
    const took = Array.from({ length: 5 }, () => {
      const before = process.threadCpuUsage();
      runSimulation(settings);
      const { user, system } = process.threadCpuUsage(before);
      return (user + system) / 1_000;
    });
    expect(Math.min(...took)).toBeLessThan(100);
  });
});
