import { describe, expect, it } from 'vitest';
import { circuitBreakerOptionsFromEnv } from '../../../src/adapters/env.ts';
import { renderHealth } from '../../../src/adapters/health.ts';
import { renderPrometheus } from '../../../src/adapters/prometheus.ts';
import { CircuitBreaker } from '../../../src/breaker/circuit-breaker.ts';
import { CircuitBreakerExporter } from '../../../src/exporter/circuit-breaker-exporter.ts';
import type { CircuitBreakerExporterOptions } from '../../../src/exporter/circuit-breaker-exporter-options.ts';
import { ManualClock } from '../../../src/testing/manual-clock.ts';
import { ScriptedExporter } from '../../../src/testing/scripted-exporter.ts';

const noop = () => {};

function newExporter(
  outcomes: ConstructorParameters<typeof ScriptedExporter<number[]>>[0],
  options: CircuitBreakerExporterOptions<number[]> = {},
) {
  return new CircuitBreakerExporter(new ScriptedExporter<number[]>(outcomes), options);
}

describe('adapters of real exporters', () => {
  it('take exporters that share a breaker, and the breaker itself, as one', () => {
    const breaker = new CircuitBreaker({ name: 'collector' });
    const spans = newExporter([], { breaker, name: 'spans' });
    const logs = newExporter([], { breaker, name: 'logs' });
    spans.export([1, 2], noop);
    logs.export([1, 2, 3], noop);
    const sources = [spans, breaker, logs];

    const { body } = renderHealth(sources);
    expect(body.circuit_breakers).toHaveLength(1);
    expect(body.circuit_breakers[0]).toMatchObject({ name: 'collector', items: { success: 5 } });
    expect(body.circuit_breakers[0]?.delivery).toMatchObject([
      { exporter: 'spans', delivered: { batches: 1, items: 2 }, in_flight: { batches: 0, items: 0 } },
      { exporter: 'logs', delivered: { batches: 1, items: 3 }, in_flight: { batches: 0, items: 0 } },
    ]);
    const text = renderPrometheus(sources);
    expect(text).toContain(
      'otel_circuit_breaker_delivered_items_total{name="collector",exporter="spans"} 2\n',
    );
    expect(text).toContain(
      'otel_circuit_breaker_delivered_items_total{name="collector",exporter="logs"} 3\n',
    );
    expect(text.match(/^otel_circuit_breaker_state\{/gm)).toHaveLength(3);
  });

  it('stay unhealthy while a slow probe is in flight', () => {
    const clock = new ManualClock();
    const exporter = newExporter(['failure', 'failure', 'failure', 'hold'], {
      clock,
      probePolicy: () => true,
    });
    for (let i = 0; i < 4; i++) exporter.export([1], noop);
    expect(renderHealth(exporter)).toMatchObject({
      httpStatus: 503,
      body: {
        status: 'unhealthy',
        circuit_breaker: { state: 'HALF_OPEN', delivery: [{ in_flight: { items: 1 } }] },
      },
    });
  });

  it('show a disabled exporter as forced CLOSED', () => {
    expect(renderHealth(newExporter([], { enabled: false })).body.circuit_breaker).toMatchObject({
      state: 'CLOSED',
      forced: 'CLOSED',
    });
  });

  it('show what is kept, and what became of it', () => {
    const clock = new ManualClock();
    const exporter = newExporter(['failure'], { clock, retention: { maxItems: 5 } });
    exporter.export([1, 2, 3], noop);
    expect(renderPrometheus(exporter)).toContain(
      'otel_circuit_breaker_kept_items{name="otlp",exporter="otlp"} 3\n',
    );
  });

  it('refuse two exporters of the default name with a breaker each', () => {
    expect(() => renderPrometheus([newExporter([]), newExporter([])])).toThrow(
      'renderPrometheus: two breakers have the name "otlp"',
    );
  });

  it('make an exporter of what the environment says, over what the code says', () => {
    const fromEnv = circuitBreakerOptionsFromEnv({
      OTEL_CIRCUIT_BREAKER_NAME: 'from-env',
      OTEL_CIRCUIT_BREAKER_FAILURE_THRESHOLD: '1',
      OTEL_CIRCUIT_BREAKER_PROBE_EVERY: '2',
      OTEL_CIRCUIT_BREAKER_COOLDOWN: '0',
      OTEL_CIRCUIT_BREAKER_EXPORT_TIMEOUT: '0',
      OTEL_CIRCUIT_BREAKER_RETENTION_MAX_ITEMS: '0',
    });
    const exporter = newExporter(['failure'], { name: 'from-code', retention: {}, ...fromEnv });
    exporter.export([1], noop);
    expect(exporter.snapshot()).toMatchObject({
      name: 'from-env',
      state: 'OPEN',
      delivery: { kept: { items: 0 }, lost: { items: 1 } },
    });
    exporter.export([1], noop);
    expect(exporter.snapshot().state).toBe('CLOSED');
  });
});
