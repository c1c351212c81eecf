import { diag } from '@opentelemetry/api';
import { afterEach, describe, expect, it } from 'vitest';
import { circuitBreakerOptionsFromEnv } from '../../../src/adapters/env.ts';
import { renderHealth } from '../../../src/adapters/health.ts';
import { logTransitions } from '../../../src/adapters/logging.ts';
import { renderPrometheus } from '../../../src/adapters/prometheus.ts';
import { CircuitBreakerExporter } from '../../../src/exporter/circuit-breaker-exporter.ts';
import type { CircuitBreakerExporterOptions } from '../../../src/exporter/circuit-breaker-exporter-options.ts';
import { ManualClock } from '../../../src/testing/manual-clock.ts';
import { ScriptedExporter } from '../../../src/testing/scripted-exporter.ts';

const noop = () => {};
const refused = () =>
  Object.assign(new Error('connect ECONNREFUSED http://user:password@host'), { code: 'ECONNREFUSED' });
const localLimit = () => new Error('Concurrent export limit reached');

afterEach(() => {
  diag.disable();
});

function newExporter(
  outcomes: ConstructorParameters<typeof ScriptedExporter<number[]>>[0],
  options: CircuitBreakerExporterOptions<number[]> = {},
) {
  return new CircuitBreakerExporter(new ScriptedExporter<number[]>(outcomes), {
    clock: new ManualClock(),
    ...options,
  });
}

describe('adapters of real exporters', () => {
  it('name the one signal of three that its backend refuses, and its cause; the others are untouched', () => {
    const notFound = Object.assign(new Error('Not Found'), { code: 404 });
    const exporters = [
      newExporter([], { name: 'traces' }),
      newExporter(
        Array.from({ length: 9 }, () => notFound),
        { name: 'logs' },
      ),
      newExporter([], { name: 'metrics' }),
    ];
    for (let i = 0; i < 9; i++) for (const exporter of exporters) exporter.export([1], noop);
    const { body } = renderHealth(exporters);
    expect(body).toMatchObject({
      status: 'unhealthy',
      circuit_breaker: {
        name: 'logs',
        state: 'OPEN',
        last_failure: { code: 404, cause: 'no such endpoint' },
        delivery: { lost: { items: 9 } },
      },
    });
    expect(
      body.circuit_breakers?.map(({ name, state, delivery }) => [name, state, delivery?.lost.items]),
    ).toEqual([
      ['traces', 'CLOSED', 0],
      ['logs', 'OPEN', 9],
      ['metrics', 'CLOSED', 0],
    ]);
  });

  it('are degraded after two failures, and healthy again after a success', () => {
    const exporter = newExporter([refused(), refused(), 'success']);
    for (let i = 0; i < 2; i++) exporter.export([1], noop);
    expect(renderHealth(exporter)).toMatchObject({
      httpStatus: 200,
      body: {
        status: 'degraded',
        circuit_breaker: { consecutive_failures: 2, last_failure: { cause: 'connection refused' } },
      },
    });
    exporter.export([1], noop);
    expect(renderHealth(exporter).body.status).toBe('healthy');
  });

  it('are degraded where everything is lost by a local limit, and say so', () => {
    const exporter = newExporter(Array.from({ length: 1_000 }, localLimit));
    for (let i = 0; i < 1_000; i++) exporter.export([1], noop);
    expect(renderHealth(exporter)).toMatchObject({
      httpStatus: 200,
      body: {
        status: 'degraded',
        circuit_breaker: {
          state: 'CLOSED',
          last_failure: null,
          last_ignored: { cause: 'local limit' },
          delivery: { lost: { items: 1_000 } },
        },
      },
    });
    expect(renderPrometheus(exporter)).toContain(
      'otel_circuit_breaker_lost_items_total{name="otlp",reason="ignored"} 1000\n',
    );
  });

  it('stay unhealthy while a slow probe is in flight', () => {
    const exporter = newExporter(['failure', 'failure', 'failure', 'hold'], { probePolicy: () => true });
    for (let i = 0; i < 4; i++) exporter.export([1], noop);
    expect(renderHealth(exporter)).toMatchObject({
      httpStatus: 503,
      body: {
        status: 'unhealthy',
        circuit_breaker: { state: 'HALF_OPEN', delivery: { in_flight: { items: 1 } } },
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
    const exporter = newExporter(['failure'], { retention: { maxItems: 5 } });
    exporter.export([1, 2, 3], noop);
    expect(renderPrometheus(exporter)).toContain('otel_circuit_breaker_kept_items{name="otlp"} 3\n');
  });

  it('show two exporters of the default name', () => {
    const text = renderPrometheus([newExporter([]), newExporter([])]);
    expect(text).toContain('otel_circuit_breaker_offered_items_total{name="otlp"} 0\n');
    expect(text).toContain('otel_circuit_breaker_offered_items_total{name="otlp#2"} 0\n');
  });

  it('log an outage once: while logTransitions listens, the exporter is silent', () => {
    const said: string[] = [];
    const say = (line: string) => said.push(line);
    diag.setLogger({ error: say, warn: say, info: say, debug: noop, verbose: noop });
    said.length = 0;
    const lines: string[] = [];
    const write = (line: string) => lines.push(line);
    const exporter = newExporter([refused(), refused(), refused(), 'success'], { name: 'collector' });
    const unsubscribe = logTransitions([exporter], { warn: write, info: write, debug: noop });
    for (let i = 0; i < 5; i++) exporter.export([1, 2], noop);
    exporter.breaker.reset();
    expect(said).toEqual([]);
    expect(lines).toEqual([
      'circuit "collector" opened after 3 failures in a row, last ECONNREFUSED (connection refused); only probes are sent until one succeeds',
      'circuit "collector" was closed by hand after 0 s; 10 items were lost meanwhile, 0 are kept',
    ]);
    unsubscribe();
    exporter.breaker.forceOpen();
    expect(said).toHaveLength(1);
    expect(lines).toHaveLength(2);
  });

  it('tell the whole cost of an outage that had begun before logTransitions listened', () => {
    const lines: string[] = [];
    const exporter = newExporter(['success', refused(), refused(), refused()]);
    for (let i = 0; i < 5; i++) exporter.export([1, 2], noop);
    logTransitions(exporter, { warn: noop, info: (line: string) => lines.push(line), debug: noop });
    exporter.export([1, 2], noop);
    exporter.breaker.reset();
    expect(lines).toEqual([expect.stringContaining('; 10 items were lost meanwhile, 0 are kept')]);
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
