import { setImmediate } from 'node:timers/promises';

/** Cuts long work into pieces, so that the event loop gets its turn between them. */
export class Turns {
  readonly #pieceMillis: number;
  #began = performance.now();

  /** @param pieceMillis - how long a piece may take */
  constructor(pieceMillis = 1) {
    this.#pieceMillis = pieceMillis;
  }

  /** Whether the piece has taken its time: then `next()` is due. */
  get over(): boolean {
    return performance.now() - this.#began >= this.#pieceMillis;
  }

  /** Lets the event loop go on, and begins the next piece. */
  async next(): Promise<void> {
    await setImmediate();
    this.#began = performance.now();
  }
}
