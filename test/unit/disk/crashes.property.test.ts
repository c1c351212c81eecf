import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { idOf, Machine } from './rig.ts';
import { seeded } from './simulated-disk.ts';

// DISK_RUNS=20000 for a long run.
vi.setConfig({ testTimeout: process.env['DISK_RUNS'] === undefined ? 120_000 : 3_600_000 });

const numRuns = Number(process.env['DISK_RUNS'] ?? 300);

type Step =
  | { readonly do: 'put'; readonly size: number }
  | { readonly do: 'delete'; readonly which: number }
  | { readonly do: 'kill' | 'power' | 'close'; readonly seed: number }
  | {
      readonly do: 'kill at' | 'power at';
      readonly operations: number;
      readonly when: 'before' | 'halfway' | 'after';
      readonly seed: number;
    }
  | { readonly do: 'pass'; readonly seconds: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({ do: fc.constant('put' as const), size: fc.constantFrom(0, 10, 300, 3_000) }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('delete' as const), which: fc.nat() }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constantFrom('kill' as const, 'power' as const, 'close' as const),
      seed: fc.nat(),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constantFrom('kill at' as const, 'power at' as const),
      operations: fc.nat(12),
      when: fc.constantFrom('before' as const, 'halfway' as const, 'after' as const),
      seed: fc.nat(),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('pass' as const), seconds: fc.constantFrom(5, 10, 60, 130) }),
  },
);

interface Books {
  /** Accepted, and not deleted since. */
  readonly owed: Set<number>;
  /** Their deletion was asked for; whether it has arrived is open. */
  readonly deleting: Set<number>;
  /** Deleted for good. */
  readonly deleted: Set<number>;
  last: number;
}

/** Lives through a history, then recovers, and compares what is there with the books. */
async function liveThrough(
  history: readonly Step[],
  options: { maxBytes?: number; losesPower: boolean },
): Promise<void> {
  const machine = new Machine();
  const books: Books = { owed: new Set(), deleting: new Set(), deleted: new Set(), last: 0 };
  const settings = options.maxBytes === undefined ? {} : { maxBytes: options.maxBytes };
  let service = machine.start(settings);
  let powerSeed: number | undefined;
  await service.open();

  const restart = async (): Promise<void> => {
    if (powerSeed !== undefined) machine.losePower(seeded(powerSeed));
    powerSeed = undefined;
    service = machine.start(settings);
    await service.open();
    await check();
  };

  const check = async (): Promise<void> => {
    const ids = service.found.map(({ id }) => id);
    expect(ids, 'nothing is found twice').toEqual([...new Set(ids)]);
    const found = ids.map((id) => Number(id.slice(idOf(0).length - 1)));
    for (const n of books.owed) expect(found, 'what was accepted').toContain(n);
    for (const n of found) {
      if (options.losesPower) continue;
      expect(books.deleted, 'what was deleted stays deleted').not.toContain(n);
    }
    const readable = [];
    for (const { id, keptAt } of service.found) {
      const n = Number(id.slice(idOf(0).length - 1));
      const got = await service.get(n);
      if (got === undefined) expect(books.owed, 'what was accepted is readable').not.toContain(n);
      else {
        expect(got).toBe(n);
        readable.push({ n, keptAt });
      }
    }
    const owed = readable.filter(({ n }) => books.owed.has(n));
    expect(
      owed.map(({ n }) => n),
      'in order',
    ).toEqual([...books.owed].sort((a, b) => a - b));
    // Delivery gives up what cannot be read.
    for (const { id } of service.found) {
      const n = Number(id.slice(idOf(0).length - 1));
      if (!books.owed.has(n)) await service.unlessKilled(service.spool.delete([id]));
    }
    for (const n of books.deleting) if (!service.process.isKilled) books.deleted.add(n);
    books.deleting.clear();
  };

  for (const each of history) {
    service.time.millis += 1;
    switch (each.do) {
      case 'put': {
        const n = ++books.last;
        const dropped = await service.put(n, each.size);
        if (dropped === undefined) break;
        books.owed.add(n);
        for (const id of dropped) books.owed.delete(Number(id.slice(idOf(0).length - 1)));
        break;
      }
      case 'delete': {
        const n = [...books.owed][each.which % Math.max(1, books.owed.size)];
        if (n === undefined) break;
        books.owed.delete(n);
        books.deleting.add(n);
        await service.delete(n);
        if (service.process.isKilled) break;
        books.deleting.delete(n);
        books.deleted.add(n);
        break;
      }
      case 'kill':
        service.process.kill();
        break;
      case 'power':
        if (options.losesPower) powerSeed = each.seed;
        service.process.kill();
        break;
      case 'close':
        await service.close();
        service.process.kill();
        break;
      case 'kill at':
      case 'power at': {
        const { process } = service;
        const at = process.operations + each.operations;
        process.judge = ({ index }) => (index === at ? { killed: each.when } : 'done');
        if (each.do === 'power at' && options.losesPower) powerSeed = each.seed;
        break;
      }
      case 'pass':
        await machine.pass(each.seconds * 1_000);
    }
    while (service.process.isKilled) await restart();
  }
  service.process.kill();
  await restart();

  for (const n of books.owed) await service.delete(n);
  await service.close();
  expect([...machine.disk.contents().keys()], 'nothing is left when all is delivered').toEqual([]);
}

describe('whatever is killed, at whatever operation', () => {
  it('kill -9 loses nothing of what was accepted, brings back nothing that was deleted', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), (history) =>
        liveThrough(history, { losesPower: false }),
      ),
      { numRuns },
    );
  });

  it('a power cut loses nothing of what was accepted with sync: batch', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), (history) =>
        liveThrough(history, { losesPower: true }),
      ),
      { numRuns },
    );
  });
});
