import type { CircuitState, ProbeContext, TripPolicy } from '../index.ts';
import type { ExpectedTransition } from './circuit-model-expectations.ts';
import type { ExpectedError, Outcome } from './circuit-model-totals.ts';
import { ANYTHING, expectedError, SOME_ERROR, TotalsModel } from './circuit-model-totals.ts';
import { UsersCodeModel } from './circuit-users-code-model.ts';

/** What a listener does when it hears of the next transition. */
export type Meddling = 'throw' | 'forceOpen' | 'forceClosed' | 'reset';

/** The options of the breaker that the model has to know. */
export interface BreakerModelOptions {
  readonly name: string;
  readonly tripPolicy: TripPolicy;
  readonly probePolicy: (context: ProbeContext) => boolean;
  readonly successThreshold: number;
  readonly probeTimeoutMillis: number;
}

/** Leave to send one batch. */
export interface PermitModel {
  readonly probe: boolean;
  readonly generation: number;
  readonly items: number;
  readonly startedAt: number;
  settled: boolean;
}

/** Why something failed: what was given as the error, and how it must show. */
export interface Failure {
  readonly given: unknown;
  readonly expected: ExpectedError;
}

const UNKNOWN_FAILURE: Failure = { given: ANYTHING, expected: SOME_ERROR };

/** A failure with this error. */
export function failureOf(error: unknown): Failure {
  return error instanceof Error ? { given: error, expected: expectedError(error) } : UNKNOWN_FAILURE;
}

/** The state machine of the contract, in the plainest form: flags, and one rule after the other. */
export class BreakerModel {
  readonly #options: BreakerModelOptions;
  readonly usersCode: UsersCodeModel;
  readonly totals: TotalsModel = new TotalsModel();

  now: number;
  state: CircuitState = 'CLOSED';
  forced: 'OPEN' | 'CLOSED' | null = null;
  generation = 0;
  /** What the next transition makes a listener do. */
  armed: Meddling | undefined;
  /** Whether the listener that comes and goes is there. */
  visiting = true;

  #since: number;
  /** When it last left CLOSED. */
  #leftClosedAt = 0;
  #notClosedBefore = 0;
  #attempts = 0;
  #elapsedMillis = 0;
  #lastLookAt = 0;
  #drawn = 0;
  #failedProbes = 0;
  #successfulProbes = 0;
  #probe: PermitModel | undefined;
  #consecutiveFailures = 0;
  #consecutiveInvalid = 0;
  readonly #undelivered: ExpectedTransition[] = [];
  #delivering = false;

  constructor(options: BreakerModelOptions, now: number) {
    this.#options = options;
    this.usersCode = new UsersCodeModel(options.tripPolicy, options.probePolicy);
    this.now = now;
    this.#since = now;
  }

  /** The snapshot that the contract wants now. */
  snapshot(): Record<string, unknown> {
    const { exports, items, probes, transitions, exportDurations, batchSizes } = this.totals;
    const { lastFailure, lastInvalid, lastSuccessAt } = this.totals;
    return {
      name: this.#options.name,
      state: this.state,
      forced: this.forced,
      since: this.#since,
      notClosedSince: this.state === 'CLOSED' ? null : this.#leftClosedAt,
      consecutiveFailures: this.#consecutiveFailures,
      consecutiveInvalid: this.#consecutiveInvalid,
      failedProbes: this.#failedProbes,
      attemptsSinceOpened: this.#attempts,
      lastFailure,
      lastInvalid,
      lastSuccessAt,
      exports,
      items,
      probes,
      transitions,
      exportDurations,
      batchSizes,
      notClosedMillis: this.#notClosedBefore + (this.state === 'CLOSED' ? 0 : this.now - this.#leftClosedAt),
    };
  }

  /** Asks for leave to send; `undefined` is a rejection. */
  tryAcquire(items: number): PermitModel | undefined {
    const permit = this.#leave(items);
    if (permit === undefined) this.totals.rejected(items);
    this.#deliver();
    return permit;
  }

  #leave(items: number): PermitModel | undefined {
    if (this.forced === 'OPEN') return undefined;
    if (this.state === 'CLOSED') return this.#permit(items, false);
    if (this.state === 'OPEN') return this.#attempt(items);
    if (this.#probe === undefined) return this.#permit(items, true);
    if (!this.#probeHangs) return undefined;
    this.settle(this.#probe, 'failure', UNKNOWN_FAILURE);
    return this.#leave(items);
  }

  get #probeHangs(): boolean {
    const probe = this.#probe;
    return probe !== undefined && this.now - probe.startedAt >= this.#options.probeTimeoutMillis;
  }

  /** Rule 2: an export that arrives while OPEN. Where a listener then changes the state, that state decides. */
  #attempt(items: number): PermitModel | undefined {
    this.#attempts += 1;
    this.#elapsedMillis += Math.max(0, this.now - this.#lastLookAt);
    this.#lastLookAt = this.now;
    const probes = this.usersCode.mayProbe({
      attempt: this.#attempts,
      elapsedMillis: this.#elapsedMillis,
      failedProbes: this.#failedProbes,
      random: this.#drawn,
    });
    if (!probes) return undefined;
    this.#change('HALF_OPEN', undefined);
    const permit = this.#permit(items, true);
    this.#deliver();
    return permit.generation === this.generation ? permit : this.#leave(items);
  }

  #permit(items: number, probe: boolean): PermitModel {
    const permit = { probe, generation: this.generation, items, startedAt: this.now, settled: false };
    if (probe) this.#probe = permit;
    return permit;
  }

  /** The end of a sending: the first one of a permit counts. */
  settle(permit: PermitModel, outcome: Outcome, failure: Failure = UNKNOWN_FAILURE): void {
    if (permit.settled) return;
    permit.settled = true;
    const durationMillis = this.now - permit.startedAt;
    this.totals.ended(outcome, permit.items, this.now, durationMillis, failure.expected);
    if (permit.probe) this.totals.probed(outcome);
    if (permit.generation === this.generation) this.#judge(permit, outcome, durationMillis, failure);
    this.#deliver();
  }

  /** What a result does beyond being counted: only in the generation in which its export began (rule 4). */
  #judge(permit: PermitModel, outcome: Outcome, durationMillis: number, failure: Failure): void {
    this.#moveStreaks(outcome);
    if (permit.probe) this.#judgeProbe(outcome, failure);
    else if (outcome !== 'ignored' && this.forced === null) {
      const failed = outcome === 'failure';
      const trips = this.usersCode.trips(failed ? 'onFailure' : 'onSuccess', this.now, durationMillis);
      if (trips) this.#open(failed ? failure : undefined);
    }
  }

  #moveStreaks(outcome: Outcome): void {
    if (outcome === 'failure') this.#consecutiveFailures += 1;
    if (outcome === 'success' || outcome === 'invalid') this.#consecutiveFailures = 0;
    if (outcome === 'invalid') this.#consecutiveInvalid += 1;
    if (outcome === 'success') this.#consecutiveInvalid = 0;
  }

  /** Rule 3. */
  #judgeProbe(outcome: Outcome, failure: Failure): void {
    this.#probe = undefined;
    if (outcome === 'ignored') return;
    if (outcome === 'failure') {
      this.#failedProbes += 1;
      this.#open(failure);
      return;
    }
    this.#successfulProbes += 1;
    if (this.#successfulProbes >= this.#options.successThreshold) this.#change('CLOSED', undefined);
  }

  forceOpen(): void {
    this.forced = 'OPEN';
    // Whether an opening by hand, which no policy is ever asked about, draws a random number is left open.
    if (this.state !== 'OPEN') this.#open(undefined, 'by hand');
    this.#deliver();
  }

  forceClosed(): void {
    this.forced = 'CLOSED';
    if (this.state !== 'CLOSED') this.#change('CLOSED', undefined);
    this.#deliver();
  }

  reset(): void {
    this.forced = null;
    if (this.state === 'CLOSED') {
      this.generation += 1;
      this.usersCode.resetDetector();
    } else this.#change('CLOSED', undefined);
    this.#deliver();
  }

  #open(failure: Failure | undefined, how?: 'by hand'): void {
    this.#drawn = this.usersCode.draw(how === 'by hand' ? 0 : 1);
    this.#attempts = 0;
    this.#elapsedMillis = 0;
    this.#lastLookAt = this.now;
    this.#change('OPEN', failure);
  }

  /** Every change of state goes through here. */
  #change(to: CircuitState, error: Failure | undefined): void {
    const from = this.state;
    this.state = to;
    this.generation += 1;
    this.#since = this.now;
    this.#probe = undefined;
    if (to !== 'HALF_OPEN') this.#successfulProbes = 0;
    if (from === 'CLOSED') this.#leftClosedAt = this.now;
    if (to === 'CLOSED') this.#cameBack();
    this.totals.changed(from, to);
    this.#undelivered.push({ from, to, at: this.now, error });
  }

  #cameBack(): void {
    this.#notClosedBefore += this.now - this.#leftClosedAt;
    this.#attempts = 0;
    this.#failedProbes = 0;
    this.usersCode.resetDetector();
  }

  /** Listeners hear of the transitions one after the other, also of those that one of them causes. */
  #deliver(): void {
    if (this.#delivering) return;
    this.#delivering = true;
    for (let next = this.#undelivered.shift(); next !== undefined; next = this.#undelivered.shift()) {
      const { expected } = this.usersCode;
      expected.transitions.push(next);
      const meddling = this.armed;
      this.armed = undefined;
      if (meddling === 'throw') this.usersCode.mustReport();
      else if (meddling !== undefined) this[meddling]();
      if (this.visiting) expected.visitorHeard.push(next);
    }
    this.#delivering = false;
  }
}
