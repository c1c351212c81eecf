import type { Traffic } from './simulated-service.ts';

/** What the services of a fleet are like. */
export const FLEET_NAMES = ['mixed', 'every 30 s', 'every 60 s'] as const;
export type FleetKind = (typeof FLEET_NAMES)[number];

interface FleetTraffic extends Traffic {
  readonly batchesPerSecond: number;
}

interface FleetDescription {
  /** So long that the exporters have found their rhythm. */
  readonly warmUpSeconds: number;
  /** How long it is watched after an outage. */
  readonly afterSeconds: number;
  trafficOf(index: number, services: number): FleetTraffic;
}

/** One service in twenty is busy. */
const BUSY_EVERY = 20;
const busy: FleetTraffic = { spansPerSecond: 2_048, delayMillis: 5_000, batchesPerSecond: 4 };
const quiet: FleetTraffic = { spansPerSecond: 10, delayMillis: 5_000, batchesPerSecond: 1 / 5 };

function metronome(seconds: number): FleetDescription {
  const traffic: FleetTraffic = {
    spansPerSecond: 1,
    delayMillis: seconds * 1_000,
    metronomic: true,
    batchesPerSecond: 1 / seconds,
  };
  return { warmUpSeconds: 5 * seconds, afterSeconds: 10 * seconds, trafficOf: () => traffic };
}

export const FLEET_KINDS: Readonly<Record<FleetKind, FleetDescription>> = {
  mixed: {
    warmUpSeconds: 20,
    afterSeconds: 120,
    trafficOf: (index, services) => (index < Math.ceil(services / BUSY_EVERY) ? busy : quiet),
  },
  'every 30 s': metronome(30),
  'every 60 s': metronome(60),
};
