import type { BreakerInternals, TimedPermit } from '../breaker/breaker-internals.ts';
import type { Clock } from '../breaker/clock.ts';
import type { Classification } from '../breaker/snapshot.ts';
import type { OpenPromise } from '../internal/open-promise.ts';
import { openPromise } from '../internal/open-promise.ts';
import type { ProblemListener } from '../internal/report-problem.ts';
import type { Wait } from './deadlines.ts';
import { Deadlines } from './deadlines.ts';
import type { AnswerKind, CallTarget } from './export-call.ts';
import { ExportCall } from './export-call.ts';
import type { ExporterLike, ExportResultLike, ResultCallback } from './exporter-contract.ts';
import { SUCCESS, withError } from './exporter-contract.ts';
import { withTracingSuppressed } from './suppress-tracing.ts';

/** What the fallback needs of the exporter that it belongs to. */
export interface FallbackHost {
  readonly clock: Clock;
  /** The fallback's name in errors. */
  readonly who: string;
  /** The fallback's own circuit. */
  readonly circuit: Pick<BreakerInternals, 'acquire'>;
  readonly exportTimeoutMillis: number;
  /** After how long the caller of a probe is answered, in milliseconds. */
  readonly probeAnswerMillis: number;
  readonly onError: ProblemListener;
  classify(result: ExportResultLike): Classification;
}

/** A batch on its way to the fallback. */
export interface FallbackOffer<T> {
  readonly batch: T;
  readonly items: number;
  /** The result for the caller where the fallback itself gives none in time. */
  readonly otherwise: ExportResultLike;
  readonly callback: ResultCallback | undefined;
  /**
   * Hears what became of the batch, before the caller does.
   *
   * @param error - why it was not accepted
   * @param wasSent - whether the fallback has seen it
   */
  settled(accepted: boolean, error: unknown, wasSent: boolean): void;
}

/** An unanswered call, and what has to be done about it. */
interface Unanswered<T> {
  readonly offer: FallbackOffer<T>;
  readonly probeWait: Wait<ExportCall<T>> | undefined;
}

/** Gives the fallback what would otherwise be lost. */
export class Fallback<T> {
  /** When it last answered, as a reading of the clock. */
  lastAnswerAt = Number.NEGATIVE_INFINITY;
  readonly #host: FallbackHost;
  readonly #target: CallTarget<T>;
  readonly #probes: Deadlines<ExportCall<T>>;
  readonly #unanswered = new Map<ExportCall<T>, Unanswered<T>>();
  #whenIdle: OpenPromise | undefined;

  constructor(exporter: ExporterLike<T>, host: FallbackHost) {
    this.#host = host;
    const { clock, who, exportTimeoutMillis, onError } = host;
    const limitMillis = exportTimeoutMillis || Number.POSITIVE_INFINITY;
    this.#target = {
      exporter,
      who,
      onError,
      unanswered: new Deadlines<ExportCall<T>>(
        clock,
        () => limitMillis,
        (call) => call.expire(limitMillis),
      ),
      answered: (call, result, kind) => this.#answered(call, result, kind),
      // The batch has been given up as lost.
      deliveredLate() {},
    };
    this.#probes = new Deadlines<ExportCall<T>>(
      clock,
      () => host.probeAnswerMillis,
      (call) => call.tellCallerAlone(this.#unanswered.get(call)?.offer.otherwise as ExportResultLike),
    );
  }

  /** Finds what is overdue. */
  look(at: number): void {
    this.#target.unanswered.look(at);
    this.#probes.look(at);
  }

  /**
   * Sends a batch, unless the fallback's circuit is open.
   *
   * @returns gives the batch up, if it is unanswered: it has failed
   */
  send(offer: FallbackOffer<T>): () => void {
    const { batch, items, callback, otherwise } = offer;
    const at = this.#host.clock.now();
    const permit = this.#host.circuit.acquire(items, at);
    if (permit === undefined) {
      offer.settled(false, otherwise.error, false);
      callback?.(otherwise);
      return () => {};
    }
    const call = new ExportCall<T>(this.#target, batch, items, permit, callback, undefined);
    const probeWait = permit.probe && callback !== undefined ? this.#probes.add(call, at) : undefined;
    this.#unanswered.set(call, { offer, probeWait });
    withTracingSuppressed(() => call.start());
    return () => call.expire(Math.round(this.#host.clock.now() - at));
  }

  /** Resolves when all that was sent has been answered. */
  idle(): Promise<void> {
    if (this.#unanswered.size === 0) return Promise.resolve();
    this.#whenIdle ??= openPromise();
    return this.#whenIdle.promise;
  }

  /** No more batches will come. */
  end(): void {
    this.#target.unanswered.end();
    this.#probes.end();
  }

  #answered(call: ExportCall<T>, result: ExportResultLike, kind: AnswerKind): void {
    const { offer, probeWait } = this.#unanswered.get(call) as Unanswered<T>;
    this.#unanswered.delete(call);
    if (probeWait !== undefined) this.#probes.remove(probeWait);
    const at = this.#host.clock.now();
    if (kind !== 'timeout') this.lastAnswerAt = at;
    const accepted = result.code === SUCCESS;
    const told = accepted ? result : withError(result, this.#host.who);
    this.#settlePermit(call.permit, told, kind, at);
    offer.settled(accepted, told.error, true);
    if (this.#unanswered.size === 0) {
      this.#whenIdle?.resolve();
      this.#whenIdle = undefined;
    }
    call.tellCaller(told);
  }

  #settlePermit(permit: TimedPermit, result: ExportResultLike, kind: AnswerKind, at: number): void {
    if (kind === 'unsent') permit.settleUnsent(result.error, at);
    else permit.settle(kind === 'result' ? this.#host.classify(result) : 'failure', result.error, at);
  }
}
