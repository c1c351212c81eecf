import type { Classification } from './snapshot.ts';

/**
 * The right to send once. Exactly one of its methods counts, the first that is called; later calls do nothing. They are
 * methods: `promise.then(() => permit.succeed())`, not `promise.then(permit.succeed)`.
 */
export interface Permit {
  /** Whether this sending is the one that tries whether the backend is back. */
  readonly probe: boolean;
  /** The backend has taken it. */
  succeed(): void;
  /** The backend is up and refused this payload: a success to the state machine, but counted apart. */
  invalid(error?: unknown): void;
  /** The backend has not taken it, or has not answered. */
  fail(error?: unknown): void;
  /** It says nothing about the backend. */
  ignore(): void;
}

/** Who hears what a permit's sending came to. */
export type PermitListener = (permit: SendingPermit, result: Classification, error: unknown) => void;

/** A permit that knows what its breaker has to know when it is settled. */
export class SendingPermit implements Permit {
  readonly probe: boolean;
  readonly items: number;
  /** Unix milliseconds. */
  readonly startedAt: number;
  /** The generation in which its result counts; `undefined`: in none, only in the totals. */
  readonly generation: number | undefined;
  #listener: PermitListener | undefined;

  constructor(
    listener: PermitListener,
    items: number,
    startedAt: number,
    generation: number | undefined,
    probe: boolean,
  ) {
    this.#listener = listener;
    this.items = items;
    this.startedAt = startedAt;
    this.generation = generation;
    this.probe = probe;
  }

  succeed(): void {
    this.settle('success', undefined);
  }

  invalid(error?: unknown): void {
    this.settle('invalid', error);
  }

  fail(error?: unknown): void {
    this.settle('failure', error);
  }

  ignore(): void {
    this.settle('ignored', undefined);
  }

  settle(result: Classification, error: unknown): void {
    const listener = this.#listener;
    if (listener === undefined) return;
    this.#listener = undefined;
    listener(this, result, error);
  }
}
