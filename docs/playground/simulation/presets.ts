import type { Settings } from './settings.ts';
import { DEFAULT_SETTINGS } from './settings.ts';

/** A set-up from "Choosing settings", in the outage that it is meant for. */
export interface Preset {
  /** Part of the guide's links. */
  readonly id: string;
  readonly label: string;
  readonly settings: Settings;
}

export const PRESETS: readonly Preset[] = [
  preset('api', 'A busy API', { rate: 4, spans: 500, retention: false }),
  preset('lossless', 'A busy API that must not lose spans', {
    rate: 4,
    spans: 500,
    queue: 20_000,
    memory: 192,
  }),
  preset('quiet', 'A quiet service, a batch a minute', {
    rate: 0.02,
    spans: 20,
    minutes: 30,
    start: 300,
    length: 600,
  }),
  preset('sidecar', 'A sidecar collector that restarts', {
    length: 10,
    fail: 0,
    probe: 'cooldown',
    cooldown: 1,
  }),
  preset('grpc', 'gRPC', { fail: 0 }),
  preset('fleet', 'One of a fleet behind one collector', { rate: 0.2, spans: 512, minutes: 15, length: 120 }),
  preset('job', 'A job or command-line tool', { minutes: 2, rate: 1, timeout: 2, backend: 'hangs' }),
  preset('serverless', 'A function', {
    rate: 0.5,
    spans: 10,
    queue: 0,
    fail: 0,
    trip: 'consecutive',
    failures: 2,
    probe: 'nth',
    nth: 3,
    retention: false,
  }),
  preset('hanging', 'A collector that hangs', {
    backend: 'hangs',
    timeout: 3,
    trip: 'either',
    slower: 2,
    window: 30,
    minimum: 2,
  }),
  preset('slow', 'A collector that gets slow', {
    backend: 'slow',
    slow: 3,
    trip: 'slow',
    slower: 2,
    window: 30,
    minimum: 3,
  }),
  preset('flapping', 'A collector that flaps', { backend: 'flapping', flap: 20, length: 120 }),
  preset('poisoned', 'Batches that the backend refuses', { backend: 'rejects', share: 10, fallback: true }),
];

function preset(id: string, label: string, different: Partial<Settings>): Preset {
  return { id, label, settings: { ...DEFAULT_SETTINGS, ...different } };
}
