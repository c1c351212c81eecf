import {
  nonNegativeNumber,
  optional,
  positiveInteger,
  readOptions,
  share,
  show,
} from '../internal/validate-options.ts';
import type { RollingWindow } from './rolling-window.ts';
import { createRollingCounter, rollingWindow } from './rolling-window.ts';

/** Watches the results of a closed circuit. Its methods return whether the circuit shall open. */
export interface TripDetector {
  /**
   * A success, or an invalid result (the backend is up).
   *
   * @param at - Unix milliseconds
   * @param durationMillis - how long the export took
   */
  onSuccess(at: number, durationMillis: number): boolean;
  /** A failure; parameters as in `onSuccess`. */
  onFailure(at: number, durationMillis: number): boolean;
  /** Forgets all: the circuit has closed. */
  reset(): void;
}

/** Decides when a closed circuit opens. A detector that throws, or returns no boolean, goes to `onError` and counts as "no". */
export interface TripPolicy {
  /** A detector of its own for each breaker. */
  createDetector(): TripDetector;
}

/**
 * Opens after so many failures in a row.
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
  /** Of which exports: `{ exports: n }`, the last n, or `{ millis: n }`, those of the last n milliseconds. */
  window: RollingWindow;
  /** How many exports the window must hold before their rate says anything; a positive integer. @defaultValue 10, or n where `{ exports: n }` is fewer */
  minimumExports?: number | undefined;
}

/**
 * Opens when too large a share of the exports failed. Looks when a failure comes in: a success never opens the circuit.
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
  /** An export that took longer than this, in milliseconds, is a slow one; at least 0. */
  slowerThanMillis: number;
}

/**
 * Opens when too large a share of the exports was slow, however they ended. Looks when a slow one comes in.
 *
 * @throws RangeError, TypeError for bad values
 */
export function slowExportRate(options: SlowExportRateOptions): TripPolicy {
  const rate = readRate('slowExportRate', options, { slowerThanMillis: nonNegativeNumber });
  return {
    createDetector() {
      const counter = createRollingCounter(rate.window);
      const look = (at: number, durationMillis: number): boolean => {
        const slow = durationMillis > rate.slowerThanMillis;
        counter.add(at, slow);
        return slow && counter.total >= rate.minimumExports && counter.hits / counter.total >= rate.threshold;
      };
      return { onSuccess: look, onFailure: look, reset: () => counter.clear() };
    },
  };
}

/**
 * Opens when any of the policies says so. Each of them sees every result.
 *
 * @throws TypeError without a policy, or for what is none
 */
export function anyTrip(...policies: readonly TripPolicy[]): TripPolicy {
  if (policies.length === 0) throw new TypeError('anyTrip: needs at least one policy, got none');
  for (const policy of policies) {
    if (typeof (policy as TripPolicy | null | undefined)?.createDetector !== 'function') {
      throw new TypeError(
        `anyTrip: a trip policy must be an object with createDetector(), got ${show(policy)}`,
      );
    }
  }
  return {
    createDetector() {
      const detectors = policies.map((policy) => policy.createDetector());
      return {
        onSuccess: (at, durationMillis) =>
          anySays(detectors, (detector) => detector.onSuccess(at, durationMillis)),
        onFailure: (at, durationMillis) =>
          anySays(detectors, (detector) => detector.onFailure(at, durationMillis)),
        reset() {
          anySays(detectors, (detector) => {
            detector.reset();
            return false;
          });
        },
      };
    },
  };
}

/** Asks all, also when one throws or one has already said yes; a yes outweighs a throw. */
function anySays(detectors: readonly TripDetector[], ask: (detector: TripDetector) => boolean): boolean {
  let says = false;
  let problem: { error: unknown } | undefined;
  for (const detector of detectors) {
    try {
      const answer: unknown = ask(detector);
      if (typeof answer !== 'boolean')
        throw new TypeError(`a trip detector must return a boolean, got ${show(answer)}`);
      says ||= answer;
    } catch (error) {
      problem ??= { error };
    }
  }
  if (!says && problem !== undefined) throw problem.error;
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
