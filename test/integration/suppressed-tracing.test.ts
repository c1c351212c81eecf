import type { Server } from 'node:http';
import { createServer } from 'node:http';
import { createRequire, syncBuiltinESMExports } from 'node:module';
import type { AddressInfo } from 'node:net';
import { context, SpanKind, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { HttpInstrumentation } from '@opentelemetry/instrumentation-http';
import type { ReadableSpan } from '@opentelemetry/sdk-trace-base';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { CircuitBreakerExporter, consecutiveFailures } from '../../src/index.ts';
import { numberedSpans } from '../support/numbered-spans.ts';
import { waitFor } from '../support/wait-for.ts';

/** The spans that the instrumentation makes. */
const made = new InMemorySpanExporter();
const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(made)] });
const instrumentation = new HttpInstrumentation();
const contexts = new AsyncLocalStorageContextManager();

beforeAll(() => {
  context.setGlobalContextManager(contexts.enable());
  trace.setGlobalTracerProvider(provider);
  instrumentation.setTracerProvider(provider);
  instrumentation.enable();
  // It patches what is required from now on; the exporter's `import('http')` has to see it, too.
  createRequire(import.meta.url)('http');
  syncBuiltinESMExports();
});

afterAll(async () => {
  instrumentation.disable();
  trace.disable();
  context.disable();
  contexts.disable();
  await provider.shutdown();
});

/** A collector that answers with a status of its own choice. */
class Collector {
  status = 200;
  requests = 0;
  readonly #server: Server = createServer((request, response) => {
    request.resume().on('end', () => {
      this.requests++;
      response.writeHead(this.status, { 'content-type': 'application/json' }).end('{}');
    });
  });

  async start(): Promise<this> {
    await new Promise<void>((listening) => this.#server.listen(0, '127.0.0.1', listening));
    return this;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/v1/traces`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((closed) => this.#server.close(closed));
  }
}

let collector: Collector;
let second: Collector;
const exporters: CircuitBreakerExporter<ReadableSpan[]>[] = [];

beforeEach(async () => {
  [collector, second] = await Promise.all([new Collector().start(), new Collector().start()]);
  made.reset();
});

afterEach(async () => {
  await Promise.all(exporters.splice(0).map((exporter) => exporter.shutdown()));
  await Promise.all([collector.stop(), second.stop()]);
});

/** A real exporter that opens at the first failure, and probes at every attempt. */
function exporterWith(
  options: { idleMillis?: number; retention?: false; fallback?: true } = {},
): CircuitBreakerExporter<ReadableSpan[]> {
  const exporter = new CircuitBreakerExporter<ReadableSpan[]>(new OTLPTraceExporter({ url: collector.url }), {
    tripPolicy: consecutiveFailures(1),
    probePolicy: () => true,
    retention: options.retention === false ? undefined : { idleMillis: options.idleMillis ?? 0 },
    fallback: options.fallback && new OTLPTraceExporter({ url: second.url }),
  });
  exporters.push(exporter);
  return exporter;
}

/** As if in a request that the service is serving: what is sent here is traced. */
function inRequest<R>(run: () => R): R {
  const parent = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331', traceFlags: 1 };
  return context.with(trace.setSpanContext(context.active(), parent), run);
}

/** @returns the code of the result */
function exportInRequest(exporter: CircuitBreakerExporter<ReadableSpan[]>, n: number): Promise<number> {
  return inRequest(
    () =>
      new Promise<number>((told) => {
        exporter.export(numberedSpans(n, 1), ({ code }) => told(code));
      }),
  );
}

const clientSpans = (): ReadableSpan[] =>
  made.getFinishedSpans().filter(({ kind }) => kind === SpanKind.CLIENT);

const until = (what: string, done: () => boolean): Promise<unknown> => waitFor(done, { what });

describe('under HTTP instrumentation', () => {
  it('a live export in a context that is not suppressed makes a span: the test can see them', async () => {
    const exporter = exporterWith();
    expect(await exportInRequest(exporter, 1)).toBe(0);
    await until('the span of the live export', () => clientSpans().length === 1);
  });

  it('a redelivery makes none', async () => {
    const exporter = exporterWith();
    exporter.breaker.forceOpen();
    await Promise.all([exportInRequest(exporter, 1), exportInRequest(exporter, 2)]);
    exporter.breaker.reset();
    expect(collector.requests).toBe(0);

    await inRequest(() => exporter.redeliver());

    expect(exporter.snapshot().delivery.redelivered.batches).toBe(2);
    expect(collector.requests).toBe(2);
    expect(clientSpans()).toEqual([]);
  });

  it('a redelivery that a live success paid for makes none besides the live one', async () => {
    const exporter = exporterWith();
    exporter.breaker.forceOpen();
    await exportInRequest(exporter, 1);
    exporter.breaker.reset();

    await exportInRequest(exporter, 2);
    await until('the redelivery', () => exporter.snapshot().delivery.redelivered.batches === 1);

    expect(collector.requests).toBe(2);
    await until('the span of the live export', () => clientSpans().length > 0);
    expect(clientSpans()).toHaveLength(1);
  });

  it('ticks make none, neither as probes that fail nor as the one that closes the circuit', async () => {
    const exporter = exporterWith({ idleMillis: 50 });
    collector.status = 404;
    exporter.breaker.forceOpen();
    await Promise.all([exportInRequest(exporter, 1), exportInRequest(exporter, 2)]);
    exporter.breaker.reset();
    // CLOSED: a redelivery by a tick.
    await until('a tick while CLOSED', () => collector.requests > 0);
    expect(await exportInRequest(exporter, 3)).toBe(0);
    expect(exporter.breaker.state).not.toBe('CLOSED');
    await until('failed probes', () => exporter.snapshot().failedProbes >= 2);

    collector.status = 200;
    await until('everything to be delivered', () => exporter.snapshot().delivery.kept.batches === 0);

    expect(exporter.snapshot()).toMatchObject({ state: 'CLOSED', delivery: { redelivered: { batches: 3 } } });
    expect(collector.requests).toBeGreaterThanOrEqual(6);
    expect(clientSpans()).toHaveLength(1);
  });

  it('the fallback makes none, for rejected batches and for those that failed', async () => {
    const exporter = exporterWith({ retention: false, fallback: true });
    collector.status = 404;
    expect(await exportInRequest(exporter, 1)).toBe(0);
    exporter.breaker.forceOpen();
    expect(await exportInRequest(exporter, 2)).toBe(0);

    expect(second.requests).toBe(2);
    expect(exporter.snapshot().delivery.fallback.batches).toBe(2);
    await until('the span of the live export', () => clientSpans().length > 0);
    expect(clientSpans().map(({ attributes }) => attributes['url.full'] ?? attributes['http.url'])).toEqual([
      collector.url,
    ]);
  });

  it('the last chance at shutdown makes none', async () => {
    const exporter = exporterWith({ fallback: true });
    collector.status = 404;
    exporter.breaker.forceOpen();
    await Promise.all([exportInRequest(exporter, 1), exportInRequest(exporter, 2)]);
    exporter.breaker.reset();

    await exporter.shutdown();

    expect(collector.requests).toBe(2);
    expect(second.requests).toBe(2);
    expect(clientSpans()).toEqual([]);
  });
});
