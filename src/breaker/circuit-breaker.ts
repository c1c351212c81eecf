import { ExportTimeoutError } from '../internal/errors.ts';
import type { ProblemListener } from '../internal/report-problem.ts';
import { reportProblem } from '../internal/report-problem.ts';
import { aFunction, nonNegativeInteger, objectWith, readOptions } from '../internal/validate-options.ts';
import { attachInternals } from './breaker-internals.ts';
import type { CircuitBreakerOptions, CompleteBreakerOptions } from './circuit-breaker-options.ts';
import { breakerOptionChecks, draw } from './circuit-breaker-options.ts';
import type { CircuitStatus, ClosedStatus, HalfOpenStatus, OpenStatus } from './circuit-state.ts';
import { closed, halfOpened, noteAttempt, opened, renewed } from './circuit-state.ts';
import type { Clock } from './clock.ts';
import type { Permit, PermitListener } from './permit.ts';
import { SendingPermit } from './permit.ts';
import type { CircuitSnapshot, CircuitState, Classification } from './snapshot.ts';
import { Totals } from './totals.ts';
import type { TransitionListener } from './transition-listeners.ts';
import { TransitionListeners } from './transition-listeners.ts';
import type { TripDetector } from './trip-policies.ts';

/**
 * The circuit breaker by itself, for anything that sends: ask for a permit, send, settle the permit. It has no timers,
 * and does nothing without being asked.
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
  readonly #detector: TripDetector;
  readonly #listeners: TransitionListeners;
  readonly #totals = new Totals();
  readonly #onSettled: PermitListener = (permit, result, error) => this.#settle(permit, result, error);
  readonly #report: ProblemListener = (message, error) =>
    reportProblem(this.#options.onError, `${this.#who()}: ${message}`, error);
  readonly #probeContext = { attempt: 0, elapsedMillis: 0, failedProbes: 0, random: 0 };
  #status: CircuitStatus;
  #forced: 'OPEN' | 'CLOSED' | null = null;
  #consecutiveFailures = 0;
  #consecutiveInvalid = 0;
  /** What earlier outages came to. */
  #notClosedMillis = 0;

  /**
   * @throws TypeError for a bad value or an unknown option, RangeError for a number out of its range; both name option
   * and value
   */
  constructor(options?: CircuitBreakerOptions) {
    this.#options = readOptions<CompleteBreakerOptions>('CircuitBreaker', options, breakerOptionChecks);
    const { tripPolicy, clock, onTransition } = this.#options;
    this.#detector = objectWith<TripDetector>(
      'onSuccess',
      'onFailure',
      'reset',
    )(tripPolicy.createDetector(), 'CircuitBreaker: what tripPolicy.createDetector() returns');
    this.#listeners = new TransitionListeners(this.#report);
    if (onTransition !== undefined) this.#listeners.add(onTransition);
    this.#status = closed(undefined, clock.now());

    let logged = false;
    attachInternals(this, {
      tryAcquire: (items) => this.#acquireOrReject(items),
      tryAcquireUnasked: (items) => this.#acquire(items),
      acquirePast: (items) => new SendingPermit(this.#onSettled, items, clock.now(), undefined, false),
      forced: () => this.#forced,
      claimLogging: () => {
        const first = !logged;
        logged = true;
        return first;
      },
    });
  }

  /** Label in health and metrics. */
  get name(): string {
    return this.#options.name;
  }

  /** What knows the time here. */
  get clock(): Clock {
    return this.#options.clock;
  }

  /** Where the circuit is. Reading it changes nothing. */
  get state(): CircuitState {
    return this.#status.state;
  }

  /**
   * Asks whether something may be sent now.
   *
   * @param items - how much is in it, for the numbers; an integer of at least 0
   * @returns a permit to be settled, or `undefined`: rejected
   * @throws RangeError, TypeError for bad `items`
   */
  tryAcquire(items = 1): Permit | undefined {
    return this.#acquireOrReject(nonNegativeInteger(items, 'CircuitBreaker.tryAcquire: items'));
  }

  /**
   * Hears of every state change from now on, in order, each after it has happened. What the listener throws goes to
   * `onError`.
   *
   * @returns unsubscribes
   * @throws TypeError for no function
   */
  onTransition(listener: TransitionListener): () => void {
    return this.#listeners.add(aFunction(listener, 'CircuitBreaker.onTransition: listener'));
  }

  /** Holds the circuit OPEN: everything is rejected, nothing probes, until `forceClosed()` or `reset()`. */
  forceOpen(): void {
    this.#forced = 'OPEN';
    const status = this.#status;
    if (status.state !== 'OPEN') this.#open(status, this.clock.now(), false, undefined);
  }

  /** Holds the circuit CLOSED: everything passes, results are counted and trip nothing, until `forceOpen()` or `reset()`. */
  forceClosed(): void {
    this.#forced = 'CLOSED';
    const status = this.#status;
    if (status.state !== 'CLOSED') this.#close(status, this.clock.now());
  }

  /** Back to automatic, CLOSED, in a new generation. Totals are never cleared. */
  reset(): void {
    this.#forced = null;
    const status = this.#status;
    if (status.state !== 'CLOSED') {
      this.#close(status, this.clock.now());
    } else {
      this.#status = renewed(status);
      this.#resetDetector();
    }
  }

  /** Everything that can be seen, as a fresh plain object. Reading it changes nothing. */
  snapshot(): CircuitSnapshot {
    const status = this.#status;
    const whileOpen = status.state === 'CLOSED' ? undefined : status;
    return {
      name: this.name,
      state: status.state,
      forced: this.#forced,
      since: status.since,
      notClosedSince: whileOpen?.notClosedSince ?? null,
      consecutiveFailures: this.#consecutiveFailures,
      consecutiveInvalid: this.#consecutiveInvalid,
      failedProbes: whileOpen?.failedProbes ?? 0,
      attemptsSinceOpened: whileOpen?.attempts ?? 0,
      ...this.#totals.snapshot(),
      notClosedMillis:
        this.#notClosedMillis + (whileOpen === undefined ? 0 : millisSince(whileOpen, this.clock.now())),
    };
  }

  #acquireOrReject(items: number): SendingPermit | undefined {
    const permit = this.#acquire(items);
    if (permit === undefined) this.#totals.rejected(items);
    return permit;
  }

  #acquire(items: number): SendingPermit | undefined {
    const status = this.#status;
    if (status.state === 'CLOSED') {
      return new SendingPermit(this.#onSettled, items, this.clock.now(), status.generation, false);
    }
    if (this.#forced === 'OPEN') return undefined;
    return status.state === 'OPEN' ? this.#acquireOpen(status, items) : this.#acquireHalfOpen(status, items);
  }

  #acquireOpen(status: OpenStatus, items: number): SendingPermit | undefined {
    const at = this.clock.now();
    noteAttempt(status, at);
    if (!this.#mayProbe(status)) return undefined;
    // A policy or a listener may have moved the state by hand: then that is what counts.
    if (!this.#isStill(status) || this.#forced === 'OPEN') return this.#acquire(items);
    const next = halfOpened(status, at);
    const permit = this.#probe(next, items, at);
    this.#change(next, at, undefined);
    return this.#isStill(next) ? permit : this.#acquire(items);
  }

  #isStill(status: CircuitStatus): boolean {
    return this.#status === status;
  }

  #acquireHalfOpen(status: HalfOpenStatus, items: number): SendingPermit | undefined {
    const at = this.clock.now();
    if (status.probe === undefined) return this.#probe(status, items, at);
    const { holder, startedAt } = status.probe;
    const { probeTimeoutMillis } = this.#options;
    if (at - startedAt < probeTimeoutMillis) return undefined;
    holder.fail(
      new ExportTimeoutError(`the probe of ${this.#who()} was not settled within ${probeTimeoutMillis} ms`),
    );
    return this.#acquire(items);
  }

  #probe(status: HalfOpenStatus, items: number, at: number): SendingPermit {
    const permit = new SendingPermit(this.#onSettled, items, at, status.generation, true);
    status.probe = { holder: permit, startedAt: at };
    return permit;
  }

  #mayProbe(status: OpenStatus): boolean {
    const context = this.#probeContext;
    context.attempt = status.attempts;
    context.elapsedMillis = status.elapsedMillis;
    context.failedProbes = status.failedProbes;
    context.random = status.random;
    try {
      const answer: unknown = this.#options.probePolicy(context);
      if (typeof answer === 'boolean') return answer;
      this.#report('the probe policy returned no boolean, taken as yes', answer);
    } catch (error) {
      this.#report('the probe policy threw, taken as yes', error);
    }
    return true;
  }

  #settle(permit: SendingPermit, result: Classification, error: unknown): void {
    const at = this.clock.now();
    const durationMillis = Math.max(0, at - permit.startedAt);
    this.#totals.settled(result, permit.items, at, durationMillis, error);
    if (permit.probe && result !== 'ignored')
      this.#totals.probes[result === 'failure' ? 'failure' : 'success']++;

    const status = this.#status;
    if (permit.generation !== status.generation) return;
    if (result === 'failure') {
      this.#consecutiveFailures++;
    } else if (result !== 'ignored') {
      this.#consecutiveFailures = 0;
      this.#consecutiveInvalid = result === 'success' ? 0 : this.#consecutiveInvalid + 1;
    }
    if (status.state === 'CLOSED') this.#judge(status, result, at, durationMillis, error);
    else if (status.state === 'HALF_OPEN') this.#judgeProbe(status, result, at, error);
  }

  #judge(
    status: ClosedStatus,
    result: Classification,
    at: number,
    durationMillis: number,
    error: unknown,
  ): void {
    if (result === 'ignored' || this.#forced !== null) return;
    const failed = result === 'failure';
    if (!this.#detectorSaysOpen(failed, at, durationMillis)) return;
    if (this.#isStill(status) && this.#forced === null)
      this.#open(status, at, false, failed ? error : undefined);
  }

  #judgeProbe(status: HalfOpenStatus, result: Classification, at: number, error: unknown): void {
    status.probe = undefined;
    if (result === 'ignored') return;
    if (result === 'failure') {
      this.#open(status, at, true, error);
      return;
    }
    status.successes++;
    if (status.successes >= this.#options.successThreshold) this.#close(status, at);
  }

  #detectorSaysOpen(failed: boolean, at: number, durationMillis: number): boolean {
    const detector = this.#detector;
    try {
      const answer: unknown = failed
        ? detector.onFailure(at, durationMillis)
        : detector.onSuccess(at, durationMillis);
      if (typeof answer === 'boolean') return answer;
      this.#report('the trip policy returned no boolean, taken as no', answer);
    } catch (error) {
      this.#report('the trip policy threw, taken as no', error);
    }
    return false;
  }

  #open(from: ClosedStatus | HalfOpenStatus, at: number, probeFailed: boolean, error: unknown): void {
    const forced = this.#forced;
    const drawn = draw(this.#options.random, this.#report);
    if (!this.#isStill(from) || this.#forced !== forced) return;
    this.#change(opened(from, at, drawn, probeFailed), at, error);
  }

  #close(from: OpenStatus | HalfOpenStatus, at: number): void {
    const forced = this.#forced;
    this.#resetDetector();
    if (!this.#isStill(from) || this.#forced !== forced) return;
    this.#notClosedMillis += millisSince(from, at);
    this.#change(closed(from, at), at, undefined);
  }

  #change(next: CircuitStatus, at: number, error: unknown): void {
    const from = this.#status.state;
    this.#status = next;
    this.#totals.changed(from, next.state);
    const transition = { name: this.name, from, to: next.state, at };
    this.#listeners.tell(Object.freeze(error === undefined ? transition : { ...transition, error }));
  }

  #resetDetector(): void {
    try {
      this.#detector.reset();
    } catch (error) {
      this.#report("the trip policy's reset threw", error);
    }
  }

  /** What errors and reports call it. */
  #who(): string {
    return `circuit ${JSON.stringify(this.name)}`;
  }
}

function millisSince(status: OpenStatus | HalfOpenStatus, at: number): number {
  return Math.max(0, at - status.notClosedSince);
}
