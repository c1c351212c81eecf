import { API, API_LOGS } from '../../../src/attach/registered-api.ts';
import type { ExporterLike } from '../../../src/delivery/exporter-contract.ts';

const globals = globalThis as unknown as Record<symbol, unknown>;

/** What `@opentelemetry/api` keeps, set by hand. */
export function registerApi(api: unknown): void {
  globals[API] = api;
}

/** What `@opentelemetry/api-logs` keeps: a function of a version. */
export function registerLogs(provider: unknown): void {
  globals[API_LOGS] = (version: number) => (version === 1 ? provider : undefined);
}

/** Takes both away, and with them whatever watches them. */
export function forgetApi(): void {
  delete globals[API];
  delete globals[API_LOGS];
}

/** An exporter that answers with SUCCESS, and counts. */
export class OtlpExporter implements ExporterLike<unknown> {
  readonly batches: unknown[] = [];
  shutdowns = 0;

  export(batch: unknown, resultCallback: (result: { code: 0 }) => void): void {
    this.batches.push(batch);
    resultCallback({ code: 0 });
  }

  async shutdown(): Promise<void> {
    this.shutdowns++;
  }
}

/** A provider of traces with a processor for each exporter, shaped as in SDK 2.x. */
export function tracesTo(...exporters: ExporterLike<unknown>[]) {
  const processors = exporters.map((exporter) => ({ _exporter: exporter }));
  const provider = { _activeSpanProcessor: { _spanProcessors: processors } };
  return { processors, proxy: { _delegate: provider } };
}
