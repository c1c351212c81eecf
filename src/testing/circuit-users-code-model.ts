import { swapPolicyProblemListener } from '../breaker/policy-problems.ts';
import type { ProbeContext, TripDetector, TripPolicy } from '../index.ts';
import { callUserFunction, ignoreRejection } from '../internal/report-problem.ts';
import type { Expectations, Failure } from './circuit-model-expectations.ts';
import { DetectorLog, noExpectations, widen } from './circuit-model-expectations.ts';
import { ANYTHING } from './circuit-model-totals.ts';

/** What the injected `random` does: returns this, or throws. */
export type RandomBehaviour = { readonly answer: unknown } | 'throws';

/** The user's code that a breaker calls: `random`, and the policies, which the model asks as well. */
export class UsersCodeModel {
  /** What must become visible, so far. */
  expected: Expectations = noExpectations();
  random: RandomBehaviour = { answer: 0.5 };

  readonly #probePolicy: (context: ProbeContext) => boolean;
  readonly #detector: TripDetector;
  readonly #detectorLog: DetectorLog = new DetectorLog();

  constructor(tripPolicy: TripPolicy, probePolicy: (context: ProbeContext) => boolean) {
    this.#detector = tripPolicy.createDetector();
    this.#probePolicy = probePolicy;
  }

  /** @param atLeast - 0 if the contract does not say whether a number is drawn */
  draw(atLeast: 0 | 1): number {
    this.expected.draws = widen(this.expected.draws, atLeast, 1);
    const answer = this.random === 'throws' ? undefined : this.random.answer;
    if (typeof answer === 'number' && answer >= 0 && answer < 1) return answer;
    this.expected.reports = widen(this.expected.reports, atLeast, 1);
    return 0;
  }

  /** Asks the probe policy; without an answer it is a "yes": better one probe too many. */
  mayProbe(context: ProbeContext): boolean {
    this.expected.asked.push({ ...context });
    return this.#booleanOf(() => this.#probePolicy(context), true);
  }

  /** Shows the trip policy a success, or an invalid result; without an answer the circuit does not open. */
  tripsAtSuccess(at: number, durationMillis: number): boolean {
    this.expected.detector.push(this.#detectorLog.line('onSuccess', at, durationMillis));
    return this.#booleanOf(() => this.#detector.onSuccess(at, durationMillis), false);
  }

  /** Shows the trip policy a failure. */
  tripsAtFailure(at: number, durationMillis: number, failure: Failure): boolean {
    this.expected.detector.push(this.#detectorLog.line('onFailure', at, durationMillis));
    this.expected.failures.push(failure);
    return this.#booleanOf(() => this.#detector.onFailure(at, durationMillis, errorOf(failure)), false);
  }

  /** Asks the trip policy about a probe that was answered; without an answer it was quick enough. */
  isTooSlow(durationMillis: number): boolean {
    if (this.#detector.isTooSlow === undefined) return false;
    return this.#booleanOf(() => this.#detector.isTooSlow?.(durationMillis), false);
  }

  resetDetector(): void {
    this.#detectorLog.reset();
    this.#reporting(() =>
      callUserFunction(
        () => this.#detector.reset(),
        () => this.mustReport(),
      ),
    );
  }

  /** A report to `onError` that the contract asks for. */
  mustReport(): void {
    this.expected.reports = widen(this.expected.reports, 1);
  }

  /** A report to `onError` that the contract allows without asking for it. */
  mayReport(): void {
    this.expected.reports = widen(this.expected.reports, 0, 1);
  }

  /** The answer of a policy; if it throws, or returns no boolean, that is reported and taken as `otherwise`. */
  #booleanOf(ask: () => unknown, otherwise: boolean): boolean {
    return this.#reporting(() => {
      try {
        const answer = ask();
        if (typeof answer === 'boolean') return answer;
        ignoreRejection(answer);
      } catch {
        // The same as no answer.
      }
      this.mustReport();
      return otherwise;
    });
  }

  /** Combined policies decide by themselves, and report the problems of their members. */
  #reporting<T>(call: () => T): T {
    const before = swapPolicyProblemListener(() => this.mustReport());
    try {
      return call();
    } finally {
      swapPolicyProblemListener(before);
    }
  }
}

/** The error of a failure, or one like it. */
function errorOf({ given, expected }: Failure): unknown {
  if (given !== ANYTHING) return given;
  const error = new Error('the library makes this error');
  if (typeof expected.name === 'string') error.name = expected.name;
  return typeof expected.code === 'string' ? Object.assign(error, { code: expected.code }) : error;
}
