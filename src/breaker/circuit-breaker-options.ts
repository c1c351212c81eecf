import type { ProblemListener } from '../internal/report-problem.ts';
import { ignoreRejection } from '../internal/report-problem.ts';
import type { Checks } from '../internal/validate-options.ts';
import {
  aFunction,
  nonEmptyString,
  objectWith,
  optional,
  positiveInteger,
  positiveNumber,
  show,
} from '../internal/validate-options.ts';
import type { Clock } from './clock.ts';
import { systemClock } from './clock.ts';
import type { ProbePolicy } from './probe-policies.ts';
import { defaultProbePolicy } from './probe-policies.ts';
import type { TransitionListener } from './transition-listeners.ts';
import type { TripPolicy } from './trip-policies.ts';
import { consecutiveFailures } from './trip-policies.ts';

/** Options of a `CircuitBreaker`. A key with the value `undefined` counts as absent. */
export interface CircuitBreakerOptions {
  /** Label in health and metrics; a non-empty string. @defaultValue 'otlp' */
  name?: string | undefined;
  /** When CLOSED becomes OPEN. @defaultValue consecutiveFailures(3) */
  tripPolicy?: TripPolicy | undefined;
  /** When OPEN tries again. @defaultValue defaultProbePolicy */
  probePolicy?: ProbePolicy | undefined;
  /** How many probes in a row must succeed to close the circuit; a positive integer. @defaultValue 1 */
  successThreshold?: number | undefined;
  /** Time source and timers. @defaultValue systemClock */
  clock?: Clock | undefined;
  /** A number in [0, 1), drawn once each time the circuit opens, for jitter. @defaultValue Math.random */
  random?: (() => number) | undefined;
  /** Receives every state change, after it has happened. @defaultValue none */
  onTransition?: TransitionListener | undefined;
  /**
   * Receives background errors: from listeners, policies and classifiers that threw, and others that no caller can be
   * told about. Must not throw; what it throws is ignored. @defaultValue console.error; for an exporter: diag.error
   */
  onError?: ProblemListener | undefined;
  /**
   * A probe whose permit has not been settled after this time counts as failed at the next attempt; milliseconds, above
   * 0. For the breaker of an exporter: its `exportTimeoutMillis` if that is more. @defaultValue 30_000
   */
  probeTimeoutMillis?: number | undefined;
}

/** The options with their defaults filled in. */
export type CompleteBreakerOptions = {
  [K in Exclude<keyof CircuitBreakerOptions, 'onTransition'>]-?: NonNullable<CircuitBreakerOptions[K]>;
} & { onTransition: TransitionListener | undefined };

/** A check for each option. */
export const breakerOptionChecks: Checks<CompleteBreakerOptions> = {
  name: optional(nonEmptyString, 'otlp'),
  tripPolicy: optional(objectWith<TripPolicy>('createDetector'), consecutiveFailures()),
  probePolicy: optional<ProbePolicy>(aFunction, defaultProbePolicy),
  successThreshold: optional(positiveInteger, 1),
  clock: optional(aClock, systemClock),
  random: optional<() => number>(aFunction, Math.random),
  onTransition: optional<TransitionListener | undefined>(aFunction, undefined),
  // biome-ignore lint/suspicious/noConsole: the documented default
  onError: optional<ProblemListener>(aFunction, (message, error) => console.error(message, error)),
  probeTimeoutMillis: optional(positiveNumber, 30_000),
};

function aClock(value: unknown, label: string): Clock {
  const clock = objectWith<Clock>('now', 'schedule')(value, label);
  if (clock.unixMillis !== undefined) aFunction(clock.unixMillis, `${label}.unixMillis`);
  return clock;
}

/** Draws a number for jitter. If `random` throws, or returns no number in [0, 1), that is reported and it is 0. */
export function draw(random: () => number, onError: ProblemListener): number {
  try {
    const drawn: unknown = random();
    if (typeof drawn === 'number' && drawn >= 0 && drawn < 1) return drawn;
    ignoreRejection(drawn);
    throw new TypeError(`random must return a number in [0, 1), got ${show(drawn)}`);
  } catch (error) {
    onError('random failed, taken as 0', error);
  }
  return 0;
}
