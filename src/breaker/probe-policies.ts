import {
  aFunction,
  nonNegativeNumber,
  numberThat,
  oneOf,
  optional,
  positiveInteger,
  readOptions,
} from '../internal/validate-options.ts';
import { booleanFrom, memberProblemListener } from './policy-problems.ts';

/** The question that a probe policy answers. The breaker reuses one object: it is valid only during the call. */
export interface ProbeContext {
  /** The number of this export since the circuit last opened (also by a failed probe), from 1. */
  readonly attempt: number;
  /** Milliseconds since the circuit last opened, by a clock that nobody sets. */
  readonly elapsedMillis: number;
  /** Probes that failed since the circuit left CLOSED. */
  readonly failedProbes: number;
  /** A number in [0, 1), drawn when the circuit last opened. */
  readonly random: number;
}

/**
 * Decides, as a pure function, if an export that arrives while the circuit is open may go through as a probe.
 *
 * @returns true: this export is the probe; false: it is rejected. A policy that throws, or returns anything else (a
 * promise, too), is reported to `onError` and counts as true: better one probe too many than a circuit that never
 * recovers.
 */
export type ProbePolicy = (context: ProbeContext) => boolean;

/** Options of {@link everyNthAttempt}. */
export interface EveryNthAttemptOptions {
  /** The first attempt that probes while no probe has failed yet; a positive integer. @defaultValue n */
  first?: number | undefined;
}

/**
 * Probes by counting: the attempts n, 2n, 3n … since the circuit last opened. Adapts to the traffic: a sick backend never
 * gets more than one nth of its usual load.
 *
 * @param n - a positive integer
 * @param options - `first`: while no probe has failed yet, the attempts first, first + n, first + 2n …
 * @throws RangeError, TypeError for bad values
 * @example
 * ```ts
 * import { everyNthAttempt } from 'otel-circuit-breaker';
 *
 * const immediatelyThenEveryTenth = everyNthAttempt(10, { first: 1 });
 * ```
 */
export function everyNthAttempt(n = 10, options?: EveryNthAttemptOptions): ProbePolicy {
  positiveInteger(n, 'everyNthAttempt: n');
  const { first } = readOptions<{ first: number }>('everyNthAttempt', options, {
    first: optional(positiveInteger, n),
  });
  return ({ attempt, failedProbes }) => {
    const start = failedProbes > 0 ? n : first;
    return attempt >= start && (attempt - start) % n === 0;
  };
}

/**
 * Probes once the circuit has been open for a fixed time. Circuits of a fleet that opened together probe together: see
 * {@link exponentialBackoff} for jitter.
 *
 * @param millis - milliseconds since the circuit last opened; at least 0
 * @throws RangeError, TypeError for bad values
 */
export function afterCooldown(millis: number): ProbePolicy {
  nonNegativeNumber(millis, 'afterCooldown: millis');
  return ({ elapsedMillis }) => elapsedMillis >= millis;
}

/** Options of {@link exponentialBackoff}. */
export interface ExponentialBackoffOptions {
  /** The longest first pause, in milliseconds; at least 0. @defaultValue 1_000 */
  initialMillis?: number | undefined;
  /** The longest pause of all, in milliseconds; at least 0. @defaultValue 60_000 */
  maxMillis?: number | undefined;
  /** The factor by which each failed probe lengthens the pause; at least 1. @defaultValue 2 */
  multiplier?: number | undefined;
  /** How much of the pause is random: `'full'` all of it, `'equal'` its second half, `'none'` nothing. @defaultValue 'full' */
  jitter?: 'full' | 'equal' | 'none' | undefined;
}

/**
 * Probes after a pause that grows with each failed probe: cap = min(maxMillis, initialMillis · multiplier^failedProbes);
 * the pause is cap · random (`'full'`), cap/2 + cap/2 · random (`'equal'`) or cap (`'none'`).
 *
 * @throws RangeError, TypeError for bad values
 * @see https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
 */
export function exponentialBackoff(options?: ExponentialBackoffOptions): ProbePolicy {
  const { initialMillis, maxMillis, multiplier, jitter } = readOptions<{
    initialMillis: number;
    maxMillis: number;
    multiplier: number;
    jitter: 'full' | 'equal' | 'none';
  }>('exponentialBackoff', options, {
    initialMillis: optional(nonNegativeNumber, 1_000),
    maxMillis: optional(nonNegativeNumber, 60_000),
    multiplier: optional(
      numberThat('a finite number of at least 1', (value) => Number.isFinite(value) && value >= 1),
      2,
    ),
    jitter: optional(oneOf('full', 'equal', 'none'), 'full'),
  });
  const fixedShare = jitter === 'none' ? 1 : jitter === 'equal' ? 0.5 : 0;
  return (context) =>
    context.elapsedMillis >= pauseMillis(context, initialMillis, maxMillis, multiplier, fixedShare);
}

function pauseMillis(
  { failedProbes, random }: ProbeContext,
  initialMillis: number,
  maxMillis: number,
  multiplier: number,
  fixedShare: number,
): number {
  // 0 · Infinity would be NaN, and a NaN pause would never end.
  const grownMillis = initialMillis === 0 ? 0 : initialMillis * multiplier ** failedProbes;
  const capMillis = Math.min(maxMillis, grownMillis);
  return capMillis * fixedShare + capMillis * (1 - fixedShare) * random;
}

/**
 * Probes when at least one of the policies says so. They are asked in order, until one does. A policy that throws, or
 * returns no boolean, is reported and counts as a "yes".
 *
 * @throws TypeError without a policy, or if one is not a function
 */
export function anyOf(...policies: readonly ProbePolicy[]): ProbePolicy {
  return untilOneSays(true, checked('anyOf', policies));
}

/**
 * Probes when all of the policies say so. They are asked in order, until one does not. A policy that throws, or returns no
 * boolean, is reported and counts as a "yes": the others decide.
 *
 * @throws TypeError without a policy, or if one is not a function
 */
export function allOf(...policies: readonly ProbePolicy[]): ProbePolicy {
  return untilOneSays(false, checked('allOf', policies));
}

/**
 * The default: every 10th attempt, or after a jittered pause that grows from 5 to 30 s, whichever comes first; never
 * within a second of a failed probe. Counting is for busy services, the pause for quiet ones, and the minimum of a second
 * for processors that export span by span. It is the same as
 *
 * ```ts
 * import { afterCooldown, allOf, anyOf, everyNthAttempt, exponentialBackoff } from 'otel-circuit-breaker';
 *
 * allOf(
 *   afterCooldown(1_000),
 *   anyOf(everyNthAttempt(10), exponentialBackoff({ initialMillis: 5_000, maxMillis: 30_000, jitter: 'equal' })),
 * );
 * ```
 */
export const defaultProbePolicy: ProbePolicy = (context) =>
  // Written out, so that a bundle that uses none of these policies has none of their checks.
  context.elapsedMillis >= 1_000 &&
  (context.attempt % 10 === 0 || context.elapsedMillis >= pauseMillis(context, 5_000, 30_000, 2, 0.5));

function checked(owner: string, policies: readonly ProbePolicy[]): readonly ProbePolicy[] {
  if (policies.length === 0) throw new TypeError(`${owner}: needs at least one policy, got none`);
  for (const policy of policies) aFunction(policy, `${owner}: a probe policy`);
  return policies;
}

function untilOneSays(decisive: boolean, policies: readonly ProbePolicy[]): ProbePolicy {
  return (context) => {
    for (const policy of policies) if (memberSays(policy, context) === decisive) return decisive;
    return !decisive;
  };
}

function memberSays(policy: ProbePolicy, context: ProbeContext): boolean {
  try {
    return booleanFrom(policy(context));
  } catch (problem) {
    memberProblemListener()(problem);
    return true;
  }
}
