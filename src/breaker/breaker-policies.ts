import type { ProblemListener } from '../internal/report-problem.ts';
import { callUserFunction } from '../internal/report-problem.ts';
import type { OpenStatus } from './circuit-state.ts';
import type { PolicyProblemListener } from './policy-problems.ts';
import { booleanFrom, swapPolicyProblemListener } from './policy-problems.ts';
import type { ProbePolicy } from './probe-policies.ts';
import type { TripDetector, TripPolicy } from './trip-policies.ts';
import { createDetectorOf } from './trip-policies.ts';

/**
 * The user's policies as one breaker asks them. A policy that throws, or returns anything but a boolean, is reported: a
 * trip policy then counts as "no", a probe policy as "yes".
 */
export class BreakerPolicies {
  readonly #detector: TripDetector;
  readonly #probePolicy: ProbePolicy;
  readonly #onTripProblem: PolicyProblemListener;
  readonly #onProbeProblem: PolicyProblemListener;
  /** Reused: a rejected batch creates no object. */
  readonly #context = { attempt: 0, elapsedMillis: 0, failedProbes: 0, random: 0 };

  /** @throws TypeError if the trip policy does not make a detector */
  constructor(tripPolicy: TripPolicy, probePolicy: ProbePolicy, report: ProblemListener) {
    this.#detector = createDetectorOf(tripPolicy, 'CircuitBreaker');
    this.#probePolicy = probePolicy;
    this.#onTripProblem = (problem) => report('the trip policy failed, taken as no', problem);
    this.#onProbeProblem = (problem) => report('the probe policy failed, taken as yes', problem);
  }

  /** Whether the export that arrives now may be a probe. */
  mayProbe(status: OpenStatus, at: number): boolean {
    const context = this.#context;
    context.attempt = status.attempts;
    context.elapsedMillis = at - status.since;
    context.failedProbes = status.failedProbes;
    context.random = status.random;
    const before = swapPolicyProblemListener(this.#onProbeProblem);
    let answer = true;
    try {
      answer = booleanFrom(this.#probePolicy(context));
    } catch (problem) {
      this.#onProbeProblem(problem);
    }
    swapPolicyProblemListener(before);
    return answer;
  }

  /** Shows the trip policy a result. @returns whether the circuit must open */
  opens(failed: boolean, at: number, durationMillis: number, failure: unknown): boolean {
    const detector = this.#detector;
    const before = swapPolicyProblemListener(this.#onTripProblem);
    let answer = false;
    try {
      answer = booleanFrom(
        failed ? detector.onFailure(at, durationMillis, failure) : detector.onSuccess(at, durationMillis),
      );
    } catch (problem) {
      this.#onTripProblem(problem);
    }
    swapPolicyProblemListener(before);
    return answer;
  }

  /** Whether a probe took too long to close the circuit. */
  isTooSlow(durationMillis: number): boolean {
    let answer = false;
    this.#callDetector((detector) => {
      if (detector.isTooSlow !== undefined) answer = booleanFrom(detector.isTooSlow(durationMillis));
    });
    return answer;
  }

  /** The circuit closes: the trip policy starts anew. */
  reset(): void {
    this.#callDetector((detector) => detector.reset());
  }

  #callDetector(call: (detector: TripDetector) => unknown): void {
    const before = swapPolicyProblemListener(this.#onTripProblem);
    callUserFunction(() => call(this.#detector), this.#onTripProblem);
    swapPolicyProblemListener(before);
  }
}
