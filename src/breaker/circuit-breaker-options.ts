import type { ProblemListener } from '../internal/report-problem.ts';
import { reportProblem } from '../internal/report-problem.ts';
import type { Checks } from '../internal/validate-options.ts';
import {
  aFunction,
  nonEmptyString,
  objectWith,
  optional,
  positiveInteger,
  positiveNumber,
} from '../internal/validate-options.ts';
import type { Clock } from './clock.ts';
import { systemClock } from './clock.ts';
import type { ProbePolicy } from './probe-policies.ts';
import { aProbePolicy, defaultProbePolicy } from './probe-policies.ts';
import type { TransitionListener } from './transition-listeners.ts';
import type { TripPolicy } from './trip-policies.ts';
import { consecutiveFailures } from './trip-policies.ts';

/** Options of a `CircuitBreaker`. A key with the value `undefined` is an absent key. */
export interface CircuitBreakerOptions {
  /** Label in health and metrics; a non-empty string. @defaultValue 'otlp' */
  name?: string | undefined;
  /** When CLOSED becomes OPEN. @defaultValue consecutiveFailures(3) */
  tripPolicy?: TripPolicy | undefined;
  /** When OPEN tries again. @defaultValue defaultProbePolicy */
  probePolicy?: ProbePolicy | undefined;
  /** How many probes in a row must succeed to close the circuit; a positive integer. @defaultValue 1 */
  successThreshold?: number | undefined;
  /** What knows the time. @defaultValue systemClock */
  clock?: Clock | undefined;
  /** A number in [0, 1), drawn once each time the circuit opens, for jitter. @defaultValue Math.random */
  random?: (() => number) | undefined;
  /** Hears of every state change, after it has happened. @defaultValue none */
  onTransition?: TransitionListener | undefined;
  /**
   * Hears of listeners, policies and classifiers that threw, and of whatever else has no caller to tell. Must not
   * throw, and is ignored when it does. @defaultValue console.error; of an exporter: diag.error
   */
  onError?: ProblemListener | undefined;
  /**
   * A probe's permit that has not been settled for so long counts as a failure at the next attempt; milliseconds, above
   * 0. An exporter's own breaker: its `exportTimeoutMillis` if that is more. @defaultValue 30_000
   */
  probeTimeoutMillis?: number | undefined;
}

/** The options with their defaults filled in. */
export type CompleteBreakerOptions = {
  [K in Exclude<keyof CircuitBreakerOptions, 'onTransition'>]-?: NonNullable<CircuitBreakerOptions[K]>;
} & { onTransition: TransitionListener | undefined };

/** One check an option. */
export const breakerOptionChecks: Checks<CompleteBreakerOptions> = {
  name: optional(nonEmptyString, 'otlp'),
  tripPolicy: optional(objectWith<TripPolicy>('createDetector'), consecutiveFailures()),
  probePolicy: optional(aProbePolicy, defaultProbePolicy),
  successThreshold: optional(positiveInteger, 1),
  clock: optional(objectWith<Clock>('now', 'schedule'), systemClock),
  random: optional<() => number>(aFunction, Math.random),
  onTransition: optional<TransitionListener | undefined>(aFunction, undefined),
  // biome-ignore lint/suspicious/noConsole: the documented default
  onError: optional<ProblemListener>(aFunction, (message, error) => console.error(message, error)),
  probeTimeoutMillis: optional(positiveNumber, 30_000),
};

/** Draws for jitter; one that throws, or answers no number in [0, 1), counts as 0. */
export function draw(random: () => number, onError: ProblemListener): number {
  try {
    const drawn: unknown = random();
    if (typeof drawn === 'number' && drawn >= 0 && drawn < 1) return drawn;
    reportProblem(onError, 'random answered no number in [0, 1), taken as 0', drawn);
  } catch (error) {
    reportProblem(onError, 'random threw, taken as 0', error);
  }
  return 0;
}
