import { CircuitBreakerExporter } from 'otel-circuit-breaker';
import { renderHealth } from 'otel-circuit-breaker/health';
import { renderPrometheus } from 'otel-circuit-breaker/prometheus';
import { figure, markdownTable } from '../support/table.ts';
import { BATCH, failing } from './exporters.ts';
import type { Effort } from './measure-calls.ts';
import { measureCalls } from './measure-calls.ts';

const COUNTS = [1, 10, 100] as const;

/** Measures what it costs to look at 1, 10 and 100 breakers. */
export async function rendering(effort: Effort): Promise<string> {
  const subjects = COUNTS.flatMap((count) => {
    const exporters = Array.from({ length: count }, (_, index) => {
      const exporter = new CircuitBreakerExporter<unknown>(failing, { name: `otlp-${index}` });
      for (let batch = 0; batch < 100; batch += 1) exporter.export(BATCH, () => {});
      return exporter;
    });
    return [
      { name: `snapshot ${count}`, call: () => exporters.map((exporter) => exporter.snapshot()) },
      { name: `health ${count}`, call: () => renderHealth(exporters) },
      { name: `prometheus ${count}`, call: () => renderPrometheus(exporters) },
    ];
  });
  const costs = await measureCalls(subjects, effort);
  const rows = [
    ['snapshot', '`snapshot()`'],
    ['health', '`renderHealth`'],
    ['prometheus', '`renderPrometheus`'],
  ].map(([name, shown]) => [
    shown,
    ...COUNTS.map((count) => figure((costs.get(`${name} ${count}`)?.nanoseconds ?? Number.NaN) / 1_000)),
  ]);
  return `### Looking at breakers\n\nMicroseconds.\n\n${markdownTable(['', ...COUNTS.map((count) => `${count} breaker${count === 1 ? '' : 's'}`)], rows)}`;
}
