import type { ProblemListener } from '../internal/report-problem.ts';
import { reportProblem } from '../internal/report-problem.ts';
import type { CircuitState } from './snapshot.ts';

/** A state change, after it has happened. */
export interface CircuitTransition {
  /** The breaker's name. */
  readonly name: string;
  readonly from: CircuitState;
  readonly to: CircuitState;
  /** When, in Unix milliseconds. */
  readonly at: number;
  /** The failure that opened the circuit, as it was given; absent where there was none. */
  readonly error?: unknown;
}

/** Hears of state changes. What it throws goes to `onError`. */
export type TransitionListener = (transition: CircuitTransition) => void;

/** Tells listeners of transitions in their order, also when a listener itself causes the next one. */
export class TransitionListeners {
  readonly #onError: ProblemListener;
  readonly #listeners = new Set<{ readonly listener: TransitionListener }>();
  readonly #waiting: CircuitTransition[] = [];
  #telling = false;

  constructor(onError: ProblemListener) {
    this.#onError = onError;
  }

  /** @returns takes the listener off again */
  add(listener: TransitionListener): () => void {
    const entry = { listener };
    this.#listeners.add(entry);
    return () => {
      this.#listeners.delete(entry);
    };
  }

  tell(transition: CircuitTransition): void {
    this.#waiting.push(transition);
    if (this.#telling) return;
    this.#telling = true;
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      for (const entry of [...this.#listeners]) {
        if (this.#listeners.has(entry)) this.#tellOne(entry.listener, next);
      }
    }
    this.#telling = false;
  }

  #tellOne(listener: TransitionListener, transition: CircuitTransition): void {
    try {
      const returned: unknown = listener(transition);
      // An async listener that rejects would end the process.
      if (returned instanceof Promise) returned.catch((error: unknown) => this.#report(error));
    } catch (error) {
      this.#report(error);
    }
  }

  #report(error: unknown): void {
    reportProblem(this.#onError, 'a transition listener threw', error);
  }
}
