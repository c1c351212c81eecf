import type { Classification, ProbeContext, TripPolicy } from '../index.ts';

/**
 * The defaults of the contract, written a second time and as plainly as possible: the model uses them if
 * `circuitCommands` is given no policy and no classifier.
 */

/** `consecutiveFailures(3)`. */
export const threeFailuresInARow: TripPolicy = {
  createDetector() {
    let failures = 0;
    return {
      onSuccess() {
        failures = 0;
        return false;
      },
      onFailure() {
        failures += 1;
        return failures >= 3;
      },
      reset() {
        failures = 0;
      },
    };
  },
};

/** Every 10th attempt or after a pause of 5 s that doubles up to 30 s, half of it jitter; never within a second. */
export function everyTenthOrAfterAPause(context: ProbeContext): boolean {
  if (context.elapsedMillis < 1_000) return false;
  if (context.attempt % 10 === 0) return true;
  let pause = 5_000;
  for (let failed = 0; failed < context.failedProbes && pause < 30_000; failed++) pause *= 2;
  pause = Math.min(pause, 30_000);
  return context.elapsedMillis >= pause / 2 + (pause / 2) * context.random;
}

const REFUSED_PAYLOAD = [400, 413, 422, 3];
const NOTHING_SENT = ['Concurrent export limit reached', 'Nothing to send'];

/** `classifyResult`, for the results that the commands give. */
export function classifyAsTheContract(result: {
  readonly code: unknown;
  readonly error?: unknown;
}): Classification {
  if (result.code === 0) return 'success';
  const error = (result.error ?? {}) as { code?: unknown; message?: unknown };
  if (REFUSED_PAYLOAD.some((code) => code === error.code)) return 'invalid';
  if (NOTHING_SENT.some((message) => message === error.message)) return 'ignored';
  return 'failure';
}
