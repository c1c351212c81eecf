import { afterCooldown, everyNthAttempt, exponentialBackoff } from 'otel-circuit-breaker';
import type { FleetResult, Wrapping } from './fleet.ts';
import type { Protocol } from './otlp-like-exporter.ts';

/** A way to wrap the exporters of a fleet. */
export interface Scenario {
  readonly name: string;
  readonly wrapping: Wrapping | undefined;
}

const probing: readonly Scenario[] = [
  { name: 'bare OTLP exporter', wrapping: undefined },
  { name: 'every 10th attempt', wrapping: { probePolicy: everyNthAttempt(10) } },
  { name: 'cooldown of 30 s', wrapping: { probePolicy: afterCooldown(30_000) } },
  { name: 'backoff, no jitter', wrapping: { probePolicy: exponentialBackoff({ jitter: 'none' }) } },
  { name: 'backoff, full jitter', wrapping: { probePolicy: exponentialBackoff({ jitter: 'full' }) } },
  { name: 'backoff, equal jitter', wrapping: { probePolicy: exponentialBackoff({ jitter: 'equal' }) } },
  { name: 'default', wrapping: {} },
];

const keeping: readonly Scenario[] = [1, 3, Number.POSITIVE_INFINITY].map((pace) => ({
  name: `default, retention, pace ${pace}`,
  wrapping: { retention: { pace } },
}));

export const scenarios: readonly Scenario[] = [...probing, ...keeping];
export const protocols: readonly Protocol[] = ['http', 'grpc'];

/** One cell of the simulation, in a form that can be sent to a worker. */
export interface Task {
  readonly scenario: string;
  readonly protocol: Protocol;
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
