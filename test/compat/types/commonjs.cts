/** A CommonJS module, written as one: under verbatimModuleSyntax only `import … = require` is. */
import sdk = require('@opentelemetry/sdk-node');
import http = require('@opentelemetry/exporter-trace-otlp-http');
import main = require('otel-circuit-breaker');
import env = require('otel-circuit-breaker/env');
import health = require('otel-circuit-breaker/health');
import handlers = require('otel-circuit-breaker/http');
import logging = require('otel-circuit-breaker/logging');
import metrics = require('otel-circuit-breaker/metrics');
import prometheus = require('otel-circuit-breaker/prometheus');
import testing = require('otel-circuit-breaker/testing');

const exporter = new main.CircuitBreakerExporter(
  new http.OTLPTraceExporter(),
  env.circuitBreakerOptionsFromEnv(),
);
const state: main.CircuitState = exporter.breaker.state;
export = {
  sdk: new sdk.NodeSDK({ traceExporter: exporter }),
  state,
  health: health.renderHealth(exporter),
  text: prometheus.renderPrometheus(exporter),
  handler: handlers.createNodeHandler(exporter),
  unsubscribe: logging.logTransitions(exporter.breaker, console),
  observe: metrics.observeCircuitBreakers,
  clock: new testing.ManualClock(),
};
