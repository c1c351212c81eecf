import type { Classification } from '../breaker/snapshot.ts';

/** How many successful live exports say what is usual. */
const REMEMBERED = 8;
/** An export takes longer than usual after this many times the slowest of them. */
const USUAL_FACTOR = 4;
/** The longest time that a caller waits before its batch is handed over. */
const LONGEST_HAND_OVER_MILLIS = 1_000;
const SHORTEST_PATIENCE_MILLIS = 500;

/** What the inner exporter's last answers say about how long to wait for the next one. */
export class RecentAnswers {
  /** `clock.now()` of the last answer; `-Infinity` before the first. */
  lastAt = Number.NEGATIVE_INFINITY;
  /** Whether the last answer was a failure. */
  lastFailed = false;
  /** `clock.now()` of the last answer that was no failure; `-Infinity` before the first. */
  lastGoodAt = Number.NEGATIVE_INFINITY;
  readonly #durations = new Float64Array(REMEMBERED);
  #successes = 0;

  /** The exporter has answered, to a live sending or a redelivery. */
  answered(at: number, classification: Classification): void {
    this.lastAt = at;
    this.lastFailed = classification === 'failure';
    if (!this.lastFailed) this.lastGoodAt = at;
  }

  /** A live sending was successful. */
  liveSucceeded(durationMillis: number): void {
    this.#durations[this.#successes % REMEMBERED] = durationMillis;
    this.#successes++;
  }

  /**
   * After how long an unanswered sending is handed over, in milliseconds.
   *
   * @param handOverMillis - the shortest such time
   */
  longerThanUsual(handOverMillis: number): number {
    if (this.#successes === 0) return Math.max(handOverMillis, LONGEST_HAND_OVER_MILLIS);
    return Math.max(handOverMillis, Math.min(LONGEST_HAND_OVER_MILLIS, this.#usualMillis));
  }

  /**
   * For how long `shutdown()` and `forceFlush()` wait without an answer, in milliseconds.
   *
   * @param longestMillis - the longest such time
   */
  patience(longestMillis: number): number {
    if (this.#successes === 0) return longestMillis;
    return Math.min(longestMillis, Math.max(SHORTEST_PATIENCE_MILLIS, this.#usualMillis));
  }

  /** What an export takes at most, usually. */
  get #usualMillis(): number {
    let slowest = 0;
    // `Math.max(...)` takes twenty times as long.
    for (const duration of this.#durations) if (duration > slowest) slowest = duration;
    return USUAL_FACTOR * slowest;
  }
}
