import type { CircuitState, CircuitTransition, ExportResultLike, TripDetector } from '../../../src/index.ts';
import { consecutiveFailures, defaultProbePolicy } from '../../../src/index.ts';
import type { CreateExporter, ExporterUnderTest } from '../../../src/testing/circuit-commands.ts';
import { TinyNumbers } from './tiny-numbers.ts';

/** The bugs that can be planted. */
export type Bug =
  /** A result counts in whatever state it arrives. */
  | 'a late result counts'
  /** HALF_OPEN lets every export through as a probe. */
  | 'two probes at once'
  /** A probe that is never settled is waited for until the end of time. */
  | 'a hung probe keeps its place'
  /** An `export()` that throws is taken for a failure of the backend. */
  | 'a local throw is a failure'
  /** A probe is not asked how long it took. */
  | 'a slow probe closes'
  /** The caller of a probe waits until it is answered. */
  | 'a probe holds its caller'
  /** Cooldowns are measured with the time of day. */
  | 'the time of day is elapsed time'
  /** Displayed times follow every step of the time of day. */
  | 'times flicker'
  /** The trip policy is not told what an export failed with. */
  | 'a detector gets no error';

type Options = Parameters<CreateExporter>[1];
type Inner = Parameters<CreateExporter>[0];
type Result = 'success' | 'failure' | 'invalid' | 'ignored' | 'unsent';

/** A second implementation of breaker and exporter, small enough to be read at a glance, with room for one bug. */
export const createTiny =
  (bug?: Bug): CreateExporter =>
  (inner, options) =>
    tinyExporter(inner, options, new TinyBreaker(options, bug), bug);

class Permit {
  readonly probe: boolean;
  readonly epoch: number;
  readonly startedAt: number;
  readonly items: number;
  readonly #breaker: TinyBreaker;
  open = true;

  constructor(breaker: TinyBreaker, probe: boolean, items: number) {
    this.#breaker = breaker;
    this.probe = probe;
    this.items = items;
    this.epoch = breaker.epoch;
    this.startedAt = breaker.options.clock.now();
  }

  succeed = (): void => this.end('success');
  invalid = (error?: unknown): void => this.end('invalid', error);
  fail = (error?: unknown): void => this.end('failure', error);
  ignore = (error?: unknown): void => this.end('ignored', error);

  end(result: Result, error?: unknown): void {
    if (!this.open) return;
    this.open = false;
    this.#breaker.ended(this, result, error);
  }
}

class TinyBreaker {
  readonly options: Options;
  readonly numbers: TinyNumbers;
  readonly #bug: Bug | undefined;
  readonly #detector: TripDetector;
  readonly #listeners = new Set<(transition: CircuitTransition) => void>();
  readonly #queue: CircuitTransition[] = [];
  #delivering = false;
  state: CircuitState = 'CLOSED';
  epoch = 0;
  #forced: 'OPEN' | 'CLOSED' | null = null;
  #probe: Permit | undefined;
  #successes = 0;
  #attempt = 0;
  #openedAt = 0;
  #random = 0;
  #ahead: number;

  constructor(options: Options, bug: Bug | undefined) {
    this.options = options;
    this.#bug = bug;
    this.numbers = new TinyNumbers(options.clock.now());
    this.#ahead = this.#measureAhead();
    this.#detector = (options.tripPolicy ?? consecutiveFailures()).createDetector();
    this.#listeners.add(options.onTransition);
  }

  snapshot() {
    return {
      name: this.options.name ?? 'otlp',
      state: this.state,
      forced: this.#forced,
      attemptsSinceOpened: this.state === 'CLOSED' ? 0 : this.#attempt,
      ...this.numbers.snapshot(this.options.clock.now(), this.#followTimeOfDay()),
    };
  }

  #measureAhead(): number {
    const { clock } = this.options;
    return clock.unixMillis === undefined ? 0 : clock.unixMillis() - clock.now();
  }

  #followTimeOfDay(): number {
    const ahead = this.#measureAhead();
    if (Math.abs(ahead - this.#ahead) > 1_000 || this.#bug === 'times flicker') this.#ahead = ahead;
    return this.#ahead;
  }

  #elapsedNow(): number {
    const { clock } = this.options;
    return this.#bug === 'the time of day is elapsed time' ? (clock.unixMillis?.() ?? 0) : clock.now();
  }

  onTransition(listener: (transition: CircuitTransition) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  tryAcquire(items = 1): Permit | undefined {
    const permit = this.#admit(items);
    if (permit === undefined) this.numbers.reject(items);
    this.#deliver();
    return permit;
  }

  #admit(items: number): Permit | undefined {
    if (this.#forced === 'OPEN') return undefined;
    if (this.state === 'CLOSED') return new Permit(this, false, items);
    if (this.state === 'HALF_OPEN') {
      const probe = this.#probe;
      if (probe === undefined || this.#bug === 'two probes at once') return this.#newProbe(items);
      const patience = Math.max(30_000, this.options.exportTimeoutMillis ?? 15_000);
      const hangs = this.options.clock.now() - probe.startedAt >= patience;
      if (!hangs || this.#bug === 'a hung probe keeps its place') return undefined;
      probe.fail(new Error('the probe was never settled'));
      return this.#admit(items);
    }
    this.#attempt++;
    if (!this.#mayProbe()) return undefined;
    this.#move('HALF_OPEN');
    const permit = this.#newProbe(items);
    this.#deliver();
    return permit.epoch === this.epoch ? permit : this.#admit(items);
  }

  #newProbe(items: number): Permit {
    this.#probe = new Permit(this, true, items);
    return this.#probe;
  }

  #mayProbe(): boolean {
    const policy = this.options.probePolicy ?? defaultProbePolicy;
    const context = {
      attempt: this.#attempt,
      elapsedMillis: this.#elapsedNow() - this.#openedAt,
      failedProbes: this.numbers.failedProbes,
      random: this.#random,
    };
    return this.#guard(() => policy(context), true);
  }

  #guard(ask: () => unknown, otherwise: boolean): boolean {
    try {
      const answer = ask();
      if (typeof answer === 'boolean') return answer;
      this.report('a policy returned no boolean', answer);
    } catch (error) {
      this.report('a policy threw', error);
    }
    return otherwise;
  }

  ended(permit: Permit, result: Result, error: unknown): void {
    const durationMillis = this.options.clock.now() - permit.startedAt;
    this.numbers.end(result, permit.items, this.options.clock.now(), durationMillis, error);
    if (permit.probe) this.numbers.probe(result);
    if (permit.epoch === this.epoch || this.#bug === 'a late result counts')
      this.#react(permit, result, durationMillis, error);
    this.#deliver();
  }

  #react(permit: Permit, result: Result, durationMillis: number, error: unknown): void {
    this.numbers.streak(result);
    if (this.state === 'HALF_OPEN') {
      if (permit.probe) this.#probe = undefined;
      if (result === 'ignored' || result === 'unsent') return;
      if (result === 'failure' || this.#isTooSlow(durationMillis)) {
        this.numbers.failedProbes++;
        this.#open(result === 'failure' ? error : undefined);
      } else if (++this.#successes >= (this.options.successThreshold ?? 1)) this.#move('CLOSED');
    } else if (this.state === 'CLOSED' && this.#forced === null) {
      if (this.#trips(result, this.options.clock.now(), durationMillis, error))
        this.#open(result === 'failure' ? error : undefined);
    }
  }

  #isTooSlow(durationMillis: number): boolean {
    if (this.#detector.isTooSlow === undefined || this.#bug === 'a slow probe closes') return false;
    return this.#guard(() => this.#detector.isTooSlow?.(durationMillis), false);
  }

  #trips(result: Result, now: number, durationMillis: number, error: unknown): boolean {
    if (result === 'ignored' || result === 'unsent') return false;
    const told = this.#bug === 'a detector gets no error' ? undefined : error;
    return this.#guard(
      () =>
        result === 'failure'
          ? this.#detector.onFailure(now, durationMillis, told)
          : this.#detector.onSuccess(now, durationMillis),
      false,
    );
  }

  #open(error?: unknown): void {
    try {
      const random = this.options.random() as unknown;
      if (typeof random !== 'number' || !(random >= 0 && random < 1))
        throw new Error(`random returned ${String(random)}`);
      this.#random = random;
    } catch (problem) {
      this.#random = 0;
      this.report('random is no use', problem);
    }
    this.#attempt = 0;
    this.#openedAt = this.#elapsedNow();
    this.#move('OPEN', error);
  }

  #move(to: CircuitState, error?: unknown): void {
    const from = this.state;
    const at = this.options.clock.now();
    this.state = to;
    this.epoch++;
    this.#probe = undefined;
    this.#successes = 0;
    this.numbers.move(from, to, at);
    if (to === 'CLOSED') this.#resetDetector();
    const transition = {
      name: this.options.name ?? 'otlp',
      from,
      to,
      at: Math.round(at + this.#followTimeOfDay()),
      ...(error === undefined ? {} : { error }),
    };
    this.#queue.push(transition as CircuitTransition);
  }

  #deliver(): void {
    if (this.#delivering) return;
    this.#delivering = true;
    for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) {
      for (const listener of [...this.#listeners]) {
        try {
          listener(next);
        } catch (error) {
          this.report('a listener threw', error);
        }
      }
    }
    this.#delivering = false;
  }

  #resetDetector(): void {
    try {
      this.#detector.reset();
    } catch (error) {
      this.report('a policy threw', error);
    }
  }

  forceOpen(): void {
    this.#forced = 'OPEN';
    if (this.state !== 'OPEN') this.#open();
    this.#deliver();
  }

  forceClosed(): void {
    this.#forced = 'CLOSED';
    if (this.state !== 'CLOSED') this.#move('CLOSED');
    this.#deliver();
  }

  reset(): void {
    this.#forced = null;
    if (this.state !== 'CLOSED') this.#move('CLOSED');
    else {
      this.epoch++;
      this.#resetDetector();
    }
    this.#deliver();
  }

  report(message: string, error: unknown): void {
    try {
      this.options.onError(message, error);
    } catch {
      // There is nobody else to tell.
    }
  }
}

class OpenError extends Error {
  override readonly name = 'CircuitOpenError';
  readonly code = 'ERR_CIRCUIT_OPEN';
  circuit = '';
}

class TimeoutError extends Error {
  override readonly name = 'ExportTimeoutError';
  readonly code = 'ERR_EXPORT_TIMEOUT';
}

function tinyExporter(
  inner: Inner,
  options: Options,
  breaker: TinyBreaker,
  bug: Bug | undefined,
): ExporterUnderTest {
  let rejection: { epoch: number; result: ExportResultLike } | undefined;
  const reject = (): ExportResultLike => {
    if (rejection?.epoch !== breaker.epoch) {
      const error = Object.assign(new OpenError('the circuit is open'), { circuit: options.name ?? 'otlp' });
      const result = options.reportRejectedAs === 'success' ? { code: 0 } : { code: 1, error };
      rejection = { epoch: breaker.epoch, result: Object.freeze(result) };
    }
    return rejection.result;
  };
  return {
    breaker,
    snapshot: () => breaker.snapshot(),
    export(batch, callback) {
      const permit = breaker.tryAcquire(batch.length);
      if (permit === undefined) return callback(reject());
      send({ inner, options, breaker, bug, reject }, batch, permit, callback);
    },
  };
}

interface Parts {
  readonly inner: Inner;
  readonly options: Options;
  readonly breaker: TinyBreaker;
  readonly bug: Bug | undefined;
  reject(): ExportResultLike;
}

function send(
  { inner, options, breaker, bug, reject }: Parts,
  batch: unknown[],
  permit: Permit,
  callback: (result: ExportResultLike) => void,
): void {
  let answered = false;
  let told = false;
  let callersThrow: { thrown: unknown } | undefined;
  const tell = (result: ExportResultLike) => {
    if (told) return;
    told = true;
    try {
      callback(result);
    } catch (thrown) {
      callersThrow = { thrown };
      throw thrown;
    }
  };
  const finish = (kind: Result, result: ExportResultLike, error: unknown) => {
    if (answered) return;
    answered = true;
    cancelTimeout();
    cancelProbe();
    permit.end(kind, error);
    const tells =
      result.code === 0 || typeof (result.error as { message?: unknown } | undefined)?.message === 'string';
    tell(tells ? result : { code: 1, error: new Error('no reason given') });
  };
  const fail = (thrown: unknown, kind: Result = 'failure') => {
    const error = thrown instanceof Error ? thrown : new Error('the exporter failed');
    finish(kind, { code: 1, error }, error);
  };
  const { clock, exportTimeoutMillis: timeout = 15_000 } = options;
  const nothing = () => {};
  const cancelTimeout =
    timeout === 0 ? nothing : clock.schedule(() => fail(new TimeoutError('no answer in time')), timeout);
  const holds = !permit.probe || bug === 'a probe holds its caller';
  const cancelProbe = holds ? nothing : clock.schedule(() => tell(reject()), 1_000);
  try {
    const returned: unknown = inner.export(batch, (result: ExportResultLike | undefined) => {
      if (answered) return;
      if (result === undefined) fail(undefined);
      else finish(classify(result, permit, options, breaker), result, result.error);
    });
    if (returned instanceof Promise) returned.catch((error) => fail(error));
  } catch (error) {
    if (callersThrow !== undefined) throw callersThrow.thrown;
    fail(error, bug === 'a local throw is a failure' ? 'failure' : 'unsent');
  }
}

function classify(
  result: ExportResultLike,
  { startedAt, items }: Permit,
  options: Options,
  breaker: TinyBreaker,
): Result {
  const known: readonly Result[] = ['success', 'failure', 'invalid', 'ignored'];
  try {
    if (options.classify !== undefined) {
      const answer = options.classify(result, { durationMillis: options.clock.now() - startedAt, items });
      if (known.includes(answer)) return answer;
      throw new Error(`the classifier returned ${answer}`);
    }
  } catch (error) {
    breaker.report('the classifier failed', error);
    return 'failure';
  }
  if (result.code === 0) return 'success';
  const { code, message } = (result.error ?? {}) as { code?: unknown; message?: unknown };
  if (code === 400) return 'invalid';
  return message === 'Concurrent export limit reached' ? 'ignored' : 'failure';
}
