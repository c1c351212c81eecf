import { OTLPLogExporter } from '@opentelemetry/exporter-logs-otlp-http';
import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-http';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { BatchLogRecordProcessor, LoggerProvider } from '@opentelemetry/sdk-logs';
import { MeterProvider, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics';
import type { SpanExporter } from '@opentelemetry/sdk-trace-base';
import { BatchSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { describe, expect, it, vi } from 'vitest';
import { CircuitBreaker, CircuitBreakerExporter } from '../../src/index.ts';
import { startReceiver } from '../support/receiver-process.ts';
import { spanApp } from './span-app.ts';

/** As long as can be without a first retry of the OTLP/HTTP exporters, which comes after at least 800 ms. */
const NO_RETRY = 750;

describe('one breaker for traces, logs and metrics to one collector', () => {
  it('opens by the failures of all three, rejects all three, and closes for all by one probe', async () => {
    await using receiver = await startReceiver({ protocol: 'http' });
    let mayProbe = false;
    const breaker = new CircuitBreaker({ name: 'collector', probePolicy: () => mayProbe });
    const options = { timeoutMillis: NO_RETRY };
    const inners = {
      traces: new OTLPTraceExporter({ url: receiver.endpoint('traces'), ...options }),
      logs: new OTLPLogExporter({ url: receiver.endpoint('logs'), ...options }),
      metrics: new OTLPMetricExporter({ url: receiver.endpoint('metrics'), ...options }),
    };
    const sent = Object.values(inners).map((inner) => vi.spyOn(inner as SpanExporter, 'export'));
    const exporters = {
      traces: new CircuitBreakerExporter(inners.traces, { breaker, name: 'traces' }),
      logs: new CircuitBreakerExporter(inners.logs, { breaker, name: 'logs' }),
      metrics: new CircuitBreakerExporter(inners.metrics, { breaker, name: 'metrics' }),
    };

    await using app = spanApp(new BatchSpanProcessor(exporters.traces));
    const logProcessor = new BatchLogRecordProcessor({ exporter: exporters.logs });
    const loggerProvider = new LoggerProvider({ processors: [logProcessor] });
    const logger = loggerProvider.getLogger('test');
    const reader = new PeriodicExportingMetricReader({
      exporter: exporters.metrics,
      exportIntervalMillis: 3_600_000,
    });
    const meterProvider = new MeterProvider({ readers: [reader] });
    const counter = meterProvider.getMeter('test').createCounter('requests');

    const trace = async (): Promise<void> => {
      app.make(1);
      await app.flush();
    };
    const log = async (): Promise<void> => {
      logger.emit({ body: 'said' });
      await logProcessor.forceFlush();
    };
    const measure = async (): Promise<void> => {
      counter.add(1);
      await reader.forceFlush().catch(() => {});
    };

    await receiver.kill();
    await trace();
    await log();
    expect(breaker.state).toBe('CLOSED');
    await measure();
    expect(breaker.snapshot()).toMatchObject({ state: 'OPEN', consecutiveFailures: 3, name: 'collector' });

    for (const spy of sent) spy.mockClear();
    await Promise.all([trace(), log(), measure()]);
    for (const spy of sent) expect(spy).not.toHaveBeenCalled();
    expect(breaker.snapshot().exports).toMatchObject({ failure: 3, rejected: 3 });

    await receiver.restart();
    mayProbe = true;
    await log();
    expect(breaker.state).toBe('CLOSED');
    await trace();
    await measure();

    // The counter is cumulative: one point, whatever was lost.
    expect(await receiver.stats()).toMatchObject({ spans: 1, logs: 1, dataPoints: 1 });
    for (const [name, exporter] of Object.entries(exporters)) {
      expect(exporter.snapshot()).toMatchObject({
        name: 'collector',
        probes: { success: 1, failure: 0 },
        delivery: {
          exporter: name,
          offered: { batches: 3 },
          delivered: { batches: 1 },
          lost: { batches: 2 },
        },
      });
    }
    await Promise.all([loggerProvider.shutdown(), meterProvider.shutdown()]);
  });
});
