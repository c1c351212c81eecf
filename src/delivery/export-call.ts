import type { TimedPermit } from '../breaker/breaker-internals.ts';
import { ExportTimeoutError } from '../internal/errors.ts';
import type { ProblemListener } from '../internal/report-problem.ts';
import { reportProblem } from '../internal/report-problem.ts';
import type { Deadlines, Wait } from './deadlines.ts';
import type { ExporterLike, ExportResultLike, ResultCallback } from './exporter-contract.ts';
import { FAILED, failedWith, failure, owned, SUCCESS } from './exporter-contract.ts';
import type { Entry } from './retention-index.ts';

/**
 * How an answer came about. `'result'`: the exporter gave it; `'unsent'`: `export()` threw before it sent anything;
 * `'no result'`: the exporter rejected, or answered without a result; `'timeout'`: it did not answer in time.
 */
export type AnswerKind = 'result' | 'unsent' | 'no result' | 'timeout';

/** Where calls go, and who hears of their answers; one for many calls. */
export interface CallTarget<T> {
  readonly exporter: ExporterLike<T>;
  /** The exporter's name in errors. */
  readonly who: string;
  /** The calls that are unanswered, with their time-out. */
  readonly unanswered: Deadlines<ExportCall<T>>;
  readonly onError: ProblemListener;
  /** Hears the one answer to each call. A FAILED that the exporter did not give carries its error. */
  answered(call: ExportCall<T>, result: ExportResultLike, kind: AnswerKind): void;
  /** Hears that a call which had timed out was answered with SUCCESS after all. */
  deliveredLate(call: ExportCall<T>): void;
}

/**
 * One call of an exporter's `export()`. It is answered exactly once, whatever the exporter does: throw, return a
 * rejected promise, answer twice, never answer.
 */
export class ExportCall<T> {
  batch: T;
  readonly items: number;
  readonly permit: TimedPermit;
  /** The caller that still waits for an answer; `undefined` if there is none, or it has been answered. */
  callback: ResultCallback | undefined;
  /** The batch's place in retention, once it has one. */
  entry: Entry | undefined;
  /** The waits after which its caller is answered before the exporter has answered. */
  handOverWait: Wait<ExportCall<T>> | undefined;
  probeWait: Wait<ExportCall<T>> | undefined;
  readonly #target: CallTarget<T>;
  #state: 'unanswered' | 'answered' | 'timed out';
  #timeout: Wait<ExportCall<T>> | undefined;
  /** What a caller threw when it was answered, to recognize it when the exporter lets it through. */
  #thrown: { readonly error: unknown } | undefined;

  constructor(
    target: CallTarget<T>,
    batch: T,
    items: number,
    permit: TimedPermit,
    callback: ResultCallback | undefined,
    entry: Entry | undefined,
  ) {
    this.#target = target;
    this.batch = batch;
    this.items = items;
    this.permit = permit;
    this.callback = callback;
    this.entry = entry;
    this.handOverWait = undefined;
    this.probeWait = undefined;
    this.#state = 'unanswered';
    this.#timeout = undefined;
    this.#thrown = undefined;
  }

  get isConcluded(): boolean {
    return this.#state !== 'unanswered';
  }

  /** Calls the exporter. @throws only what the caller throws when it is answered within this call */
  start(): void {
    const { exporter, unanswered } = this.#target;
    try {
      const returned: unknown = exporter.export(this.batch, (result) => this.#answer(result));
      if (returned !== undefined) this.#watch(returned);
    } catch (error) {
      this.#threw(error);
    }
    if (this.#state === 'unanswered') this.#timeout = unanswered.add(this, this.permit.startedAt);
  }

  /** Its time is over: it has failed. */
  expire(limitMillis: number): void {
    if (this.isConcluded) return;
    const error = new ExportTimeoutError(`${this.#target.who} gave no answer within ${limitMillis} ms`);
    this.#concludeAlone('timed out', { code: FAILED, error }, 'timeout');
  }

  /** It is not waited for any more, and its answer does not count. */
  abandon(): void {
    this.#state = 'answered';
    if (this.#timeout !== undefined) this.#target.unanswered.remove(this.#timeout);
  }

  /** Copies an array, because its owner may use it again once it has been answered. */
  ownBatch(): T {
    this.batch = owned(this.batch);
    return this.batch;
  }

  /** Takes over the duty to answer the caller. */
  takeCallback(): ResultCallback | undefined {
    const { callback } = this;
    this.callback = undefined;
    return callback;
  }

  /** Answers the caller, if it still waits. */
  tellCaller(result: ExportResultLike): void {
    this.takeCallback()?.(result);
  }

  /** Answers the caller where nothing is on the stack that its error could be thrown to. */
  tellCallerAlone(result: ExportResultLike): void {
    try {
      this.tellCaller(result);
    } catch (error) {
      this.#reportCaller(error);
    }
  }

  #answer(result: ExportResultLike | null | undefined): void {
    if (this.#state === 'timed out') {
      this.#state = 'answered';
      if (result?.code === SUCCESS) this.#target.deliveredLate(this);
    } else if (this.#state === 'unanswered') {
      if (result === undefined || result === null) {
        this.#conclude('answered', failure(`${this.#target.who} answered without a result`), 'no result');
      } else {
        this.#conclude('answered', result, 'result');
      }
    }
  }

  #threw(error: unknown): void {
    const { who, onError } = this.#target;
    if (!this.isConcluded) this.#conclude('answered', failedWith(error, `${who} threw`), 'unsent');
    else if (this.#thrown !== undefined && this.#thrown.error === error) throw error;
    else reportProblem(onError, `${who} threw after it had answered`, error);
  }

  #watch(returned: unknown): void {
    if (typeof returned !== 'object' || returned === null || !('then' in returned)) return;
    const { who, onError } = this.#target;
    Promise.resolve(returned).catch((error: unknown) => {
      if (this.isConcluded) reportProblem(onError, `${who} rejected after it had answered`, error);
      else this.#concludeAlone('answered', failedWith(error, `${who} rejected with`), 'no result');
    });
  }

  #conclude(state: 'answered' | 'timed out', result: ExportResultLike, kind: AnswerKind): void {
    this.#state = state;
    if (this.#timeout !== undefined) this.#target.unanswered.remove(this.#timeout);
    try {
      this.#target.answered(this, result, kind);
    } catch (error) {
      this.#thrown = { error };
      throw error;
    }
  }

  /** Concludes where nothing is on the stack that the caller's error could be thrown to. */
  #concludeAlone(state: 'answered' | 'timed out', result: ExportResultLike, kind: AnswerKind): void {
    try {
      this.#conclude(state, result, kind);
    } catch (error) {
      this.#reportCaller(error);
    }
  }

  #reportCaller(error: unknown): void {
    const { who, onError } = this.#target;
    reportProblem(onError, `${who}: a result callback threw`, error);
  }
}
