import type { TimedPermit } from '../breaker/breaker-internals.ts';
import { ExportTimeoutError } from '../internal/errors.ts';
import type { ProblemListener } from '../internal/report-problem.ts';
import { reportProblem } from '../internal/report-problem.ts';
import type { Deadlines, Expiring } from './deadlines.ts';
import type { ExporterLike, ExportResultLike } from './exporter-contract.ts';
import { FAILED, failedWith, isErrorLike, SUCCESS } from './exporter-contract.ts';

/** Where sendings go, and who hears of their answers; one for many. */
export interface Route<T, Told> {
  readonly exporter: ExporterLike<T>;
  /** What errors call it. */
  readonly who: string;
  readonly deadlines: Deadlines;
  readonly onError: ProblemListener;
  /**
   * Is told the one answer to each sending.
   *
   * @param result - a result; of a FAILED that nobody gave, with its error
   * @param given - whether the exporter gave it; else it threw, rejected, gave no result, or did not answer in time
   */
  settled(sending: Sending<T, Told>, result: ExportResultLike, given: boolean): void;
}

/**
 * One call of an exporter's `export`, which is answered exactly once, whatever the exporter does: throws, returns a
 * rejected promise, answers twice, never answers.
 *
 * @typeParam Told - who is to be told of it; the route knows how
 */
export class Sending<T, Told> implements Expiring {
  readonly batch: T;
  readonly items: number;
  /** The breaker's leave, where it was asked for. */
  readonly permit: TimedPermit | undefined;
  readonly told: Told;
  readonly startedAt: number;
  waiting: boolean;
  earlier: Expiring | undefined;
  later: Expiring | undefined;
  readonly #route: Route<T, Told>;
  #answered: boolean;
  /** What whoever was told threw, to be known again when the exporter lets it through. */
  #thrown: { readonly error: unknown } | undefined;

  /** @param startedAt - Unix milliseconds */
  constructor(
    route: Route<T, Told>,
    batch: T,
    items: number,
    startedAt: number,
    permit: TimedPermit | undefined,
    told: Told,
  ) {
    this.batch = batch;
    this.items = items;
    this.permit = permit;
    this.told = told;
    this.startedAt = startedAt;
    this.waiting = false;
    this.earlier = undefined;
    this.later = undefined;
    this.#route = route;
    this.#answered = false;
    this.#thrown = undefined;
  }

  /** Calls the exporter. @throws what whoever is told throws while the call lasts, and nothing else */
  start(): void {
    const { exporter, deadlines } = this.#route;
    try {
      const returned: unknown = exporter.export(this.batch, (result) => this.#answer(result));
      if (returned !== undefined) this.#watch(returned);
    } catch (error) {
      this.#threw(error);
    }
    if (!this.#answered) deadlines.add(this);
  }

  /** It is not waited for any longer: it has failed. */
  expire(timeoutMillis: number): void {
    if (this.#answered) return;
    const error = new ExportTimeoutError(`${this.#route.who} gave no answer within ${timeoutMillis} ms`);
    this.#concludeAlone({ code: FAILED, error });
  }

  #answer(result: ExportResultLike | null | undefined): void {
    if (this.#answered) return;
    if (canBeRead(result)) this.#conclude(result, true);
    else this.#conclude(failedWith(undefined, `${this.#route.who} answered without a result`), false);
  }

  #threw(error: unknown): void {
    const { who, onError } = this.#route;
    if (!this.#answered) this.#conclude(failedWith(error, `${who} threw what is no error`), false);
    else if (this.#thrown !== undefined && this.#thrown.error === error) throw error;
    else reportProblem(onError, `${who} threw after it had answered`, error);
  }

  #watch(returned: unknown): void {
    if (typeof returned !== 'object' || returned === null || !('then' in returned)) return;
    const { who, onError } = this.#route;
    Promise.resolve(returned).catch((error: unknown) => {
      if (this.#answered) reportProblem(onError, `${who} rejected after it had answered`, error);
      else this.#concludeAlone(failedWith(error, `${who} rejected with what is no error`));
    });
  }

  #conclude(result: ExportResultLike, given: boolean): void {
    this.#answered = true;
    this.#route.deadlines.remove(this);
    try {
      this.#route.settled(this, result, given);
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
      const { who, onError } = this.#route;
      reportProblem(onError, `${who}: a result callback threw`, error);
    }
  }
}

/** Whether it is a result, and none whose getters throw: whoever is told must not be taken for the one who threw. */
function canBeRead(result: ExportResultLike | null | undefined): result is ExportResultLike {
  if (result === undefined || result === null) return false;
  try {
    return result.code === SUCCESS || isErrorLike(result.error) || true;
  } catch {
    return false;
  }
}
