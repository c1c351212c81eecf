import type { ReadableSpan } from '@opentelemetry/sdk-trace-base';
import { encodeBatch } from '../../src/disk/codec/batch-codec.ts';

/** What encoding does to the event loop, in milliseconds, by batch. */
export interface EncodingTimes {
  /** From the call to the answer. */
  readonly total: number[];
  /** The longest that nothing else had its turn. */
  readonly longestHold: number[];
}

/** Encodes batches one after the other, while something else wants each turn of the event loop. */
export async function measureEncoding(
  batches: readonly ReadableSpan[][],
  count: number,
): Promise<EncodingTimes> {
  const times: EncodingTimes = { total: [], longestHold: [] };
  const warmUp = 50;
  for (let i = 0; i < warmUp + count; i++) {
    let last = performance.now();
    let longest = 0;
    let goesOn = true;
    const turn = (): void => {
      const now = performance.now();
      longest = Math.max(longest, now - last);
      last = now;
      if (goesOn) setImmediate(turn);
    };
    setImmediate(turn);
    const began = performance.now();
    await encodeBatch(batches[i % batches.length]);
    const ended = performance.now();
    goesOn = false;
    if (i < warmUp) continue;
    times.total.push(ended - began);
    times.longestHold.push(Math.max(longest, ended - last));
  }
  return times;
}
