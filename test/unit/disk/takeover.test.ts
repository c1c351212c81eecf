import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import type { Service } from './rig.ts';
import { collectDiag, DIRECTORY, idOf, Machine } from './rig.ts';

// DISK_RUNS=20000 for a long run.
vi.setConfig({ testTimeout: process.env['DISK_RUNS'] === undefined ? 120_000 : 3_600_000 });

const numRuns = Number(process.env['DISK_RUNS'] ?? 150);
const OTHER_WORLD = 'b'.repeat(16);

const foundBy = (service: Service): string[] => service.found.map(({ id }) => id).sort();

async function started(machine: Machine, options: Parameters<Machine['start']>[0] = {}): Promise<Service> {
  const service = machine.start(options);
  await service.open();
  return service;
}

describe('the folder of a process', () => {
  it('is left to it while it lives, and taken over at once when it starts again', async () => {
    const machine = new Machine();
    const first = await started(machine);
    await first.put(1);
    const second = await started(machine);
    await machine.pass(300_000);
    expect(second.found).toEqual([]);
    first.process.kill();
    const third = await started(machine);
    expect(foundBy(third)).toEqual([idOf(1)]);
    expect(await third.get(1)).toBe(1);
  });

  it('is taken over by a running process, too, when it looks', async () => {
    const machine = new Machine();
    const first = await started(machine);
    await first.put(1);
    const second = await started(machine);
    first.process.kill();
    await machine.pass(55_000);
    expect(second.found).toEqual([]);
    await machine.pass(5_000);
    expect(foundBy(second)).toEqual([idOf(1)]);
  });

  it('is taken over by an exporter of the same name only', async () => {
    const machine = new Machine();
    const first = await started(machine, { name: 'shop/traces' });
    await first.put(1);
    first.process.kill();
    const others = [];
    for (const name of ['shop', 'traces', 'shop/traces2', 'shop%2Ftraces'])
      others.push(await started(machine, { name }));
    await machine.pass(120_000);
    expect(others.flatMap(({ found }) => found)).toEqual([]);
    expect(foundBy(await started(machine, { name: 'shop/traces' }))).toEqual([idOf(1)]);
  });

  it('is free to anyone as soon as the store is closed', async () => {
    const machine = new Machine();
    const first = await started(machine);
    await first.put(1);
    await first.close();
    const second = await started(machine, { world: OTHER_WORLD });
    expect(foundBy(second)).toEqual([idOf(1)]);
  });

  it('is gone when nothing is held any more', async () => {
    const machine = new Machine();
    const first = await started(machine);
    await first.put(1);
    await first.put(2);
    await first.delete(1, 2);
    expect(machine.disk.names(DIRECTORY)).toEqual([]);
    await first.put(3);
    expect(machine.disk.names(DIRECTORY)).toHaveLength(1);
    await first.delete(3);
    await first.close();
    expect(machine.disk.names(DIRECTORY)).toEqual([]);
  });

  it('is taken by one of many that look at once', async () => {
    const machine = new Machine();
    const first = await started(machine);
    await first.put(1);
    first.process.kill();
    const many = Array.from({ length: 20 }, () => machine.start());
    await Promise.all(many.map((service) => service.open()));
    expect(many.flatMap(foundBy)).toEqual([idOf(1)]);
    expect(many.filter(({ found }) => found.length > 0)).toHaveLength(1);
  });

  it('is delivered after a wait of at most 30 s', async () => {
    const machine = new Machine();
    const first = await started(machine);
    await first.put(1);
    first.process.kill();
    const second = await started(machine);
    expect(second.found[0]?.notBefore).toBe(second.time.millis + 15_000);
  });

  it('is left to a process whose id another process has by now', async () => {
    const machine = new Machine();
    const first = await started(machine, { pid: 7 });
    await first.put(1);
    first.process.kill();
    const second = machine.start({ pid: 8 });
    Object.assign(second.identity, { startedAt: '99' });
    await second.open();
    expect(foundBy(second)).toEqual([idOf(1)]);
  });
});

describe('between processes that do not see each other', () => {
  const pid = 1;

  it('a heartbeat tells that the owner lives', async () => {
    const machine = new Machine();
    const first = await started(machine, { pid });
    await first.put(1);
    const second = await started(machine, { pid, world: OTHER_WORLD });
    await second.put(2);
    await machine.pass(600_000);
    expect([first.found, second.found]).toEqual([[], []]);
    expect([await first.get(1), await second.get(2)]).toEqual([1, 2]);
    expect([await first.put(3), await second.put(4)]).toEqual([[], []]);
  });

  it.each([
    ['another machine or container', OTHER_WORLD],
    ['a process that knows nothing of itself', ''],
  ])('its absence for 60 s tells that the owner is dead: %s', async (_, world) => {
    const machine = new Machine();
    const first = await started(machine, { pid });
    await first.put(1);
    const second = await started(machine, { pid, world });
    await machine.pass(30_000);
    first.process.kill();
    await machine.pass(55_000);
    expect(second.found).toEqual([]);
    await machine.pass(65_000);
    expect(foundBy(second)).toEqual([idOf(1)]);
  });

  it("the file system's time counts, not that of the process", async () => {
    const machine = new Machine();
    const first = await started(machine, { pid });
    await first.put(1);
    const second = machine.start({ pid, world: OTHER_WORLD });
    second.time.millis += 3_600_000;
    await second.open();
    expect(second.found).toEqual([]);
  });

  it('one that takes over is not robbed before its first heartbeat', async () => {
    const machine = new Machine();
    const first = await started(machine, { pid });
    await first.put(1);
    first.process.kill();
    await machine.pass(120_000);
    const second = await started(machine, { pid, world: OTHER_WORLD });
    expect(foundBy(second)).toEqual([idOf(1)]);
    const third = await started(machine, { pid, world: 'c'.repeat(16) });
    expect(third.found).toEqual([]);
  });

  it('a thread of the same process is judged by its heartbeat', async () => {
    const machine = new Machine();
    const first = await started(machine, { pid });
    await first.put(1);
    const second = await started(machine, { pid });
    expect(second.found).toEqual([]);
    first.process.kill();
    await machine.pass(130_000);
    expect(foundBy(second)).toEqual([idOf(1)]);
  });

  it('the time is asked of the file system only if there is something to judge, and leaves nothing', async () => {
    const machine = new Machine();
    const first = await started(machine, { pid });
    await first.put(1);
    const before = machine.disk.names(DIRECTORY);
    await started(machine, { pid, world: OTHER_WORLD });
    expect(machine.disk.names(DIRECTORY)).toEqual(before);
  });
});

describe('a process that is stopped for longer than the heartbeat, taken over, and continued', () => {
  const cases = Array.from(
    { length: 14 },
    (_, i) =>
      [
        ['keeps', i],
        ['delivers', i],
      ] as const,
  ).flat();

  it.each(cases)(
    'loses nothing if the other one %s what it takes over, stopped %i operations into a put',
    async (what, operations) => {
      const machine = new Machine();
      const first = await started(machine, { pid: 1 });
      await first.put(1);
      const second = await started(machine, { pid: 1, world: OTHER_WORLD });
      let resume = (): void => {};
      const from = first.process.operations + operations;
      first.process.judge = ({ index }) => {
        if (index === from) {
          first.process.stopped = new Promise((resolve) => {
            resume = () => {
              first.process.stopped = undefined;
              resolve();
            };
          });
        }
        return 'done';
      };
      let isThrough = false;
      const putting = first.put(2).finally(() => {
        isThrough = true;
      });
      while (first.process.stopped === undefined && !isThrough) await machine.settle();
      // Time passes for the others only.
      for (let i = 0; i < 40; i++) {
        machine.disk.nowMillis += 5_000;
        second.time.advance(5_000);
        await machine.settle();
      }
      expect(foundBy(second)).toContain(idOf(1));
      if (what === 'delivers') await second.spool.delete(foundBy(second));
      const delivered = what === 'delivers' ? foundBy(second) : [];
      resume();
      first.process.judge = () => 'done';
      expect(await putting).toEqual([]);
      await first.put(3);
      await machine.settle();
      first.process.kill();
      second.process.kill();
      const third = await started(machine, { pid: 2 });
      await machine.pass(130_000);
      const ids = new Set([...delivered, ...foundBy(third)]);
      expect([...ids].sort()).toEqual([idOf(1), idOf(2), idOf(3)]);
      for (const { id } of third.found) expect(await third.spool.get(id)).toBeDefined();
    },
  );

  describe('tells once which batches the other process has', () => {
    it.each([
      ['its heartbeat', (first: Service) => first.time.advance(10_000)],
      ['reading one', (first: Service) => first.get(1)],
      ['keeping another one', (first: Service) => first.put(3)],
    ])('found out by %s', async (_, findOut) => {
      const lines = collectDiag();
      const machine = new Machine();
      const first = await started(machine, { pid: 1 });
      await first.put(1);
      await first.put(2);
      const second = await started(machine, { pid: 1, world: OTHER_WORLD });
      for (let i = 0; i < 40; i++) {
        machine.disk.nowMillis += 5_000;
        second.time.advance(5_000);
        await machine.settle();
      }
      expect(foundBy(second)).toEqual([idOf(1), idOf(2)]);
      first.time.millis += 200_000;
      await findOut(first);
      await machine.settle();
      expect(first.taken).toEqual([idOf(1), idOf(2)]);
      await machine.pass(20_000);
      expect(first.taken).toHaveLength(2);
      expect([await first.get(1), await first.get(2)]).toEqual([undefined, undefined]);
      expect(lines).toContain(
        'warn disk store of exporter "traces": 2 batches were taken over by another process, because this one did not run for a minute; they count as kept here',
      );
      // If the other one dies, they are found like those of any other process.
      second.process.kill();
      await machine.pass(130_000);
      expect(foundBy(first)).toEqual([idOf(1), idOf(2)]);
      expect([await first.get(1), await first.get(2)]).toEqual([1, 2]);
    });

    it('but not of a folder that was deleted while this process ran', async () => {
      const machine = new Machine();
      const service = await started(machine);
      await service.put(1);
      await machine.pass(130_000);
      machine.disk.folder(DIRECTORY).entries.clear();
      await machine.pass(130_000);
      expect(service.taken).toEqual([]);
      expect(await service.get(1)).toBeUndefined();
    });
  });

  it('notices by its heartbeat, too, and holds nothing of it', async () => {
    const machine = new Machine();
    const first = await started(machine, { pid: 1 });
    await first.put(1);
    const second = await started(machine, { pid: 1, world: OTHER_WORLD });
    for (let i = 0; i < 40; i++) {
      machine.disk.nowMillis += 5_000;
      second.time.advance(5_000);
      await machine.settle();
    }
    expect(foundBy(second)).toEqual([idOf(1)]);
    await machine.pass(20_000);
    expect(first.time.timers, 'no heartbeat, but the look once a minute').toBe(1);
    expect(await first.get(1)).toBeUndefined();
    await first.delete(1);
    expect(await second.get(1)).toBe(1);
    await first.put(2);
    expect(await first.get(2)).toBe(2);
    await first.close();
    await second.close();
  });
});

describe('a batch that was written twice', () => {
  it('is found once, and leaves nothing when it is deleted', async () => {
    const machine = new Machine();
    const first = await started(machine);
    await first.put(1);
    const second = await started(machine);
    await second.put(1);
    first.process.kill();
    await machine.pass(60_000);
    expect(second.found).toEqual([]);
    expect(await second.get(1)).toBe(1);
    await second.delete(1);
    expect(machine.disk.names(DIRECTORY)).toEqual([]);
  });
});

describe('a volume that is gone for a while', () => {
  it('brings back what was on it', async () => {
    collectDiag();
    const machine = new Machine();
    const service = await started(machine);
    await service.put(1);
    const volume = machine.disk.folder('/var').entries;
    const content = volume.get('spool');
    volume.delete('spool');
    await machine.pass(60_000);
    expect(await service.put(2)).toEqual([]);
    expect(await service.get(1)).toBeUndefined();
    expect(await service.get(2)).toBe(2);
    await service.put(3);
    if (content !== undefined) volume.set('spool', content);
    await machine.pass(180_000);
    expect(await service.get(1)).toBe(1);
    service.process.kill();
    const next = await started(machine);
    expect(foundBy(next)).toContain(idOf(1));
  });
});

describe('several processes that come, go and stop', () => {
  type Step = {
    readonly do: 'put' | 'deliver' | 'kill' | 'close' | 'start' | 'pass' | 'stop' | 'continue';
    readonly who: number;
  };
  const step: fc.Arbitrary<Step> = fc.record({
    do: fc.constantFrom('put', 'put', 'put', 'deliver', 'kill', 'close', 'start', 'pass', 'stop', 'continue'),
    who: fc.nat(),
  });

  async function liveThrough(history: readonly Step[], maySend: boolean): Promise<void> {
    const machine = new Machine();
    const worlds = ['a'.repeat(16), OTHER_WORLD];
    const alive: Service[] = [];
    const resume = new Map<Service, () => void>();
    const accepted = new Set<number>();
    const delivered: number[] = [];
    const putting: Promise<unknown>[] = [];
    let last = 0;

    const start = async (who: number): Promise<void> => {
      alive.push(await started(machine, { world: worlds[who % 2] as string }));
    };
    const numbersOf = (service: Service): number[] => service.found.map(({ id }) => Number(id.slice(6)));

    for (const { do: what, who } of history) {
      const service = alive[who % Math.max(1, alive.length)];
      const isStopped = service !== undefined && resume.has(service);
      switch (what) {
        case 'start':
          if (alive.length < 4) await start(who);
          break;
        case 'put': {
          if (service === undefined) break;
          const n = ++last;
          const put = service.put(n).then((dropped) => {
            if (dropped !== undefined) accepted.add(n);
            service.found.push({ id: idOf(n), items: 1, keptAt: 0 });
          });
          putting.push(put);
          if (!isStopped) await put;
          break;
        }
        case 'deliver': {
          if (service === undefined || isStopped || !maySend) break;
          const n = numbersOf(service)[0];
          if (n === undefined) break;
          service.found.shift();
          if ((await service.get(n)) !== undefined) delivered.push(n);
          await service.delete(n);
          break;
        }
        case 'kill':
          service?.process.kill();
          break;
        case 'close':
          if (service === undefined || isStopped) break;
          await service.close();
          service.process.kill();
          break;
        case 'stop':
          if (service === undefined || isStopped) break;
          service.process.stopped = new Promise((resolve) => {
            resume.set(service, () => {
              service.process.stopped = undefined;
              resume.delete(service);
              resolve();
            });
          });
          break;
        case 'continue':
          if (service !== undefined) resume.get(service)?.();
          await machine.settle();
          break;
        case 'pass':
          await machine.pass(65_000);
      }
      for (const each of [...alive]) if (each.process.isKilled) alive.splice(alive.indexOf(each), 1);
    }
    for (const each of resume.values()) each();
    await Promise.all(putting);
    await machine.settle();
    for (const each of alive) each.process.kill();
    const [here, there] = [
      await started(machine, { world: worlds[0] as string }),
      await started(machine, { world: worlds[1] as string }),
    ];
    await machine.pass(190_000);
    const left = new Set([...numbersOf(here), ...numbersOf(there)]);
    for (const n of accepted) {
      if (!delivered.includes(n))
        expect([...left], 'what was accepted is there, or was delivered').toContain(n);
    }
    if (!history.some(({ do: what }) => what === 'stop')) {
      expect(delivered, 'nothing is delivered by two').toEqual([...new Set(delivered)]);
    }
    for (const service of [here, there]) {
      for (const n of numbersOf(service)) expect(await service.get(n)).toBe(n);
      await service.delete(...numbersOf(service));
    }
    await machine.settle();
    expect(machine.disk.names(DIRECTORY), 'all folders are gone at the end').toEqual([]);
  }

  it('lose nothing, deliver nothing twice unless one was stopped, and leave no folder', async () => {
    collectDiag();
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), (history) =>
        liveThrough(history, true),
      ),
      { numRuns },
    );
  });
});
