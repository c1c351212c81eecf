import {
  aFunction,
  nonNegativeNumber,
  numberThat,
  oneOf,
  optional,
  positiveInteger,
  readOptions,
  show,
} from '../internal/validate-options.ts';

/** What a probe policy is asked about. The breaker reuses one object: it holds only during the call. */
export interface ProbeContext {
  /** Which export this is since the circuit last opened (also by a failed probe), from 1. */
  readonly attempt: number;
  /** Milliseconds since then: the sum of the clock's forward steps seen at attempts. */
  readonly elapsedMillis: number;
  /** Probes that failed since the circuit left CLOSED. */
  readonly failedProbes: number;
  /** A number in [0, 1), drawn when the circuit last opened. */
  readonly random: number;
}

/**
 * Decides, as a pure function, whether an export that meets an open circuit may go through as a probe.
 *
 * @returns true: this export is the probe; false: it is rejected. Anything else, or a throw, goes to `onError` and
 * counts as true: better one probe too many than a circuit that never recovers.
 */
export type ProbePolicy = (context: ProbeContext) => boolean;

/** Options of {@link everyNthAttempt}. */
export interface EveryNthAttemptOptions {
  /** The first attempt that probes as long as no probe has failed; a positive integer. @defaultValue n */
  first?: number | undefined;
}

/**
 * Probes by counting: the attempts n, 2n, 3n … since the circuit last opened. Adapts itself to traffic: a sick backend
 * never sees more than an nth of its load.
 *
 * @param n - a positive integer
 * @param options - `first`: as long as no probe has failed, the attempts first, first + n, first + 2n …
 * @throws RangeError, TypeError for bad values
 * @example
 * ```ts
 * import { everyNthAttempt } from 'otel-circuit-breaker';
 *
 * const atOnceAndThenEveryTenth = everyNthAttempt(10, { first: 1 });
 * ```
 */
export function everyNthAttempt(n = 10, options?: EveryNthAttemptOptions): ProbePolicy {
  positiveInteger(n, 'everyNthAttempt: n');
  const { first } = readOptions<{ first: number }>('everyNthAttempt', options, {
    first: optional(positiveInteger, n),
  });
  return ({ attempt, failedProbes }) => {
    if (failedProbes > 0) return attempt % n === 0;
    return attempt >= first && (attempt - first) % n === 0;
  };
}

/**
 * Probes once the circuit has been open for a fixed time. In a fleet that opened together, all probe together: see
 * {@link exponentialBackoff}.
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
  /** By what each failed probe lengthens the pause; at least 1. @defaultValue 2 */
  multiplier?: number | undefined;
  /** How much of the pause is drawn: `'full'` all of it, `'equal'` its second half, `'none'` nothing. @defaultValue 'full' */
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
  const drawnShare = 1 - fixedShare;
  return ({ elapsedMillis, failedProbes, random }) => {
    // 0 · Infinity would be NaN, and a NaN pause would never be over.
    const grownMillis = initialMillis === 0 ? 0 : initialMillis * multiplier ** failedProbes;
    const capMillis = Math.min(maxMillis, grownMillis);
    return elapsedMillis >= capMillis * fixedShare + capMillis * drawnShare * random;
  };
}

/**
 * Probes when at least one of the policies says so. They are asked in order, until one does.
 *
 * @throws TypeError without a policy, or for what is none
 */
export function anyOf(...policies: readonly ProbePolicy[]): ProbePolicy {
  checkPolicies('anyOf', policies);
  return (context) => {
    for (const policy of policies) if (ask(policy, context)) return true;
    return false;
  };
}

/**
 * Probes when all of the policies say so. They are asked in order, until one does not. One that throws counts as a "yes":
 * the others decide.
 *
 * @throws TypeError without a policy, or for what is none
 */
export function allOf(...policies: readonly ProbePolicy[]): ProbePolicy {
  checkPolicies('allOf', policies);
  return (context) => {
    let problem: { readonly error: unknown } | undefined;
    for (const policy of policies) {
      try {
        if (!ask(policy, context)) return false;
      } catch (error) {
        problem ??= { error };
      }
    }
    // Only now: a broken policy must not take the floor away that another one holds.
    if (problem !== undefined) throw problem.error;
    return true;
  };
}

/**
 * The default: every 10th attempt, or after a jittered pause that grows from 5 to 30 s, whichever comes first; never
 * within a second of a failed probe. Counting serves busy services, the pause quiet ones, and the floor keeps
 * span-by-span processors in bounds.
 */
export const defaultProbePolicy: ProbePolicy = /* @__PURE__ */ allOf(
  /* @__PURE__ */ afterCooldown(1_000),
  /* @__PURE__ */ anyOf(
    /* @__PURE__ */ everyNthAttempt(10),
    /* @__PURE__ */ exponentialBackoff({ initialMillis: 5_000, maxMillis: 30_000, jitter: 'equal' }),
  ),
);

/** Checks a probe policy. What only makes one is easily given in its place, and would throw at each question: a "yes". */
export function aProbePolicy(value: unknown, label: string): ProbePolicy {
  const policy = aFunction<ProbePolicy>(value, label);
  const makers: readonly unknown[] = [everyNthAttempt, afterCooldown, exponentialBackoff, anyOf, allOf];
  if (makers.includes(policy))
    throw new TypeError(`${label} must be a policy, got ${show(value)}, which makes one: call it`);
  return policy;
}

function checkPolicies(owner: string, policies: readonly unknown[]): void {
  if (policies.length === 0) throw new TypeError(`${owner}: needs at least one policy, got none`);
  for (const policy of policies) aFunction(policy, `${owner}: a probe policy`);
}

/** What is no boolean must not pass for a "no" on its way to the breaker, which takes it as a "yes". */
function ask(policy: ProbePolicy, context: ProbeContext): boolean {
  const answer: unknown = policy(context);
  if (typeof answer !== 'boolean')
    throw new TypeError(`a probe policy must return a boolean, got ${show(answer)}`);
  return answer;
}
