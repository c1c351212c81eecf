/**
 * Loaded into the reference service before its own code (`--import`): takes the library away from around its exporter. What
 * the service believes to be a `CircuitBreakerExporter` is the OTLP exporter itself.
 */
import { registerHooks } from 'node:module';
import { CircuitBreaker } from 'otel-circuit-breaker';

registerHooks({
  resolve: (specifier, context, next) =>
    specifier === 'otel-circuit-breaker'
      ? { url: import.meta.url, shortCircuit: true }
      : next(specifier, context),
});

/** The exporter that it is given, with a breaker beside it that hears of nothing: for those who ask for its state. */
export class CircuitBreakerExporter {
  constructor(exporter: object) {
    const breaker = new CircuitBreaker();
    // biome-ignore lint/correctness/noConstructorReturn: what is made is to be the exporter
    return Object.assign(exporter, { breaker, snapshot: () => breaker.snapshot() });
  }
}
