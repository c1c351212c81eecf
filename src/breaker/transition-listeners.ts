import type { ProblemListener } from '../internal/report-problem.ts';
import { callUserFunction } from '../internal/report-problem.ts';
import type { CircuitState } from './snapshot.ts';

/** A state change, after it has happened. */
export interface CircuitTransition {
  /** The breaker's name. */
  readonly name: string;
  readonly from: CircuitState;
  readonly to: CircuitState;
  /** When, in Unix milliseconds. */
  readonly at: number;
  /** The failure that opened the circuit, as it was given; absent if no failure did. */
  readonly error?: unknown;
}

/** Receives state changes. What it throws, or rejects with, goes to `onError`. */
export type TransitionListener = (transition: CircuitTransition) => void;

/** Delivers transitions to listeners in order, also when a listener itself causes the next one. */
export class TransitionListeners {
  readonly #onProblem: (error: unknown) => void;
  readonly #listeners = new Set<{ readonly listener: TransitionListener }>();
  readonly #waiting: CircuitTransition[] = [];

  constructor(onError: ProblemListener) {
    this.#onProblem = (error) => onError('a transition listener failed', error);
  }

  /** @returns removes the listener */
  add(listener: TransitionListener): () => void {
    const entry = { listener };
    this.#listeners.add(entry);
    return () => {
      this.#listeners.delete(entry);
    };
  }

  /** @param transition - given to all listeners, so it must be frozen */
  tell(transition: CircuitTransition): void {
    this.#waiting.push(transition);
    // A listener has caused this transition: it waits until all have been told of those before.
    if (this.#waiting.length > 1) return;
    for (let next: CircuitTransition | undefined = transition; next !== undefined; next = this.#waiting[0]) {
      this.#tellAll(next);
      this.#waiting.shift();
    }
  }

  #tellAll(transition: CircuitTransition): void {
    for (const entry of [...this.#listeners]) {
      // An earlier listener may have removed this one.
      if (this.#listeners.has(entry)) callUserFunction(() => entry.listener(transition), this.#onProblem);
    }
  }
}
