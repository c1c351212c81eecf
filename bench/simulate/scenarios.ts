import { afterCooldown, everyNthAttempt, exponentialBackoff } from 'otel-circuit-breaker';
import type { Failure, FleetResult, Wrapping } from './fleet.ts';
import type { FleetKind } from './fleet-kinds.ts';

/** A way to wrap the exporters of a fleet. */
export interface Scenario {
  readonly name: string;
  readonly wrapping: Wrapping | undefined;
  /** One of the three that are compared in every part. */
  readonly everywhere?: true;
}

export const BARE = 'bare OTLP exporter';
export const DEFAULT = 'default';
export const PACE_1 = 'default, retention';

export const scenarios: readonly Scenario[] = [
  { name: BARE, wrapping: undefined, everywhere: true },
  { name: 'every 10th attempt', wrapping: { probePolicy: everyNthAttempt(10) } },
  { name: 'cooldown of 30 s', wrapping: { probePolicy: afterCooldown(30_000) } },
  { name: 'backoff, no jitter', wrapping: { probePolicy: exponentialBackoff({ jitter: 'none' }) } },
  { name: 'backoff, full jitter', wrapping: { probePolicy: exponentialBackoff({ jitter: 'full' }) } },
  { name: 'backoff, equal jitter', wrapping: { probePolicy: exponentialBackoff({ jitter: 'equal' }) } },
  { name: DEFAULT, wrapping: {}, everywhere: true },
  { name: PACE_1, wrapping: { retention: {} }, everywhere: true },
  { name: 'default, retention, pace 3', wrapping: { retention: { pace: 3 } } },
  {
    name: 'default, retention, pace Infinity',
    wrapping: { retention: { pace: Number.POSITIVE_INFINITY } },
  },
];

/** A fleet, and how its collector fails: a table each. */
export interface Part {
  readonly kind: FleetKind;
  readonly failure: Failure;
  /** With all scenarios, and not only with those that are compared everywhere. */
  readonly full: boolean;
}

export const parts: readonly Part[] = [
  { kind: 'mixed', failure: 'http', full: true },
  { kind: 'mixed', failure: 'grpc', full: true },
  { kind: 'mixed', failure: 'hang', full: false },
  { kind: 'every 30 s', failure: 'http', full: false },
  { kind: 'every 30 s', failure: 'grpc', full: false },
  { kind: 'every 60 s', failure: 'http', full: false },
  { kind: 'every 60 s', failure: 'grpc', full: false },
];

export function scenariosOf({ full }: Part): readonly Scenario[] {
  return scenarios.filter(({ everywhere = false }) => full || everywhere);
}

/** One cell of the simulation, in a form that can be sent to a worker. */
export interface Task {
  readonly scenario: string;
  readonly kind: FleetKind;
  readonly failure: Failure;
  readonly outageSeconds: number;
  readonly services: number;
  readonly seed: number;
}

export interface TaskResult {
  readonly task: Task;
  readonly result: FleetResult;
}

/** @throws Error for a name that is none */
export function scenarioOf(name: string): Scenario {
  const scenario = scenarios.find((candidate) => candidate.name === name);
  if (scenario === undefined) throw new Error(`no scenario ${JSON.stringify(name)}`);
  return scenario;
}
