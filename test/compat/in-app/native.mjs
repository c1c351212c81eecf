/** What a React Native app does, bundled by esbuild; the matrix drives it through `compat`. */
import { CircuitBreakerExporter, consecutiveFailures, everyNthAttempt } from 'otel-circuit-breaker';
import { circuitBreakerOptionsFromEnv } from 'otel-circuit-breaker/env';
import { renderHealth } from 'otel-circuit-breaker/health';
import { logTransitions } from 'otel-circuit-breaker/logging';
import { registerExporter, registeredExporters } from 'otel-circuit-breaker/registry';
import { FetchExporter } from './fetch-exporter.mjs';

const lines = [];
let made = 0;

globalThis.compat = {
  start(url) {
    const exporter = new CircuitBreakerExporter(new FetchExporter(url), {
      tripPolicy: consecutiveFailures(2),
      probePolicy: everyNthAttempt(3),
      exportTimeoutMillis: 300,
      retention: {},
      ...circuitBreakerOptionsFromEnv(),
    });
    const log = (line) => lines.push(line);
    logTransitions(registerExporter(exporter), { warn: log, info: log, debug() {} });
  },
  work() {
    made += 1;
    registeredExporters()[0].export([{ attributes: { n: made } }], () => {});
    return made;
  },
  snapshot: () => registeredExporters()[0].snapshot(),
  health: () => renderHealth(registeredExporters()),
  lines: () => lines,
};
