import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startChild } from '../support/child-process.ts';
import { deadPort } from '../support/dead-port.ts';
import { waitFor } from '../support/wait-for.ts';

/** A series of an instant query, in Prometheus' HTTP API. */
export interface Series {
  readonly metric: Record<string, string>;
  readonly value: [number, string];
}

/** A series of a range query. */
export interface RangeSeries {
  readonly metric: Record<string, string>;
  readonly values: readonly [number, string][];
}

/** An alert that is pending or firing. */
interface Alert {
  readonly labels: Record<string, string>;
  readonly state: 'pending' | 'firing';
}

/** A real Prometheus on 127.0.0.1 that dies with this process. */
export interface PrometheusProcess extends AsyncDisposable {
  /** @throws Error with what Prometheus says of a bad query */
  query(promql: string): Promise<Series[]>;
  /** @param start - and `end` in Unix seconds */
  queryRange(promql: string, start: number, end: number, stepSeconds: number): Promise<RangeSeries[]>;
  /** Values of a label of the series that match. */
  labelValues(label: string, match: string): Promise<string[]>;
  alerts(): Promise<Alert[]>;
}

/** What it scrapes each 100 ms and, with rules, whom it tells. */
export interface PrometheusOptions {
  readonly job: string;
  readonly target: string;
  readonly rules?: string;
  /** host:port of an Alertmanager. */
  readonly alertmanager?: string;
}

/** Starts it; resolves when it has scraped its target. */
export async function startPrometheus(options: PrometheusOptions): Promise<PrometheusProcess> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await tryPrometheus(options);
    } catch (error) {
      // Somebody else has taken the port since it was free.
      if (attempt === 3 || !String(error).includes('address already in use')) throw error;
    }
  }
}

async function tryPrometheus(options: PrometheusOptions): Promise<PrometheusProcess> {
  const { job, target, rules, alertmanager } = options;
  const folder = await mkdtemp(join(tmpdir(), 'monitoring-'));
  const file = async (name: string, text: string): Promise<string> => {
    await writeFile(join(folder, name), text);
    return join(folder, name);
  };
  const config = await file(
    'prometheus.yml',
    JSON.stringify({
      global: { scrape_interval: '100ms', scrape_timeout: '100ms', evaluation_interval: '250ms' },
      ...(rules !== undefined && { rule_files: [await file('rules.yml', rules)] }),
      ...(alertmanager !== undefined && {
        alerting: { alertmanagers: [{ static_configs: [{ targets: [alertmanager] }] }] },
      }),
      scrape_configs: [{ job_name: job, static_configs: [{ targets: [target] }] }],
    }),
  );
  const address = await freeAddress();
  const child = await startChild('prometheus', [
    `--config.file=${config}`,
    `--storage.tsdb.path=${join(folder, 'data')}`,
    `--web.listen-address=${address}`,
    // The default waits a minute after an alert before it is sent again.
    '--rules.alert.resend-delay=1s',
  ]);
  const close = async (): Promise<void> => {
    await child.kill();
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  };
  const ask = async <T>(path: string, parameters: Record<string, string>): Promise<T> => {
    const response = await fetch(`http://${address}/api/v1/${path}?${new URLSearchParams(parameters)}`);
    const { data, error } = (await response.json()) as { data: T; error?: string };
    if (error !== undefined) throw new Error(`${error}: ${JSON.stringify(parameters)}`);
    return data;
  };
  const prometheus: PrometheusProcess = {
    query: async (query) => (await ask<{ result: Series[] }>('query', { query })).result,
    queryRange: async (query, start, end, step) =>
      (
        await ask<{ result: RangeSeries[] }>('query_range', {
          query,
          start: String(start),
          end: String(end),
          step: String(step),
        })
      ).result,
    labelValues: (label, match) => ask(`label/${label}/values`, { 'match[]': match }),
    alerts: async () => (await ask<{ alerts: Alert[] }>('alerts', {})).alerts,
    [Symbol.asyncDispose]: close,
  };
  try {
    await waitFor(async () => (await prometheus.query('up == 1')).length > 0, {
      what: `the first scrape of ${target}`,
      timeoutMillis: 20_000,
      intervalMillis: 100,
    });
  } catch (error) {
    await close();
    throw new Error(`${String(error)}; its stderr:\n${child.errorLines.join('\n')}`);
  }
  return prometheus;
}

/** A port of 127.0.0.1 that was free a moment ago: neither Prometheus nor Alertmanager tells which port it got. */
export async function freeAddress(): Promise<string> {
  const { port, release } = await deadPort();
  await release();
  return `127.0.0.1:${port}`;
}
