import type { Clock } from '../breaker/clock.ts';
import type { ProblemListener } from '../internal/report-problem.ts';
import { BackgroundSending } from '../sending/background-sending.ts';
import type { Deadlines } from '../sending/deadlines.ts';
import type { ExporterLike, ExportResultLike } from '../sending/exporter-contract.ts';
import { SUCCESS, withError } from '../sending/exporter-contract.ts';
import { settledWithin } from '../sending/within.ts';
import type { Ledger } from './ledger.ts';

/** Gives the fallback what would otherwise be lost, and keeps the books of it. */
export class Fallback<T> {
  readonly #exporter: ExporterLike<T>;
  readonly #clock: Clock;
  readonly #deadlines: Deadlines;
  readonly #ledger: Ledger;
  readonly #onError: ProblemListener;
  readonly #unanswered = new Set<BackgroundSending<T>>();
  #whenIdle: (() => void) | undefined;

  constructor(
    exporter: ExporterLike<T>,
    clock: Clock,
    deadlines: Deadlines,
    ledger: Ledger,
    onError: ProblemListener,
  ) {
    this.#exporter = exporter;
    this.#clock = clock;
    this.#deadlines = deadlines;
    this.#ledger = ledger;
    this.#onError = onError;
  }

  /** Whether all that was sent has been answered. */
  get idle(): boolean {
    return this.#unanswered.size === 0;
  }

  /**
   * Sends a batch that the ledger has in flight.
   *
   * @param listener - is told of the one answer, at once or later
   */
  send(batch: T, items: number, listener: (result: ExportResultLike) => void): void {
    const sending = new BackgroundSending<T>(this.#clock.now(), this.#deadlines, this.#onError, (result) => {
      this.#unanswered.delete(sending);
      const accepted = result.code === SUCCESS;
      if (accepted) this.#ledger.fallBack(items);
      else this.#ledger.lose(items);
      if (this.idle) this.#whenIdle?.();
      listener(accepted ? result : withError(result));
    });
    this.#unanswered.add(sending);
    sending.start(this.#exporter, batch);
  }

  /**
   * Waits until all is answered, and gives up what is not by then.
   *
   * @param millis - milliseconds
   * @returns whether all was answered in time
   */
  async settleWithin(millis: number): Promise<boolean> {
    if (this.idle) return true;
    const inTime = await settledWithin(
      this.#clock,
      millis,
      new Promise<void>((resolve) => {
        this.#whenIdle = resolve;
      }),
    );
    for (const sending of [...this.#unanswered]) sending.expire(millis);
    return inTime;
  }
}
