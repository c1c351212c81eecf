import { context, propagation, trace } from '@opentelemetry/api';
import type { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { NodeSDK } from '@opentelemetry/sdk-node';
import type { ReadableSpan } from '@opentelemetry/sdk-trace-base';
import { BatchSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { CircuitBreakerExporter, CircuitOpenError } from '../../src/index.ts';
import { deadPort } from '../support/dead-port.ts';
import { PATIENT, protocols } from '../support/otlp-exporters.ts';
import { startReceiver } from '../support/receiver-process.ts';
import { waitFor } from '../support/wait-for.ts';
import { spanApp } from './span-app.ts';

describe.for(protocols)(
  'with $name, a whole queue that a BatchSpanProcessor flushes at shutdown',
  (protocol) => {
    it('is several exports in one tick, of which an OPEN circuit lets one through, as the probe', async () => {
      await using receiver = await startReceiver({ protocol: protocol.server, mode: 'hold' });
      const inner = protocol.traces(receiver.endpoint('traces'), PATIENT);
      const sent = vi.spyOn(inner, 'export');
      const exporter = new CircuitBreakerExporter<ReadableSpan[]>(inner, { probePolicy: () => true });
      const { breaker } = exporter;
      const offered = vi.spyOn(exporter, 'export');
      await using app = spanApp(new BatchSpanProcessor(exporter, { maxExportBatchSize: 10 }));
      const held = (count: number) =>
        waitFor(async () => (await receiver.stats()).held === count, { what: `${count} held requests` });

      // The first batch is on its way, the rest waits behind it.
      app.make(50);
      await held(1);
      for (let failures = 0; failures < 3; failures += 1)
        breaker.tryAcquire()?.fail(new Error('past the exporter'));
      expect(breaker.state).toBe('OPEN');

      const shutdown = app.provider.shutdown().catch((error: unknown) => error);
      await held(2);
      expect(offered).toHaveBeenCalledTimes(5);
      expect(sent).toHaveBeenCalledTimes(2);
      expect(exporter.snapshot()).toMatchObject({
        state: 'HALF_OPEN',
        items: { rejected: 30 },
        delivery: { inFlight: { items: 20 }, lostBy: { rejected: 30 } },
      });

      await receiver.release(1);
      await waitFor(() => exporter.snapshot().items.success === 10, { what: 'the batch of before' });
      expect(breaker.state).toBe('HALF_OPEN');
      await receiver.release();
      await waitFor(() => breaker.state === 'CLOSED', { what: 'the probe to close the circuit' });
      expect(await shutdown).toMatchObject({ code: 'ERR_CIRCUIT_OPEN' });
      expect(await receiver.stats()).toMatchObject({ requests: 2, seen: [[1, 20, 1]] });
      await exporter.shutdown();
    });
  },
);

describe('with NodeSDK', () => {
  beforeEach(() => {
    vi.stubEnv('OTEL_LOGS_EXPORTER', 'none');
    vi.stubEnv('OTEL_METRICS_EXPORTER', 'none');
    vi.stubEnv('OTEL_NODE_RESOURCE_DETECTORS', 'none');
  });
  afterEach(() => {
    vi.unstubAllEnvs();
    trace.disable();
    context.disable();
    propagation.disable();
  });

  const [http] = protocols;
  if (http === undefined) throw new Error('no protocol');

  function started(url: string, timeoutMillis: number, retention?: object) {
    const inner = http!.traces(url, timeoutMillis);
    const shutdown = vi.spyOn(inner as OTLPTraceExporter, 'shutdown');
    const exporter = new CircuitBreakerExporter<ReadableSpan[]>(inner, { retention });
    const sdk = new NodeSDK({ traceExporter: exporter });
    sdk.start();
    const tracer = trace.getTracer('app');
    const make = (first: number, count: number): void => {
      for (let n = first; n < first + count; n += 1) tracer.startSpan('work', { attributes: { n } }).end();
    };
    const provider = (
      trace.getTracerProvider() as unknown as { getDelegate(): { forceFlush(): Promise<void> } }
    ).getDelegate();
    const flush = () =>
      provider.forceFlush().then(
        () => undefined,
        (error: unknown) => error,
      );
    return { exporter, sdk, shutdown, make, flush };
  }

  it('exports what the API makes, and shuts down clean while the circuit is closed', async () => {
    await using receiver = await startReceiver({ protocol: 'http' });
    const { exporter, sdk, shutdown, make } = started(receiver.endpoint('traces'), PATIENT);

    make(1, 7);
    await sdk.shutdown();
    await exporter.shutdown();

    expect(await receiver.stats()).toMatchObject({ seen: [[1, 7, 1]] });
    expect(shutdown).toHaveBeenCalledTimes(1);
    expect(exporter.snapshot()).toMatchObject({ state: 'CLOSED', delivery: { delivered: { items: 7 } } });
  });

  it('rejects at shutdown while the circuit is open; the two lines of the README end all of it at once', async () => {
    await using dead = await deadPort();
    const { exporter, sdk, shutdown, make, flush } = started(`${dead.url}/v1/traces`, 500);
    for (let n = 1; n <= 3; n += 1) {
      make(n, 1);
      expect(await flush()).toBeTruthy();
    }
    expect(exporter.breaker.state).toBe('OPEN');
    make(4, 1);
    const report = vi.fn();

    const begin = performance.now();
    await sdk.shutdown().catch(report);
    expect(shutdown).not.toHaveBeenCalled();
    await exporter.shutdown();

    // The OTLP exporter by itself retries for up to 10 s; `npm run bench:outage` has the exact times.
    expect(performance.now() - begin).toBeLessThan(5_000);
    expect(shutdown).toHaveBeenCalledTimes(1);
    expect(report).toHaveBeenCalledTimes(1);
    const reported = [report.mock.calls[0]?.[0]].flat();
    expect(reported).toEqual([expect.any(CircuitOpenError)]);
    expect(reported[0].message).toMatch(
      /^circuit "otlp" is open since .*Z after 3 failures in a row, last ECONNREFUSED$/,
    );
  });

  it('with retention accepts all, and at shutdown gives what is kept a last chance', async () => {
    await using receiver = await startReceiver({ protocol: 'http' });
    const { exporter, sdk, shutdown, make, flush } = started(receiver.endpoint('traces'), 750, {});
    await receiver.kill();
    for (let n = 1; n <= 5; n += 1) {
      make(n, 1);
      expect(await flush()).toBeUndefined();
    }
    expect(exporter.snapshot()).toMatchObject({ state: 'OPEN', delivery: { kept: { items: 5 } } });
    await receiver.restart();
    make(6, 1);

    await sdk.shutdown();
    await exporter.shutdown();

    expect(await receiver.stats()).toMatchObject({ distinct: 6, seen: [[1, 6, 1]] });
    expect(shutdown).toHaveBeenCalledTimes(1);
    expect(exporter.snapshot().delivery).toMatchObject({
      delivered: { items: 6 },
      redelivered: { items: 6 },
      lost: { items: 0 },
      kept: { items: 0 },
    });
  });
});
