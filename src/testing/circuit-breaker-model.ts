import type { CircuitState, ProbeContext, TripPolicy } from '../index.ts';
import type { ExpectedTransition, Failure } from './circuit-model-expectations.ts';
import type { Outcome } from './circuit-model-totals.ts';
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

/** Permission to send one batch. */
export interface PermitModel {
  readonly probe: boolean;
  readonly generation: number;
  readonly items: number;
  readonly startedAt: number;
  settled: boolean;
}

/** A failure without an error. */
export const NO_ERROR: Failure = { given: undefined, expected: SOME_ERROR };

/** A failure with an error that the library makes. */
const UNKNOWN_FAILURE: Failure = { given: ANYTHING, expected: SOME_ERROR };

/** A failure with this error; if it is not one, the library makes one. */
export function failureOf(error: unknown): Failure {
  return error instanceof Error ? { given: error, expected: expectedError(error) } : UNKNOWN_FAILURE;
}

/** The time of day is followed when it has moved by more than this. */
const TOLERANCE_MILLIS = 1_000;

/** The state machine of the contract, in the plainest form: flags, and one rule after the other. */
export class BreakerModel {
  readonly #options: BreakerModelOptions;
  readonly usersCode: UsersCodeModel;
  readonly totals: TotalsModel = new TotalsModel();

  now: number;
  /** The time of day minus `now`. */
  timeOfDayAhead = 0;
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
  #drawn = 0;
  #failedProbes = 0;
  #successfulProbes = 0;
  #probe: PermitModel | undefined;
  #consecutiveFailures = 0;
  #consecutiveInvalid = 0;
  #consecutiveIgnored = 0;
  /** The offset that shown times have. */
  #shownAhead = 0;
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
    this.#followTimeOfDay();
    const millisNow = this.state === 'CLOSED' ? 0 : this.now - this.#leftClosedAt;
    return {
      name: this.#options.name,
      state: this.state,
      forced: this.forced,
      since: this.#shown(this.#since),
      notClosedSince: this.state === 'CLOSED' ? null : this.#shown(this.#leftClosedAt),
      consecutiveFailures: this.#consecutiveFailures,
      consecutiveInvalid: this.#consecutiveInvalid,
      consecutiveIgnored: this.#consecutiveIgnored,
      failedProbes: this.#failedProbes,
      attemptsSinceOpened: this.#attempts,
      ...this.totals.snapshot((at) => this.#shown(at)),
      notClosedMillis: Math.round(this.#notClosedBefore + millisNow),
    };
  }

  #followTimeOfDay(): void {
    if (Math.abs(this.timeOfDayAhead - this.#shownAhead) > TOLERANCE_MILLIS)
      this.#shownAhead = this.timeOfDayAhead;
  }

  /** Unix milliseconds are whole ones. */
  #shown(at: number): number {
    return Math.round(at + this.#shownAhead);
  }

  /** Asks for permission to send; `undefined` is a rejection. */
  tryAcquire(items: number): PermitModel | undefined {
    const permit = this.#admit(items);
    if (permit === undefined) this.totals.rejected(items);
    this.#deliver();
    return permit;
  }

  #admit(items: number): PermitModel | undefined {
    if (this.forced === 'OPEN') return undefined;
    if (this.state === 'CLOSED') return this.#permit(items, false);
    if (this.state === 'OPEN') return this.#attempt(items);
    if (this.#probe === undefined) return this.#permit(items, true);
    if (!this.#probeHangs) return undefined;
    this.settle(this.#probe, 'failure', UNKNOWN_FAILURE);
    return this.#admit(items);
  }

  get #probeHangs(): boolean {
    const probe = this.#probe;
    return probe !== undefined && this.now - probe.startedAt >= this.#options.probeTimeoutMillis;
  }

  /** Rule 2: an export that arrives while OPEN. If a listener then changes the state, that state decides. */
  #attempt(items: number): PermitModel | undefined {
    this.#attempts += 1;
    const probes = this.usersCode.mayProbe({
      attempt: this.#attempts,
      elapsedMillis: this.now - this.#since,
      failedProbes: this.#failedProbes,
      random: this.#drawn,
    });
    if (!probes) return undefined;
    this.#change('HALF_OPEN', undefined);
    const permit = this.#permit(items, true);
    this.#deliver();
    return permit.generation === this.generation ? permit : this.#admit(items);
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
    if (permit.generation === this.generation) this.#decide(permit, outcome, durationMillis, failure);
    this.#deliver();
  }

  /** What a result does beyond being counted: only in the generation in which its export began (rule 4). */
  #decide(permit: PermitModel, outcome: Outcome, durationMillis: number, failure: Failure): void {
    this.#moveStreaks(outcome);
    if (permit.probe) this.#decideProbe(outcome, durationMillis, failure);
    else if (this.forced !== null) return;
    else if (outcome === 'failure') {
      if (this.usersCode.tripsAtFailure(this.now, durationMillis, failure)) this.#open(failure);
    } else if (outcome === 'success' || outcome === 'invalid') {
      if (this.usersCode.tripsAtSuccess(this.now, durationMillis)) this.#open(undefined);
    }
  }

  #moveStreaks(outcome: Outcome): void {
    if (outcome === 'failure') this.#consecutiveFailures += 1;
    if (outcome === 'success' || outcome === 'invalid') this.#consecutiveFailures = 0;
    if (outcome === 'invalid' || outcome === 'unsent') this.#consecutiveInvalid += 1;
    if (outcome === 'ignored') this.#consecutiveIgnored += 1;
    if (outcome === 'success') {
      this.#consecutiveInvalid = 0;
      this.#consecutiveIgnored = 0;
    }
  }

  /** Rule 3. */
  #decideProbe(outcome: Outcome, durationMillis: number, failure: Failure): void {
    this.#probe = undefined;
    if (outcome === 'ignored' || outcome === 'unsent') return;
    if (outcome === 'failure' || this.usersCode.isTooSlow(durationMillis)) {
      this.#failedProbes += 1;
      this.#open(outcome === 'failure' ? failure : undefined);
      return;
    }
    this.#successfulProbes += 1;
    if (this.#successfulProbes >= this.#options.successThreshold) this.#change('CLOSED', undefined);
  }

  forceOpen(): void {
    this.forced = 'OPEN';
    // The contract does not say whether an opening by hand, after which no policy is asked, draws a random number.
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
    this.#followTimeOfDay();
    this.#undelivered.push({ from, to, at: this.#shown(this.now), error });
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
