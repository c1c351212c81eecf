import { exporterOptions } from '../../docs/playground/simulation/exporter-options.ts';
import type { Run } from '../../docs/playground/simulation/run-simulation.ts';
import type { Settings } from '../../docs/playground/simulation/settings.ts';
import type { OutageSimulation, SimulatedOutage } from '../../src/testing/simulate-outage.ts';

/** Settings as `simulateOutage` takes them: a backend that refuses, one span a batch, and no bursts. */
export function asOutage(settings: Settings): OutageSimulation {
  const { rate, start, length, fail, minutes } = settings;
  return {
    options: exporterOptions(settings),
    everyMillis: 1_000 / rate,
    outage: { startMillis: start * 1_000, endMillis: (start + length) * 1_000 },
    failAfterMillis: fail * 1_000,
    untilMillis: minutes * 60_000,
  };
}

/** What of a run `simulateOutage` says, too. */
export function asResult({ guarded }: Run): SimulatedOutage {
  const { account, snapshot, transitions, openedAfterMillis, closedAfterMillis } = guarded;
  return {
    openedAfterMillis,
    closedAfterMillis,
    probes: snapshot.probes.success + snapshot.probes.failure,
    delivered: account.delivered.batches,
    rejected: snapshot.exports.rejected,
    lost: account.lost.batches,
    timeline: transitions.map(({ name, from, to, at }) => ({ name, from, to, at })),
  };
}
