/**
 * A worker, bundled by esbuild for workerd. The exporter lives as long as the isolate, through many requests; each request
 * exports its span, and waits for the answer behind its own: what a request has begun ends with it.
 */
import { BasicTracerProvider, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { CircuitBreakerExporter, consecutiveFailures, everyNthAttempt } from 'otel-circuit-breaker';
import { createFetchHandler } from 'otel-circuit-breaker/http';
import { FetchExporter } from './fetch-exporter.mjs';

let service;
let made = 0;

function startService(url) {
  const exporter = new CircuitBreakerExporter(new FetchExporter(url), {
    tripPolicy: consecutiveFailures(2),
    probePolicy: everyNthAttempt(3),
    exportTimeoutMillis: 800,
    retention: {},
  });
  const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
  return {
    exporter,
    provider,
    tracer: provider.getTracer('compat'),
    telemetry: createFetchHandler(exporter),
  };
}

export default {
  async fetch(request, env, ctx) {
    service ??= startService(env.RECEIVER);
    const { exporter, provider, tracer, telemetry } = service;
    const { pathname, search } = new URL(request.url);
    switch (pathname) {
      case '/work':
        made += 1;
        tracer.startSpan('numbered', { attributes: { n: made } }).end();
        // Waits for the batch's answer, then for the exporter's `forceFlush()`.
        if (search !== '?wait=no') ctx.waitUntil(provider.forceFlush().catch(() => {}));
        return Response.json({ made });
      case '/snapshot':
        return Response.json(exporter.snapshot());
      default:
        return telemetry(request);
    }
  },
};
