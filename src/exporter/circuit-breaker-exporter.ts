import { diag } from '@opentelemetry/api';
import type { BreakerInternals } from '../breaker/breaker-internals.ts';
import { internalsOf } from '../breaker/breaker-internals.ts';
import { CircuitBreaker } from '../breaker/circuit-breaker.ts';
import type { Clock } from '../breaker/clock.ts';
import { lastResultOf, withLastResult } from '../breaker/last-result.ts';
import type { Classification } from '../breaker/snapshot.ts';
import { Delivery } from '../delivery/delivery.ts';
import type { ExporterSnapshot, LossReason } from '../delivery/delivery-snapshot.ts';
import { detachedClock } from '../delivery/detached-clock.ts';
import type {
  ExporterLike,
  ExportResultLike,
  MetricSelectors,
  ResultCallback,
} from '../delivery/exporter-contract.ts';
import { ACCEPTED, countItems, FAILED } from '../delivery/exporter-contract.ts';
import { attachExporterInternals } from '../delivery/exporter-internals.ts';
import { Fallback } from '../delivery/fallback.ts';
import { PROBE_ANSWER_MILLIS } from '../delivery/waiting-callers.ts';
import { ExporterShutdownError } from '../internal/errors.ts';
import { openPromise } from '../internal/open-promise.ts';
import type { ProblemListener } from '../internal/report-problem.ts';
import { callUserFunction, reportProblem } from '../internal/report-problem.ts';
import { createIds } from '../internal/unique-id.ts';
import { show } from '../internal/validate-options.ts';
import type {
  CircuitBreakerExporterOptions,
  CompleteExporterOptions,
} from './circuit-breaker-exporter-options.ts';
import { anExporter, readExporterOptions } from './circuit-breaker-exporter-options.ts';
import { circuitOfFallback } from './circuit-of-fallback.ts';
import { classifyResult } from './classify-result.ts';
import { FlushAndShutdown } from './flush-and-shutdown.ts';
import { logCircuit } from './log-circuit.ts';
import { RejectedResult } from './rejected-result.ts';

/** `NoInfer` of TypeScript 5.4, for older versions: the batch type is the inner exporter's. */
type Uninferred<T> = [T][T extends unknown ? 0 : never];

/**
 * Wraps an exporter of spans, log records or metrics in a circuit breaker: after a few failures it answers FAILED at
 * once, lets probes through, and closes when the backend is back.
 *
 * @typeParam T - the batch type; inferred from the inner exporter
 * @example
 * ```ts
 * import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
 * import { NodeSDK } from '@opentelemetry/sdk-node';
 * import { CircuitBreakerExporter } from 'otel-circuit-breaker';
 *
 * const exporter = new CircuitBreakerExporter(new OTLPTraceExporter(), { retention: {} });
 * const sdk = new NodeSDK({ traceExporter: exporter, metricReaders: [], logRecordProcessors: [] });
 * sdk.start();
 * ```
 */
export class CircuitBreakerExporter<T = unknown> implements ExporterLike<T>, MetricSelectors {
  /** The exporter's circuit breaker. */
  readonly breaker: CircuitBreaker;
  /** Exists exactly when the inner exporter has it: a metric reader asks for it when it is made. */
  declare readonly selectAggregationTemporality?: NonNullable<
    MetricSelectors['selectAggregationTemporality']
  >;
  /** Exists exactly when the inner exporter has it: a metric reader asks for it when it is made. */
  declare readonly selectAggregation?: NonNullable<MetricSelectors['selectAggregation']>;
  readonly #inner: ExporterLike<T>;
  readonly #options: CompleteExporterOptions<T>;
  readonly #clock: Clock;
  /** The exporter's name in errors and log lines. */
  readonly #who: string;
  readonly #onError: ProblemListener;
  readonly #circuit: BreakerInternals;
  readonly #delivery: Delivery<T>;
  readonly #fallback: Fallback<T> | undefined;
  readonly #rejected: RejectedResult;
  readonly #ending: FlushAndShutdown<T>;
  #unsubscribe = (): void => {};
  #shutdown: Promise<void> | undefined;

  /**
   * @param exporter - anything with `export(batch, resultCallback)`, `shutdown()` and perhaps `forceFlush()`
   * @param options - see {@link CircuitBreakerExporterOptions}
   * @throws TypeError for a value that is not an exporter, a bad value or an unknown option, RangeError for a number out
   * of its range; both name option and value
   */
  constructor(exporter: ExporterLike<T>, options?: CircuitBreakerExporterOptions<Uninferred<T>>) {
    this.#inner = anExporter<T>(exporter, 'CircuitBreakerExporter: the first argument');
    const { own, ofBreaker } = readExporterOptions<T>(options);
    const { name, exportTimeoutMillis } = own;
    this.#options = own;
    this.#who = `exporter ${JSON.stringify(name)}`;
    this.#onError = own.onError ?? ((message, error) => diag.error(message, error));
    const probeTimeoutMillis = Math.max(30_000, exportTimeoutMillis);
    this.breaker = new CircuitBreaker({ ...ofBreaker, name, onError: this.#onError, probeTimeoutMillis });
    const { breaker } = this;
    const { clock } = breaker;
    this.#clock = clock;
    const report: ProblemListener = (message, error) => this.#report(message, error);
    this.#circuit = internalsOf(breaker) as BreakerInternals;
    this.#rejected = new RejectedResult(breaker);
    if (own.fallback !== undefined) {
      this.#fallback = new Fallback<T>(own.fallback, {
        clock: detachedClock(clock),
        who: `the fallback of ${this.#who}`,
        circuit: circuitOfFallback(own.fallback, {
          name,
          clock,
          random: ofBreaker.random,
          onError: this.#onError,
          probeTimeoutMillis,
        }),
        exportTimeoutMillis,
        probeAnswerMillis: PROBE_ANSWER_MILLIS,
        onError: this.#onError,
        classify: classifyResult,
      });
    }
    this.#delivery = new Delivery<T>({
      inner: this.#inner,
      name,
      who: this.#who,
      retention: own.enabled ? own.retention : undefined,
      fallback: this.#fallback,
      exportTimeoutMillis,
      clock,
      circuit: this.#circuit,
      onError: this.#onError,
      state: () => breaker.state,
      uniqueId: createIds(() => this.#circuit.toUnixMillis(clock.now())),
      classify: (result, durationMillis, items) => this.#classify(result, durationMillis, items),
      rejectedResult: () => (own.reportRejectedAs === 'success' ? ACCEPTED : this.#rejected.get()),
      onLoss: (reason, batches, items, error) => this.#tellOfLoss(reason, batches, items, error),
      warn: (message) => this.#warn(message),
      report,
    });
    this.#ending = new FlushAndShutdown<T>({
      inner: this.#inner,
      options: own,
      clock,
      delivery: this.#delivery,
      fallback: this.#fallback,
      who: this.#who,
      state: () => breaker.state,
      report,
    });
    attachExporterInternals(this, this.#delivery.internals);
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
    const at = this.#clock.now();
    if (this.#shutdown === undefined) this.#delivery.offer(batch, items, at, resultCallback);
    else this.#refuse(batch, items, at, resultCallback);
  }

  /**
   * Flushes the inner exporter and waits for what was handed over to retention, as long as the backend answers; then
   * flushes the fallback. If the circuit is not CLOSED, it waits for the fallback only.
   *
   * @returns never rejects: rejections go to `onError`
   */
  async forceFlush(): Promise<void> {
    if (!this.#options.enabled) {
      await this.#inner.forceFlush?.();
      return;
    }
    await this.#ending.forceFlush();
  }

  /**
   * Sends what is kept now, oldest first, as fast as it is answered, until nothing is left or three in a row have failed;
   * only while CLOSED.
   *
   * @returns never rejects
   */
  async redeliver(): Promise<void> {
    if (this.#shutdown === undefined) await this.#ending.redeliver();
  }

  /**
   * Ends the exporter: what is kept is sent as long as the backend answers, then the inner exporter and the fallback are
   * shut down.
   *
   * @returns the same promise at every call; if the circuit is CLOSED at the first, it rejects with what the inner
   * exporter rejects with, otherwise never
   */
  shutdown(): Promise<void> {
    if (!this.#options.enabled) return this.#inner.shutdown();
    if (this.#shutdown === undefined) {
      const { promise, resolve } = openPromise();
      this.#shutdown = promise;
      resolve(this.#ending.shutdown().finally(() => this.#unsubscribe()));
    }
    return this.#shutdown;
  }

  /** Everything that can be seen of the breaker and of the batches, as a fresh plain object. */
  snapshot(): ExporterSnapshot {
    const ofBreaker = this.breaker.snapshot();
    const snapshot: ExporterSnapshot = { ...ofBreaker, delivery: this.#delivery.snapshot() };
    if (!this.#options.enabled) snapshot.forced = 'CLOSED';
    return withLastResult(snapshot, lastResultOf(ofBreaker));
  }

  #refuse(batch: T, items: number, at: number, resultCallback: ResultCallback): void {
    const error = new ExporterShutdownError(`${this.#who} has been shut down`);
    this.#delivery.refuse(batch, items, at, error);
    resultCallback({ code: FAILED, error });
  }

  #classify(result: ExportResultLike, durationMillis: number, items: number): Classification {
    const { classify } = this.#options;
    // Almost every result, at no cost.
    if (classify === classifyResult) return classifyResult(result);
    try {
      const answer = classify(result, { durationMillis, items });
      switch (answer) {
        case 'success':
        case 'failure':
        case 'invalid':
        case 'ignored':
          return answer;
      }
      this.#report(
        `classify() returned ${show(answer)}, expected "success", "failure", "invalid" or "ignored"; taken as "failure"`,
        answer,
      );
    } catch (error) {
      this.#report('classify() threw, taken as "failure"', error);
    }
    return 'failure';
  }

  #tellOfLoss(reason: LossReason, batches: number, items: number, error: unknown): void {
    const { onLoss, name } = this.#options;
    if (onLoss === undefined) return;
    const loss = { name, reason, batches, items };
    callUserFunction(
      () => onLoss(error === undefined ? loss : { ...loss, error }),
      (problem) => this.#report('onLoss threw', problem),
    );
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
    logCircuit(this, this.#delivery.internals.ledger);
    this.#unsubscribe = this.breaker.onTransition(({ from, to }) => {
      if (to === 'CLOSED') {
        this.#rejected.forget();
      } else if (from === 'CLOSED') {
        this.#delivery.circuitOpened();
        this.#ending.circuitOpened();
      }
    });
  }

  #bindSelectors(exporter: ExporterLike<T> & MetricSelectors): void {
    for (const selector of ['selectAggregationTemporality', 'selectAggregation'] as const) {
      if (typeof exporter[selector] !== 'function') continue;
      const bound: unknown = (instrumentType: unknown) => exporter[selector]?.(instrumentType);
      Object.defineProperty(this, selector, { value: bound, enumerable: true });
    }
  }
}
