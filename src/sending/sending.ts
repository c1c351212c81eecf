import { ExportTimeoutError } from '../internal/errors.ts';
import type { ProblemListener } from '../internal/report-problem.ts';
import { reportProblem } from '../internal/report-problem.ts';
import type { Deadlines, Expiring } from './deadlines.ts';
import type { ExporterLike, ExportResultLike } from './exporter-contract.ts';
import { FAILED, failedWith } from './exporter-contract.ts';

/**
 * One call of an exporter's `export`, which is answered exactly once, whatever the exporter does: throws, returns a
 * rejected promise, answers twice, never answers.
 */
export abstract class Sending<T> implements Expiring {
  readonly startedAt: number;
  waiting = false;
  earlier: Expiring | undefined = undefined;
  later: Expiring | undefined = undefined;
  readonly #deadlines: Deadlines;
  readonly #onError: ProblemListener;
  #answered = false;
  /** What whoever was told threw, to be known again when the exporter lets it through. */
  #thrown: { readonly error: unknown } | undefined;

  /** @param startedAt - Unix milliseconds */
  constructor(startedAt: number, deadlines: Deadlines, onError: ProblemListener) {
    this.startedAt = startedAt;
    this.#deadlines = deadlines;
    this.#onError = onError;
  }

  /**
   * Is told the one answer.
   *
   * @param result - a result; of a FAILED that nobody gave, with its error
   * @param given - whether the exporter gave it; else it threw, rejected, gave no result, or did not answer in time
   */
  protected abstract settle(result: ExportResultLike, given: boolean): void;

  /** Calls the exporter. @throws what {@link settle} throws while the call lasts, and nothing else */
  start(exporter: ExporterLike<T>, batch: T): void {
    try {
      const returned: unknown = exporter.export(batch, (result) => this.#answer(result));
      if (returned !== undefined) this.#watch(returned);
    } catch (error) {
      if (!this.#answered) this.#conclude(failedWith(error, 'the exporter threw what is no error'), false);
      else if (this.#thrown !== undefined && this.#thrown.error === error) throw error;
      else reportProblem(this.#onError, 'the exporter threw after it had answered', error);
    }
    if (!this.#answered) this.#deadlines.add(this);
  }

  /** It is not waited for any longer: it has failed. */
  expire(timeoutMillis: number): void {
    if (this.#answered) return;
    const error = new ExportTimeoutError(`the exporter gave no answer within ${timeoutMillis} ms`);
    this.#concludeAlone({ code: FAILED, error });
  }

  #answer(result: ExportResultLike | null | undefined): void {
    if (this.#answered) return;
    if (result === undefined || result === null) {
      this.#conclude(failedWith(undefined, 'the exporter answered without a result'), false);
    } else {
      this.#conclude(result, true);
    }
  }

  #watch(returned: unknown): void {
    if (typeof returned !== 'object' || returned === null || !('then' in returned)) return;
    Promise.resolve(returned).catch((error: unknown) => {
      if (!this.#answered)
        this.#concludeAlone(failedWith(error, 'the exporter rejected with what is no error'));
      else reportProblem(this.#onError, 'the exporter rejected after it had answered', error);
    });
  }

  #conclude(result: ExportResultLike, given: boolean): void {
    this.#answered = true;
    this.#deadlines.remove(this);
    try {
      this.settle(result, given);
    } catch (error) {
      this.#thrown = { error };
      throw error;
    }
  }

  /** Where nobody is there who could be thrown at. */
  #concludeAlone(result: ExportResultLike): void {
    try {
      this.#conclude(result, false);
    } catch (error) {
      reportProblem(this.#onError, 'a result callback threw', error);
    }
  }
}
