import { randomBytes } from 'node:crypto';
import type { Attributes, SpanContext } from '@opentelemetry/api';
import { ROOT_CONTEXT, SpanKind, SpanStatusCode, TraceFlags, trace } from '@opentelemetry/api';
import type { AnyValue, LogRecord } from '@opentelemetry/api-logs';
import { SeverityNumber } from '@opentelemetry/api-logs';
import { defaultResource, resourceFromAttributes } from '@opentelemetry/resources';
import type { ReadableLogRecord } from '@opentelemetry/sdk-logs';
import { LoggerProvider } from '@opentelemetry/sdk-logs';
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import type { ReadableSpan, Span } from '@opentelemetry/sdk-trace-base';
import { BasicTracerProvider } from '@opentelemetry/sdk-trace-base';

const ITEMS = 500;
const resource = defaultResource().merge(
  resourceFromAttributes({ 'service.name': 'shop', 'service.version': '1.2.3', 'host.name': 'shop-7f9c' }),
);

/** What a program makes at run time: no string of it is shared. */
const text = (length: number): string =>
  randomBytes(Math.ceil(length / 2))
    .toString('hex')
    .slice(0, length);
/** Two bytes a character. */
const chinese = (length: number): string => Buffer.alloc(3 * length, '訂單編號').toString();
const integer = (): number => Math.floor(Math.random() * 1e6);

const silent = { forceFlush: async () => {}, shutdown: async () => {} };

function spans(decorate: (span: Span) => void, parent?: () => SpanContext) {
  const ended: ReadableSpan[] = [];
  const collector = { ...silent, onStart: () => {}, onEnd: (span: ReadableSpan) => ended.push(span) };
  const provider = new BasicTracerProvider({ resource, spanProcessors: [collector] });
  const tracer = provider.getTracer('shop', '1.0.0');
  for (let i = 0; i < ITEMS; i++) {
    const context = parent === undefined ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, parent());
    const span = tracer.startSpan('GET /orders/:id', { kind: SpanKind.SERVER }, context) as Span;
    decorate(span);
    span.end();
  }
  return ended;
}

const http = (): Attributes => ({
  'http.request.method': 'GET',
  'http.response.status_code': 200,
  'url.full': `https://shop.example/orders/${text(24)}`,
  'url.path': `/orders/${text(24)}`,
  'url.scheme': 'https',
  'server.address': 'shop.example',
  'server.port': 443,
  'client.address': `10.0.${integer() % 256}.${integer() % 256}`,
  'user_agent.original': `Mozilla/5.0 (X11; Linux x86_64) ${text(60)}`,
  'network.protocol.version': '1.1',
});

function records(make: () => LogRecord) {
  const emitted: ReadableLogRecord[] = [];
  const collector = { ...silent, onEmit: (record: ReadableLogRecord) => emitted.push(record) };
  const provider = new LoggerProvider({ resource, processors: [collector] });
  const logger = provider.getLogger('shop', '1.0.0');
  for (let i = 0; i < ITEMS; i++) logger.emit(make());
  return emitted;
}

const remote = (): SpanContext => ({ traceId: text(32), spanId: text(16), traceFlags: TraceFlags.SAMPLED });

/** A batch of each shape that programs make, from the real SDK. */
export const usualBatches: Readonly<Record<string, () => unknown | Promise<unknown>>> = {
  'spans without attributes': () => spans(() => {}),
  'spans with a remote parent and two attributes': () =>
    spans((span) => span.setAttributes({ 'shop.order': text(12), 'shop.total': integer() }), remote),
  'spans of HTTP requests': () => spans((span) => span.setAttributes(http()), remote),
  'spans with forty attributes': () =>
    spans((span) => {
      for (let i = 0; i < 20; i++) span.setAttribute(`shop.number.${i}`, integer() / 7);
      for (let i = 0; i < 20; i++) span.setAttribute(`shop.text.${i}`, text(20));
    }),
  'spans with arrays': () =>
    spans((span) =>
      span.setAttributes({
        'shop.ids': Array.from({ length: 10 }, () => text(12)),
        'shop.prices': Array.from({ length: 20 }, () => Math.random()),
        'shop.flags': [true, false, true],
      }),
    ),
  'spans with a prompt of 8 KiB': () => spans((span) => span.setAttribute('prompt', text(8_192))),
  'spans with a Chinese prompt of 2,000 characters': () =>
    spans((span) => span.setAttribute('prompt', chinese(2_000))),
  'spans with events': () =>
    spans((span) => {
      for (let i = 0; i < 8; i++)
        span.addEvent('message', { 'message.id': integer(), 'message.key': text(16) });
    }),
  'spans with links': () =>
    spans((span) => {
      for (let i = 0; i < 8; i++) span.addLink({ context: remote(), attributes: { index: i } });
    }),
  'spans with an exception': () =>
    spans((span) => {
      span.recordException(new TypeError(`order ${text(12)} has no lines`));
      span.setStatus({ code: SpanStatusCode.ERROR, message: `order ${text(12)} has no lines` });
    }),
  'log records of a line': () =>
    records(() => ({
      severityNumber: SeverityNumber.INFO,
      severityText: 'INFO',
      body: `order ${text(12)} placed`,
      attributes: { 'shop.order': text(12), 'shop.total': integer() },
    })),
  'log records in a trace': () =>
    records(() => ({
      body: `order ${text(12)} placed`,
      context: trace.setSpanContext(ROOT_CONTEXT, remote()),
    })),
  'log records with a nested body': () =>
    records(() => ({
      severityNumber: SeverityNumber.WARN,
      body: {
        order: {
          id: text(12),
          lines: Array.from({ length: 5 }, () => ({ sku: text(10), count: integer() })),
        },
        customer: { name: text(20), address: { city: text(12), street: text(20) } },
      } as AnyValue,
    })),
  'log records with bytes': () => records(() => ({ body: new Uint8Array(randomBytes(2_000)) as AnyValue })),
  'metrics of a thousand series': metrics,
};

async function metrics(): Promise<unknown> {
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 1e9 });
  const provider = new MeterProvider({ resource, readers: [reader] });
  const meter = provider.getMeter('shop');
  const orders = meter.createCounter('orders');
  const durations = meter.createHistogram('duration');
  for (let i = 0; i < 500; i++) {
    orders.add(1, { shop: text(12) });
    durations.record(Math.random(), { shop: text(12), route: text(20) });
  }
  await reader.forceFlush();
  const [batch] = exporter.getMetrics();
  return batch;
}
