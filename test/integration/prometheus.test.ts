import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { createNodeHandler } from '../../src/adapters/http.ts';
import { renderPrometheus } from '../../src/adapters/prometheus.ts';
import { CircuitBreaker } from '../../src/breaker/circuit-breaker.ts';
import { CircuitBreakerExporter } from '../../src/exporter/circuit-breaker-exporter.ts';
import { ScriptedExporter } from '../../src/testing/scripted-exporter.ts';
import { startChild } from '../support/child-process.ts';
import { deadPort } from '../support/dead-port.ts';
import { waitFor } from '../support/wait-for.ts';

const missing = ['promtool', 'prometheus'].filter(
  (program) => spawnSync(program, ['--version']).error !== undefined,
);

const AWKWARD = 'a "quoted" C:\\name\nin two lines, größe ☃ 🚀 {x="y"}\t\\n';

const noop = () => {};

/** A service with an outage behind it: two exporters, and a breaker by itself. */
function service() {
  const inner = new ScriptedExporter<number[]>(['success', 'failure', 'failure', 'failure', 'failure']);
  const spans = new CircuitBreakerExporter(inner, { name: AWKWARD, probePolicy: () => true });
  const logs = new CircuitBreakerExporter(new ScriptedExporter<number[]>(), { name: 'logs', retention: {} });
  for (let i = 0; i < 5; i++) spans.export([1, 2, 3], noop);
  logs.breaker.forceOpen();
  logs.export([1, 2, 3, 4, 5, 6, 7], noop);
  return [spans, logs, new CircuitBreaker({ name: 'plain' })];
}

/** The result of a query, as labels and value, in Prometheus' HTTP API. */
interface Series {
  readonly metric: Record<string, string>;
  readonly value: [number, string];
}

describe('Prometheus', () => {
  beforeEach((context) => {
    if (missing.length === 0) return;
    const reason = `not installed: ${missing.join(', ')} (apt-get install prometheus)`;
    if (process.env['CI']) throw new Error(reason);
    context.skip(reason);
  });

  it.each([
    ['of a service with several breakers and exporters', service],
    ['of a breaker before anything happened', () => new CircuitBreaker()],
    ['of no breaker', () => undefined],
  ])('finds nothing to complain of in the text %s', (_, source) => {
    const { status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], {
      input: renderPrometheus(source()),
      encoding: 'utf8',
    });
    expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: '', stderr: '' });
  });

  it('has a promtool that does complain of a bad text', () => {
    const input = renderPrometheus(new CircuitBreaker()).replace(/^# HELP .*\n/m, '');
    expect(spawnSync('promtool', ['check', 'metrics'], { input }).status).not.toBe(0);
  });

  it('scrapes a running service, and gives names back as they were', async () => {
    const server = createServer(createNodeHandler(service())).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const folder = await mkdtemp(join(tmpdir(), 'prometheus-'));
    try {
      const target = `127.0.0.1:${(server.address() as AddressInfo).port}`;
      await writeFile(
        join(folder, 'prometheus.yml'),
        JSON.stringify({
          global: { scrape_interval: '200ms', scrape_timeout: '200ms' },
          scrape_configs: [{ job_name: 'service', static_configs: [{ targets: [target] }] }],
        }),
      );
      const address = await freeAddress();
      await using _prometheus = await startChild('prometheus', [
        `--config.file=${join(folder, 'prometheus.yml')}`,
        `--storage.tsdb.path=${join(folder, 'data')}`,
        `--web.listen-address=${address}`,
      ]);
      const query = async (expression: string): Promise<Series[]> => {
        const response = await fetch(
          `http://${address}/api/v1/query?query=${encodeURIComponent(expression)}`,
        );
        const { data } = (await response.json()) as { data: { result: Series[] } };
        return data.result;
      };
      const values = async (family: string, ...labels: string[]) => {
        const series = await query(`otel_circuit_breaker_${family}`);
        return series.map(({ metric, value }) => [...labels.map((label) => metric[label]), Number(value[1])]);
      };
      await waitFor(async () => (await values('state')).length > 0, {
        what: 'the first scrape',
        timeoutMillis: 20_000,
      });

      expect(await query('up')).toMatchObject([
        { metric: { instance: target }, value: [expect.any(Number), '1'] },
      ]);
      expect(sorted(await values('state', 'name', 'state'))).toEqual(
        sorted([
          [AWKWARD, 'closed', 0],
          [AWKWARD, 'open', 1],
          [AWKWARD, 'half_open', 0],
          ['logs', 'closed', 0],
          ['logs', 'open', 1],
          ['logs', 'half_open', 0],
          ['plain', 'closed', 1],
          ['plain', 'open', 0],
          ['plain', 'half_open', 0],
        ]),
      );
      expect(sorted(await values('kept_items', 'name'))).toEqual(
        sorted([
          [AWKWARD, 0],
          ['logs', 7],
        ]),
      );
      expect(await values('last_failure_info', 'name')).toEqual([[AWKWARD, 1]]);
      expect(await values('exports_total{name="plain",result="rejected"}')).toEqual([[0]]);
      expect(await values('items_total{name!~"plain|logs",result="success"}')).toEqual([[3]]);
      expect(await values('probes_total{name!~"plain|logs",result="failure"}')).toEqual([[1]]);
      const [buckets] = await values('batch_items_bucket{name!~"plain|logs",le="4"}');
      expect(buckets).toEqual([5]);
      expect(
        await query('histogram_quantile(0.5, otel_circuit_breaker_batch_items_bucket{name!~"plain|logs"})'),
      ).toMatchObject([{ metric: { name: AWKWARD } }]);
    } finally {
      server.closeAllConnections();
      server.close();
      await rm(folder, { recursive: true, force: true });
    }
  });
});

/** A port of 127.0.0.1 that was free a moment ago: Prometheus does not tell which port it got, so it must be told one. */
async function freeAddress(): Promise<string> {
  const { port, release } = await deadPort();
  await release();
  return `127.0.0.1:${port}`;
}

function sorted<T>(rows: readonly T[]): T[] {
  return [...rows].sort((a, b) => JSON.stringify(a).localeCompare(JSON.stringify(b)));
}
