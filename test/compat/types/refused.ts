/** What must not compile. Each `@ts-expect-error` fails the compilation when the line below it is accepted. */
import type {
  CircuitBreakerExporterOptions,
  CircuitState,
  ExporterLike,
  ProbePolicy,
} from 'otel-circuit-breaker';
import {
  CircuitBreaker,
  CircuitBreakerExporter,
  consecutiveFailures,
  everyNthAttempt,
  failureRate,
} from 'otel-circuit-breaker';
import { circuitBreakerOptionsFromEnv } from 'otel-circuit-breaker/env';
import { renderHealth } from 'otel-circuit-breaker/health';

declare const inner: ExporterLike<string[]>;

// @ts-expect-error an exporter without shutdown
new CircuitBreakerExporter({ export(_batch: string[], _callback: (result: { code: 0 }) => void) {} });
// @ts-expect-error an exporter without export
new CircuitBreakerExporter({ shutdown: async () => {} });
// @ts-expect-error no exporter
new CircuitBreakerExporter();
// @ts-expect-error a misspelt option
new CircuitBreakerExporter(inner, { exportTimeoutMilis: 1 });
// @ts-expect-error a misspelt option of retention
new CircuitBreakerExporter(inner, { retention: { maxItem: 1 } });
// @ts-expect-error an option of the wrong type
new CircuitBreakerExporter(inner, { exportTimeoutMillis: '1' });
// @ts-expect-error a value that is none of those
new CircuitBreakerExporter(inner, { reportRejectedAs: 'ignored' });
// @ts-expect-error the breaker's own time-out is no option of an exporter
new CircuitBreakerExporter(inner, { probeTimeoutMillis: 1 });
// @ts-expect-error a policy is no number
new CircuitBreakerExporter(inner, { tripPolicy: 3 });
// @ts-expect-error a probe policy is no trip policy
new CircuitBreakerExporter(inner, { tripPolicy: everyNthAttempt(10) });
// @ts-expect-error a misspelt option of a breaker
new CircuitBreaker({ sucessThreshold: 2 });
// @ts-expect-error an export option is none of a bare breaker
new CircuitBreaker({ retention: {} });
// @ts-expect-error a rate needs its window
failureRate({ threshold: 0.5 });
// @ts-expect-error a window is of exports or of time, not of nothing
failureRate({ window: {} });
// @ts-expect-error the state is read, not set
new CircuitBreaker().state = 'OPEN';
// @ts-expect-error a state that does not exist
export const state: CircuitState = 'BROKEN';
// @ts-expect-error a probe policy answers yes or no
export const policy: ProbePolicy = () => 'yes';
// @ts-expect-error health is rendered of snapshots
renderHealth(inner);
// @ts-expect-error consecutive failures are a number
consecutiveFailures('3');
// @ts-expect-error the result of an export has a code
new CircuitBreakerExporter(inner).export([], (result) => result.status);

// And what must: `undefined` is an absent key, also under exactOptionalPropertyTypes.
export const absent: CircuitBreakerExporterOptions = {
  name: undefined,
  retention: undefined,
  onTransition: undefined,
};
export const fromEnv = new CircuitBreakerExporter(inner, circuitBreakerOptionsFromEnv());
