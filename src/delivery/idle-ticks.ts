import type { Clock } from '../breaker/clock.ts';

/** Calls when nothing has happened for a while. One timer, and only between `start` and `stop`. */
export class IdleTicks {
  readonly #clock: Clock;
  readonly #idleMillis: number;
  readonly #onTick: () => void;
  #lastActivityAt = 0;
  #cancel: (() => void) | undefined;

  /** @param idleMillis - milliseconds without activity until a tick; 0 = never */
  constructor(clock: Clock, idleMillis: number, onTick: () => void) {
    this.#clock = clock;
    this.#idleMillis = idleMillis;
    this.#onTick = onTick;
  }

  /** Begins to count, if it does not yet. */
  start(): void {
    if (this.#idleMillis === 0 || this.#cancel !== undefined) return;
    this.#lastActivityAt = this.#clock.now();
    this.#arm(this.#idleMillis);
  }

  /** Something happened: the count begins anew. */
  postpone(): void {
    if (this.#cancel !== undefined) this.#lastActivityAt = this.#clock.now();
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }

  #arm(millis: number): void {
    this.#cancel = this.#clock.schedule(() => this.#look(), millis);
  }

  #look(): void {
    const at = this.#clock.now();
    // Moved by hand rather than by cancelling: postponing is on the way of every export.
    const restMillis = this.#lastActivityAt + this.#idleMillis - at;
    if (restMillis > 0) {
      this.#arm(restMillis);
      return;
    }
    this.#lastActivityAt = at;
    this.#arm(this.#idleMillis);
    this.#onTick();
  }
}
