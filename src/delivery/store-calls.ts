import type { Clock } from '../breaker/clock.ts';
import type { OpenPromise } from '../internal/open-promise.ts';
import { openPromise } from '../internal/open-promise.ts';
import { isThenable } from '../internal/report-problem.ts';
import { Deadlines } from './deadlines.ts';
import { runDetached } from './suppress-tracing.ts';

/** A store that has not answered by then counts as one that failed. */
const LIMIT_MILLIS = 1_000;

/** Calls of a store, which may answer at once, later, or never, and may throw or reject. */
export class StoreCalls {
  readonly #clock: Clock;
  readonly #onListenerError: (error: unknown) => void;
  readonly #limits: Deadlines<() => void>;
  #whenIdle: OpenPromise | undefined;

  /** @param onListenerError - hears what a listener below throws where no caller is on the stack. Must not throw */
  constructor(clock: Clock, onListenerError: (error: unknown) => void) {
    this.#clock = clock;
    this.#onListenerError = onListenerError;
    this.#limits = new Deadlines<() => void>(
      clock,
      () => LIMIT_MILLIS,
      (fail) => {
        this.#alone(fail);
        this.#tellIfIdle();
      },
    );
  }

  /** Finds calls that are overdue. */
  look(at: number): void {
    this.#limits.look(at);
  }

  /** Resolves when nothing is unanswered. */
  idle(): Promise<void> {
    if (this.#limits.isEmpty) return Promise.resolve();
    this.#whenIdle ??= openPromise();
    return this.#whenIdle.promise;
  }

  /** Fails all that is unanswered. */
  abandon(): void {
    this.#limits.expireAll();
  }

  /** No more calls will come. */
  end(): void {
    this.#limits.end();
  }

  /**
   * Calls the store. Exactly one of `done` and `failed` follows: within this call where the store answers at once.
   *
   * @param late - the store has answered after it was given up
   */
  run<V>(
    call: () => V | Promise<V>,
    done: (answer: V) => void,
    failed: (error: unknown) => void,
    late?: (answer: V) => void,
  ): void {
    let answer: V | Promise<V>;
    try {
      answer = runDetached(call);
    } catch (error) {
      failed(error);
      return;
    }
    if (!isThenable(answer)) {
      done(answer as V);
      return;
    }
    let open = true;
    const startedAt = this.#clock.now();
    const wait = this.#limits.add(() => {
      open = false;
      // A shutdown may have cut it short.
      const waitedMillis = Math.round(this.#clock.now() - startedAt);
      failed(new Error(`the store gave no answer within ${waitedMillis} ms`));
    }, startedAt);
    const close = (): boolean => {
      if (!open) return false;
      open = false;
      this.#limits.remove(wait);
      this.#tellIfIdle();
      return true;
    };
    answer.then(
      (value) => this.#alone(() => (close() ? done(value) : late?.(value))),
      (error: unknown) => this.#alone(() => close() && failed(error)),
    );
  }

  #tellIfIdle(): void {
    if (!this.#limits.isEmpty) return;
    this.#whenIdle?.resolve();
    this.#whenIdle = undefined;
  }

  #alone(listener: () => void): void {
    try {
      listener();
    } catch (error) {
      this.#onListenerError(error);
    }
  }
}
