import type { Clock } from '../breaker/clock.ts';
import type { OpenPromise } from '../internal/open-promise.ts';
import { openPromise } from '../internal/open-promise.ts';
import type { ProblemListener } from '../internal/report-problem.ts';
import type { Deadlines } from '../sending/deadlines.ts';
import type { ExporterLike, ExportResultLike } from '../sending/exporter-contract.ts';
import { SUCCESS, withError } from '../sending/exporter-contract.ts';
import type { Route } from '../sending/sending.ts';
import { Sending } from '../sending/sending.ts';
import { withTracingSuppressed } from '../sending/suppress-tracing.ts';
import { settledWithin } from '../sending/within.ts';
import type { Ledger } from './ledger.ts';

/** Hears the fallback's one answer. */
export type FallbackListener = (result: ExportResultLike) => void;

/** Gives the fallback what would otherwise be lost, and keeps the books of it. */
export class Fallback<T> {
  readonly #route: Route<T, FallbackListener>;
  readonly #clock: Clock;
  readonly #ledger: Ledger;
  readonly #unanswered = new Set<Sending<T, FallbackListener>>();
  #whenIdle: OpenPromise | undefined;

  /** @param who - what errors call it */
  constructor(
    exporter: ExporterLike<T>,
    who: string,
    clock: Clock,
    deadlines: Deadlines,
    ledger: Ledger,
    onError: ProblemListener,
  ) {
    this.#route = {
      exporter,
      who,
      deadlines,
      onError,
      settled: (sending, result) => this.#settled(sending, result),
    };
    this.#clock = clock;
    this.#ledger = ledger;
  }

  /**
   * Sends a batch that the ledger has in flight.
   *
   * @param listener - is told of the one answer, at once or later
   */
  send(batch: T, items: number, listener: FallbackListener): Sending<T, FallbackListener> {
    const sending = new Sending(this.#route, batch, items, this.#clock.now(), undefined, listener);
    this.#unanswered.add(sending);
    withTracingSuppressed(() => sending.start());
    return sending;
  }

  /**
   * Sends a batch, and waits for its answer, but not for ever.
   *
   * @param endsAt - until when, in Unix milliseconds
   * @returns what the fallback answered; `undefined`: nothing in time, and it has failed
   */
  async sendUntil(endsAt: number, batch: T, items: number): Promise<ExportResultLike | undefined> {
    let answer: ExportResultLike | undefined;
    const { promise, resolve } = openPromise();
    const sending = this.send(batch, items, (result) => {
      answer = result;
      resolve();
    });
    const millis = endsAt - this.#clock.now();
    if (await settledWithin(this.#clock, millis, promise)) return answer;
    sending.expire(Math.max(0, millis));
    return undefined;
  }

  /** Resolves when all that was sent has been answered. */
  idle(): Promise<void> {
    if (this.#unanswered.size === 0) return Promise.resolve();
    this.#whenIdle ??= openPromise();
    return this.#whenIdle.promise;
  }

  #settled(sending: Sending<T, FallbackListener>, result: ExportResultLike): void {
    this.#unanswered.delete(sending);
    const accepted = result.code === SUCCESS;
    if (accepted) this.#ledger.fallBack(sending.items);
    else this.#ledger.lose(sending.items);
    if (this.#unanswered.size === 0) {
      this.#whenIdle?.resolve();
      this.#whenIdle = undefined;
    }
    sending.told(accepted ? result : withError(result, this.#route.who));
  }
}
