import type { CircuitBreakerExporterOptions, ExporterLike } from 'otel-circuit-breaker';
import { anyTrip, CircuitBreakerExporter, failureRate, slowExportRate } from 'otel-circuit-breaker';
import { figure, markdownTable } from '../support/table.ts';
import { BATCH } from './exporters.ts';

const STEPS = 10;
const window = { millis: 60_000 };
const trips = anyTrip(failureRate({ window }), slowExportRate({ slowerThanMillis: 1_000, window }));

/** What one breaker is given a million exports with. */
const kinds: readonly (readonly [string, CircuitBreakerExporterOptions])[] = [
  ['defaults', {}],
  ['time windows', { tripPolicy: trips }],
  ['time windows, retention', { tripPolicy: trips, retention: {} }],
];

/** One step: the cost of an export, and the heap after it. */
interface Step {
  readonly nanoseconds: number;
  readonly heapKilobytes: number;
}

/** Sends so many exports through one breaker each, and looks ten times. One of a hundred fails. */
export function growth(exports: number): string {
  const runs = kinds.map(([, options]) => run(options, exports));
  const rows = Array.from({ length: STEPS }, (_, step) => [
    (((step + 1) * exports) / STEPS).toLocaleString('en-US'),
    ...runs.flatMap((steps) => [
      figure(steps[step]?.nanoseconds ?? Number.NaN),
      figure(steps[step]?.heapKilobytes ?? Number.NaN),
    ]),
  ]);
  const columns = ['exports', ...kinds.flatMap(([kind]) => [`${kind}: ns`, 'heap, kB'])];
  const growths = runs.map(
    (steps, index) =>
      `${kinds[index]?.[0]} ${figure((steps.at(-1)?.heapKilobytes ?? 0) - (steps[1]?.heapKilobytes ?? 0))} kB`,
  );
  return `### Growth\n\nOne breaker, one export of a hundred fails (with retention it is kept, and sent again). The heap is what is left after a full
garbage collection, above what it was before the first export. From the second row to the last it grew by: ${growths.join('; ')}.\n\n${markdownTable(columns, rows)}`;
}

function run(options: CircuitBreakerExporterOptions, exports: number): Step[] {
  const { gc } = globalThis;
  let count = 0;
  const failed = { code: 1, error: new Error('unavailable') };
  const succeeded = { code: 0 };
  const inner: ExporterLike<unknown> = {
    export(_batch, answer) {
      count += 1;
      answer(count % 100 === 0 ? failed : succeeded);
    },
    shutdown: () => Promise.resolve(),
  };
  gc?.();
  const heapBefore = process.memoryUsage().heapUsed;
  const exporter = new CircuitBreakerExporter<unknown>(inner, options);
  const answered = (): void => {};
  const steps: Step[] = [];
  for (let step = 0; step < STEPS; step += 1) {
    const startedAt = performance.now();
    for (let index = 0; index < exports / STEPS; index += 1) exporter.export(BATCH, answered);
    const nanoseconds = ((performance.now() - startedAt) * 1e6) / (exports / STEPS);
    gc?.();
    steps.push({ nanoseconds, heapKilobytes: (process.memoryUsage().heapUsed - heapBefore) / 1_024 });
  }
  return steps;
}
