import { mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { BatchStore, StoredBatch } from '../../../src/delivery/batch-store.ts';
import { DiskStore } from '../../../src/disk/disk-store.ts';
import { diskStore } from '../../../src/disk/index.ts';
import { CircuitBreakerExporter } from '../../../src/index.ts';
import { batchOf, collectDiag, DIRECTORY, idOf, Machine, ManualTime, numberOf } from './rig.ts';
import { SimulatedProcess } from './simulated-disk.ts';

let directory: string;
let lines: string[];
const stores: BatchStore<unknown>[] = [];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'otel-circuit-breaker-store-'));
  lines = collectDiag();
});

afterEach(async () => {
  await Promise.all(stores.splice(0).map((store) => store.close()));
  rmSync(directory, { recursive: true, force: true });
});

function made(options: Partial<Parameters<typeof diskStore>[0]> = {}): BatchStore<unknown> {
  const store = diskStore<unknown>({ directory, ...options });
  stores.push(store);
  return store;
}

async function opened(
  name = 'traces',
): Promise<{ store: BatchStore<unknown>; found: readonly StoredBatch[] }> {
  const store = made();
  const found = await store.open({ name, onFound: () => {} });
  return { store, found };
}

const put = async (store: BatchStore<unknown>, n: number) =>
  store.put({ id: idOf(n), items: 1, keptAt: 1_000 + n }, batchOf(n));

describe('diskStore', () => {
  it('keeps batches from one process to the next, and nothing of what was deleted', async () => {
    const { store } = await opened();
    expect(store.persistent).toBe(true);
    for (const n of [1, 2, 3]) expect(await put(store, n)).toEqual([]);
    await store.delete([idOf(2)]);
    expect(numberOf(await store.get(idOf(3)))).toBe(3);
    await store.close();
    const next = await opened();
    expect(next.found.map(({ id }) => id)).toEqual([idOf(1), idOf(3)]);
    expect(numberOf(await next.store.get(idOf(1)))).toBe(1);
    await next.store.delete([idOf(1), idOf(3)]);
    await next.store.close();
    expect(readdirSync(directory)).toEqual([]);
    expect(lines.filter((line) => !line.startsWith('info'))).toEqual([]);
  });

  it.each([
    [undefined, TypeError, 'diskStore: option "directory" must be a non-empty string, got undefined'],
    [{}, TypeError, 'diskStore: option "directory" must be a non-empty string, got undefined'],
    [{ directory: '' }, TypeError, 'diskStore: option "directory" must be a non-empty string, got ""'],
    [{ directory: 1 }, TypeError, 'diskStore: option "directory" must be a non-empty string, got 1'],
    [
      { directory: 'd', maxBytes: 0 },
      RangeError,
      'diskStore: option "maxBytes" must be a positive integer, got 0',
    ],
    [
      { directory: 'd', maxBytes: '1' },
      TypeError,
      'diskStore: option "maxBytes" must be a positive integer, got "1"',
    ],
    [
      { directory: 'd', maxBytes: 1.5 },
      RangeError,
      'diskStore: option "maxBytes" must be a positive integer, got 1.5',
    ],
    [
      { directory: 'd', sync: 'all' },
      TypeError,
      'diskStore: option "sync" must be one of "batch", "none", got "all"',
    ],
    [
      { directory: 'd', sync: true },
      TypeError,
      'diskStore: option "sync" must be one of "batch", "none", got true',
    ],
    [
      { directory: 'd', maxByte: 1 },
      TypeError,
      'diskStore: unknown option "maxByte" (1); known options: directory, maxBytes, sync',
    ],
  ])('refuses %o', (options, type, message) => {
    const make = (): unknown => diskStore(options as unknown as Parameters<typeof diskStore>[0]);
    expect(make).toThrow(type);
    expect(make).toThrow(message);
  });

  it('takes undefined for absent', () => {
    expect(() => diskStore({ directory, maxBytes: undefined, sync: undefined })).not.toThrow();
  });

  it('is for one exporter: a second opening is refused at once', async () => {
    const { store } = await opened('traces');
    expect(() => store.open({ name: 'logs', onFound: () => {} })).toThrow(TypeError);
    expect(() => store.open({ name: 'logs', onFound: () => {} })).toThrow(
      'diskStore: this store already serves the exporter "traces": make one diskStore() for each exporter; they may share the directory',
    );
  });

  it('mixes no two exporters of one name in one process', async () => {
    await opened('traces');
    const second = made({ directory: `${directory}/.` });
    expect(() => second.open({ name: 'traces', onFound: () => {} })).toThrow(TypeError);
    expect(() => second.open({ name: 'traces', onFound: () => {} })).toThrow(
      `diskStore: an exporter named "traces" already keeps its batches in ${directory}: give each exporter a name of its own`,
    );
  });

  it('keeps the batches of several exporters in one directory apart', async () => {
    const traces = await opened('traces');
    const logs = await opened('logs');
    await put(traces.store, 1);
    await put(logs.store, 2);
    await traces.store.close();
    await logs.store.close();
    expect((await opened('traces')).found.map(({ id }) => id)).toEqual([idOf(1)]);
    expect((await opened('logs')).found.map(({ id }) => id)).toEqual([idOf(2)]);
  });

  it('can be opened again when it is closed, by any name', async () => {
    const { store } = await opened('traces');
    await store.close();
    await store.close();
    expect(await store.open({ name: 'logs', onFound: () => {} })).toEqual([]);
    expect((await opened('traces')).found).toEqual([]);
  });

  it('takes nothing before it is opened, or when it is closed', async () => {
    const store = made();
    expect(() => store.put({ id: 'a', items: 1, keptAt: 1 }, batchOf(1))).toThrow('the store is not open');
    await store.open({ name: 'traces', onFound: () => {} });
    await store.close();
    expect(() => store.get('a')).toThrow('the store is not open');
  });

  it('keeps batches with sync: none, too, until the process ends', async () => {
    const store = made({ sync: 'none' });
    await store.open({ name: 'traces', onFound: () => {} });
    await put(store, 1);
    await store.close();
    expect((await opened()).found).toHaveLength(1);
  });

  it('touches no file, and starts no timer, while the backend answers: a million exports', async () => {
    const machine = new Machine();
    const service = new SimulatedProcess();
    const time = new ManualTime();
    const operations: string[] = [];
    service.judge = ({ name }) => {
      operations.push(name);
      return 'done';
    };
    const store = new DiskStore<unknown[]>(
      { directory: DIRECTORY, maxBytes: 1_000_000, sync: 'batch' },
      { files: machine.disk.filesOf(service), time },
    );
    const inner = {
      export: (_: unknown[], resultCallback: (result: { code: number }) => void) =>
        resultCallback({ code: 0 }),
      shutdown: async () => {},
    };
    const exporter = new CircuitBreakerExporter(inner, { retention: { store } });
    await machine.settle();
    while (operations.length < 4) await machine.settle();
    expect(operations).toEqual(['makeFolders', 'checkWritable', 'status', 'list']);
    const batch = batchOf(1);
    let answered = 0;
    const answer = (): void => void answered++;
    for (let i = 0; i < 1_000_000; i++) exporter.export(batch, answer);
    await machine.settle();
    expect(answered).toBe(1_000_000);
    expect(operations).toHaveLength(4);
    expect(time.timers, 'the look once a minute').toBe(1);
    await exporter.shutdown();
    expect(machine.disk.names(DIRECTORY)).toEqual([]);
  }, 60_000);

  it.skipIf(process.platform === 'win32')('takes a directory that is a link', async () => {
    const link = `${directory}-link`;
    symlinkSync(directory, link);
    try {
      const store = made({ directory: link });
      await store.open({ name: 'traces', onFound: () => {} });
      await put(store, 1);
      await store.close();
      expect((await opened()).found).toHaveLength(1);
      expect(lines.filter((line) => !line.startsWith('info'))).toEqual([]);
    } finally {
      rmSync(link);
    }
  });
});
