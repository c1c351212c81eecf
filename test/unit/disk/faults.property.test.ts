import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { collectDiag, idOf, Machine } from './rig.ts';
import type { Operation } from './simulated-disk.ts';

// DISK_RUNS=20000 for a long run.
vi.setConfig({ testTimeout: process.env['DISK_RUNS'] === undefined ? 120_000 : 3_600_000 });

const numRuns = Number(process.env['DISK_RUNS'] ?? 300);

const CODES = ['ENOSPC', 'EACCES', 'EROFS', 'EMFILE', 'EIO', 'ENOENT', 'EPERM'] as const;
const NAMES: readonly Operation['name'][] = [
  'list',
  'status',
  'checkWritable',
  'makeFolder',
  'makeFolders',
  'open',
  'append',
  'sync',
  'touch',
  'read',
  'truncate',
  'move',
  'remove',
  'removeFolder',
  'syncFolder',
];

type Step =
  | { readonly do: 'put'; readonly size: number }
  | { readonly do: 'delete'; readonly which: number }
  | {
      readonly do: 'break';
      readonly after: number;
      readonly code: string;
      readonly only: Operation['name'] | undefined;
    }
  | { readonly do: 'repair' | 'reopen' }
  | { readonly do: 'pass'; readonly seconds: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({ do: fc.constant('put' as const), size: fc.constantFrom(0, 300, 3_000) }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('delete' as const), which: fc.nat() }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('break' as const),
      after: fc.nat(10),
      code: fc.constantFrom(...CODES),
      only: fc.option(fc.constantFrom(...NAMES), { nil: undefined }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('repair' as const, 'reopen' as const) }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('pass' as const), seconds: fc.constantFrom(10, 60, 130) }),
  },
);

async function liveThrough(history: readonly Step[]): Promise<void> {
  const machine = new Machine();
  const owed = new Set<number>();
  let last = 0;
  let service = machine.start();
  await service.open();

  const expectAllReadable = async (): Promise<void> => {
    const { judge } = service.process;
    service.process.judge = () => 'done';
    for (const n of owed) expect(await service.get(n), `batch ${n}`).toBe(n);
    service.process.judge = judge;
  };

  for (const each of history) {
    service.time.millis += 1;
    switch (each.do) {
      case 'put': {
        const n = ++last;
        // Whatever happens, there is room: on disk or in memory.
        expect(await service.put(n, each.size)).toEqual([]);
        owed.add(n);
        break;
      }
      case 'delete': {
        const n = [...owed][each.which % Math.max(1, owed.size)];
        if (n === undefined) break;
        owed.delete(n);
        await service.delete(n);
        break;
      }
      case 'break': {
        const { process } = service;
        const from = process.operations + each.after;
        process.judge = ({ index, name }) =>
          index >= from && (each.only ?? name) === name ? { fails: each.code } : 'done';
        break;
      }
      case 'repair':
        service.process.judge = () => 'done';
        break;
      case 'reopen': {
        service.process.judge = () => 'done';
        await machine.pass(60_000);
        service.process.kill();
        service = machine.start();
        await service.open();
        await expectAllFound(service, owed);
        break;
      }
      case 'pass':
        await machine.pass(each.seconds * 1_000);
    }
    await expectAllReadable();
  }
  service.process.judge = () => 'done';
  await machine.pass(120_000);
  await expectAllReadable();
  service.process.kill();
  const next = machine.start();
  await next.open();
  await expectAllFound(next, owed);
}

async function expectAllFound(
  service: ReturnType<Machine['start']>,
  owed: ReadonlySet<number>,
): Promise<void> {
  const ids = service.found.map(({ id }) => id);
  expect(ids, 'nothing is found twice').toEqual([...new Set(ids)]);
  for (const n of owed) expect(ids, 'what was accepted').toContain(idOf(n));
  for (const n of owed) expect(await service.get(n)).toBe(n);
}

describe('a disk that fails at any operation', () => {
  it('loses nothing that was accepted: memory takes over, and the disk comes back', async () => {
    collectDiag();
    await fc.assert(fc.asyncProperty(fc.array(step, { maxLength: 30 }), liveThrough), { numRuns });
  });
});
