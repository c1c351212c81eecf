/** A service whose spans survive an outage of the collector, and its own end, on disk. */
import { trace } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { NodeSDK } from '@opentelemetry/sdk-node';
import { CircuitBreakerExporter } from 'otel-circuit-breaker';
import { diskStore } from 'otel-circuit-breaker/disk';

const exporter = new CircuitBreakerExporter(new OTLPTraceExporter(), {
  name: 'traces',
  retention: { store: diskStore({ directory: process.env['TELEMETRY_DIRECTORY'] ?? 'telemetry' }) },
});
const sdk = new NodeSDK({
  serviceName: 'disk',
  traceExporter: exporter,
  instrumentations: [],
  metricReaders: [],
  logRecordProcessors: [],
});
sdk.start();

const work = setInterval(() => trace.getTracer('disk').startSpan('work').end(), 20);

function report(): void {
  const { recovered, delivered, kept, lost } = exporter.snapshot().delivery;
  console.log(
    `recovered ${recovered.items}, delivered ${delivered.items}, kept ${kept.items}, lost ${lost.items}`,
  );
}
const reporting = setInterval(report, 1_000);

async function end(): Promise<void> {
  clearInterval(work);
  clearInterval(reporting);
  await sdk.shutdown().catch((error: unknown) => console.error('the last flush failed:', error));
  await exporter.shutdown();
  report();
}
process.once('SIGTERM', end);
process.once('SIGINT', end);
