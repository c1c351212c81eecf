import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { registeredExporters } from '../../../src/adapters/registry.ts';
import { findExporters } from '../../../src/attach/find-exporters.ts';
import { openHealthServer } from '../../../src/attach/health-server.ts';
import { readSettings } from '../../../src/attach/settings.ts';
import { ExporterWrapper } from '../../../src/attach/wrap-exporters.ts';
import type { CircuitBreakerExporter } from '../../../src/exporter/circuit-breaker-exporter.ts';
import { forgetApi, OtlpExporter, registerApi, registerLogs, tracesTo } from './arrange.ts';

vi.mock('../../../src/attach/ending.ts', () => ({ watchSignals: () => {}, isEnding: () => false }));
vi.mock('../../../src/attach/health-server.ts', () => ({ openHealthServer: vi.fn() }));
vi.mock('node:worker_threads', async (original) => ({
  ...(await original<typeof import('node:worker_threads')>()),
  isMainThread: true,
}));

let stderr: string[] = [];

beforeEach(() => {
  stderr = [];
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    stderr.push(String(text));
    return true;
  });
});

afterEach(() => {
  vi.restoreAllMocks();
  vi.mocked(openHealthServer).mockReset();
  forgetApi();
  delete (globalThis as unknown as Record<symbol, unknown>)[Symbol.for('otel-circuit-breaker.exporters')];
});

async function wrapAll(env: NodeJS.ProcessEnv = {}): Promise<CircuitBreakerExporter<unknown>[]> {
  const settings = await readSettings(env, () => Promise.reject(new Error('not asked for')));
  new ExporterWrapper(settings).wrap(findExporters().fields);
  return registeredExporters();
}

const names = (exporters: readonly CircuitBreakerExporter<unknown>[]) =>
  exporters.map((exporter) => exporter.snapshot().name);

/** All three signals, traces and logs twice. */
function registerAll(): void {
  const reader = { _exporter: new OtlpExporter() };
  registerApi({
    trace: tracesTo(new OtlpExporter(), new OtlpExporter()).proxy,
    metrics: { _sharedState: { metricCollectors: [{ _metricReader: reader }] } },
  });
  registerLogs({
    _sharedState: { processors: [{ _exporter: new OtlpExporter() }, { _exporter: new OtlpExporter() }] },
  });
}

describe('ExporterWrapper', () => {
  it('names exporters by their signals, and counts from the second on', async () => {
    registerAll();
    expect(names(await wrapAll())).toEqual(['traces', 'traces#2', 'metrics', 'logs', 'logs#2']);
  });

  it('takes OTEL_CIRCUIT_BREAKER_NAME for a prefix of the names', async () => {
    registerAll();
    expect(names(await wrapAll({ OTEL_CIRCUIT_BREAKER_NAME: 'shop' }))).toEqual([
      'shop/traces',
      'shop/traces#2',
      'shop/metrics',
      'shop/logs',
      'shop/logs#2',
    ]);
  });

  it('sends through the exporter that was there', async () => {
    const inner = new OtlpExporter();
    const { processors, proxy } = tracesTo(inner);
    registerApi({ trace: proxy });
    await wrapAll();
    const told = vi.fn();
    processors[0]?._exporter.export(['a span'], told);
    expect(inner.batches).toEqual([['a span']]);
    expect(told).toHaveBeenCalledExactlyOnceWith({ code: 0 });
    await processors[0]?._exporter.shutdown();
    expect(inner.shutdowns).toBe(1);
  });

  it('leaves the callers of rejected batches in peace, and logs the transitions', async () => {
    const { processors, proxy } = tracesTo(new OtlpExporter());
    registerApi({ trace: proxy });
    const [exporter] = await wrapAll({ OTEL_CIRCUIT_BREAKER_RETENTION_MAX_ITEMS: '0' });
    exporter?.breaker.forceOpen();
    const told = vi.fn();
    processors[0]?._exporter.export(['a span'], told);
    expect(told.mock.calls[0]?.[0]).toMatchObject({ code: 0 });
    expect(stderr.at(-1)).toMatch(/^otel-circuit-breaker: circuit "traces" was opened by hand; /);
  });

  it('serves health from the first batch on, once', async () => {
    registerAll();
    const exporters = await wrapAll({ OTEL_CIRCUIT_BREAKER_HEALTH_PORT: '9464' });
    await vi.dynamicImportSettled();
    expect(openHealthServer).not.toHaveBeenCalled();
    for (const exporter of [...exporters, ...exporters]) exporter.export([], () => {});
    await vi.dynamicImportSettled();
    expect(vi.mocked(openHealthServer).mock.calls).toEqual([[{ port: 9_464, host: '127.0.0.1' }]]);
    expect(exporters[0]?.snapshot().delivery.offered.batches).toBe(2);
  });

  it('is one warning where health cannot be served', async () => {
    vi.mocked(openHealthServer).mockImplementation(() => {
      throw new Error('no sockets here');
    });
    registerAll();
    const [exporter] = await wrapAll({ OTEL_CIRCUIT_BREAKER_HEALTH_PORT: '9464' });
    exporter?.export([], () => {});
    await vi.dynamicImportSettled();
    await vi.waitFor(() =>
      expect(stderr.at(-1)).toBe('otel-circuit-breaker: cannot serve health and metrics: no sockets here\n'),
    );
  });
});
