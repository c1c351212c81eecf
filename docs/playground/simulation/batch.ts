/**
 * A batch as the simulation sends it: a number, a size and a weight. It has the shape of OpenTelemetry's
 * `ResourceMetrics`, whose items are counted without an array of them: an hour of traffic would otherwise be mostly
 * allocation.
 */
export interface Batch {
  /** Counts the batches from 1. */
  readonly number: number;
  readonly scopeMetrics: ReadonlyArray<{
    readonly metrics: ReadonlyArray<{ readonly dataPoints: { readonly length: number } }>;
  }>;
  /** So long that retention takes the batch for as large as one of spans with 12 attributes. */
  readonly content: string;
}

/** What a span of 12 attributes costs in the benchmarks, and what the library takes a character for. */
const BYTES_OF_SPAN = 1_200;
const BYTES_OF_CHARACTER = 1.25;

/** Makes batches of one size, numbered. */
export function batchesOf(items: number): () => Batch {
  const scopeMetrics = [{ metrics: [{ dataPoints: { length: items } }] }];
  const content = ' '.repeat((items * BYTES_OF_SPAN) / BYTES_OF_CHARACTER);
  let number = 0;
  return () => ({ number: ++number, scopeMetrics, content });
}
