import { ExportTimeoutError } from '../internal/errors.ts';
import type { ProblemListener } from '../internal/report-problem.ts';
import { reportProblem } from '../internal/report-problem.ts';
import { aFunction, nonNegativeInteger, readOptions } from '../internal/validate-options.ts';
import { attachInternals } from './breaker-internals.ts';
import { BreakerPolicies } from './breaker-policies.ts';
import type { CircuitBreakerOptions, CompleteBreakerOptions } from './circuit-breaker-options.ts';
import { breakerOptionChecks, draw } from './circuit-breaker-options.ts';
import type { CircuitStatus, ClosedStatus, HalfOpenStatus, OpenStatus } from './circuit-state.ts';
import { closed, halfOpened, opened, renewed } from './circuit-state.ts';
import type { Clock } from './clock.ts';
import { withLastResult } from './last-result.ts';
import type { Permit, PermitIssuer, SendingOutcome } from './permit.ts';
import { NO_GENERATION, SendingPermit } from './permit.ts';
import type { CircuitSnapshot, CircuitState } from './snapshot.ts';
import { TimeOfDay } from './time-of-day.ts';
import { Totals } from './totals.ts';
import type { TransitionListener } from './transition-listeners.ts';
import { TransitionListeners } from './transition-listeners.ts';

/**
 * The circuit breaker by itself, for anything that sends: ask for a permit, send, settle the permit. It has no timers
 * and does nothing unless it is called.
 *
 * @example
 * ```ts
 * import { CircuitBreaker } from 'otel-circuit-breaker';
 *
 * const breaker = new CircuitBreaker({ name: 'audit-log' });
 *
 * async function send(body: string): Promise<boolean> {
 *   const permit = breaker.tryAcquire();
 *   if (permit === undefined) return false;
 *   try {
 *     const response = await fetch('http://127.0.0.1:4318/v1/traces', { method: 'POST', body });
 *     if (response.ok) permit.succeed();
 *     else permit.fail(new Error(`status ${response.status}`));
 *     return response.ok;
 *   } catch (error) {
 *     permit.fail(error);
 *     return false;
 *   }
 * }
 * ```
 */
export class CircuitBreaker {
  readonly #options: CompleteBreakerOptions;
  readonly #policies: BreakerPolicies;
  readonly #listeners: TransitionListeners;
  readonly #timeOfDay: TimeOfDay;
  readonly #totals = new Totals();
  readonly #issuer: PermitIssuer;
  /** The name of the circuit in errors and reports. */
  readonly #title: string;
  readonly #report: ProblemListener = (message, error) =>
    reportProblem(this.#options.onError, `${this.#title}: ${message}`, error);
  #status: CircuitStatus;
  #forced: 'OPEN' | 'CLOSED' | null = null;
  #consecutiveFailures = 0;
  #consecutiveInvalid = 0;
  #consecutiveIgnored = 0;
  /** The time spent OPEN or HALF_OPEN before the circuit last closed. */
  #notClosedMillis = 0;

  /**
   * @throws TypeError for a bad value or an unknown option, RangeError for a number out of its range; both name option
   * and value
   */
  constructor(options?: CircuitBreakerOptions) {
    this.#options = readOptions<CompleteBreakerOptions>('CircuitBreaker', options, breakerOptionChecks);
    const { name, tripPolicy, probePolicy, clock, onTransition } = this.#options;
    this.#title = `circuit ${JSON.stringify(name)}`;
    this.#policies = new BreakerPolicies(tripPolicy, probePolicy, this.#report);
    this.#issuer = {
      clock,
      settled: (permit, outcome, error, at) => this.#settle(permit, outcome, error, at),
    };
    this.#listeners = new TransitionListeners(this.#report);
    if (onTransition !== undefined) this.#listeners.add(onTransition);
    this.#timeOfDay = new TimeOfDay(clock);
    this.#status = closed(undefined, clock.now());
    attachInternals(this, {
      acquire: (items, at) => this.#acquireOrReject(items, at),
      acquireUnasked: (items, at) => this.#acquire(items, at),
      acquirePast: (items, at) => new SendingPermit(this.#issuer, items, at, NO_GENERATION, false),
      forced: () => this.#forced,
      toUnixMillis: (at) => this.#timeOfDay.unixMillis(at),
      logListeners: 0,
    });
  }

  /** Label in health and metrics. */
  get name(): string {
    return this.#options.name;
  }

  /** The time source of this breaker. */
  get clock(): Clock {
    return this.#options.clock;
  }

  /** The state of the circuit. Reading it changes nothing. */
  get state(): CircuitState {
    return this.#status.state;
  }

  /**
   * Asks if something may be sent now.
   *
   * @param items - how many items are in it, for the numbers; an integer of at least 0
   * @returns a permit to be settled, or `undefined`: rejected
   * @throws RangeError, TypeError for bad `items`
   */
  tryAcquire(items = 1): Permit | undefined {
    nonNegativeInteger(items, 'CircuitBreaker.tryAcquire: items');
    return this.#acquireOrReject(items, this.clock.now());
  }

  /**
   * Adds a listener for state changes. It receives them in order, each after it has happened. What it throws goes to
   * `onError`.
   *
   * @returns removes the listener
   * @throws TypeError if it is not a function
   */
  onTransition(listener: TransitionListener): () => void {
    return this.#listeners.add(aFunction(listener, 'CircuitBreaker.onTransition: listener'));
  }

  /** Holds the circuit OPEN until `forceClosed()` or `reset()`: everything is rejected, and there are no probes. */
  forceOpen(): void {
    this.#forced = 'OPEN';
    const status = this.#status;
    if (status.state !== 'OPEN') this.#open(status, this.clock.now(), false, undefined);
  }

  /**
   * Holds the circuit CLOSED until `forceOpen()` or `reset()`: everything passes; results are counted, and open nothing.
   */
  forceClosed(): void {
    this.#forced = 'CLOSED';
    const status = this.#status;
    if (status.state !== 'CLOSED') this.#close(status, this.clock.now());
  }

  /** Back to automatic operation: CLOSED, in a new generation. Totals are never cleared. */
  reset(): void {
    this.#forced = null;
    const status = this.#status;
    if (status.state !== 'CLOSED') {
      this.#close(status, this.clock.now());
    } else {
      this.#status = renewed(status);
      this.#policies.reset();
    }
  }

  /** Everything that can be seen of the breaker, as a new plain object. Reading it changes nothing. */
  snapshot(): CircuitSnapshot {
    const status = this.#status;
    const timeOfDay = this.#timeOfDay;
    timeOfDay.renew();
    const notClosed = status.state === 'CLOSED' ? undefined : status;
    const millisNow = notClosed === undefined ? 0 : this.clock.now() - notClosed.notClosedSince;
    const snapshot = {
      name: this.name,
      state: status.state,
      forced: this.#forced,
      since: timeOfDay.unixMillis(status.since),
      notClosedSince: notClosed === undefined ? null : timeOfDay.unixMillis(notClosed.notClosedSince),
      consecutiveFailures: this.#consecutiveFailures,
      consecutiveInvalid: this.#consecutiveInvalid,
      consecutiveIgnored: this.#consecutiveIgnored,
      failedProbes: notClosed?.failedProbes ?? 0,
      attemptsSinceOpened: notClosed?.attempts ?? 0,
      ...this.#totals.snapshot(timeOfDay),
      notClosedMillis: Math.round(this.#notClosedMillis + millisNow),
    };
    return withLastResult(snapshot, this.#totals.lastResult);
  }

  #acquireOrReject(items: number, at: number): SendingPermit | undefined {
    const permit = this.#acquire(items, at);
    if (permit === undefined) this.#totals.rejected(items);
    return permit;
  }

  #acquire(items: number, at: number): SendingPermit | undefined {
    const status = this.#status;
    if (status.state === 'CLOSED') {
      return new SendingPermit(this.#issuer, items, at, status.generation, false);
    }
    if (this.#forced === 'OPEN') return undefined;
    return status.state === 'OPEN'
      ? this.#acquireOpen(status, items, at)
      : this.#acquireHalfOpen(status, items, at);
  }

  #acquireOpen(status: OpenStatus, items: number, at: number): SendingPermit | undefined {
    status.attempts++;
    if (!this.#policies.mayProbe(status, at)) return undefined;
    if (!this.#stillDecides(status)) return this.#acquire(items, at);
    const next = halfOpened(status, at);
    const permit = this.#probe(next, items, at);
    this.#change(next, at, undefined);
    // If a listener has moved the state by hand, the state that it chose decides.
    return this.#status === next ? permit : this.#acquire(items, at);
  }

  #acquireHalfOpen(status: HalfOpenStatus, items: number, at: number): SendingPermit | undefined {
    const { probe } = status;
    if (probe === undefined) return this.#probe(status, items, at);
    const { probeTimeoutMillis } = this.#options;
    if (at - probe.startedAt < probeTimeoutMillis) return undefined;
    const error = new ExportTimeoutError(
      `the probe of ${this.#title} was not settled within ${probeTimeoutMillis} ms`,
    );
    probe.settle('failure', error, at);
    return this.#acquire(items, at);
  }

  #probe(status: HalfOpenStatus, items: number, at: number): SendingPermit {
    status.probe = new SendingPermit(this.#issuer, items, at, status.generation, true);
    return status.probe;
  }

  #settle(permit: SendingPermit, outcome: SendingOutcome, error: unknown, at: number): void {
    const durationMillis = at - permit.startedAt;
    this.#totals.settled(outcome === 'unsent' ? 'invalid' : outcome, permit.items, at, durationMillis, error);
    const answered = outcome !== 'unsent' && outcome !== 'ignored';
    const failed = outcome === 'failure';
    const failure = failed ? error : undefined;
    if (permit.probe && answered) this.#totals.probed(failed ? 'failure' : 'success');

    const status = this.#status;
    if (permit.generation !== status.generation) return;
    this.#moveStreaks(outcome);
    if (status.state === 'HALF_OPEN') status.probe = undefined;
    if (!answered || this.#forced !== null) return;
    if (status.state === 'HALF_OPEN') {
      this.#applyProbeResult(status, failed, at, durationMillis, failure);
    } else if (
      status.state === 'CLOSED' &&
      this.#policies.opens(failed, at, durationMillis, failure) &&
      this.#stillDecides(status)
    ) {
      this.#open(status, at, false, failure);
    }
  }

  /** Whether a policy that was asked in this state decides: a user's function may have moved the state meanwhile. */
  #stillDecides(status: CircuitStatus): boolean {
    return this.#status === status && this.#forced === null;
  }

  #moveStreaks(outcome: SendingOutcome): void {
    if (outcome === 'success') {
      this.#consecutiveFailures = 0;
      this.#consecutiveInvalid = 0;
      this.#consecutiveIgnored = 0;
    } else if (outcome === 'failure') {
      this.#consecutiveFailures++;
    } else if (outcome === 'ignored') {
      this.#consecutiveIgnored++;
    } else {
      this.#consecutiveInvalid++;
      if (outcome === 'invalid') this.#consecutiveFailures = 0;
    }
  }

  #applyProbeResult(
    status: HalfOpenStatus,
    failed: boolean,
    at: number,
    durationMillis: number,
    failure: unknown,
  ): void {
    // A slow success was counted as a success, but a circuit that opened for slowness must not close for it.
    const reopens = failed || this.#policies.isTooSlow(durationMillis);
    if (!this.#stillDecides(status)) return;
    if (reopens) this.#open(status, at, true, failure);
    else if (++status.successes >= this.#options.successThreshold) this.#close(status, at);
  }

  #open(from: ClosedStatus | HalfOpenStatus, at: number, probeFailed: boolean, error: unknown): void {
    const drawn = draw(this.#options.random, this.#report);
    if (this.#status === from && this.#forced !== 'CLOSED')
      this.#change(opened(from, at, drawn, probeFailed), at, error);
  }

  #close(from: OpenStatus | HalfOpenStatus, at: number): void {
    this.#policies.reset();
    if (this.#status !== from || this.#forced === 'OPEN') return;
    this.#notClosedMillis += at - from.notClosedSince;
    this.#change(closed(from, at), at, undefined);
  }

  #change(next: CircuitStatus, at: number, error: unknown): void {
    const from = this.#status.state;
    this.#status = next;
    this.#totals.changed(from, next.state);
    this.#timeOfDay.renew();
    const transition = { name: this.name, from, to: next.state, at: this.#timeOfDay.unixMillis(at) };
    this.#listeners.tell(Object.freeze(error === undefined ? transition : { ...transition, error }));
  }
}
