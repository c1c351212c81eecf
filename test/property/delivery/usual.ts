import type { Facts } from './facts.ts';
import { LONGEST_WAIT_MILLIS } from './records.ts';

/** How long a live sending usually takes: after four times that it is handed over. */
export class Usual {
  readonly #facts: Facts;
  readonly #durations: { readonly millis: number; readonly isSure: boolean }[] = [];
  /** What was usual, from when on. */
  readonly #history: { readonly at: number; readonly min: number; readonly max: number }[] = [];

  constructor(facts: Facts) {
    this.#facts = facts;
    this.#note();
  }

  /** @param isSure - whether it must count: not of an answer that came after the time-out */
  succeeded(millis: number, isSure: boolean): void {
    this.#durations.push({ millis, isSure });
    this.#note();
  }

  /** The least and the most that was usual at any time from then on. */
  since(at: number): { min: number; max: number } {
    const from = this.#history.findLastIndex((usual) => usual.at < at);
    const usual = this.#history.slice(Math.max(0, from));
    return { min: Math.min(...usual.map(({ min }) => min)), max: Math.max(...usual.map(({ max }) => max)) };
  }

  #note(): void {
    const shortest = this.#facts.options.retention?.handOverMillis ?? 0;
    const lastEight = this.#durations.slice(-8).map(({ millis }) => millis);
    const slowest =
      lastEight.length === 0
        ? LONGEST_WAIT_MILLIS
        : Math.min(LONGEST_WAIT_MILLIS, Math.max(shortest, 4 * Math.max(...lastEight)));
    const isSure = this.#durations.slice(-9).every((duration) => duration.isSure);
    this.#history.push({
      at: this.#facts.now,
      min: isSure ? slowest : shortest,
      max: isSure ? slowest : LONGEST_WAIT_MILLIS,
    });
  }
}
