import type { ExporterLike, ExportResultLike } from '../delivery/exporter-contract.ts';
import { FAILED, SUCCESS } from '../delivery/exporter-contract.ts';
import { show } from '../internal/validate-options.ts';

/**
 * What a scripted exporter does with one batch: `'success'` and `'failure'` answer at once (with an error), an `Error`
 * answers FAILED with it, a result answers with it, `'throw'` throws before anything is sent (a serializer does that; it
 * counts as invalid), `'hang'` never answers, `'hold'` answers when it is released, `'twice'` answers SUCCESS and then
 * FAILED.
 */
export type ScriptedOutcome =
  | 'success'
  | 'failure'
  | 'throw'
  | 'hang'
  | 'hold'
  | 'twice'
  | Error
  | ExportResultLike;

const WORDS: readonly unknown[] = ['success', 'failure', 'throw', 'hang', 'hold', 'twice'];

/** An outcome, or a function that returns it; `number` counts the batches from 1. */
export type ScriptedStep<T> = ScriptedOutcome | ((batch: T, number: number) => ScriptedOutcome);

/**
 * An exporter that answers from a script, and after it with SUCCESS.
 *
 * @example
 * ```ts
 * import { CircuitBreakerExporter } from 'otel-circuit-breaker';
 * import { ScriptedExporter } from 'otel-circuit-breaker/testing';
 *
 * const inner = new ScriptedExporter(['failure', 'failure', 'failure']);
 * const exporter = new CircuitBreakerExporter(inner);
 * for (let i = 0; i < 3; i++) exporter.export([], () => {});
 * console.log(exporter.breaker.state); // OPEN
 * ```
 */
// biome-ignore lint/suspicious/noExplicitAny: a SpanExporter of any line of the SDK, unless told otherwise
export class ScriptedExporter<T = any[]> implements ExporterLike<T> {
  /** The batches that it was given, in order. */
  readonly batches: T[] = [];
  /** The callbacks that it holds, the oldest first. */
  readonly held: ((result: ExportResultLike) => void)[] = [];
  /** How often it was shut down. */
  shutdowns = 0;
  /** How often it was flushed. */
  flushes = 0;
  readonly #steps: readonly ScriptedStep<T>[];

  /**
   * @param outcomes - a step for each batch, in order; batches after the last are answered with SUCCESS
   * @throws TypeError for any other word
   */
  constructor(outcomes: readonly ScriptedStep<T>[] = []) {
    for (const outcome of outcomes) {
      if (typeof outcome === 'string' && !WORDS.includes(outcome)) {
        throw new TypeError(
          `ScriptedExporter: an outcome must be one of ${WORDS.map(show).join(', ')}, got ${show(outcome)}`,
        );
      }
    }
    this.#steps = [...outcomes];
  }

  export(batch: T, resultCallback: (result: ExportResultLike) => void): void {
    const step = this.#steps[this.batches.length] ?? 'success';
    this.batches.push(batch);
    const outcome = typeof step === 'function' ? step(batch, this.batches.length) : step;
    switch (outcome) {
      case 'success':
        resultCallback({ code: SUCCESS });
        break;
      case 'failure':
        resultCallback({ code: FAILED, error: new Error('scripted failure') });
        break;
      case 'throw':
        throw new Error('scripted throw');
      case 'hang':
        break;
      case 'hold':
        this.held.push(resultCallback);
        break;
      case 'twice':
        resultCallback({ code: SUCCESS });
        resultCallback({ code: FAILED, error: new Error('scripted second answer') });
        break;
      default:
        resultCallback(outcome instanceof Error ? { code: FAILED, error: outcome } : outcome);
    }
  }

  /**
   * Answers the oldest export that is held.
   *
   * @param result - the answer; SUCCESS by default
   * @throws Error if none is held
   */
  release(result: ExportResultLike = { code: SUCCESS }): void {
    const resultCallback = this.held.shift();
    if (resultCallback === undefined) throw new Error('ScriptedExporter.release: no export is held');
    resultCallback(result);
  }

  async forceFlush(): Promise<void> {
    this.flushes++;
  }

  async shutdown(): Promise<void> {
    this.shutdowns++;
  }
}
