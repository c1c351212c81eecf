import type { SendingPermit } from './permit.ts';

/**
 * The state of a circuit, with the data that exists only in that state. Each state change starts a new generation; a
 * result counts only in the generation in which its export began. All times are readings of the breaker's clock.
 */
export type CircuitStatus = ClosedStatus | OpenStatus | HalfOpenStatus;

export interface ClosedStatus {
  readonly state: 'CLOSED';
  readonly generation: number;
  /** When the circuit entered this state. */
  readonly since: number;
}

export interface OpenStatus {
  readonly state: 'OPEN';
  readonly generation: number;
  readonly since: number;
  /** When the circuit last left CLOSED. */
  readonly notClosedSince: number;
  readonly failedProbes: number;
  /** Drawn when the circuit opened, for jitter. */
  readonly random: number;
  /** Incremented in place: a rejected batch creates no object. */
  attempts: number;
}

export interface HalfOpenStatus {
  readonly state: 'HALF_OPEN';
  readonly generation: number;
  readonly since: number;
  readonly notClosedSince: number;
  readonly failedProbes: number;
  /** The attempts of the OPEN state before this one. */
  readonly attempts: number;
  /** Probes that have succeeded. */
  successes: number;
  /** The probe in flight; `undefined`: the next export is the next probe. */
  probe: SendingPermit | undefined;
}

/** CLOSED, from any state. */
export function closed(from: CircuitStatus | undefined, at: number): ClosedStatus {
  return { state: 'CLOSED', generation: nextGeneration(from), since: at };
}

/** Still CLOSED, in a new generation: results of exports that began earlier no longer count. */
export function renewed(from: ClosedStatus): ClosedStatus {
  return { ...from, generation: nextGeneration(from) };
}

/** OPEN, from CLOSED or HALF_OPEN. */
export function opened(
  from: ClosedStatus | HalfOpenStatus,
  at: number,
  random: number,
  probeFailed: boolean,
): OpenStatus {
  return {
    state: 'OPEN',
    generation: nextGeneration(from),
    since: at,
    notClosedSince: from.state === 'CLOSED' ? at : from.notClosedSince,
    failedProbes: (from.state === 'CLOSED' ? 0 : from.failedProbes) + (probeFailed ? 1 : 0),
    random,
    attempts: 0,
  };
}

/** HALF_OPEN, with no probe in flight yet. */
export function halfOpened(from: OpenStatus, at: number): HalfOpenStatus {
  const generation = nextGeneration(from);
  return { ...from, state: 'HALF_OPEN', generation, since: at, successes: 0, probe: undefined };
}

function nextGeneration(from: CircuitStatus | undefined): number {
  return from === undefined ? 0 : from.generation + 1;
}
