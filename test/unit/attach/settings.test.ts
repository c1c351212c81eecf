import { getHeapStatistics } from 'node:v8';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Settings } from '../../../src/attach/settings.ts';
import { readSettings } from '../../../src/attach/settings.ts';
import type { BatchStore } from '../../../src/delivery/batch-store.ts';
import { CircuitBreakerExporter } from '../../../src/exporter/circuit-breaker-exporter.ts';
import { forgetApi, OtlpExporter, registerApi } from './arrange.ts';

const { isEnding } = vi.hoisted(() => ({ isEnding: vi.fn(() => false) }));
vi.mock('../../../src/attach/ending.ts', () => ({ isEnding }));
vi.mock('node:v8', () => ({ getHeapStatistics: vi.fn(() => ({ heap_size_limit: 100 })) }));

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
  isEnding.mockReturnValue(false);
  forgetApi();
});

const never = () => Promise.reject(new Error('not asked for'));
const read = (env: NodeJS.ProcessEnv = {}, loadDiskStore: Parameters<typeof readSettings>[1] = never) =>
  readSettings(env, loadDiskStore);

/** What fits into the store that an exporter is given. */
function fits(settings: Settings, bytes: number): boolean {
  const store = settings.exporterOptions('traces').retention?.store as BatchStore<unknown>;
  try {
    store.put({ id: 'a', items: 1, bytes, keptAt: 0 }, 'A');
    return true;
  } catch {
    return false;
  }
}

describe('readSettings', () => {
  it('keeps and reports success by default, and has no health port', async () => {
    const settings = await read();
    expect(settings).toMatchObject({ prefix: '', health: undefined });
    expect(settings.exporterOptions('traces')).toMatchObject({
      name: 'traces',
      reportRejectedAs: 'success',
      retention: { store: { persistent: false } },
    });
  });

  it('has options that an exporter takes', async () => {
    const settings = await read({ OTEL_CIRCUIT_BREAKER_EXPORT_TIMEOUT: '5000' });
    const exporter = new CircuitBreakerExporter<unknown>(
      new OtlpExporter(),
      settings.exporterOptions('traces'),
    );
    expect(exporter.snapshot()).toMatchObject({ name: 'traces', delivery: { exporter: 'traces' } });
  });

  it.each([
    [1_000, 100],
    [10_000_000_000, 64 * 1024 * 1024],
  ])('keeps a tenth of a heap of %d bytes, at most 64 MiB', async (limit, share) => {
    vi.mocked(getHeapStatistics).mockReturnValue({ heap_size_limit: limit } as never);
    expect(fits(await read(), share)).toBe(true);
    expect(fits(await read(), share + 1)).toBe(false);
  });

  it('lets all exporters share that', async () => {
    vi.mocked(getHeapStatistics).mockReturnValue({ heap_size_limit: 1_000 } as never);
    const settings = await read();
    settings.exporterOptions('metrics');
    expect(fits(settings, 51)).toBe(false);
  });

  it.each(['OTEL_CIRCUIT_BREAKER_RETENTION_MAX_ITEMS', 'OTEL_CIRCUIT_BREAKER_RETENTION_MAX_BYTES'])(
    'keeps nothing with %s=0',
    async (variable) => {
      const options = (await read({ [variable]: '0' })).exporterOptions('traces');
      expect(options.retention).toBeUndefined();
    },
  );

  it('takes bytes and items from the environment', async () => {
    const bytes = await read({ OTEL_CIRCUIT_BREAKER_RETENTION_MAX_BYTES: '4096' });
    expect(bytes.exporterOptions('traces').retention).toEqual({ maxBytes: 4_096 });
    const items = await read({ OTEL_CIRCUIT_BREAKER_RETENTION_MAX_ITEMS: '7' });
    expect(items.exporterOptions('traces').retention).toMatchObject({ maxItems: 7 });
  });

  it('makes a store for each exporter in the directory of the environment', async () => {
    const diskStore = vi.fn(() => ({}) as BatchStore<never>);
    const settings = await read(
      { OTEL_CIRCUIT_BREAKER_RETENTION_DIR: '/var/lib/shop' },
      async () => diskStore,
    );
    const stores = ['traces', 'logs'].map((name) => settings.exporterOptions(name).retention?.store);
    expect(diskStore).toHaveBeenCalledTimes(2);
    expect(stores[0]).not.toBe(stores[1]);
  });

  it('keeps in memory, with a warning, where the directory is refused', async () => {
    const refuse = () => {
      throw new Error('/x belongs to another user');
    };
    const settings = await read({ OTEL_CIRCUIT_BREAKER_RETENTION_DIR: '/x' }, async () => refuse);
    expect(settings.exporterOptions('traces').retention).toMatchObject({ store: { persistent: false } });
    expect(settings.exporterOptions('logs').retention).toMatchObject({ store: { persistent: false } });
    expect(stderr).toEqual([
      'otel-circuit-breaker: OTEL_CIRCUIT_BREAKER_RETENTION_DIR "/x" is not used: /x belongs to another user; batches are kept in memory\n',
    ]);
  });

  it('has the prefix of names, and the health port, from the environment', async () => {
    expect(
      await read({ OTEL_CIRCUIT_BREAKER_NAME: 'shop', OTEL_CIRCUIT_BREAKER_HEALTH_PORT: '9464' }),
    ).toMatchObject({ prefix: 'shop/', health: { port: 9_464, host: '127.0.0.1' } });
    expect(
      await read({ OTEL_CIRCUIT_BREAKER_HEALTH_PORT: '80', OTEL_CIRCUIT_BREAKER_HEALTH_HOST: '0.0.0.0' }),
    ).toMatchObject({ health: { port: 80, host: '0.0.0.0' } });
    expect(await read({ OTEL_CIRCUIT_BREAKER_HEALTH_PORT: '0' })).toMatchObject({ health: undefined });
  });

  it('warns of a bad value, and takes the default', async () => {
    expect(await read({ OTEL_CIRCUIT_BREAKER_HEALTH_PORT: '70000' })).toMatchObject({ health: undefined });
    expect(stderr).toEqual([
      'otel-circuit-breaker: OTEL_CIRCUIT_BREAKER_HEALTH_PORT must be a port, got "70000"; the default stands\n',
    ]);
  });

  it('lets no probe begin once the process is ending', async () => {
    const context = { attempt: 10, elapsedMillis: 60_000, failedProbes: 0, random: 0 };
    for (const env of [{}, { OTEL_CIRCUIT_BREAKER_COOLDOWN: '10' }]) {
      const { probePolicy } = (await read(env)).exporterOptions('traces');
      isEnding.mockReturnValue(false);
      expect(probePolicy?.(context)).toBe(true);
      isEnding.mockReturnValue(true);
      expect(probePolicy?.(context)).toBe(false);
    }
  });

  it('tells problems to the diag logger of the application, and to nobody where there is none', async () => {
    const { onError } = (await read()).exporterOptions('traces');
    const error = new Error('x');
    onError?.('a problem', error);
    const diag = { error: vi.fn() };
    registerApi({ diag });
    onError?.('a problem', error);
    expect(diag.error.mock.calls).toEqual([['a problem', error]]);
    expect(stderr).toEqual([]);
  });

  it('says on stderr that a directory is refused, once for the exporters that share it', async () => {
    const settings = await read();
    for (const name of ['traces', 'shop/logs']) {
      const error = new Error(`disk store of exporter ${JSON.stringify(name)}: /x is not a directory`);
      error.name = 'RefusedError';
      settings.exporterOptions(name).onError?.('the store failed to open', error);
    }
    expect(stderr).toEqual(['otel-circuit-breaker: disk store: /x is not a directory\n']);
  });

  it('says how much a shutdown lost, where the library cannot', async () => {
    const { onLoss } = (await read()).exporterOptions('traces');
    const loss = { name: 'traces', batches: 2, items: 7 };
    onLoss?.({ ...loss, reason: 'shutdown' });
    onLoss?.({ ...loss, reason: 'full' });
    registerApi({ diag: { warn: vi.fn() } });
    onLoss?.({ ...loss, reason: 'shutdown' });
    expect(stderr).toEqual([
      'otel-circuit-breaker: exporter "traces" was shut down, and 7 items were lost\n',
    ]);
  });
});
