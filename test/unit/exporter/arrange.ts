import { DiagLogLevel, diag } from '@opentelemetry/api';
import { vi } from 'vitest';
import type { ExporterLike, ExportResultLike } from '../../../src/delivery/exporter-contract.ts';
import { CircuitBreakerExporter } from '../../../src/exporter/circuit-breaker-exporter.ts';
import type { CircuitBreakerExporterOptions } from '../../../src/exporter/circuit-breaker-exporter-options.ts';
import { ManualClock } from '../../../src/testing/manual-clock.ts';
import type { ScriptedStep } from '../../../src/testing/scripted-exporter.ts';
import { ScriptedExporter } from '../../../src/testing/scripted-exporter.ts';

/** 2023-11-14T22:13:20Z */
export const START = 1_700_000_000_000;

export type Batch = string[];
export type Callback = (result?: ExportResultLike | null) => void;

/** A batch of so many items. */
export function batchOf(items: number): Batch {
  return Array.from({ length: items }, (_, i) => `item ${i + 1}`);
}

/** An exporter that does with a batch what it is told to. */
export function exporterThat(
  exportBatch: (callback: Callback, batch: Batch) => unknown,
  more: Partial<ExporterLike<Batch>> = {},
): ExporterLike<Batch> {
  return {
    export: (batch, callback) => exportBatch(callback as Callback, batch) as undefined,
    shutdown: async () => {},
    ...more,
  };
}

/** A circuit breaker exporter on a manual clock around an inner exporter, and what it tells. */
export function arrangeExporter<Inner extends ExporterLike<Batch> = ScriptedExporter<Batch>>(
  options: CircuitBreakerExporterOptions<Batch> = {},
  given?: Inner,
) {
  const clock = new ManualClock(START);
  const inner = given ?? (new ScriptedExporter<Batch>() as ExporterLike<Batch> as Inner);
  const problems: [message: string, error: unknown][] = [];
  const exporter = new CircuitBreakerExporter<Batch>(inner, {
    onError: (message, error) => {
      problems.push([message, error]);
    },
    clock,
    random: () => 0.5,
    ...options,
  });
  return { exporter, inner, clock, problems };
}

/** The same around a scripted exporter. */
export function arrangeScript(
  script: readonly ScriptedStep<Batch>[],
  options: CircuitBreakerExporterOptions<Batch> = {},
) {
  return arrangeExporter(options, new ScriptedExporter<Batch>(script));
}

/** Exports a batch; `answers` is what its caller is told, in order. */
export function send(exporter: ExporterLike<Batch>, batch: Batch = ['item']): ExportResultLike[] {
  const answers: ExportResultLike[] = [];
  exporter.export(batch, (result) => {
    answers.push(result);
  });
  return answers;
}

/** Exports so often. */
export function sendTimes(exporter: ExporterLike<Batch>, times: number): ExportResultLike[][] {
  return Array.from({ length: times }, () => send(exporter));
}

/** Three failures, and then as told: an exporter whose circuit is open. */
export function arrangeOpen(
  script: readonly ScriptedStep<Batch>[] = [],
  options: CircuitBreakerExporterOptions<Batch> = {},
) {
  const arranged = arrangeScript(['failure', 'failure', 'failure', ...script], {
    probePolicy: () => false,
    ...options,
  });
  sendTimes(arranged.exporter, 3);
  return arranged;
}

/** Lets all that is settled be seen. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** What becomes of a promise, so far. */
export function watch(promise: Promise<unknown>): {
  state: 'pending' | 'resolved' | 'rejected';
  error?: unknown;
} {
  const seen: { state: 'pending' | 'resolved' | 'rejected'; error?: unknown } = { state: 'pending' };
  promise.then(
    () => {
      seen.state = 'resolved';
    },
    (error) => {
      seen.state = 'rejected';
      seen.error = error;
    },
  );
  return seen;
}

/** Listens to OpenTelemetry's diagnostics; `stop` it after each test. */
export function listenToDiag() {
  const logger = { error: vi.fn(), warn: vi.fn(), info: vi.fn(), debug: vi.fn(), verbose: vi.fn() };
  diag.setLogger(logger, { logLevel: DiagLogLevel.ALL, suppressOverrideMessage: true });
  for (const method of Object.values(logger)) method.mockClear();
  return { ...logger, stop: () => diag.disable() };
}
