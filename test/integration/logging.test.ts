import { diag } from '@opentelemetry/api';
import { loggingErrorHandler, setGlobalErrorHandler } from '@opentelemetry/core';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace-base';
import { BasicTracerProvider, BatchSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { logTransitions, quietGlobalErrorHandler } from '../../src/adapters/logging.ts';
import { CircuitBreakerExporter } from '../../src/exporter/circuit-breaker-exporter.ts';
import { ScriptedExporter } from '../../src/testing/scripted-exporter.ts';
import { deadPort } from '../support/dead-port.ts';

const SECOND = 1_000;
const HOUR = 3_600 * SECOND;

let lines: string[] = [];

const write = (message: string) => lines.push(message);

/** A logger at the level INFO. */
const logger = { warn: write, info: write, debug: () => {} };

beforeEach(() => {
  lines = [];
  // The exporter itself warns, too. At the level INFO the OTLP exporter tells of every retry that it does without.
  diag.setLogger({ error: write, warn: write, info: () => {}, debug: () => {}, verbose: () => {} });
});

afterEach(() => {
  setGlobalErrorHandler(loggingErrorHandler());
  diag.disable();
  vi.useRealTimers();
});

/** A service that ends a span every so often, until it is stopped. */
function startService(exporter: SpanExporter, everyMillis: number, scheduledDelayMillis: number) {
  const processor = new BatchSpanProcessor(exporter, { scheduledDelayMillis });
  const provider = new BasicTracerProvider({ spanProcessors: [processor] });
  const tracer = provider.getTracer('service');
  const timer = setInterval(() => tracer.startSpan('work').end(), everyMillis);
  return async () => {
    clearInterval(timer);
    await provider.shutdown().catch(() => {});
  };
}

const refused = () =>
  Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:4318'), { code: 'ECONNREFUSED' });

describe('logging does not flood', () => {
  it.each([
    ['a quiet service', 60 * SECOND],
    ['a busy service', SECOND],
  ])('in an hour of outage of %s, and tells when it is over', async (_, everyMillis) => {
    vi.useFakeTimers();
    const until = Date.now() + HOUR;
    const inner = new ScriptedExporter<ReadableSpan[]>(
      new Array(10_000).fill(() => (Date.now() < until ? refused() : 'success')),
    );
    const exporter = new CircuitBreakerExporter(inner, { name: 'collector' });
    setGlobalErrorHandler(quietGlobalErrorHandler());
    logTransitions(exporter.breaker, logger);

    const stop = startService(exporter, everyMillis, 5 * SECOND);
    await vi.advanceTimersByTimeAsync(HOUR);

    const { probes, state } = exporter.snapshot();
    expect(state).not.toBe('CLOSED');
    expect(probes.failure).toBeGreaterThan(20);
    const opened = lines.filter((line) =>
      line.includes('opened after 3 failures in a row, last ECONNREFUSED'),
    );
    expect(opened).toHaveLength(1);
    expect(lines.length, lines.join('\n')).toBeLessThanOrEqual(6);

    lines = [];
    await vi.advanceTimersByTimeAsync(5 * 60 * SECOND);
    expect(exporter.snapshot().state).toBe('CLOSED');
    expect(lines.filter((line) => line.includes('closed again after'))).toHaveLength(1);
    expect(lines).toHaveLength(1);
    await stop();
  });

  it('in 30 s over a dead port', async () => {
    await using port = await deadPort();
    const otlp = new OTLPTraceExporter({ url: `${port.url}/v1/traces`, timeoutMillis: 100 });
    const exporter = new CircuitBreakerExporter(otlp, { name: 'collector' });
    setGlobalErrorHandler(quietGlobalErrorHandler());
    logTransitions(exporter.breaker, logger);

    const stop = startService(exporter, 10, 100);
    await new Promise((resolve) => setTimeout(resolve, 30 * SECOND));
    await stop();

    const { exports, probes, lastFailure } = exporter.snapshot();
    expect(lastFailure?.code).toBe('ECONNREFUSED');
    expect(exports.rejected).toBeGreaterThan(100);
    expect(probes.failure).toBeGreaterThan(5);
    expect(lines.filter((line) => line.includes('opened after 3 failures in a row'))).toHaveLength(1);
    expect(lines.length, lines.join('\n')).toBeLessThanOrEqual(6);
  });
});
