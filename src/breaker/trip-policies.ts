import { callUserFunction, ignoreRejection } from '../internal/report-problem.ts';
import {
  nonNegativeNumber,
  objectWith,
  optional,
  positiveInteger,
  readOptions,
  share,
} from '../internal/validate-options.ts';
import { booleanFrom, memberProblemListener } from './policy-problems.ts';
import type { RollingWindow } from './rolling-window.ts';
import { createRollingCounter, rollingWindow } from './rolling-window.ts';

/** Watches the results of a closed circuit. `onSuccess` and `onFailure` return true to open it. */
export interface TripDetector {
  /**
   * Is told of a success, or of an invalid result (the backend is up).
   *
   * @param at - `now()` of the breaker's clock, in milliseconds
   * @param durationMillis - how long the export took
   */
  onSuccess(at: number, durationMillis: number): boolean;
  /** Is told of a failure; `error` is what the export failed with, the other parameters are those of `onSuccess`. */
  onFailure(at: number, durationMillis: number, error: unknown): boolean;
  /**
   * Returns true if an export that took this long must not close the circuit. A probe that was answered with a success, or
   * as invalid, is then a failed probe to the circuit, which opens again; the numbers count it as answered.
   */
  isTooSlow?(durationMillis: number): boolean;
  /** Forgets everything: the circuit has closed. */
  reset(): void;
}

/**
 * Decides when a closed circuit opens. A detector that throws, or returns anything but a boolean (a promise, too), is
 * reported to `onError` and counts as a "no".
 */
export interface TripPolicy {
  /** Makes a detector of its own for each breaker. */
  createDetector(): TripDetector;
}

/**
 * Opens after this many failures in a row.
 *
 * @param threshold - a positive integer
 * @throws RangeError, TypeError for a bad threshold
 */
export function consecutiveFailures(threshold = 3): TripPolicy {
  positiveInteger(threshold, 'consecutiveFailures: threshold');
  return {
    createDetector() {
      let failures = 0;
      return {
        onSuccess() {
          failures = 0;
          return false;
        },
        onFailure() {
          failures++;
          return failures >= threshold;
        },
        reset() {
          failures = 0;
        },
      };
    },
  };
}

/** Options of {@link failureRate}. */
export interface FailureRateOptions {
  /** The share of failures that opens the circuit; above 0, at most 1. @defaultValue 0.5 */
  threshold?: number | undefined;
  /** The exports that are looked at: `{ exports: n }`, the last n, or `{ millis: n }`, those of the last n milliseconds. */
  window: RollingWindow;
  /** How many exports the window must hold before the circuit may open; a positive integer. @defaultValue 10, or n if `{ exports: n }` is fewer */
  minimumExports?: number | undefined;
}

/**
 * Opens when too large a share of the exports failed. The rate is looked at when a failure comes in: a success never opens
 * the circuit.
 *
 * @throws RangeError, TypeError for bad values
 */
export function failureRate(options: FailureRateOptions): TripPolicy {
  const rate = readRate('failureRate', options, {});
  return {
    createDetector() {
      const counter = createRollingCounter(rate.window);
      return {
        onSuccess(at) {
          counter.add(at, false);
          return false;
        },
        onFailure(at) {
          counter.add(at, true);
          return counter.total >= rate.minimumExports && counter.hits / counter.total >= rate.threshold;
        },
        reset: () => counter.clear(),
      };
    },
  };
}

/** Options of {@link slowExportRate}. */
export interface SlowExportRateOptions extends FailureRateOptions {
  /** An export that took longer than this, in milliseconds, is slow; at least 0. */
  slowerThanMillis: number;
}

/**
 * Opens when too large a share of the exports was slow, however they ended. The rate is looked at when a slow one comes in.
 * A slow probe does not close the circuit.
 *
 * @throws RangeError, TypeError for bad values
 */
export function slowExportRate(options: SlowExportRateOptions): TripPolicy {
  const rate = readRate('slowExportRate', options, { slowerThanMillis: nonNegativeNumber });
  return {
    createDetector() {
      const counter = createRollingCounter(rate.window);
      const isTooSlow = (durationMillis: number): boolean => durationMillis > rate.slowerThanMillis;
      const look = (at: number, durationMillis: number): boolean => {
        const slow = isTooSlow(durationMillis);
        counter.add(at, slow);
        return slow && counter.total >= rate.minimumExports && counter.hits / counter.total >= rate.threshold;
      };
      return { onSuccess: look, onFailure: look, isTooSlow, reset: () => counter.clear() };
    },
  };
}

/**
 * Opens when any of the policies says so. Each of them sees every result, also when another one has thrown or has already
 * said yes.
 *
 * @throws TypeError without a policy, or if one has no `createDetector()`
 */
export function anyTrip(...policies: readonly TripPolicy[]): TripPolicy {
  if (policies.length === 0) throw new TypeError('anyTrip: needs at least one policy, got none');
  for (const policy of policies) objectWith<TripPolicy>('createDetector')(policy, 'anyTrip: a trip policy');
  return {
    createDetector() {
      const detectors = policies.map((policy) => createDetectorOf(policy, 'anyTrip'));
      const slownessDetectors = detectors.filter((detector) => detector.isTooSlow !== undefined);
      const any: TripDetector = {
        onSuccess: (at, durationMillis) =>
          anySays(detectors, (detector) => detector.onSuccess(at, durationMillis)),
        onFailure: (at, durationMillis, error) =>
          anySays(detectors, (detector) => detector.onFailure(at, durationMillis, error)),
        reset() {
          for (const detector of detectors) callUserFunction(() => detector.reset(), memberProblemListener());
        },
      };
      if (slownessDetectors.length > 0) {
        any.isTooSlow = (durationMillis) =>
          anySays(slownessDetectors, (detector) => detector.isTooSlow?.(durationMillis));
      }
      return any;
    },
  };
}

/** Makes a detector and checks it. @throws TypeError if it is not one */
export function createDetectorOf(policy: TripPolicy, owner: string): TripDetector {
  const detector: unknown = policy.createDetector();
  ignoreRejection(detector);
  const check = objectWith<TripDetector>('onSuccess', 'onFailure', 'reset');
  return check(detector, `${owner}: the result of createDetector()`);
}

/** Asks all of them, also when one has thrown or has said yes. */
function anySays(detectors: readonly TripDetector[], ask: (detector: TripDetector) => unknown): boolean {
  let says = false;
  for (const detector of detectors) {
    try {
      says = booleanFrom(ask(detector)) || says;
    } catch (problem) {
      memberProblemListener()(problem);
    }
  }
  return says;
}

type Rate = { threshold: number; window: RollingWindow; minimumExports: number };

function readRate<More extends object>(
  owner: string,
  options: Rate | object,
  more: { readonly [K in keyof More]-?: (value: unknown, label: string) => More[K] },
): Rate & More;
function readRate(owner: string, options: object, more: object): Rate {
  const rate = readOptions<Omit<Rate, 'minimumExports'> & { minimumExports: number | undefined }>(
    owner,
    options,
    {
      threshold: optional(share, 0.5),
      window: rollingWindow,
      minimumExports: (value, label) => (value === undefined ? undefined : positiveInteger(value, label)),
      ...more,
    },
  );
  const most = rate.window.exports ?? Number.POSITIVE_INFINITY;
  const minimumExports = rate.minimumExports ?? Math.min(10, most);
  if (minimumExports > most) {
    throw new RangeError(
      `${owner}: option "minimumExports" must be at most the ${most} exports of the window, got ${minimumExports}`,
    );
  }
  return { ...rate, minimumExports };
}
