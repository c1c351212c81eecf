import { beforeEach, describe, expect, it } from 'vitest';
import type { ProcessIdentity } from '../../../../src/disk/folder-name.ts';
import { segmentHead } from '../../../../src/disk/segment/record.ts';
import { runSpoolTool } from '../../../../src/disk/tool/spool-tool.ts';
import { batchOf, collectDiag, DIRECTORY, idOf, Machine } from '../rig.ts';
import { SimulatedProcess } from '../simulated-disk.ts';

let machine: Machine;

beforeEach(() => {
  machine = new Machine();
  collectDiag();
});

async function run(
  ...args: string[]
): Promise<{ code: number; out: string[]; err: string[]; operations: Set<string> }> {
  const out: string[] = [];
  const err: string[] = [];
  const operations = new Set<string>();
  const self: ProcessIdentity = { world: 'a'.repeat(16), pid: 1, startedAt: '1' };
  const process = new SimulatedProcess();
  process.judge = ({ name }) => {
    operations.add(name);
    return 'done';
  };
  const code = await runSpoolTool(args, {
    files: machine.disk.filesOf(process),
    processes: { self: async () => self, stateOf: async (owner, asker) => machine.stateOf(owner, asker) },
    print: async (line) => void out.push(line),
    warn: (line) => err.push(line),
  });
  return { code, out, err, operations };
}

async function keep(name: string, numbers: readonly number[], options: Parameters<Machine['start']>[0] = {}) {
  const service = machine.start({ name, ...options });
  await service.open();
  for (const n of numbers) {
    await service.spool.put({ id: idOf(n), items: 10 * n, keptAt: Date.UTC(2026, 0, n) }, batchOf(n));
  }
  return service;
}

describe('otel-circuit-breaker-spool', () => {
  it('lists what is kept: exporter, signal, batches, items, bytes, the oldest, and who has it', async () => {
    await keep('shop/traces', [5, 6]);
    const dead = await keep('logs\n', [2]);
    dead.process.kill();
    await (await keep('metrics', [3])).close();
    await keep('traces', [4], { world: 'b'.repeat(16) });
    const { code, out, err, operations } = await run(DIRECTORY);
    expect({ code, err }).toEqual({ code: 0, err: [] });
    expect(out.map((line) => line.replace(/\d{3}(?= {2}2026)/, 'NNN'))).toEqual([
      'EXPORTER     SIGNAL  BATCHES  ITEMS  BYTES  OLDEST                    OWNER',
      'logs\\n       logs          1     20    NNN  2026-01-02T00:00:00.000Z  process 102, dead',
      'metrics      logs          1     30    NNN  2026-01-03T00:00:00.000Z  none',
      'traces       logs          1     40    NNN  2026-01-04T00:00:00.000Z  process 104, not of this machine or container',
      'shop/traces  logs          2    110    NNN  2026-01-05T00:00:00.000Z  process 101, alive',
    ]);
    expect([...operations].sort()).toEqual(['list', 'read', 'status']);
  });

  it('exports it as lines of OTLP JSON, oldest first, and changes nothing', async () => {
    const service = await keep('traces', [3]);
    const other = await keep('logs', [2, 4]);
    await other.delete(4);
    const before = machine.disk.contents();
    const { code, out, err, operations } = await run(DIRECTORY, '--export');
    expect({ code, err }).toEqual({ code: 0, err: [] });
    const numbers = out.map((line) => {
      const { resourceLogs } = JSON.parse(line);
      const [{ attributes }] = resourceLogs[0].scopeLogs[0].logRecords;
      return attributes[0].value.intValue;
    });
    expect(numbers).toEqual([2, 3]);
    expect(machine.disk.contents()).toEqual(before);
    expect([...operations].sort()).toEqual(['list', 'read', 'status']);
    expect(await service.get(3)).toBe(3);
  });

  it('says so if nothing is kept', async () => {
    const service = await keep('traces', [1]);
    await service.delete(1);
    expect(await run(DIRECTORY)).toMatchObject({ code: 0, out: ['nothing is kept here'], err: [] });
    expect(await run(DIRECTORY, '--export')).toMatchObject({ code: 0, out: [], err: [] });
  });

  it('gives what is good, says what is not, and ends with 1', async () => {
    const service = await keep('traces', [1, 2]);
    service.process.kill();
    const [path = ''] = [...machine.disk.contents().keys()].filter((each) => each.endsWith('.seg'));
    const file = machine.disk.file(path);
    file.data = Buffer.concat([file.data, Buffer.alloc(50)]);
    file.data[file.data.length - 60] = 0;
    machine.disk.makeFile(path.replace('00000001', '00000002')).data = Buffer.concat([
      segmentHead(3),
      file.data,
    ]);
    machine.disk.plant(`${DIRECTORY}/traces.free.${'0'.repeat(12)}.spool`, { kind: 'link' });
    const { code, out, err } = await run(DIRECTORY, '--export');
    expect(code).toBe(1);
    expect(out).toHaveLength(1);
    expect(err).toEqual([
      expect.stringMatching(/00000002\.seg: its format version, 3, is unknown$/),
      expect.stringMatching(/000000000000\.spool is no folder$/),
      '1 damaged places',
      '1 batches cannot be read',
    ]);
  });

  it('ends with 1 if there is no such directory', async () => {
    expect(await run('/nowhere')).toMatchObject({
      code: 1,
      out: [],
      err: [expect.stringContaining('ENOENT')],
    });
  });

  it.each([[[]], [['a', 'b']], [['a', '--delete']]])(
    'ends with 2 and tells how it is used: %j',
    async (args) => {
      const { code, out, err } = await run(...args);
      expect({ code, out }).toEqual({ code: 2, out: [] });
      expect(err.join('\n')).toContain('Usage: otel-circuit-breaker-spool DIRECTORY [--export]');
    },
  );

  it('tells how it is used', async () => {
    const { code, out } = await run('--help');
    expect(code).toBe(0);
    expect(out.join('\n')).toContain('Usage: otel-circuit-breaker-spool DIRECTORY [--export]');
  });
});
