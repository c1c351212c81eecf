import type { ProblemListener } from '../internal/report-problem.ts';
import type { Deadlines } from './deadlines.ts';
import type { ExporterLike, ExportResultLike } from './exporter-contract.ts';
import { Sending } from './sending.ts';
import { withTracingSuppressed } from './suppress-tracing.ts';

/** What the exporter sends of its own accord. No spans are made of it, or they would be exported, and of that … */
export class BackgroundSending<T> extends Sending<T> {
  readonly #settled: (result: ExportResultLike, given: boolean) => void;

  /** @param settled - is told the one answer; see {@link Sending.settle} */
  constructor(
    startedAt: number,
    deadlines: Deadlines,
    onError: ProblemListener,
    settled: (result: ExportResultLike, given: boolean) => void,
  ) {
    super(startedAt, deadlines, onError);
    this.#settled = settled;
  }

  override start(exporter: ExporterLike<T>, batch: T): void {
    withTracingSuppressed(() => super.start(exporter, batch));
  }

  protected override settle(result: ExportResultLike, given: boolean): void {
    this.#settled(result, given);
  }
}
