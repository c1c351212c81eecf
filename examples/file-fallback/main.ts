/** A service whose spans survive an outage in memory, and the end of the service in a file. */
import { trace } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { NodeSDK } from '@opentelemetry/sdk-node';
import { CircuitBreakerExporter } from 'otel-circuit-breaker';
import { FileSpanExporter } from './file-span-exporter.ts';

const exporter = new CircuitBreakerExporter(new OTLPTraceExporter(), {
  retention: { maxItems: 20_000 },
  fallback: new FileSpanExporter(process.env['SPANS_FILE'] ?? 'spans.jsonl'),
});
const sdk = new NodeSDK({
  serviceName: 'file-fallback',
  traceExporter: exporter,
  instrumentations: [],
  metricReaders: [],
  logRecordProcessors: [],
});
sdk.start();

let made = 0;
const work = setInterval(() => {
  trace.getTracer('file-fallback').startSpan('work').end();
  made += 1;
}, 20);

async function end(): Promise<void> {
  clearInterval(work);
  await sdk.shutdown().catch((error: unknown) => console.error('the last flush failed:', error));
  await exporter.shutdown();
  const { delivered, fallback, lost } = exporter.snapshot().delivery;
  console.log(
    JSON.stringify({ made, delivered: delivered.items, fallback: fallback.items, lost: lost.items }),
  );
}
process.once('SIGTERM', end);
process.once('SIGINT', end);
console.log('working');
