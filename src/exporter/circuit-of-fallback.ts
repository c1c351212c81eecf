import type { BreakerInternals, TimedPermit } from '../breaker/breaker-internals.ts';
import { internalsOf } from '../breaker/breaker-internals.ts';
import { CircuitBreaker } from '../breaker/circuit-breaker.ts';
import type { CircuitBreakerOptions } from '../breaker/circuit-breaker-options.ts';

type Circuit = Pick<BreakerInternals, 'acquire'>;

/**
 * The circuit in front of a fallback: a fallback that hangs must not make an open circuit slow. A fallback that is a
 * `CircuitBreakerExporter` has a circuit of its own.
 *
 * @param options - `name`, `clock`, `random`, `onError` and `probeTimeoutMillis` of the exporter
 */
export function circuitOfFallback(
  fallback: object,
  options: Pick<CircuitBreakerOptions, 'name' | 'clock' | 'random' | 'onError' | 'probeTimeoutMillis'>,
): Circuit {
  if (internalsOf((fallback as { breaker?: unknown }).breaker) !== undefined) return noCircuit;
  const breaker = new CircuitBreaker({ ...options, name: `${options.name} fallback` });
  return internalsOf(breaker) as Circuit;
}

const noCircuit: Circuit = { acquire: (_items, startedAt) => new AlwaysPermitted(startedAt) };

/** The permit where another circuit decides. */
class AlwaysPermitted implements TimedPermit {
  readonly probe = false;
  readonly startedAt: number;

  constructor(startedAt: number) {
    this.startedAt = startedAt;
  }

  succeed(): void {}
  invalid(): void {}
  fail(): void {}
  ignore(): void {}
  settle(): void {}
  settleUnsent(): void {}
}
