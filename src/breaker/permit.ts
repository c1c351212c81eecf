import type { TimedPermit } from './breaker-internals.ts';
import type { Clock } from './clock.ts';
import type { Classification } from './snapshot.ts';

/**
 * Permission to send once. Exactly one of its methods counts, the first that is called; later calls do nothing. They are
 * methods: `promise.then(() => permit.succeed())`, not `promise.then(permit.succeed)`.
 */
export interface Permit {
  /** Whether this sending tests if the backend is back. */
  readonly probe: boolean;
  /** The backend accepted it. */
  succeed(): void;
  /** The backend is up and refused this payload: a success to the state machine, but counted separately. */
  invalid(error?: unknown): void;
  /** The backend did not accept it, or did not answer. */
  fail(error?: unknown): void;
  /** The result says nothing about the backend. */
  ignore(error?: unknown): void;
}

/** How a sending ended. `'unsent'`: the exporter threw before it sent anything. */
export type SendingOutcome = Classification | 'unsent';

/** The breaker, as its permits see it. */
export interface PermitIssuer {
  readonly clock: Clock;
  /** Is called once for each permit, the first time it is settled. */
  settled(permit: SendingPermit, outcome: SendingOutcome, error: unknown, at: number): void;
}

/** The generation of permits whose results count in none, only in the totals. */
export const NO_GENERATION = -1;

/** A permit with what its breaker has to know when it is settled. */
export class SendingPermit implements TimedPermit {
  readonly probe: boolean;
  readonly items: number;
  startedAt: number;
  /** The generation in which its result counts. */
  readonly generation: number;
  #issuer: PermitIssuer | undefined;

  constructor(issuer: PermitIssuer, items: number, startedAt: number, generation: number, probe: boolean) {
    this.#issuer = issuer;
    this.items = items;
    this.startedAt = startedAt;
    this.generation = generation;
    this.probe = probe;
  }

  succeed(): void {
    this.#settleNow('success', undefined);
  }

  invalid(error?: unknown): void {
    this.#settleNow('invalid', error);
  }

  fail(error?: unknown): void {
    this.#settleNow('failure', error);
  }

  ignore(error?: unknown): void {
    this.#settleNow('ignored', error);
  }

  settleUnsent(error: unknown, at: number): void {
    this.settle('unsent', error, at);
  }

  settle(outcome: SendingOutcome, error: unknown, at: number): void {
    const issuer = this.#issuer;
    if (issuer === undefined) return;
    this.#issuer = undefined;
    issuer.settled(this, outcome, error, at);
  }

  #settleNow(result: Classification, error: unknown): void {
    if (this.#issuer !== undefined) this.settle(result, error, this.#issuer.clock.now());
  }
}
