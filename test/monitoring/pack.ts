import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { renderPrometheus } from '../../src/adapters/prometheus.ts';
import { CircuitBreakerExporter } from '../../src/exporter/circuit-breaker-exporter.ts';
import { ScriptedExporter } from '../../src/testing/scripted-exporter.ts';

/** `examples/monitoring`. */
export const PACK = fileURLToPath(new URL('../../examples/monitoring', import.meta.url));

/** A file of the pack. */
export function packFile(name: string): string {
  return readFileSync(`${PACK}/${name}`, 'utf8');
}

/** A configuration in which minutes pass as seconds, and seconds as sixtieths. */
export function minutesAsSeconds(yaml: string): string {
  const sixtieths = { s: 1_000, m: 60_000, h: 3_600_000 };
  return yaml.replace(
    /(?<=\[|: |\dm:|offset )(\d+)([smh])(?=[\]:]|\s*$)/gm,
    (_, count: string, unit: keyof typeof sixtieths) =>
      `${Math.ceil((Number(count) * sixtieths[unit]) / 60)}ms`,
  );
}

/** A query of the dashboard, and where it is. */
export interface DashboardQuery {
  readonly panel: string;
  readonly expr: string;
}

/** A panel of the dashboard, as far as it is looked at here. */
export interface DashboardPanel {
  readonly title: string;
  readonly type: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets: readonly {
    readonly expr: string;
    readonly legendFormat: string;
    readonly hide?: boolean;
  }[];
  readonly fieldConfig: {
    readonly defaults: {
      readonly unit?: string;
      readonly custom?: { readonly stacking?: { readonly mode: string } };
    };
  };
}

interface Dashboard {
  readonly title: string;
  readonly panels: readonly DashboardPanel[];
  readonly templating: { readonly list: readonly { readonly type: string; readonly definition?: string }[] };
}

export function dashboard(): Dashboard {
  return JSON.parse(packFile('grafana/dashboard.json')) as Dashboard;
}

/** Every query of every panel, as it is written. */
export function dashboardQueries(): DashboardQuery[] {
  return dashboard().panels.flatMap(({ title, targets }) =>
    targets.map(({ expr }) => ({ panel: title, expr })),
  );
}

/** A query with the values that Grafana puts in for its variables, with All chosen. */
export function filledIn(expr: string, rateInterval = '5s', range = '30s'): string {
  return expr
    .replaceAll('$__rate_interval', rateInterval)
    .replaceAll('$__range', range)
    .replaceAll('$job', '.*')
    .replaceAll('$name', '.*');
}

/** The names of all series that the library's text has, once an export has failed. */
export function libraryMetrics(): Set<string> {
  const exporter = new CircuitBreakerExporter(new ScriptedExporter<number[]>(['failure']));
  exporter.export([1], () => {});
  const samples = renderPrometheus(exporter)
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));
  return new Set(samples.map((line) => line.slice(0, line.indexOf('{'))));
}

/** The metric names in a piece of PromQL. */
export function metricNames(promql: string): string[] {
  return [...new Set(promql.match(/\b[a-z_:]*otel_circuit_breaker[a-z0-9_:]*/g) ?? [])];
}

/** The names that the rules record, those with minutes or hours in them too. */
export function recordedNames(): string[] {
  return [...packFile('rules.yml').matchAll(/- record: (\S+)/g)].map((match) => match[1] as string);
}
