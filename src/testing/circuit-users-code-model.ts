import type { ProbeContext, TripDetector, TripPolicy } from '../index.ts';
import type { Expectations } from './circuit-model-expectations.ts';
import { DetectorLog, noExpectations, widen } from './circuit-model-expectations.ts';

/** What the injected `random` does: answers this, or throws. */
export type RandomBehaviour = { readonly answer: unknown } | 'throws';

/** The user's code that a breaker calls: the policies, which the model asks as well, and `random`; and what comes of it when it fails. */
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

  /** @param atLeast - 0 where the contract does not say whether a number is drawn */
  draw(atLeast: 0 | 1): number {
    this.expected.draws = widen(this.expected.draws, atLeast, 1);
    const answer = this.random === 'throws' ? undefined : this.random.answer;
    if (typeof answer === 'number' && answer >= 0 && answer < 1) return answer;
    this.expected.reports = widen(this.expected.reports, atLeast, 1);
    return 0;
  }

  /** Asks the probe policy; without an answer: better one probe too many. */
  mayProbe(context: ProbeContext): boolean {
    this.expected.asked.push({ ...context });
    return this.#booleanOf(() => this.#probePolicy(context), true);
  }

  /** Shows the trip policy a result; without an answer the circuit does not open. */
  trips(method: 'onSuccess' | 'onFailure', at: number, durationMillis: number): boolean {
    this.expected.detector.push(this.#detectorLog.line(method, at, durationMillis));
    return this.#booleanOf(() => this.#detector[method](at, durationMillis), false);
  }

  resetDetector(): void {
    this.#detectorLog.reset();
    try {
      this.#detector.reset();
    } catch {
      this.mustReport();
    }
  }

  /** A report to `onError` that the contract asks for. */
  mustReport(): void {
    this.expected.reports = widen(this.expected.reports, 1);
  }

  /** A report to `onError` that the contract allows without asking for it. */
  mayReport(): void {
    this.expected.reports = widen(this.expected.reports, 0, 1);
  }

  /** The answer of a policy; what throws or is no boolean is reported, and taken as `otherwise`. */
  #booleanOf(ask: () => unknown, otherwise: boolean): boolean {
    try {
      const answer = ask();
      if (typeof answer === 'boolean') return answer;
    } catch {
      // As good as no answer.
    }
    this.mustReport();
    return otherwise;
  }
}
