import type { Attributes } from '@opentelemetry/api';
import { SpanKind } from '@opentelemetry/api';
import type { ReadableSpan } from '@opentelemetry/sdk-trace-base';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base';
import type { ExportResultLike } from 'otel-circuit-breaker';
import { CircuitBreakerExporter } from 'otel-circuit-breaker';
import { ManualClock } from 'otel-circuit-breaker/testing';
import { markdownTable } from './support/table.ts';

const KEPT_SPANS = 20_000;
const SPANS_A_BATCH = 512;
const HOUR = 3_600_000;
const HOURS = 7 * 24;

type Row = readonly [what: string, value: string];

/** Measures what retention costs: the heap of what it keeps, and whether a week of outages leaves anything; as Markdown. */
export async function retentionMemory(): Promise<string> {
  const rows = [...(await costOfKeptSpans()), ...(await weekOfOutages())];
  return `### The memory of retention

Spans of the real SDK, of a typical service, kept through an outage; and a simulated week with half an hour of outage in every
hour. The heap is what is left after a full garbage collection.

${markdownTable(['', ''], rows)}`;
}

/** Fills retention with spans of the real SDK, and empties it again. */
async function costOfKeptSpans(): Promise<Row[]> {
  const exporter = exporterThatKeeps();
  // What the code itself and the first spans cost is not what the kept ones cost.
  await fill(exporter);
  const before = await empty(exporter);
  const full = await fill(exporter);
  const { kept } = exporter.snapshot().delivery;
  const after = await empty(exporter);
  const left = exporter.snapshot().delivery.kept;
  if (kept.items !== KEPT_SPANS || left.items !== 0)
    throw new Error(`kept ${kept.items} spans, ${left.items} at the end`);
  return [
    ['spans kept, of 12 attributes each', kept.items.toLocaleString('en')],
    ['heap they cost', mebibytes(full - before)],
    ['heap a span', `${Math.round((full - before) / kept.items)} B`],
    ['left of it when they are delivered', mebibytes(after - before)],
  ];
}

/** @returns the heap, when it keeps all that it may */
async function fill(exporter: CircuitBreakerExporter<ReadableSpan[]>): Promise<number> {
  exporter.breaker.forceOpen();
  for (let made = 0; made < KEPT_SPANS; made += SPANS_A_BATCH)
    exportSpans(exporter, Math.min(SPANS_A_BATCH, KEPT_SPANS - made));
  return heapUsed();
}

/** @returns the heap, when it has delivered all that it kept */
async function empty(exporter: CircuitBreakerExporter<ReadableSpan[]>): Promise<number> {
  exporter.breaker.reset();
  await exporter.redeliver();
  return heapUsed();
}

/** On its own, so that nothing else holds what it made. */
function exportSpans(exporter: CircuitBreakerExporter<ReadableSpan[]>, count: number): void {
  exporter.export(spansOfAService(count), ignore);
}

/** An outage of half an hour in every hour of a week: full each time, and empty again. */
async function weekOfOutages(): Promise<Row[]> {
  const clock = new ManualClock(Date.UTC(2026, 0, 5));
  let up = true;
  const exporter = exporterThatKeeps(clock, () => up);
  const heap: number[] = [];
  for (let hour = 0; hour < HOURS; hour++) {
    for (let second = 0; second < HOUR / 1_000; second += 5) {
      up = second < HOUR / 2_000;
      clock.advance(5_000);
      exporter.export(new Array<ReadableSpan>(100).fill({} as ReadableSpan), ignore);
    }
    // After the first day all is warm.
    if (hour % 24 === 23) heap.push(await heapUsed());
  }
  const { delivery, transitions } = exporter.snapshot();
  const [first = 0, ...others] = heap;
  const most = Math.max(...others);
  return [
    ['outages in a simulated week', String(transitions['CLOSED->OPEN'])],
    ['spans offered', delivery.offered.items.toLocaleString('en')],
    ['spans evicted for want of room', delivery.evicted.full.toLocaleString('en')],
    ['heap after the first day', mebibytes(first)],
    ['most at the end of a later day', mebibytes(most)],
    ['growth', mebibytes(most - first)],
  ];
}

function exporterThatKeeps(
  clock = new ManualClock(),
  isUp = () => true,
): CircuitBreakerExporter<ReadableSpan[]> {
  return new CircuitBreakerExporter<ReadableSpan[]>(
    {
      export(_spans: ReadableSpan[], told: (result: ExportResultLike) => void) {
        told(isUp() ? { code: 0 } : { code: 1, error: new Error('connect ECONNREFUSED') });
      },
      shutdown: async () => {},
    },
    { clock, retention: { maxItems: KEPT_SPANS, pace: 4 } },
  );
}

/** Ended spans as the HTTP instrumentation of a service makes them: no two alike. */
function spansOfAService(count: number): ReadableSpan[] {
  const memory = new InMemorySpanExporter();
  const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(memory)] });
  const tracer = provider.getTracer('@opentelemetry/instrumentation-http', '0.223.0');
  for (let i = 0; i < count; i++)
    tracer.startSpan('GET /orders/:id', { kind: SpanKind.SERVER, attributes: twelveAttributes(i) }).end();
  return memory.getFinishedSpans();
}

function twelveAttributes(i: number): Attributes {
  const id = `${i}-${Math.random().toString(36).slice(2, 10)}`;
  return {
    'http.request.method': 'GET',
    'http.response.status_code': 200,
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

async function heapUsed(): Promise<number> {
  // The SDK's processors hold each span until their promise of it has settled.
  await new Promise((resolve) => setImmediate(resolve));
  for (let i = 0; i < 4; i++) globalThis.gc?.();
  return process.memoryUsage().heapUsed;
}

function mebibytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MiB`;
}

function ignore(): void {}
