import type { Batch } from './otlp-batch.ts';

/** One request of either protocol, and every way in which it can be answered, or not. */
export interface Exchange {
  /** How this protocol says "stored": 200 or OK (0). */
  readonly successStatus: number;
  /** How this protocol says "your payload is bad": 400 or INVALID_ARGUMENT (3). */
  readonly invalidStatus: number;
  /** Whether the client has left: nothing can be answered any more. */
  readonly gone: boolean;
  /** Calls back when the client leaves before it has its whole answer. */
  onGone(callback: () => void): void;
  /**
   * Reads the whole request.
   *
   * @returns undefined when the client left before its end
   * @throws Error where it is no OTLP request
   */
  read(): Promise<Batch | undefined>;
  /** Answers a success at once. */
  succeed(): void;
  /** Answers a success byte by byte over `millis`; calls back just before the last one, unless the client has left. */
  trickle(millis: number, beforeLastByte: () => void): void;
  /** Answers an error. */
  refuse(status: number, retryAfter?: string): void;
  /** Sends the headers of a success, then closes the connection. */
  closeAfterHeaders(): void;
  /** Resets the connection (RST). */
  reset(): void;
}

/** Hands out a buffer byte by byte, evenly over `millis`, until `write` answers false. */
export function trickleBytes(
  bytes: Uint8Array,
  millis: number,
  write: (byte: Uint8Array, last: boolean) => boolean,
): void {
  let index = 0;
  const begin = performance.now();
  const next = (): void => {
    const byte = bytes.subarray(index, index + 1);
    index += 1;
    const last = index === bytes.length;
    if (!write(byte, last) || last) return;
    setTimeout(next, begin + (millis * index) / (bytes.length - 1) - performance.now());
  };
  next();
}
