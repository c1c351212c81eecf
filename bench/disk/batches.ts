import type { Attributes, SpanContext } from '@opentelemetry/api';
import { SpanKind } from '@opentelemetry/api';
import { resourceFromAttributes } from '@opentelemetry/resources';
import type { ReadableSpan } from '@opentelemetry/sdk-trace-base';
import { BasicTracerProvider } from '@opentelemetry/sdk-trace-base';

/** Batches of the real SDK: twelve attributes a span, a link on every other one, an exception on every eighth. */
export function makeBatches(count: number, spansABatch: number): ReadableSpan[][] {
  const ended: ReadableSpan[] = [];
  const provider = new BasicTracerProvider({
    resource: resourceFromAttributes({
      'service.name': 'shop',
      'host.name': 'shop-7d9c',
      'process.pid': 4711,
    }),
    spanProcessors: [
      {
        onStart() {},
        onEnd: (span) => ended.push(span),
        forceFlush: async () => {},
        shutdown: async () => {},
      },
    ],
  });
  const tracers = ['http', 'pg'].map((name) => provider.getTracer(name, '1.0.0'));
  let linked: SpanContext | undefined;
  for (let i = 0; i < count * spansABatch; i++) {
    const links =
      linked !== undefined && i % 2 === 0 ? [{ context: linked, attributes: { kind: 'follows' } }] : [];
    const options = { kind: SpanKind.SERVER, attributes: attributesOf(i), links };
    const span = tracers[i % 2]?.startSpan('GET /orders/:id', options);
    if (i % 8 === 0) span?.recordException(new Error(`order ${i} cannot be found`));
    linked = span?.spanContext();
    span?.end();
  }
  return Array.from({ length: count }, (_, i) => ended.slice(i * spansABatch, (i + 1) * spansABatch));
}

function attributesOf(i: number): Attributes {
  const id = (i * 7_919) % 100_003;
  return {
    'http.request.method': 'GET',
    'http.response.status_code': i % 50 === 0 ? 404 : 200,
    'http.route': '/orders/:id',
    'url.path': `/orders/${id}`,
    'url.scheme': 'https',
    'server.address': 'orders.example.com',
    'server.port': 443,
    'client.address': `10.0.${i % 256}.${(i >> 8) % 256}`,
    'user_agent.original': `okhttp/4.12.0 (build ${id})`,
    'network.protocol.version': '1.1',
    'enduser.id': `customer-${id}`,
    'app.order.items': i % 17,
  };
}
