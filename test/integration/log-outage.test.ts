import { loggingErrorHandler, setGlobalErrorHandler } from '@opentelemetry/core';
import { OTLPLogExporter } from '@opentelemetry/exporter-logs-otlp-http';
import type { LogRecordExporter } from '@opentelemetry/sdk-logs';
import { BatchLogRecordProcessor, LoggerProvider } from '@opentelemetry/sdk-logs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { CircuitBreakerExporter } from '../../src/index.ts';
import { protocols } from '../support/otlp-exporters.ts';
import { startReceiver } from '../support/receiver-process.ts';
import { waitFor } from '../support/wait-for.ts';

/** As long as can be without a first retry of the OTLP/HTTP exporters, which comes after at least 800 ms. */
const NO_RETRY = 750;

const heard: unknown[] = [];
beforeEach(() => {
  heard.length = 0;
  setGlobalErrorHandler((error) => heard.push(error));
});
afterEach(() => setGlobalErrorHandler(loggingErrorHandler()));

/** A program that logs numbered records, one export a record where `maxExportBatchSize` is 1. */
function logApp(exporter: LogRecordExporter, maxExportBatchSize = 512) {
  const processor = new BatchLogRecordProcessor({ exporter, maxExportBatchSize });
  const provider = new LoggerProvider({ processors: [processor] });
  const logger = provider.getLogger('test');
  let n = 0;
  return {
    processor,
    provider,
    log() {
      n += 1;
      logger.emit({ body: 'said', attributes: { n } });
    },
  };
}

describe('a log exporter behind a BatchLogRecordProcessor', () => {
  it('survives an outage: forceFlush never rejects, and logs flow again', async () => {
    await using receiver = await startReceiver({ protocol: 'http' });
    const inner = new OTLPLogExporter({ url: receiver.endpoint('logs'), timeoutMillis: NO_RETRY });
    let mayProbe = false;
    const exporter = new CircuitBreakerExporter(inner, { probePolicy: () => mayProbe });
    const { processor, provider, log } = logApp(exporter);
    const logAndFlush = (): Promise<void> => {
      log();
      return processor.forceFlush();
    };

    await logAndFlush();
    await receiver.kill();
    for (let failures = 1; failures <= 3; failures += 1) await logAndFlush();
    expect(exporter.snapshot()).toMatchObject({ state: 'OPEN', items: { success: 1, failure: 3 } });
    await logAndFlush();
    await logAndFlush();
    expect(exporter.snapshot().items).toMatchObject({ rejected: 2 });
    expect(heard).toHaveLength(5);
    expect(heard.at(-1)).toMatchObject({ code: 'ERR_CIRCUIT_OPEN' });

    await receiver.restart();
    mayProbe = true;
    await logAndFlush();
    expect(exporter.breaker.state).toBe('CLOSED');
    await logAndFlush();

    expect(heard).toHaveLength(5);
    expect(await receiver.stats()).toMatchObject({
      seenLogs: [
        [1, 1, 1],
        [7, 8, 1],
      ],
    });
    await provider.shutdown();
  });

  it('with a collector that hangs is shut down in the patience of one flush, though the processor flushes after every batch', async () => {
    await using receiver = await startReceiver({ protocol: 'http' });
    const inner = new OTLPLogExporter({ url: receiver.endpoint('logs') });
    const exporter = new CircuitBreakerExporter(inner, { retention: {} });
    const { processor, provider, log } = logApp(exporter, 1);
    log();
    await processor.forceFlush();
    await receiver.mode('hang');
    for (let i = 0; i < 10; i++) log();

    const startedAt = performance.now();
    await provider.shutdown();
    await exporter.shutdown();

    // The OTLP exporter by itself retries for up to 10 s; `npm run bench:outage` has the exact times.
    expect(performance.now() - startedAt).toBeLessThan(5_000);
    expect(exporter.snapshot().delivery).toMatchObject({
      delivered: { items: 1 },
      lostBy: { shutdown: 10 },
      inFlight: { items: 0 },
    });
  });

  it.for(protocols)('sends over $name', async (protocol) => {
    await using receiver = await startReceiver({ protocol: protocol.server });
    const exporter = new CircuitBreakerExporter(protocol.logs(receiver.endpoint('logs')));
    const { provider, log } = logApp(exporter);

    log();
    log();
    await provider.shutdown();

    expect(await receiver.stats()).toMatchObject({ logs: 2, seenLogs: [[1, 2, 1]] });
    expect(exporter.snapshot()).toMatchObject({ items: { success: 2 } });
  });
});

describe('an inner exporter whose forceFlush rejects while an export is in flight', () => {
  it.for([
    { what: 'stops the processor for good when it is bare', wrapped: false },
    { what: 'harms no one when it is wrapped', wrapped: true },
  ])('$what', async ({ wrapped }) => {
    await using receiver = await startReceiver({ protocol: 'http', mode: 'hold' });
    const inner = new OTLPLogExporter({ url: receiver.endpoint('logs') });
    const refusal = new Error('no flush today');
    vi.spyOn(inner, 'forceFlush').mockRejectedValue(refusal);
    const onError = vi.fn();
    const { processor, provider, log } = logApp(
      wrapped ? new CircuitBreakerExporter(inner, { onError }) : inner,
      1,
    );
    log();
    await waitFor(async () => (await receiver.stats()).held === 1, { what: 'an export in flight' });

    const flush = processor.forceFlush().catch((error: unknown) => error);
    if (!wrapped) expect(await flush).toBe(refusal);
    await receiver.mode('healthy');
    await receiver.release();
    await flush;
    log();
    await processor.forceFlush();

    expect(await receiver.stats()).toMatchObject({ seenLogs: wrapped ? [[1, 2, 1]] : [[1, 1, 1]] });
    expect(onError.mock.calls).toEqual(
      wrapped ? expect.arrayContaining([[expect.any(String), refusal]]) : [],
    );
    await provider.shutdown();
  });
});
