import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { registeredExporters } from '../../../src/adapters/registry.ts';
import { Attachment } from '../../../src/attach/attach.ts';
import { readSettings } from '../../../src/attach/settings.ts';
import { watchRegistrations } from '../../../src/attach/watch-registrations.ts';
import { CircuitBreakerExporter } from '../../../src/exporter/circuit-breaker-exporter.ts';
import { forgetApi, OtlpExporter, registerApi, tracesTo } from './arrange.ts';

const { watchSignals } = vi.hoisted(() => ({ watchSignals: vi.fn() }));
vi.mock('../../../src/attach/ending.ts', () => ({ watchSignals, isEnding: () => false }));

vi.mock('../../../src/attach/watch-registrations.ts', { spy: true });
vi.mock('../../../src/attach/settings.ts', { spy: true });

let stderr: string[] = [];

beforeEach(() => {
  forgetApi();
  vi.useFakeTimers();
  stderr = [];
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    stderr.push(String(text));
    return true;
  });
});

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
  vi.mocked(watchRegistrations).mockReset();
  vi.unstubAllEnvs();
  forgetApi();
  delete (globalThis as unknown as Record<symbol, unknown>)[Symbol.for('otel-circuit-breaker.exporters')];
});

/** What is due after so long runs, and the library, which is loaded at need, is there. */
async function pass(millis: number): Promise<void> {
  await vi.advanceTimersByTimeAsync(millis);
  await vi.dynamicImportSettled();
}

const isWrapped = (holder: { _exporter: unknown } | undefined) =>
  holder?._exporter instanceof CircuitBreakerExporter;
const names = () => registeredExporters().map((exporter) => exporter.snapshot().name);

describe('Attachment', () => {
  it('wraps what was registered before, and not before the code that registers has run to its end', async () => {
    const { processors, proxy } = tracesTo(new OtlpExporter());
    registerApi({ trace: proxy });
    new Attachment().begin();
    expect(isWrapped(processors[0])).toBe(false);
    await pass(0);
    expect(isWrapped(processors[0])).toBe(true);
    expect(names()).toEqual(['traces']);
    expect(stderr).toEqual([
      'otel-circuit-breaker: circuit breakers are around traces (OtlpExporter in Object)\n',
    ]);
  });

  it('wraps what is registered at any time later', async () => {
    new Attachment().begin();
    await pass(3_600_000);
    const { processors, proxy } = tracesTo(new OtlpExporter());
    registerApi({ trace: proxy });
    expect(isWrapped(processors[0])).toBe(false);
    await pass(0);
    expect(isWrapped(processors[0])).toBe(true);
    expect(stderr).toHaveLength(1);
  });

  it.each([1_000, 10_000])('looks again %d ms after a registration', async (millis) => {
    const { processors, proxy } = tracesTo(new OtlpExporter());
    new Attachment().begin();
    registerApi({ trace: proxy });
    await pass(millis - 1);
    const late = { _exporter: new OtlpExporter() };
    processors.push(late);
    expect(isWrapped(late)).toBe(false);
    await pass(1);
    expect(isWrapped(late)).toBe(true);
    expect(names()).toEqual(['traces', 'traces#2']);
  });

  it('finds what is registered by somebody who deletes the global first', async () => {
    new Attachment().begin();
    await pass(0);
    forgetApi();
    const { processors, proxy } = tracesTo(new OtlpExporter());
    registerApi({ trace: proxy });
    await pass(999);
    expect(isWrapped(processors[0])).toBe(false);
    await pass(1);
    expect(isWrapped(processors[0])).toBe(true);
    // The watch is back, too.
    const later = tracesTo(new OtlpExporter());
    registerApi({ trace: later.proxy });
    await pass(0);
    expect(isWrapped(later.processors[0])).toBe(true);
  });

  it('wraps an exporter that two processors share once', async () => {
    const exporter = new OtlpExporter();
    const { processors, proxy } = tracesTo(exporter, exporter, new OtlpExporter());
    registerApi({ trace: proxy });
    new Attachment().begin();
    await pass(10_000);
    expect(isWrapped(processors[0])).toBe(true);
    expect(processors[1]?._exporter).toBe(processors[0]?._exporter);
    expect(names()).toEqual(['traces', 'traces#2']);
    stderr = [];
    registeredExporters()[0]?.breaker.forceOpen();
    expect(stderr).toHaveLength(1);
  });

  it('leaves a field that cannot be written to, with one warning, and wraps the others', async () => {
    const { processors, proxy } = tracesTo(new OtlpExporter(), new OtlpExporter());
    Object.freeze(processors[0]);
    registerApi({ trace: proxy });
    new Attachment().begin();
    await pass(10_000);
    expect(processors.map(isWrapped)).toEqual([false, true]);
    expect(names()).toEqual(['traces']);
    expect(stderr.filter((line) => line.includes('without a circuit breaker'))).toEqual([
      'otel-circuit-breaker: OtlpExporter in Object stays without a circuit breaker: the field is read-only\n',
    ]);
  });

  it('is silent where the API is not there', async () => {
    new Attachment().begin();
    await pass(60_000);
    expect(stderr).toEqual([]);
  });

  it('warns once, after the last look, where the API is there and no exporter was found', async () => {
    new Attachment().begin();
    registerApi({ trace: { _delegate: new (class SentryTracerProvider {})() } });
    await pass(9_999);
    expect(stderr).toEqual([]);
    await pass(1);
    expect(stderr).toEqual([
      expect.stringContaining('found no exporter to protect (traces: SentryTracerProvider). '),
    ]);
    registerApi({});
    await pass(60_000);
    expect(stderr).toHaveLength(1);
  });

  it('is silent where every exporter is to be left alone', async () => {
    class ConsoleSpanExporter extends OtlpExporter {}
    const own = new CircuitBreakerExporter<unknown>(new OtlpExporter());
    const { processors, proxy } = tracesTo(new ConsoleSpanExporter(), own);
    registerApi({ trace: proxy });
    new Attachment().begin();
    await pass(60_000);
    expect(processors.map((each) => each._exporter.constructor.name)).toEqual([
      'ConsoleSpanExporter',
      'CircuitBreakerExporter',
    ]);
    expect(processors[1]?._exporter).toBe(own);
    expect(stderr).toEqual([]);
  });

  it('says so, once, where the library cannot be loaded', async () => {
    vi.mocked(readSettings).mockRejectedValueOnce(
      new Error("Cannot find module '@opentelemetry/api'\nRequire stack:"),
    );
    const { processors, proxy } = tracesTo(new OtlpExporter());
    registerApi({ trace: proxy });
    new Attachment().begin();
    await pass(60_000);
    expect(isWrapped(processors[0])).toBe(false);
    expect(stderr).toEqual([
      "otel-circuit-breaker: does nothing, the application is not affected: Cannot find module '@opentelemetry/api'\n",
    ]);
  });

  it('keeps batches in the directory that the environment names', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'attach-'));
    vi.stubEnv('OTEL_CIRCUIT_BREAKER_RETENTION_DIR', directory);
    const { proxy } = tracesTo(new OtlpExporter());
    registerApi({ trace: proxy });
    new Attachment().begin();
    await pass(0);
    const [exporter] = registeredExporters();
    await exporter?.shutdown();
    expect(vi.mocked(readSettings).mock.settledResults.at(-1)).toMatchObject({ type: 'fulfilled' });
    rmSync(directory, { recursive: true });
  });

  it('says on stderr what is wrong with the directory, in one line for all exporters, and keeps in memory', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'attach-'));
    const file = join(directory, 'file');
    writeFileSync(file, '');
    vi.stubEnv('OTEL_CIRCUIT_BREAKER_RETENTION_DIR', file);
    vi.stubEnv('OTEL_CIRCUIT_BREAKER_LOG', 'none');
    const { proxy } = tracesTo(new OtlpExporter(), new OtlpExporter());
    registerApi({ trace: proxy });
    new Attachment().begin();
    await pass(0);
    const exporters = registeredExporters();
    await vi.waitFor(() => expect(stderr).not.toEqual([]));
    await Promise.all(exporters.map((exporter) => exporter.shutdown()));
    expect(exporters).toHaveLength(2);
    expect(stderr).toEqual([
      `otel-circuit-breaker: disk store: ${file} is not a directory: remove the file, or give another directory\n`,
    ]);
    rmSync(directory, { recursive: true });
  });

  it('says on stderr what the disk store warns of', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'attach-'));
    chmodSync(directory, 0o777);
    vi.stubEnv('OTEL_CIRCUIT_BREAKER_RETENTION_DIR', directory);
    vi.stubEnv('OTEL_CIRCUIT_BREAKER_LOG', 'none');
    const { proxy } = tracesTo(new OtlpExporter());
    registerApi({ trace: proxy });
    new Attachment().begin();
    await pass(0);
    const [exporter] = registeredExporters();
    await vi.waitFor(() =>
      expect(stderr).toEqual([
        `otel-circuit-breaker: disk store of exporter "traces": ${directory} has mode 0777: whoever may write to it can delete what is kept there\n`,
      ]),
    );
    await exporter?.shutdown();
    rmSync(directory, { recursive: true });
  });

  it('says so, once, where the globals cannot be watched, and throws nothing', async () => {
    vi.mocked(watchRegistrations).mockImplementation(() => {
      throw new TypeError('Cannot define property, object is not extensible');
    });
    expect(() => new Attachment().begin()).not.toThrow();
    registerApi({});
    await pass(60_000);
    expect(stderr).toEqual([
      'otel-circuit-breaker: does nothing, the application is not affected: Cannot define property, object is not extensible\n',
    ]);
  });
});
