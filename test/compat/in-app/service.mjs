/**
 * A service for runtimes with `fetch` handlers of their own, Bun and Deno:
 *
 *     <runtime> service.mjs <otlp|fetch> <url of the receiver>
 *
 * `POST /work` makes a span with the attribute `n`; `/snapshot` is the exporter's; health and metrics are where
 * `createFetchHandler` has them. SIGTERM ends it as the README says, SIGINT without a shutdown of the exporter.
 */
import process from 'node:process';
import { CircuitBreakerExporter, consecutiveFailures, everyNthAttempt } from 'otel-circuit-breaker';
import { circuitBreakerOptionsFromEnv } from 'otel-circuit-breaker/env';
import { createFetchHandler } from 'otel-circuit-breaker/http';
import { FetchExporter } from './fetch-exporter.mjs';

const [kind, url] = process.argv.slice(2);
const options = {
  tripPolicy: consecutiveFailures(2),
  probePolicy: everyNthAttempt(3),
  exportTimeoutMillis: 800,
  retention: {},
  ...circuitBreakerOptionsFromEnv(),
};
const { exporter, makeSpan, shutdown } = kind === 'otlp' ? await withSdk() : withoutSdk();
const telemetry = createFetchHandler(exporter);
let made = 0;

async function withSdk() {
  const { BasicTracerProvider, BatchSpanProcessor } = await import('@opentelemetry/sdk-trace-base');
  const { OTLPTraceExporter } = await import('@opentelemetry/exporter-trace-otlp-http');
  const inner = new OTLPTraceExporter({ url, timeoutMillis: 500 });
  const exporter = new CircuitBreakerExporter(inner, options);
  const processor = new BatchSpanProcessor(exporter, { scheduledDelayMillis: 20 });
  const provider = new BasicTracerProvider({ spanProcessors: [processor] });
  const tracer = provider.getTracer('compat');
  return {
    exporter,
    makeSpan: (n) => tracer.startSpan('numbered', { attributes: { n } }).end(),
    shutdown: () => provider.shutdown().catch((error) => console.error('the last flush failed:', error.code)),
  };
}

/** The SDK reads the environment at every turn: Deno without that permission can have the breaker, not the SDK. */
function withoutSdk() {
  const exporter = new CircuitBreakerExporter(new FetchExporter(url), options);
  return {
    exporter,
    makeSpan: (n) => exporter.export([{ attributes: { n } }], () => {}),
    shutdown: async () => {},
  };
}

function handle(request) {
  switch (new URL(request.url).pathname) {
    case '/work':
      made += 1;
      makeSpan(made);
      return Response.json({ made });
    case '/snapshot':
      return Response.json(exporter.snapshot());
    default:
      return telemetry(request);
  }
}

const hostname = '127.0.0.1';
const server = globalThis.Bun
  ? Bun.serve({ hostname, port: 0, fetch: handle })
  : Deno.serve({ hostname, port: 0, onListen() {} }, handle);
const stopListening = () => (globalThis.Bun ? server.stop(true) : server.shutdown());
const version = globalThis.Bun?.version ?? Deno.version.deno;
console.log(JSON.stringify({ port: globalThis.Bun ? server.port : server.addr.port, version }));

process.once('SIGTERM', async () => {
  await stopListening();
  await shutdown();
  await exporter.shutdown();
});
process.once('SIGINT', () => stopListening());
