import type { Permit } from './permit.ts';
import type { Classification } from './snapshot.ts';

/** A permit as exporters use it. Times are readings of `clock.now()`, taken by the exporter. */
export interface TimedPermit extends Permit {
  /** May be moved, where the sending begins later than it was permitted. */
  startedAt: number;
  /** Does what the method for this result does. */
  settle(result: Classification, error: unknown, at: number): void;
  /**
   * The exporter threw before it sent anything. It counts as invalid in the totals and in `consecutiveInvalid`; the state
   * machine ignores it: no policy hears of it, `consecutiveFailures` stays, and a probe's place is free again.
   */
  settleUnsent(error: unknown, at: number): void;
}

/**
 * What an exporter needs of its breaker, and users do not. It hangs on the breaker under a symbol of the global registry,
 * so that an adapter of the CommonJS build finds it on a breaker of the ESM build. A change of this interface changes the
 * number in the symbol.
 */
export interface BreakerInternals {
  /** `tryAcquire` at a time that the caller has read already. A "no" counts as rejected. */
  acquire(items: number, at: number): TimedPermit | undefined;
  /** For a sending that no caller asked for (an idle tick): a "no" counts as an attempt, but not as rejected. */
  acquireUnasked(items: number, at: number): TimedPermit | undefined;
  /** For a redelivery: its result moves the totals and the `last…` fields, but no state, policy or streak. */
  acquirePast(items: number, at: number): TimedPermit;
  /** The state that the circuit is held in by hand. */
  forced(): 'OPEN' | 'CLOSED' | null;
  /** Converts a reading of `clock.now()` to Unix milliseconds (rounded to whole ones), for display. */
  toUnixMillis(at: number): number;
  /** How many `logTransitions` listen to this breaker. While there are any, the exporter's own two `diag` lines are silent. */
  logListeners: number;
}

const INTERNALS = Symbol.for('otel-circuit-breaker/breaker-internals/2');

/** Gives a breaker its internals. */
export function attachInternals(breaker: object, internals: BreakerInternals): void {
  Object.defineProperty(breaker, INTERNALS, { value: internals });
}

/** A breaker's internals, whichever build it comes from; `undefined` for anything else. */
export function internalsOf(breaker: unknown): BreakerInternals | undefined {
  return (breaker as { [INTERNALS]?: BreakerInternals } | null | undefined)?.[INTERNALS];
}
