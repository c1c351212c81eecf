import type { Clock } from '../breaker/clock.ts';

/** How many pauses between offers say what the exporter's own rhythm is. */
const REMEMBERED = 4;
/** It is silent after this many times the longest of them … */
const PAUSE_FACTOR = 2;
/** … but at the latest after this many times `idleMillis`. */
const LONGEST_FACTOR = 10;

/** Calls while the service offers nothing, in a rhythm that suits the exporter's own. One timer, only between `start` and `stop`. */
export class IdleTicks {
  readonly #clock: Clock;
  readonly #idleMillis: number;
  readonly #onTick: () => void;
  readonly #pauses = new Float64Array(REMEMBERED);
  #pauseCount = 0;
  #lastOfferAt = Number.NEGATIVE_INFINITY;
  /** The last offer or tick, or the start. */
  #lastActivityAt = 0;
  #timer: { readonly dueAt: number; readonly cancel: () => void } | undefined;

  /** @param idleMillis - milliseconds without an offer until a tick, at least; 0 = never */
  constructor(clock: Clock, idleMillis: number, onTick: () => void) {
    this.#clock = clock;
    this.#idleMillis = idleMillis;
    this.#onTick = onTick;
  }

  /** Something is kept: begins to wait, if it does not wait yet. */
  start(at: number): void {
    if (this.#idleMillis === 0 || this.#timer !== undefined) return;
    this.#lastActivityAt = at;
    this.#arm(at);
  }

  /** A batch was offered: the wait begins anew. */
  offered(at: number): void {
    if (this.#lastOfferAt !== Number.NEGATIVE_INFINITY) {
      this.#pauses[this.#pauseCount % REMEMBERED] = at - this.#lastOfferAt;
      this.#pauseCount++;
    }
    this.#lastOfferAt = at;
    this.#lastActivityAt = at;
    if (this.#timer === undefined) return;
    // A timer that should have fired by now is lost; one that is later than the new rhythm demands is too late.
    if (this.#timer.dueAt < at || this.#timer.dueAt > this.#dueAt()) this.#arm(at);
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #dueAt(): number {
    const rhythmMillis = Math.min(
      PAUSE_FACTOR * Math.max(...this.#pauses),
      LONGEST_FACTOR * this.#idleMillis,
    );
    return this.#lastActivityAt + Math.max(this.#idleMillis, rhythmMillis);
  }

  #arm(at: number): void {
    this.stop();
    const dueAt = this.#dueAt();
    this.#timer = { dueAt, cancel: this.#clock.schedule(() => this.#look(), Math.max(0, dueAt - at)) };
  }

  #look(): void {
    const at = this.#clock.now();
    // Moved here rather than by each offer: an offer must be cheap.
    const isDue = this.#dueAt() <= at;
    if (isDue) this.#lastActivityAt = at;
    this.#arm(at);
    if (isDue) this.#onTick();
  }
}
