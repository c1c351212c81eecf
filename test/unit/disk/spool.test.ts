import fc from 'fast-check';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { batchRecord, segmentHead } from '../../../src/disk/segment/record.ts';
import type { Service } from './rig.ts';
import { batchOf, collectDiag, DIRECTORY, idOf, Machine } from './rig.ts';
import type { Operation } from './simulated-disk.ts';

vi.setConfig({ testTimeout: 60_000 });

let machine: Machine;
let lines: string[];

beforeEach(() => {
  machine = new Machine();
  lines = collectDiag();
});

async function started(options: Parameters<Machine['start']>[0] = {}): Promise<Service> {
  const service = machine.start(options);
  await service.open();
  return service;
}

/** What a process does from now on. */
function watch(service: Service): Operation[] {
  const operations: Operation[] = [];
  service.process.judge = (operation) => {
    operations.push(operation);
    return 'done';
  };
  return operations;
}

function breakDisk(service: Service, code: string, ...names: Operation['name'][]): void {
  service.process.judge = ({ name }) =>
    names.length === 0 || names.includes(name) ? { fails: code } : 'done';
}

function repairDisk(service: Service): void {
  service.process.judge = () => 'done';
}

function diskBytes(): number {
  let bytes = 0;
  for (const [path, data] of machine.disk.contents()) if (path.endsWith('.seg')) bytes += data.length;
  return bytes;
}

function segmentPaths(): string[] {
  return [...machine.disk.contents().keys()].filter((path) => path.endsWith('.seg'));
}

describe('a spool', () => {
  it('gives back what was put, before and after it was deleted', async () => {
    const service = await started();
    for (const n of [1, 2, 3]) expect(await service.put(n)).toEqual([]);
    expect(await service.get(2)).toBe(2);
    await service.delete(2);
    expect([await service.get(1), await service.get(2), await service.get(3)]).toEqual([1, undefined, 3]);
    expect(await service.get(4)).toBeUndefined();
    await service.delete(4);
  });

  it('lists what an earlier process left, oldest first, with all that was told of it', async () => {
    const first = await started();
    await first.put(1, 0, 3_000);
    await first.spool.put({ id: idOf(2), items: 7, bytes: 1_234, keptAt: 1_000 }, batchOf(2));
    await first.put(3, 0, 2_000);
    first.process.kill();
    const second = machine.start();
    const notBefore = second.time.millis + 15_000;
    expect(await second.open()).toEqual([
      { id: idOf(2), items: 7, bytes: 1_234, keptAt: 1_000, notBefore },
      { id: idOf(3), items: 1, bytes: undefined, keptAt: 2_000, notBefore },
      { id: idOf(1), items: 1, bytes: undefined, keptAt: 3_000, notBefore },
    ]);
    expect(lines).toContain(
      'info disk store of exporter "traces": took over 3 batches with 9 items of an earlier process',
    );
  });

  it('does nothing on the turn of whoever puts', async () => {
    const service = await started();
    let touched = false;
    const [record] = batchOf(1) as [object];
    const watched = new Proxy(record, {
      get(target, key) {
        touched = true;
        return Reflect.get(target, key);
      },
    });
    const put = service.spool.put({ id: idOf(1), items: 1, keptAt: 1 }, [watched]);
    await null;
    expect(touched).toBe(false);
    await put;
    expect(touched).toBe(true);
  });

  it('waits for resource attributes that are still detected, but not for ever', async () => {
    const service = await started();
    const [record] = batchOf(1) as [object];
    const attributes: Record<string, string> = {};
    let settle = (): void => {};
    const pending = new Promise<void>((resolve) => {
      settle = resolve;
    });
    const resource = { asyncAttributesPending: true, waitForAsyncAttributes: () => pending, attributes };
    const late = service.spool.put({ id: 'late', items: 1, keptAt: 1 }, [{ ...record, resource }]);
    await machine.settle();
    attributes['host.name'] = 'here';
    settle();
    await late;
    expect(await service.spool.get('late')).toMatchObject([
      { resource: { attributes: { 'host.name': 'here' } } },
    ]);

    const hanging = { ...resource, waitForAsyncAttributes: () => new Promise(() => {}) };
    const never = service.spool.put({ id: 'never', items: 1, keptAt: 1 }, [{ ...record, resource: hanging }]);
    await machine.settle();
    service.time.advance(1_000);
    expect(await never).toEqual([]);
  });

  it('takes nothing that is no telemetry', async () => {
    const service = await started();
    await expect(service.spool.put({ id: 'a', items: 1, keptAt: 1 }, ['text'])).rejects.toThrow(
      'a batch must be',
    );
    expect(await service.put(1)).toEqual([]);
  });

  it('takes nothing once it is closed, and closes behind what was put before', async () => {
    const service = await started();
    const putting = service.put(1);
    await service.close();
    expect(await putting).toEqual([]);
    await expect(service.spool.put({ id: 'a', items: 1, keptAt: 1 }, batchOf(2))).rejects.toThrow(
      'is closed',
    );
    expect((await started()).found).toHaveLength(1);
    expect(service.time.timers).toBe(0);
  });
});

describe('as long as nothing is kept', () => {
  it('a spool looks once when it is opened, then once a minute, and has one timer', async () => {
    const service = machine.start();
    const operations = watch(service);
    await service.open();
    expect(operations.map(({ name }) => name)).toEqual(['makeFolders', 'checkWritable', 'status', 'list']);
    operations.length = 0;
    await machine.pass(55_000);
    expect(operations).toEqual([]);
    expect(service.time.timers).toBe(1);
    await machine.pass(5_000);
    expect(operations.map(({ name }) => name)).toEqual(['makeFolders', 'checkWritable', 'status', 'list']);
    expect(machine.disk.names(DIRECTORY)).toEqual([]);
    expect(lines).toEqual([]);
  });

  it('a spool has no heartbeat, and none any more when the last batch is gone', async () => {
    const service = await started();
    const operations = watch(service);
    await service.put(1);
    await machine.pass(10_000);
    expect(operations.filter(({ name }) => name === 'touch')).toHaveLength(2);
    expect(service.time.timers).toBe(2);
    await service.delete(1);
    operations.length = 0;
    await machine.pass(45_000);
    expect(operations).toEqual([]);
    expect(service.time.timers, 'the look once a minute').toBe(1);
  });
});

describe('bounds', () => {
  it('the oldest go when there is no room, and whoever puts is told which', async () => {
    const service = await started({ maxBytes: 20_000 });
    const dropped: string[] = [];
    for (let n = 1; n <= 20; n++) dropped.push(...((await service.put(n, 3_000)) ?? []));
    expect(dropped.length).toBeGreaterThan(10);
    expect(dropped).toEqual(dropped.map((_, i) => idOf(i + 1)));
    for (let n = 1; n <= 20; n++) expect(await service.get(n)).toBe(n <= dropped.length ? undefined : n);
  });

  it('a batch that is larger than all is refused, and nothing goes for it', async () => {
    const service = await started({ maxBytes: 20_000 });
    await service.put(1);
    await expect(service.put(2, 40_000)).rejects.toThrow(/is larger than maxBytes, which is 20000/);
    expect(await service.get(1)).toBe(1);
  });

  it('hold for what is taken over, too, as soon as something comes', async () => {
    for (let round = 0; round < 5; round++) {
      const service = await started({ maxBytes: 20_000 });
      for (let n = 1; n <= 5; n++) await service.put(100 * round + n, 3_000);
      expect(diskBytes()).toBeLessThanOrEqual(20_000);
      service.process.kill();
    }
    const last = await started({ maxBytes: 20_000 });
    expect(last.found.at(-1)?.id).toBe(idOf(405));
  });

  it('segments are closed when they are full, and removed when they are empty', async () => {
    const service = await started({ maxBytes: 160_000 });
    for (let n = 1; n <= 16; n++) await service.put(n, 3_000);
    const files = segmentPaths();
    expect(files.length).toBeGreaterThan(3);
    for (const path of files) expect(machine.disk.contents().get(path)?.length).toBeLessThan(15_000);
    for (let n = 1; n <= 8; n++) await service.delete(n);
    expect(segmentPaths().length).toBeLessThan(files.length);
  });

  it('hold at every moment, on disk and in memory', async () => {
    const sizes = fc.array(fc.record({ size: fc.nat(4_000), fails: fc.boolean(), deletes: fc.boolean() }), {
      maxLength: 30,
    });
    await fc.assert(
      fc.asyncProperty(sizes, async (steps) => {
        machine = new Machine();
        const service = await started({ maxBytes: 16_000 });
        const held = new Set<number>();
        let n = 0;
        for (const { size, fails, deletes } of steps) {
          if (fails) breakDisk(service, 'ENOSPC', 'append');
          else repairDisk(service);
          const dropped = await service.put(++n, size);
          held.add(n);
          for (const id of dropped ?? [])
            expect(held.delete(Number(id.slice(6))), 'each is dropped once').toBe(true);
          repairDisk(service);
          const [first] = held;
          if (deletes && first !== undefined) {
            await service.delete(first);
            held.delete(first);
          }
          await machine.settle();
          expect(diskBytes()).toBeLessThanOrEqual(16_000);
          for (const each of held) expect(await service.get(each)).toBe(each);
        }
      }),
      { numRuns: 100 },
    );
  });

  it.each([
    ['older', 1],
    ['newer', 0],
  ])('the oldest go first, also if what was taken over is %s than what is its own', async (_, own) => {
    const size = 9_000;
    const [older, newer] = [await started({ maxBytes: 20_000 }), await started({ maxBytes: 20_000 })];
    await older.put(1, size);
    await newer.put(2, size, older.time.millis + 1_000);
    const [service, other] = own === 0 ? [older, newer] : [newer, older];
    other.process.kill();
    await machine.pass(60_000);
    expect(service.found).toHaveLength(1);
    expect(await service.put(3, size)).toEqual([idOf(1)]);
    expect(await service.put(4, size)).toEqual([idOf(2)]);
    expect([await service.get(3), await service.get(4)]).toEqual([3, 4]);
  });

  it('the oldest go first, also if some are on disk and later ones in memory', async () => {
    const size = 9_000;
    const service = await started({ maxBytes: 20_000 });
    await service.put(1, size);
    breakDisk(service, 'ENOSPC', 'append');
    service.time.millis += 1;
    await service.put(2, size);
    service.time.millis += 1;
    expect(await service.put(3, size)).toEqual([idOf(1)]);
    expect(await service.put(4, size)).toEqual([idOf(2)]);
    expect([await service.get(3), await service.get(4)]).toEqual([3, 4]);
  });

  it('the oldest go first, also if some are in memory and later ones on disk', async () => {
    const size = 9_000;
    const other = await started({ maxBytes: 20_000 });
    const service = await started({ maxBytes: 20_000 });
    breakDisk(service, 'ENOSPC', 'append');
    await service.put(1, size);
    await other.put(2, size, service.time.millis + 1_000);
    other.process.kill();
    await machine.pass(60_000);
    expect(service.found.map(({ id }) => id)).toEqual([idOf(2)]);
    expect(await service.put(3, size)).toEqual([idOf(1)]);
    expect(await service.put(4, size)).toEqual([idOf(2)]);
    expect([await service.get(3), await service.get(4)]).toEqual([3, 4]);
  });

  it('a batch that is being written to a segment that goes to make room is written again', async () => {
    const before = await started();
    await before.put(3, 150_000);
    const bytes = diskBytes();
    await before.delete(3);
    // Room for the third batch and one of the others.
    const service = await started({ maxBytes: bytes + 1_600 });
    await service.put(1, 1_000);
    let goOn = (): void => {};
    const hanging = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    const { files } = service;
    const append = files.append;
    let appended = 0;
    files.append = async (...args) => {
      await append(...args);
      if (++appended === 1) await hanging;
    };
    service.time.millis += 1;
    const second = service.put(2, 1_000);
    while (appended === 0) await machine.settle();
    service.time.millis += 1;
    const third = service.put(3, 150_000);
    while ((await service.get(3)) === undefined) await machine.settle();
    goOn();
    expect(await third).toEqual([idOf(1)]);
    expect(await second).toEqual([]);
    service.process.kill();
    const next = await started();
    expect(next.found.map(({ id }) => id)).toEqual([idOf(2), idOf(3)]);
    expect([await next.get(2), await next.get(3)]).toEqual([2, 3]);
  });

  it('count nothing of a folder that another process has', async () => {
    const service = await started({ maxBytes: 20_000, pid: 1 });
    for (let n = 1; n <= 4; n++) await service.put(n, 3_000);
    const volume = machine.disk.folder('/var').entries;
    const content = volume.get('spool');
    volume.delete('spool');
    await machine.pass(60_000);
    if (content === undefined) throw new Error('no spool');
    for (let n = 5; n <= 8; n++) expect(await service.put(n, 3_000)).toEqual([]);
  });
});

describe('a disk that is full, read-only or gone', () => {
  it.each(['ENOSPC', 'EROFS', 'EACCES', 'EIO', 'EMFILE', 'EDQUOT'])(
    '%s: memory takes over, with one line, until it is back',
    async (code) => {
      const service = await started();
      await service.put(1);
      lines.length = 0;
      breakDisk(service, code, 'open', 'append', 'makeFolder', 'touch');
      for (const n of [2, 3, 4]) expect(await service.put(n)).toEqual([]);
      expect(lines).toEqual([
        expect.stringMatching(
          new RegExp(
            `^warn disk store of exporter "traces": the disk cannot be used: ${code}: .*; new batches are kept in memory, and the disk is tried again each minute$`,
          ),
        ),
      ]);
      for (const n of [2, 3, 4]) expect(await service.get(n)).toBe(n);
      await machine.pass(180_000);
      expect(lines).toHaveLength(1);
      await service.delete(3);
      repairDisk(service);
      await machine.pass(60_000);
      expect(lines.slice(1)).toEqual(['info disk store of exporter "traces": the disk can be used again']);
      await service.put(5);
      service.process.kill();
      expect((await started()).found.map(({ id }) => id)).toEqual([1, 2, 4, 5].map(idOf));
    },
  );

  it.each(['touch', 'syncFolder'] as const)(
    'while a folder is made (%s): nothing is left of it, and a later one is made',
    async (operation) => {
      const service = await started();
      breakDisk(service, 'ENOSPC', operation);
      expect(await service.put(1)).toEqual([]);
      expect(machine.disk.names(DIRECTORY)).toEqual([]);
      expect(await service.get(1)).toBe(1);
      repairDisk(service);
      await machine.pass(60_000);
      expect(machine.disk.names(DIRECTORY)).toHaveLength(1);
      expect(diskBytes()).toBeGreaterThan(0);
    },
  );

  it('is not tried for every batch', async () => {
    const service = await started();
    breakDisk(service, 'ENOSPC', 'makeFolder');
    await service.put(1);
    const { operations } = service.process;
    await service.put(2);
    expect(service.process.operations).toBe(operations);
  });

  it('memory has the same bounds', async () => {
    const service = await started({ maxBytes: 20_000 });
    breakDisk(service, 'ENOSPC', 'makeFolder');
    const dropped: string[] = [];
    for (let n = 1; n <= 20; n++) dropped.push(...((await service.put(n, 3_000)) ?? []));
    expect(dropped).toEqual(dropped.map((_, i) => idOf(i + 1)));
    expect(dropped.length).toBeGreaterThan(10);
    expect(await service.get(20)).toBe(20);
  });

  it('at the start, too: what was on it is found when it is back', async () => {
    const first = await started();
    await first.put(1);
    first.process.kill();
    const second = machine.start();
    breakDisk(second, 'EROFS', 'makeFolders', 'makeFolder', 'move', 'touch');
    expect(await second.open()).toEqual([]);
    expect(lines.filter((line) => line.startsWith('warn'))).toHaveLength(1);
    await second.put(2);
    repairDisk(second);
    await machine.pass(60_000);
    expect(second.found.map(({ id }) => id)).toEqual([idOf(1)]);
    second.process.kill();
    expect((await started()).found.map(({ id }) => id)).toEqual([idOf(1), idOf(2)]);
  });

  it('at the end, too: what cannot be written is said to be lost', async () => {
    const service = await started();
    breakDisk(service, 'ENOSPC', 'makeFolder');
    await service.put(1);
    await service.spool.put({ id: 'b', items: 41, keptAt: 1 }, batchOf(2));
    lines.length = 0;
    await service.close();
    expect(lines).toEqual([
      expect.stringContaining(
        'warn disk store of exporter "traces": 42 items cannot be written to disk, and are lost: ENOSPC',
      ),
    ]);
  });

  it('for a moment only: what was in memory is written when the store is closed', async () => {
    const service = await started();
    breakDisk(service, 'ENOSPC', 'makeFolder');
    await service.put(1);
    repairDisk(service);
    await service.close();
    expect((await started()).found.map(({ id }) => id)).toEqual([idOf(1)]);
  });

  it('while deletions are written: what was deleted stays deleted in this process', async () => {
    const service = await started();
    for (const n of [1, 2, 3]) await service.put(n);
    breakDisk(service, 'ENOSPC', 'append');
    await service.delete(1);
    repairDisk(service);
    expect(await service.get(1)).toBeUndefined();
    await service.put(4);
    for (const n of [2, 3, 4]) expect(await service.get(n)).toBe(n);
  });

  it('while something is read: it is not given up for that', async () => {
    const service = await started();
    await service.put(1);
    breakDisk(service, 'EMFILE', 'read');
    await expect(service.get(1)).rejects.toThrow('EMFILE');
    repairDisk(service);
    expect(await service.get(1)).toBe(1);
  });

  it('while a folder is taken over: it is tried again', async () => {
    const first = await started();
    await first.put(1);
    first.process.kill();
    const second = machine.start();
    breakDisk(second, 'EMFILE', 'read');
    await second.open();
    expect(second.found).toEqual([]);
    expect(lines.filter((line) => line.startsWith('warn'))).toEqual([
      expect.stringContaining('cannot be read, and is tried again: EMFILE'),
    ]);
    await machine.pass(120_000);
    expect(lines.filter((line) => line.startsWith('warn'))).toHaveLength(1);
    repairDisk(second);
    await machine.pass(60_000);
    expect(second.found.map(({ id }) => id)).toEqual([idOf(1)]);
  });
});

describe('a disk that hangs', () => {
  it('is waited for: what is accepted is on disk', async () => {
    const service = await started();
    let goOn = (): void => {};
    service.process.stopped = new Promise((resolve) => {
      goOn = () => {
        service.process.stopped = undefined;
        resolve();
      };
    });
    let isAccepted = false;
    const putting = service.put(1).then(() => {
      isAccepted = true;
    });
    await machine.settle();
    service.time.advance(60_000);
    await machine.settle();
    while ((await service.get(1)) === undefined) await machine.settle();
    expect(isAccepted).toBe(false);
    goOn();
    await putting;
    service.process.kill();
    expect((await started()).found).toHaveLength(1);
  });

  it('while a folder is taken over does not hold up what comes', async () => {
    const first = await started();
    await first.put(1);
    first.process.kill();
    const second = machine.start();
    let goOn = (): void => {};
    const hanging = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    const { files } = second;
    const read = files.read;
    files.read = async (...args) => {
      await hanging;
      return read(...args);
    };
    const opening = second.open();
    await machine.settle();
    expect(await second.put(2)).toEqual([]);
    goOn();
    await opening;
    expect(second.found.map(({ id }) => id)).toEqual([idOf(1)]);
    await second.delete(1, 2);
    expect(machine.disk.names(DIRECTORY)).toEqual([]);
  });
});

describe('damage', () => {
  it('of a payload makes one batch unreadable, and no other', async () => {
    const service = await started();
    for (const n of [1, 2, 3]) await service.put(n);
    service.process.kill();
    const [path = ''] = segmentPaths();
    const file = machine.disk.file(path);
    file.data[Math.floor(file.data.length / 2)] = (file.data[Math.floor(file.data.length / 2)] ?? 0) ^ 1;
    const next = await started();
    expect(next.found).toHaveLength(3);
    expect([await next.get(1), await next.get(2), await next.get(3)]).toEqual([1, undefined, 3]);
  });

  it('where nothing tells the number of batches counts as one item that cannot be read, with one line', async () => {
    const service = await started();
    for (const n of [1, 2]) await service.put(n);
    service.process.kill();
    const [path = ''] = segmentPaths();
    const file = machine.disk.file(path);
    file.data = Buffer.concat([file.data, Buffer.alloc(100)]);
    const next = await started();
    expect(next.found.map(({ items }) => items)).toEqual([1, 1, 1]);
    const damaged = next.found.find(({ id }) => !id.startsWith('batch'));
    expect(await next.spool.get(damaged?.id ?? '')).toBeUndefined();
    expect(lines).toContain(
      'warn disk store of exporter "traces": a place is damaged, which counts as 1 unreadable items',
    );
    // What is deleted after that stays deleted.
    await next.delete(1);
    await next.spool.delete([damaged?.id ?? '']);
    next.process.kill();
    expect((await started()).found.map(({ id }) => id)).toEqual([idOf(2)]);
  });

  it('of the tail is cut off, so that what is deleted later is found', async () => {
    const service = await started();
    for (const n of [1, 2, 3]) await service.put(n, 3_000);
    service.process.kill();
    const [path = ''] = segmentPaths();
    const file = machine.disk.file(path);
    file.data = Buffer.from(file.data.subarray(0, file.data.length - 500));
    const next = await started();
    expect(next.found).toHaveLength(3);
    await next.delete(1);
    next.process.kill();
    expect((await started()).found.map(({ id }) => id)).toEqual([idOf(2)]);
  });

  it('of the disk below a segment: the segment is left alone, and what is beside it is delivered', async () => {
    const service = await started({ maxBytes: 32_000 });
    for (const n of [1, 2, 3]) await service.put(n, 3_000);
    service.process.kill();
    const next = machine.start();
    next.process.judge = ({ name, path }) =>
      name === 'read' && path.endsWith('2.seg') ? { fails: 'EIO' } : 'done';
    await next.open();
    expect(next.found.map(({ id }) => id)).toEqual([idOf(1), idOf(3)]);
    expect(lines).toContainEqual(expect.stringMatching(/^warn .*00000002\.seg is left alone: EIO/));
    await next.delete(1, 3);
    await next.close();
    expect((await started()).found.map(({ id }) => id)).toEqual([idOf(2)]);
  });

  it('of content that has a right checksum is unreadable, and said once', async () => {
    const service = await started();
    await service.put(1);
    service.process.kill();
    const [path = ''] = segmentPaths();
    const crafted = [2, 3].map((n) => {
      const header = { id: idOf(n), items: 1, keptAt: n, signal: 'logs' } as const;
      return batchRecord(header, Buffer.from('no batch')).record;
    });
    machine.disk.makeFile(path.replace('00000001', '00000002')).data = Buffer.concat([
      segmentHead(),
      ...crafted,
    ]);
    const next = await started();
    expect(next.found).toHaveLength(3);
    expect([await next.get(1), await next.get(2), await next.get(3)]).toEqual([1, undefined, undefined]);
    expect(lines.filter((line) => line.includes('cannot be decoded, and counts as unreadable'))).toHaveLength(
      1,
    );
  });
});

describe('a segment of another version', () => {
  it('is left alone and reported, and what is beside it is delivered', async () => {
    const service = await started();
    await service.put(1);
    service.process.kill();
    const [path = ''] = segmentPaths();
    const other = path.replace('00000001', '00000002');
    machine.disk.makeFile(other).data = Buffer.concat([segmentHead(9), Buffer.from('whatever')]);
    const next = await started();
    expect(next.found.map(({ id }) => id)).toEqual([idOf(1)]);
    expect(lines).toContainEqual(
      expect.stringMatching(
        /^warn .*00000002\.seg is left alone: its format version, 9, is unknown: a newer version/,
      ),
    );
    await next.delete(1);
    await next.close();
    expect(segmentPaths()).toHaveLength(1);
    expect([...machine.disk.contents().values()]).toContainEqual(
      Buffer.concat([segmentHead(9), Buffer.from('whatever')]),
    );
  });
});

describe('what is not safely ours is refused in words that say what to do', () => {
  const uid = process.geteuid?.() ?? 0;

  async function leave(): Promise<string> {
    const service = await started();
    await service.put(1);
    service.process.kill();
    const [name = ''] = machine.disk.names(DIRECTORY);
    return `${DIRECTORY}/${name}`;
  }

  it('a folder that is a link', async () => {
    const path = await leave();
    machine.disk.plant(path, { kind: 'link' });
    const next = machine.start();
    await expect(next.spool.open()).rejects.toThrow(
      `disk store of exporter "traces": ${path} is a symbolic link and is left alone: delete it, or put the folder itself there`,
    );
    expect(next.found).toEqual([]);
    // The store works all the same.
    expect(await next.put(2)).toEqual([]);
    next.process.kill();
    const third = machine.start();
    await expect(third.spool.open()).rejects.toThrow('is a symbolic link');
    expect(third.found.map(({ id }) => id)).toEqual([idOf(2)]);
  });

  it('a folder of another user', async () => {
    const path = await leave();
    Object.assign(machine.disk.folder(path), { uid: uid + 1 });
    const next = machine.start();
    await expect(next.spool.open()).rejects.toThrow(
      `${path} belongs to user ${uid + 1}, and this process runs as user ${uid}: it is left alone; chown it, or delete it`,
    );
    expect(next.found).toEqual([]);
  });

  it('something else in the place of a folder', async () => {
    const path = await leave();
    machine.disk.plant(path, { kind: 'other' });
    await expect(machine.start().spool.open()).rejects.toThrow(`${path} is no folder and is left alone`);
  });

  it('a path with a file in it', async () => {
    await leave();
    machine.disk.plant('/var/file', { kind: 'other' });
    for (const directory of ['/var/file', '/var/file/below']) {
      const service = machine.start({ directory });
      await expect(service.spool.open()).rejects.toThrow(
        `${directory} is not a directory: remove the file, or give another directory`,
      );
      // What comes is kept in memory.
      expect(await service.put(1)).toEqual([]);
      expect(await service.get(1)).toBe(1);
    }
    expect(lines.filter((line) => line.startsWith('warn'))).toEqual([]);
  });

  it('later, too, once each', async () => {
    const service = await started();
    const path = await leave();
    machine.disk.plant(path, { kind: 'link' });
    await machine.pass(300_000);
    expect(lines.filter((line) => line.startsWith('error'))).toEqual([
      expect.stringContaining(`${path} is a symbolic link`),
    ]);
    expect(await service.put(5)).toEqual([]);
  });

  it('a link in the place of a segment', async () => {
    const path = await leave();
    machine.disk.plant(`${path}/00000002.seg`, { kind: 'link' });
    const next = await started();
    expect(next.found.map(({ id }) => id)).toEqual([idOf(1)]);
    expect(lines).toContainEqual(expect.stringMatching(/00000002\.seg is no file and is left alone$/));
  });

  it('but a folder of ours with another mode is set right, with a line', async () => {
    const path = await leave();
    machine.disk.folder(path).mode = 0o755;
    const next = await started();
    expect(next.found).toHaveLength(1);
    expect(lines).toContainEqual(expect.stringContaining(`${path} had mode 0755; it has 0700 again`));
    const [name = ''] = machine.disk.names(DIRECTORY);
    expect(machine.disk.folder(`${DIRECTORY}/${name}`).mode).toBe(0o700);
  });

  it.each([
    [
      'belongs to another user',
      { uid: uid + 1, mode: 0o755 },
      `belongs to user ${uid + 1}, not to ${uid}, and has mode 0755`,
    ],
    ['may be written to by others', { uid, mode: 0o777 }, 'has mode 0777'],
  ])('and a directory that %s is one line', async (_, change, words) => {
    await leave();
    lines.length = 0;
    Object.assign(machine.disk.folder(DIRECTORY), change);
    const next = await started();
    expect(next.found).toHaveLength(1);
    await machine.pass(300_000);
    expect(lines.filter((line) => line.startsWith('warn'))).toEqual([
      `warn disk store of exporter "traces": ${DIRECTORY} ${words}: whoever may write to it can delete what is kept there`,
    ]);
  });
});
