import type { ExportResult } from '@opentelemetry/core';
import { ExportResultCode, loggingErrorHandler, setGlobalErrorHandler } from '@opentelemetry/core';
import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace-base';
import {
  BatchSpanProcessor,
  ConsoleSpanExporter,
  InMemorySpanExporter,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base';
import { describe, expect, it, vi } from 'vitest';
import { CircuitBreakerExporter } from '../../src/index.ts';
import { protocols } from '../support/otlp-exporters.ts';
import { startReceiver } from '../support/receiver-process.ts';
import { waitFor } from '../support/wait-for.ts';
import { spanApp } from './span-app.ts';

/** As long as can be without a first retry of the OTLP/HTTP exporters, which comes after at least 800 ms. */
const NO_RETRY = 750;

const processors = [
  { processor: 'BatchSpanProcessor', wrap: (exporter: SpanExporter) => new BatchSpanProcessor(exporter) },
  { processor: 'SimpleSpanProcessor', wrap: (exporter: SpanExporter) => new SimpleSpanProcessor(exporter) },
];
const cases = protocols.flatMap((protocol) =>
  processors.map((of) => ({ ...of, protocol, name: protocol.name })),
);

describe.for(cases)('a wrapped exporter of $name behind a $processor', { concurrent: true }, (of) => {
  it('opens when the receiver is killed, rejects without the network, and closes when it is back', async () => {
    const { protocol, wrap } = of;
    await using receiver = await startReceiver({ protocol: protocol.server });
    const inner = protocol.traces(
      receiver.endpoint('traces'),
      protocol.server === 'http' ? NO_RETRY : 10_000,
    );
    const attempted = vi.spyOn(inner, 'export');
    let mayProbe = false;
    const exporter = new CircuitBreakerExporter<ReadableSpan[]>(inner, { probePolicy: () => mayProbe });
    await using app = spanApp(wrap(exporter));

    app.make(5);
    expect(await app.flush()).toBeUndefined();
    expect(await receiver.stats()).toMatchObject({ seen: [[1, 5, 1]] });
    expect(exporter.snapshot()).toMatchObject({ state: 'CLOSED', items: { success: 5 } });

    await receiver.kill();
    for (let failures = 1; failures <= 3; failures += 1) {
      expect(exporter.breaker.state).toBe('CLOSED');
      app.make(1);
      expect(await app.flush()).toBeInstanceOf(Error);
    }
    expect(exporter.snapshot()).toMatchObject({
      state: 'OPEN',
      consecutiveFailures: 3,
      items: { failure: 3 },
    });

    attempted.mockClear();
    app.make(4);
    expect(await app.flush()).toMatchObject({ name: 'CircuitOpenError', code: 'ERR_CIRCUIT_OPEN' });
    expect(attempted).not.toHaveBeenCalled();
    expect(exporter.snapshot().items).toMatchObject({ rejected: 4 });

    await receiver.restart();
    mayProbe = true;
    // A gRPC channel pauses between two attempts to connect, and fails what comes in between.
    await waitFor(
      async () => {
        app.make(1);
        await app.flush();
        return exporter.breaker.state === 'CLOSED';
      },
      { what: 'the circuit to close', timeoutMillis: 20_000, intervalMillis: 50 },
    );
    const last = app.made;
    app.make(3);
    expect(await app.flush()).toBeUndefined();

    const { items, probes, delivery } = exporter.snapshot();
    expect(probes.success).toBe(1);
    expect(items.success + items.failure + items.rejected).toBe(app.made);
    expect(delivery.delivered.items).toBe(items.success);
    expect(await receiver.stats()).toMatchObject({
      distinct: items.success,
      duplicates: 0,
      seen: [
        [1, 5, 1],
        [last, last + 3, 1],
      ],
    });
    await app.provider.shutdown();
  });
});

describe.for(processors)('behind a $processor', ({ wrap }) => {
  it('an in-memory exporter gets all spans', async () => {
    const memory = new InMemorySpanExporter();
    const exporter = new CircuitBreakerExporter(memory);
    await using app = spanApp(wrap(exporter));

    app.make(3);
    expect(await app.flush()).toBeUndefined();

    expect(memory.getFinishedSpans().map(({ attributes }) => attributes['n'])).toEqual([1, 2, 3]);
    expect(exporter.snapshot()).toMatchObject({ state: 'CLOSED', items: { success: 3 } });
  });

  it('a console exporter prints all spans', async () => {
    const print = vi.spyOn(console, 'dir').mockImplementation(() => {});
    try {
      const exporter = new CircuitBreakerExporter(new ConsoleSpanExporter());
      await using app = spanApp(wrap(exporter));

      app.make(2);
      expect(await app.flush()).toBeUndefined();

      expect(print.mock.calls.map(([span]) => span.attributes.n)).toEqual([1, 2]);
      expect(exporter.snapshot()).toMatchObject({ state: 'CLOSED', items: { success: 2 } });
    } finally {
      print.mockRestore();
    }
  });
});

describe('an inner exporter that answers FAILED without an error', () => {
  const mute: SpanExporter = {
    export: (_spans, resultCallback) => resultCallback({ code: 1 }),
    shutdown: async () => {},
  };

  it('reaches a BatchSpanProcessor, and its results, with one of ours', async () => {
    const results: ExportResult[] = [];
    const exporter = new CircuitBreakerExporter(mute);
    const heard: SpanExporter = {
      export: (spans, resultCallback) =>
        exporter.export(spans, (result) => {
          results.push(result);
          resultCallback(result);
        }),
      shutdown: () => exporter.shutdown(),
    };
    await using app = spanApp(new BatchSpanProcessor(heard));
    const expected = new Error('exporter "otlp" answered FAILED and gave no error');

    app.make(2);

    expect(await app.flush()).toEqual(expected);
    expect(results).toEqual([{ code: ExportResultCode.FAILED, error: expected }]);
  });

  it('is heard of by the global error handler, once a batch, when a BatchSpanProcessor exports by itself', async () => {
    const heard: unknown[] = [];
    setGlobalErrorHandler((error) => heard.push(error));
    try {
      const exporter = new CircuitBreakerExporter(mute);
      await using app = spanApp(new BatchSpanProcessor(exporter, { maxExportBatchSize: 2 }));

      app.make(2);

      await waitFor(() => heard.length > 0, { what: 'the error handler to be called' });
      expect(heard).toEqual([new Error('exporter "otlp" answered FAILED and gave no error')]);
      expect(exporter.snapshot()).toMatchObject({
        exports: { failure: 1 },
        delivery: { lost: { items: 2 } },
      });
    } finally {
      setGlobalErrorHandler(loggingErrorHandler());
    }
  });
});
