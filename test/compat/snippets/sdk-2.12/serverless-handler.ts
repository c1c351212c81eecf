import { trace } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { NodeSDK } from '@opentelemetry/sdk-node';
import { BatchSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { CircuitBreakerExporter, consecutiveFailures, everyNthAttempt } from 'otel-circuit-breaker';

// Outside the handler: the circuit and its state live as long as the warm instance.
const exporter = new CircuitBreakerExporter(
  // The time-out must be shorter than the longest invocation. A socket that was kept open may be dead after a freeze.
  new OTLPTraceExporter({ timeoutMillis: 500, keepAlive: false }),
  // Timers are frozen between invocations: count attempts, do not wait. A freeze can cause one failure; two mean an outage.
  { tripPolicy: consecutiveFailures(2), probePolicy: everyNthAttempt(3) },
);
const processor = new BatchSpanProcessor(exporter);
new NodeSDK({ spanProcessors: [processor], metricReaders: [], logRecordProcessors: [] }).start();
const tracer = trace.getTracer('handler');

export async function handler(event: { readonly path: string }): Promise<{ statusCode: number }> {
  const span = tracer.startSpan('handle', { attributes: { 'url.path': event.path } });
  try {
    return { statusCode: 200 };
  } finally {
    span.end();
    // The instance is frozen after the answer. Rejected at once while the circuit is open.
    await processor.forceFlush().catch(() => {});
  }
}
