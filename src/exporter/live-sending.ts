import type { TimedPermit } from '../breaker/breaker-internals.ts';
import type { Permit } from '../breaker/permit.ts';
import type { ProblemListener } from '../internal/report-problem.ts';
import type { Deadlines } from '../sending/deadlines.ts';
import type { ExportResultLike } from '../sending/exporter-contract.ts';
import { Sending } from '../sending/sending.ts';

/** Hears the one answer to a batch that somebody waits for. */
export type LiveListener<T> = (sending: LiveSending<T>, result: ExportResultLike, given: boolean) => void;

/** A batch on its way to the inner exporter, and its caller, who waits. */
export class LiveSending<T> extends Sending<T> {
  readonly batch: T;
  readonly items: number;
  readonly permit: Permit;
  readonly resultCallback: (result: ExportResultLike) => void;
  readonly #listener: LiveListener<T>;

  constructor(
    batch: T,
    items: number,
    permit: TimedPermit,
    resultCallback: (result: ExportResultLike) => void,
    listener: LiveListener<T>,
    deadlines: Deadlines,
    onError: ProblemListener,
  ) {
    super(permit.startedAt, deadlines, onError);
    this.batch = batch;
    this.items = items;
    this.permit = permit;
    this.resultCallback = resultCallback;
    this.#listener = listener;
  }

  protected override settle(result: ExportResultLike, given: boolean): void {
    this.#listener(this, result, given);
  }
}
