import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { describe, expect, it } from 'vitest';
import { renderHealth } from '../../src/adapters/health.ts';
import { logTransitions } from '../../src/adapters/logging.ts';
import { renderPrometheus } from '../../src/adapters/prometheus.ts';
import { consecutiveFailures } from '../../src/breaker/trip-policies.ts';
import { CircuitBreakerExporter } from '../../src/exporter/circuit-breaker-exporter.ts';
import { deadPort } from '../support/dead-port.ts';
import { numberedSpans } from '../support/numbered-spans.ts';
import { IMPATIENT } from '../support/otlp-exporters.ts';
import type { ReceiverMode } from '../support/receiver/mode.ts';
import { startReceiver } from '../support/receiver-process.ts';

/** An exporter that opens at its first failure, and what is logged of it. */
function observed(url: string, name: string) {
  const lines: string[] = [];
  const write = (line: string) => lines.push(line);
  const inner = new OTLPTraceExporter({ url, timeoutMillis: IMPATIENT });
  const exporter = new CircuitBreakerExporter(inner, { name, tripPolicy: consecutiveFailures(1) });
  logTransitions(exporter, { warn: write, info: write, debug: () => {} });
  const send = () => new Promise((resolve) => exporter.export(numberedSpans(1, 3), resolve));
  return { exporter, lines, send };
}

/** The cause as health, metrics and log have it. */
function causes({ exporter, lines }: ReturnType<typeof observed>) {
  const { circuit_breaker: circuit } = renderHealth(exporter).body;
  const text = renderPrometheus(exporter);
  return {
    health: circuit.state === 'N/A' ? undefined : circuit.last_failure?.cause,
    metrics: /last_failure_info\{name="[^"]*",cause="([^"]*)"/.exec(text)?.[1],
    log: /, last (?:\S+ \()?([^);]*)\)?;/.exec(lines[0] ?? '')?.[1],
  };
}

describe('health, metrics and log say why, in the same words,', () => {
  it.each<[ReceiverMode, string]>([
    ['hang', 'timed out'],
    ['status:503', 'retryable status'],
    ['status:404', 'no such endpoint'],
    ['status:401', 'unauthorized'],
    ['reset', 'connection reset'],
  ])('of a collector in the mode %s: %s', async (mode, cause) => {
    await using receiver = await startReceiver({ protocol: 'http', mode });
    const seen = observed(receiver.endpoint('traces'), 'traces');
    await seen.send();
    expect(causes(seen)).toEqual({ health: cause, metrics: cause, log: cause });
    await seen.exporter.shutdown();
  });

  it('of a collector that is gone', async () => {
    await using port = await deadPort();
    const seen = observed(`${port.url}/v1/traces`, 'traces');
    await seen.send();
    const cause = 'connection refused';
    expect(causes(seen)).toEqual({ health: cause, metrics: cause, log: cause });
    expect(seen.lines).toEqual([
      'circuit "traces" opened after 1 failure, last ECONNREFUSED (connection refused); only probes are sent until one succeeds',
    ]);
    await seen.exporter.shutdown();
  });
});

describe('three signals on three breakers, one of which the collector does not take,', () => {
  it('are told apart: health names the one and its cause, the others are untouched', async () => {
    await using collector = await startReceiver({ protocol: 'http' });
    await using refusing = await startReceiver({ protocol: 'http', mode: 'status:404' });
    const signals = [
      observed(collector.endpoint('traces'), 'traces'),
      observed(collector.endpoint('traces'), 'metrics'),
      observed(refusing.endpoint('traces'), 'logs'),
    ];
    for (let batch = 0; batch < 5; batch++) await Promise.all(signals.map(({ send }) => send()));

    const { httpStatus, body } = renderHealth(signals.map(({ exporter }) => exporter));
    expect(httpStatus).toBe(503);
    expect(body).toMatchObject({
      status: 'unhealthy',
      circuit_breaker: { name: 'logs', last_failure: { cause: 'no such endpoint', code: 404 } },
    });
    expect(
      body.circuit_breakers?.map(({ name, delivery }) => [
        name,
        delivery?.delivered.items,
        delivery?.lost.items,
      ]),
    ).toEqual([
      ['traces', 15, 0],
      ['metrics', 15, 0],
      ['logs', 0, 15],
    ]);
    expect(signals.map(({ lines }) => lines.length)).toEqual([0, 0, 1]);
    await Promise.all(signals.map(({ exporter }) => exporter.shutdown()));
  });
});
