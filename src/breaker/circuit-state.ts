import type { Permit } from './permit.ts';

/**
 * Where a circuit is, and what is known only there. A generation is what lies between two state changes: a result
 * counts only in the one in which its export began.
 */
export type CircuitStatus = ClosedStatus | OpenStatus | HalfOpenStatus;

export interface ClosedStatus {
  readonly state: 'CLOSED';
  readonly generation: number;
  /** Unix milliseconds of the change into this state. */
  readonly since: number;
}

export interface OpenStatus {
  readonly state: 'OPEN';
  readonly generation: number;
  readonly since: number;
  readonly notClosedSince: number;
  readonly failedProbes: number;
  /** Drawn at the opening, for jitter. */
  readonly random: number;
  // What follows changes in place: a rejected batch creates no object.
  attempts: number;
  /** The sum of the clock's forward steps seen at attempts, in milliseconds. */
  elapsedMillis: number;
  lastAttemptAt: number;
}

export interface HalfOpenStatus {
  readonly state: 'HALF_OPEN';
  readonly generation: number;
  readonly since: number;
  readonly notClosedSince: number;
  readonly failedProbes: number;
  /** Attempts of the OPEN that this came from. */
  readonly attempts: number;
  successes: number;
  /** Whoever has the one place, and since when. */
  probe: { readonly holder: Permit; readonly startedAt: number } | undefined;
}

/** CLOSED, from anywhere. */
export function closed(from: CircuitStatus | undefined, at: number): ClosedStatus {
  return { state: 'CLOSED', generation: nextGeneration(from), since: at };
}

/** CLOSED still, in a new generation: what began before counts no more. */
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
    elapsedMillis: 0,
    lastAttemptAt: at,
  };
}

/** Takes notice of an attempt. A clock that steps back adds nothing. */
export function noteAttempt(status: OpenStatus, at: number): void {
  status.attempts++;
  if (at > status.lastAttemptAt) status.elapsedMillis += at - status.lastAttemptAt;
  status.lastAttemptAt = at;
}

/** HALF_OPEN, with the place for the probe still free. */
export function halfOpened(from: OpenStatus, at: number): HalfOpenStatus {
  return {
    state: 'HALF_OPEN',
    generation: nextGeneration(from),
    since: at,
    notClosedSince: from.notClosedSince,
    failedProbes: from.failedProbes,
    attempts: from.attempts,
    successes: 0,
    probe: undefined,
  };
}

function nextGeneration(from: CircuitStatus | undefined): number {
  return from === undefined ? 0 : from.generation + 1;
}
