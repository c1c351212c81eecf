/** A service as its users have it: the packed library, the SDK, and a directory. Tells which spans were accepted. */
import { writeSync } from 'node:fs';
import { SpanKind, SpanStatusCode } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resources, tracing } from '@opentelemetry/sdk-node';
import { CircuitBreakerExporter } from 'otel-circuit-breaker';
import { diskStore } from 'otel-circuit-breaker/disk';

const { COLLECTOR, DIRECTORY, SPANS } = process.env;
const exporter = new CircuitBreakerExporter(new OTLPTraceExporter({ url: COLLECTOR, timeoutMillis: 500 }), {
  name: 'traces',
  retention: { store: diskStore({ directory: DIRECTORY }), idleMillis: 100 },
});
const telling = {
  export: (spans, resultCallback) =>
    exporter.export(spans, (result) => {
      for (const span of spans) {
        const { traceId, spanId } = span.spanContext();
        if (result.code === 0) writeSync(1, `accepted ${span.attributes.n} ${traceId} ${spanId}\n`);
      }
      resultCallback(result);
    }),
  shutdown: () => exporter.shutdown(),
};
const provider = new tracing.BasicTracerProvider({
  resource: resources.resourceFromAttributes({ 'service.name': 'shop', 'service.version': '4.2.0' }),
  spanProcessors: [new tracing.BatchSpanProcessor(telling, { scheduledDelayMillis: 50 })],
});
const tracer = provider.getTracer('orders', '1.2.3');
const cause = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331', traceFlags: 1 };

function work(n) {
  const span = tracer.startSpan('GET /orders/:id', {
    kind: SpanKind.SERVER,
    attributes: { n, 'http.route': '/orders/:id', ratio: 0.25, cached: n % 2 === 0, tags: ['a', `b${n}`] },
    links: [{ context: cause, attributes: { kind: 'follows' } }],
  });
  span.addEvent('cache.miss', { key: `order-${n}` });
  span.setStatus({ code: SpanStatusCode.ERROR, message: `order ${n} is late` });
  span.end();
}

let n = 0;
setInterval(() => {
  if (n < Number(SPANS)) work(n++);
}, 5);
writeSync(1, 'ready\n');
