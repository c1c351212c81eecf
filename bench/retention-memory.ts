// What retention costs: `node bench/retention-memory.ts`, on Node 24 or later.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { Attributes } from '@opentelemetry/api';
import { SpanKind } from '@opentelemetry/api';
import type { ReadableSpan } from '@opentelemetry/sdk-trace-base';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base';
import type { ExportResultLike } from '../src/index.ts';
import { CircuitBreakerExporter } from '../src/index.ts';
import { ManualClock } from '../src/testing/index.ts';

const KEPT_SPANS = 20_000;
const SPANS_A_BATCH = 512;
const HOUR = 3_600_000;
const HOURS = 7 * 24;

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

interface Row {
  what: string;
  value: string;
}

const rows: Row[] = [...(await costOfKeptSpans()), ...(await weekOfOutages())];
console.table(Object.fromEntries(rows.map(({ what, value }) => [what, { value }])));

/** On its own, so that nothing holds what it made. */
function warmUp(): void {
  spansOfAService(2_000);
}

/** Fills retention with spans of the real SDK, and empties it again. */
async function costOfKeptSpans(): Promise<Row[]> {
  const exporter = exporterThatKeeps();
  exporter.breaker.forceOpen();
  // What the code itself and the first spans cost is not what the kept ones cost.
  warmUp();
  const before = await heapUsed();
  for (let made = 0; made < KEPT_SPANS; made += SPANS_A_BATCH)
    exportSpans(exporter, Math.min(SPANS_A_BATCH, KEPT_SPANS - made));
  const full = await heapUsed();
  const { kept } = exporter.snapshot().delivery;
  exporter.breaker.reset();
  await exporter.redeliver();
  const empty = await heapUsed();
  if (kept.items !== KEPT_SPANS || exporter.snapshot().delivery.kept.items !== 0)
    throw new Error(`kept ${kept.items} spans, ${exporter.snapshot().delivery.kept.items} at the end`);
  return [
    { what: 'spans kept, of 12 attributes each', value: kept.items.toLocaleString('en') },
    { what: 'heap they cost', value: mebibytes(full - before) },
    { what: 'heap a span', value: `${Math.round((full - before) / kept.items)} B` },
    { what: 'left of it when they are delivered', value: mebibytes(empty - before) },
  ];
}

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
    { what: 'outages in a simulated week', value: String(transitions['CLOSED->OPEN']) },
    { what: 'spans offered', value: delivery.offered.items.toLocaleString('en') },
    { what: 'spans evicted for want of room', value: delivery.evicted.full.toLocaleString('en') },
    { what: 'heap after the first day', value: mebibytes(first) },
    { what: 'most at the end of a later day', value: mebibytes(most) },
    { what: 'growth', value: mebibytes(most - first) },
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
  for (let i = 0; i < 4; i++) collectGarbage();
  return process.memoryUsage().heapUsed;
}

function mebibytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MiB`;
}

function ignore(): void {}
