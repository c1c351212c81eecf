import { diag } from '@opentelemetry/api';
import type { BreakerInternals } from '../breaker/breaker-internals.ts';
import { internalsOf } from '../breaker/breaker-internals.ts';
import { CircuitBreaker } from '../breaker/circuit-breaker.ts';
import type { Classification } from '../breaker/snapshot.ts';
import { Delivery } from '../delivery/delivery.ts';
import type { ExporterSnapshot } from '../delivery/delivery-snapshot.ts';
import { ExporterShutdownError, ExportTimeoutError } from '../internal/errors.ts';
import { openPromise } from '../internal/open-promise.ts';
import type { ProblemListener } from '../internal/report-problem.ts';
import { reportProblem } from '../internal/report-problem.ts';
import { Deadlines } from '../sending/deadlines.ts';
import type { ExporterLike, ExportResultLike, MetricSelectors } from '../sending/exporter-contract.ts';
import { ACCEPTED, countItems, FAILED, SUCCESS, withError } from '../sending/exporter-contract.ts';
import { isDelivered } from '../sending/judge.ts';
import type { Route } from '../sending/sending.ts';
import { Sending } from '../sending/sending.ts';
import { settledWithin } from '../sending/within.ts';
import type {
  CircuitBreakerExporterOptions,
  CompleteExporterOptions,
} from './circuit-breaker-exporter-options.ts';
import { anExporter, readExporterOptions } from './circuit-breaker-exporter-options.ts';
import { logCircuit } from './log-circuit.ts';
import { RejectedResult } from './rejected-result.ts';

/** `NoInfer` of TypeScript 5.4, for those who have an older one: the batch type is the inner exporter's. */
type Uninferred<T> = [T][T extends unknown ? 0 : never];

type ResultCallback = (result: ExportResultLike) => void;

/**
 * Wraps an exporter of spans, log records or metrics in a circuit breaker: after a few failures it answers FAILED at
 * once, lets probes through, and closes when the backend is back.
 *
 * @typeParam T - what a batch is; inferred from the inner exporter
 * @example
 * ```ts
 * import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
 * import { NodeSDK } from '@opentelemetry/sdk-node';
 * import { CircuitBreakerExporter } from 'otel-circuit-breaker';
 *
 * const exporter = new CircuitBreakerExporter(new OTLPTraceExporter());
 * const sdk = new NodeSDK({ traceExporter: exporter, metricReaders: [], logRecordProcessors: [] });
 * sdk.start();
 * ```
 */
export class CircuitBreakerExporter<T> implements ExporterLike<T>, MetricSelectors {
  /** The circuit breaker: its own, or the one it was given. */
  readonly breaker: CircuitBreaker;
  /** There exactly when the inner exporter has it: a metric reader asks for it when it is made. */
  declare readonly selectAggregationTemporality?: NonNullable<
    MetricSelectors['selectAggregationTemporality']
  >;
  /** There exactly when the inner exporter has it: a metric reader asks for it when it is made. */
  declare readonly selectAggregation?: NonNullable<MetricSelectors['selectAggregation']>;
  readonly #inner: ExporterLike<T>;
  readonly #options: CompleteExporterOptions<T>;
  readonly #name: string;
  /** What errors and log lines call it. */
  readonly #who: string;
  readonly #onError: ProblemListener;
  readonly #circuit: BreakerInternals;
  readonly #delivery: Delivery<T>;
  readonly #route: Route<T, ResultCallback>;
  readonly #rejected: RejectedResult;
  #unsubscribe = (): void => {};
  #shutdown: Promise<void> | undefined;

  /**
   * @param exporter - anything with `export(batch, resultCallback)`, `shutdown()` and perhaps `forceFlush()`
   * @param options - see {@link CircuitBreakerExporterOptions}
   * @throws TypeError for what is no exporter, a bad value or an unknown option, RangeError for a number out of its
   * range; both name option and value
   */
  constructor(exporter: ExporterLike<T>, options?: CircuitBreakerExporterOptions<Uninferred<T>>) {
    this.#inner = anExporter<T>(exporter, 'CircuitBreakerExporter: the first argument');
    const { own, ofBreaker } = readExporterOptions<T>(options);
    this.#options = own;
    this.#onError = own.onError ?? ((message, error) => diag.error(message, error));
    this.breaker =
      own.breaker ??
      new CircuitBreaker({
        ...ofBreaker,
        name: own.name,
        onError: this.#onError,
        probeTimeoutMillis: Math.max(30_000, own.exportTimeoutMillis),
      });
    this.#name = own.name ?? this.breaker.name;
    this.#who = `exporter ${JSON.stringify(this.#name)}`;
    this.#circuit = internalsOf(this.breaker) as BreakerInternals;
    this.#rejected = new RejectedResult(this.breaker);
    const deadlines = new Deadlines(this.breaker.clock, own.exportTimeoutMillis);
    this.#delivery = new Delivery<T>({
      inner: this.#inner,
      who: this.#who,
      fallback: own.fallback,
      retention: own.retention,
      clock: this.breaker.clock,
      circuit: this.#circuit,
      deadlines,
      judge: (result, given) => this.#classify(result, given),
      onError: this.#onError,
      state: () => this.breaker.state,
      warn: (message) => this.#warn(message),
    });
    this.#route = {
      exporter: this.#inner,
      who: this.#who,
      deadlines,
      onError: this.#onError,
      settled: (sending, result, given) => this.#settle(sending, result, given),
    };
    this.#bindSelectors(exporter);
    if (own.enabled) this.#watchBreaker();
  }

  /**
   * Sends a batch, unless the circuit is open.
   *
   * @param batch - spans, log records or metrics, as the inner exporter takes them
   * @param resultCallback - is called exactly once; every FAILED carries an error
   * @throws what `resultCallback` throws, and nothing else
   */
  export(batch: T, resultCallback: (result: ExportResultLike) => void): void {
    if (!this.#options.enabled) {
      this.#inner.export(batch, resultCallback);
      return;
    }
    const items = countItems(batch);
    this.#delivery.offer(items);
    if (this.#shutdown !== undefined) {
      this.#delivery.lose(items);
      resultCallback({ code: FAILED, error: new ExporterShutdownError(`${this.#who} has been shut down`) });
      return;
    }
    const permit = this.#circuit.tryAcquire(items);
    if (permit === undefined) {
      const result = this.#options.reportRejectedAs === 'success' ? ACCEPTED : this.#rejected.get();
      this.#delivery.notDelivered(batch, items, true, result, resultCallback);
      return;
    }
    new Sending(this.#route, batch, items, permit.startedAt, permit, resultCallback).start();
  }

  /**
   * Flushes the inner exporter and the fallback; one that hangs is given up after `exportTimeoutMillis`.
   *
   * @returns never rejects: what they reject with goes to `onError`
   */
  async forceFlush(): Promise<void> {
    if (!this.#options.enabled) {
      await this.#inner.forceFlush?.();
      return;
    }
    await Promise.all(this.#exporters().map((exporter) => this.#flush(exporter)));
  }

  /**
   * Sends what is kept now, oldest first, as fast as it is answered, until nothing is left or one fails; only while
   * CLOSED.
   *
   * @returns never rejects
   */
  redeliver(): Promise<void> {
    return this.#shutdown === undefined ? this.#delivery.redeliver() : Promise.resolve();
  }

  /**
   * Ends the exporter: what is kept has a last chance, then the inner exporter and the fallback are shut down.
   *
   * @returns the same promise at every call; when the circuit is CLOSED at the first, it rejects with what the inner
   * exporter rejects with, else never
   */
  shutdown(): Promise<void> {
    if (!this.#options.enabled) return this.#inner.shutdown();
    if (this.#shutdown === undefined) {
      const { promise, resolve } = openPromise();
      this.#shutdown = promise;
      resolve(this.#shutDown());
    }
    return this.#shutdown;
  }

  /** Everything that can be seen of the breaker and of the batches, as a fresh plain object. */
  snapshot(): ExporterSnapshot {
    const snapshot = { ...this.breaker.snapshot(), delivery: this.#delivery.snapshot(this.#name) };
    return this.#options.enabled ? snapshot : { ...snapshot, forced: 'CLOSED' };
  }

  #settle(sending: Sending<T, ResultCallback>, result: ExportResultLike, given: boolean): void {
    const { batch, items, permit, told } = sending;
    const classification = this.#classify(result, given);
    const delivered = isDelivered(result, classification);
    const failed = result.code === SUCCESS ? undefined : withError(result, this.#who);
    permit?.settle(classification, failed?.error);
    this.#delivery.settled(items, delivered, classification);
    try {
      if (delivered) told(failed ?? result);
      else this.#delivery.notDelivered(batch, items, classification !== 'invalid', failed ?? result, told);
    } finally {
      this.#delivery.resume();
    }
  }

  #classify(result: ExportResultLike, given: boolean): Classification {
    if (!given) return 'failure';
    try {
      const answer = this.#options.classify(result);
      switch (answer) {
        case 'success':
        case 'failure':
        case 'invalid':
        case 'ignored':
          return answer;
      }
      this.#report('classify answered none of its words, taken as "failure"', answer);
    } catch (error) {
      this.#report('classify threw, taken as "failure"', error);
    }
    return 'failure';
  }

  #warn(message: string): void {
    try {
      diag.warn(`${this.#who}: ${message}`);
    } catch (error) {
      this.#report('the diag logger threw', error);
    }
  }

  #report(message: string, error: unknown): void {
    reportProblem(this.#onError, `${this.#who}: ${message}`, error);
  }

  #watchBreaker(): void {
    if (this.#circuit.claimLogging()) logCircuit(this.breaker);
    this.#unsubscribe = this.breaker.onTransition(({ from, to }) => {
      if (to === 'CLOSED') this.#rejected.forget();
      else if (from === 'CLOSED') this.#delivery.circuitOpened();
    });
  }

  #bindSelectors(exporter: ExporterLike<T> & MetricSelectors): void {
    for (const selector of ['selectAggregationTemporality', 'selectAggregation'] as const) {
      if (typeof exporter[selector] !== 'function') continue;
      const bound: unknown = (instrumentType: unknown) => exporter[selector]?.(instrumentType);
      Object.defineProperty(this, selector, { value: bound, enumerable: true });
    }
  }

  #exporters(): readonly ExporterLike<T>[] {
    const { fallback } = this.#options;
    return fallback === undefined ? [this.#inner] : [this.#inner, fallback];
  }

  async #flush(exporter: ExporterLike<T>): Promise<void> {
    const millis = this.#options.exportTimeoutMillis || Number.POSITIVE_INFINITY;
    const flushed = this.#tell('forceFlush', async () => exporter.forceFlush?.());
    if (!(await settledWithin(this.breaker.clock, millis, flushed))) {
      const error = new ExportTimeoutError(`forceFlush() of ${this.#who} had no answer within ${millis} ms`);
      this.#report('forceFlush() was given up', error);
    }
  }

  async #shutDown(): Promise<void> {
    const { clock, state } = this.breaker;
    const { exportTimeoutMillis, shutdownTimeoutMillis, fallback } = this.#options;
    const endsAt = clock.now() + shutdownTimeoutMillis;
    const leftMillis = (): number => (state === 'CLOSED' ? Number.POSITIVE_INFINITY : endsAt - clock.now());
    this.#delivery.end();
    this.#route.deadlines.end();
    if (this.#delivery.leftover) await this.#delivery.lastChance(shutdownTimeoutMillis);
    this.#unsubscribe();

    const inner = (async () => this.#inner.shutdown())();
    const innerEnded = state === 'CLOSED' ? inner : this.#tell('shutdown', () => inner);
    if (fallback === undefined) {
      await settledWithin(clock, leftMillis(), innerEnded);
    } else {
      // What the inner exporter gives up while it is shut down still goes to the fallback, which must be there for it.
      const longest = state === 'CLOSED' ? exportTimeoutMillis || Number.POSITIVE_INFINITY : leftMillis() / 2;
      await settledWithin(clock, longest, innerEnded);
      await settledWithin(clock, leftMillis(), this.#delivery.fallbackIdle());
      await settledWithin(
        clock,
        leftMillis(),
        this.#tell('shutdown', () => fallback.shutdown()),
      );
    }
    if (state === 'CLOSED') await inner;
  }

  /** Runs what must not reject: `onError` hears what it rejects with. */
  async #tell(what: string, run: () => Promise<unknown>): Promise<void> {
    try {
      await run();
    } catch (error) {
      this.#report(`${what}() of what it wraps rejected`, error);
    }
  }
}
