import { CircuitBreaker } from '../../../src/breaker/circuit-breaker.ts';
import type { CircuitBreakerOptions } from '../../../src/breaker/circuit-breaker-options.ts';
import type { Permit } from '../../../src/breaker/permit.ts';
import type { ProbePolicy } from '../../../src/breaker/probe-policies.ts';
import type { CircuitTransition } from '../../../src/breaker/transition-listeners.ts';
import type { TripDetector, TripPolicy } from '../../../src/breaker/trip-policies.ts';
import { ManualClock } from '../../../src/testing/manual-clock.ts';

/** What the manual clock says at first. */
export const START = 1_700_000_000_000;

export const always: ProbePolicy = () => true;
export const never: ProbePolicy = () => false;

/** A breaker on a manual clock, and what it tells: its transitions and its problems. */
export function arrangeBreaker(options: CircuitBreakerOptions = {}) {
  const clock = new ManualClock(START);
  const transitions: CircuitTransition[] = [];
  const problems: [message: string, error: unknown][] = [];
  const breaker = new CircuitBreaker({
    clock,
    random: () => 0.5,
    onTransition: (transition) => {
      transitions.push(transition);
    },
    onError: (message, error) => {
      problems.push([message, error]);
    },
    ...options,
  });
  return { breaker, clock, transitions, problems };
}

/** `CLOSED->OPEN` and so on, for short. */
export function steps(transitions: readonly CircuitTransition[]): string[] {
  return transitions.map(({ from, to }) => `${from}->${to}`);
}

/** A permit that must be given. */
export function acquire(breaker: Pick<CircuitBreaker, 'tryAcquire'>, items?: number): Permit {
  const permit = breaker.tryAcquire(items);
  if (permit === undefined) throw new Error('the breaker rejected what it should let through');
  return permit;
}

/** Fails so often. */
export function fail(breaker: CircuitBreaker, times: number, error?: unknown): void {
  for (let i = 0; i < times; i++) acquire(breaker).fail(error);
}

/** A breaker that three failures have opened. */
export function arrangeOpen(options: CircuitBreakerOptions = {}) {
  const arranged = arrangeBreaker(options);
  fail(arranged.breaker, 3);
  arranged.transitions.length = 0;
  return arranged;
}

/** A breaker that is HALF_OPEN, with its probe in flight. */
export function arrangeHalfOpen(options: CircuitBreakerOptions = {}) {
  const arranged = arrangeOpen({ probePolicy: always, ...options });
  const probe = acquire(arranged.breaker);
  arranged.transitions.length = 0;
  return { ...arranged, probe };
}

/** A trip policy whose detector records its calls, and answers as told. */
export function recordingTrip(answers: Partial<Record<'onSuccess' | 'onFailure', () => unknown>> = {}) {
  const heard: [method: string, ...args: number[]][] = [];
  const errors: unknown[] = [];
  const detector = {
    onSuccess(at: number, durationMillis: number) {
      heard.push(['success', at, durationMillis]);
      return answers.onSuccess?.() ?? false;
    },
    onFailure(at: number, durationMillis: number, error: unknown) {
      heard.push(['failure', at, durationMillis]);
      errors.push(error);
      return answers.onFailure?.() ?? false;
    },
    reset() {
      heard.push(['reset']);
    },
  };
  const policy: TripPolicy = { createDetector: () => detector as TripDetector };
  return { policy, heard, errors };
}
