import type { Permit } from './permit.ts';
import type { Classification } from './snapshot.ts';

/** A permit as exporters use it. */
export interface TimedPermit extends Permit {
  /** When it was given, in Unix milliseconds: its user need not look at the clock again. */
  readonly startedAt: number;
  /** Does what the method for this result does. */
  settle(result: Classification, error: unknown): void;
}

/**
 * What an exporter needs of its breaker, and users do not. It hangs on the breaker under a symbol of the global
 * registry, so that an exporter of the CommonJS build finds it on a breaker of the ESM build. A change of this
 * interface changes the number in the symbol.
 */
export interface BreakerInternals {
  /** `tryAcquire`, with what it knows. */
  tryAcquire(items: number): TimedPermit | undefined;
  /** The same for a sending that nobody asked for: a "no" is counted as an attempt, but not as rejected. */
  tryAcquireUnasked(items: number): TimedPermit | undefined;
  /** For a sending that goes past the circuit: its result moves the totals alone, no state, policy or streak. */
  acquirePast(items: number): TimedPermit;
  /** Whether the circuit is held by hand. */
  forced(): 'OPEN' | 'CLOSED' | null;
  /** True for the first who asks, who then logs what the circuit does. */
  claimLogging(): boolean;
}

const INTERNALS = Symbol.for('otel-circuit-breaker/breaker-internals/1');

/** Gives a breaker its internals. */
export function attachInternals(breaker: object, internals: BreakerInternals): void {
  Object.defineProperty(breaker, INTERNALS, { value: internals });
}

/** A breaker's internals, whichever build it comes from; `undefined` for what is no breaker. */
export function internalsOf(breaker: unknown): BreakerInternals | undefined {
  return (breaker as { [INTERNALS]?: BreakerInternals } | null | undefined)?.[INTERNALS];
}
