import type { Clock } from '../breaker/clock.ts';
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
  #whenIdle: (() => void) | undefined;

  constructor(
    exporter: ExporterLike<T>,
    clock: Clock,
    deadlines: Deadlines,
    ledger: Ledger,
    onError: ProblemListener,
  ) {
    this.#route = {
      exporter,
      deadlines,
      onError,
      settled: (sending, result) => this.#settled(sending, result),
    };
    this.#clock = clock;
    this.#ledger = ledger;
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
  send(batch: T, items: number, listener: FallbackListener): void {
    const sending = new Sending(this.#route, batch, items, this.#clock.now(), undefined, listener);
    this.#unanswered.add(sending);
    withTracingSuppressed(() => sending.start());
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

  #settled(sending: Sending<T, FallbackListener>, result: ExportResultLike): void {
    this.#unanswered.delete(sending);
    const accepted = result.code === SUCCESS;
    if (accepted) this.#ledger.fallBack(sending.items);
    else this.#ledger.lose(sending.items);
    if (this.idle) this.#whenIdle?.();
    sending.told(accepted ? result : withError(result));
  }
}
