/**
 * What a web page does: spans of its own behind a breaker, sent by the exporter for browsers. Bundled by esbuild; the
 * matrix drives it through `window.compat`.
 */
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { CircuitBreakerExporter, consecutiveFailures, everyNthAttempt } from 'otel-circuit-breaker';
import { webProvider } from './web.mjs';

let traffic;
let provider;
let exporter;

window.compat = {
  start(url) {
    // With headers of its own, 0.57 uses XMLHttpRequest: sendBeacon says SUCCESS whatever happens.
    const inner = new OTLPTraceExporter({ url, timeoutMillis: 5_000, headers: { 'x-compat': 'yes' } });
    exporter = new CircuitBreakerExporter(inner, {
      tripPolicy: consecutiveFailures(2),
      probePolicy: everyNthAttempt(3),
    });
    provider = webProvider(exporter, { scheduledDelayMillis: 100 });
    const tracer = provider.getTracer('compat');
    traffic = setInterval(() => tracer.startSpan('compat').end(), 20);
  },
  snapshot: () => exporter.snapshot(),
  async stop() {
    clearInterval(traffic);
    await provider.forceFlush();
    // Not awaited by the processors: a batch that their timer has sent already.
    while (exporter.snapshot().delivery.inFlight.batches > 0)
      await new Promise((resolve) => setTimeout(resolve, 20));
    return exporter.snapshot();
  },
};
