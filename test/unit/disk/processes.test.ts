import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { systemProcesses } from '../../../src/disk/processes.ts';

const onLinux = process.platform === 'linux';

describe('a process', () => {
  it('knows itself, the same each time', async () => {
    const self = await systemProcesses.self();
    expect(self.pid).toBe(process.pid);
    expect(await systemProcesses.self()).toEqual(self);
    if (onLinux)
      expect(self).toMatchObject({
        world: expect.stringMatching(/^[0-9a-f]{16}$/),
        startedAt: expect.stringMatching(/^\d+$/),
      });
  });

  it('is not judged by its id from another world, or by one that knows nothing of itself', async () => {
    const self = await systemProcesses.self();
    const other = { ...self, pid: 1 };
    expect(await systemProcesses.stateOf({ ...other, world: 'f'.repeat(16) }, self)).toBe('unknown');
    expect(await systemProcesses.stateOf({ ...other, world: '' }, { ...self, world: '' })).toBe('unknown');
  });

  it('is not judged by its id from another of its own threads', async () => {
    const self = await systemProcesses.self();
    expect(await systemProcesses.stateOf(self, self)).toBe('unknown');
  });
});

describe.skipIf(!onLinux)('another process', () => {
  it('lives, is a zombie, is gone, or is another one with the same id', async () => {
    const self = await systemProcesses.self();
    // The shell never waits for its child, which is a zombie from its end on.
    const parent = spawn('sh', ['-c', 'sleep 0.2 & echo $!; exec sleep 60'], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    try {
      const [line] = (await once(parent.stdout, 'data')) as [Buffer];
      const pid = Number(String(line));
      const startedAt = statOf(pid)[19] ?? '';
      const owner = { world: self.world, pid, startedAt };
      expect(await systemProcesses.stateOf(owner, self)).toBe('alive');
      expect(await systemProcesses.stateOf({ ...owner, startedAt: '1' }, self)).toBe('dead');
      expect(await systemProcesses.stateOf({ ...owner, startedAt: '' }, self)).toBe('unknown');
      while (statOf(pid)[0] !== 'Z') await setTimeout(20);
      expect(await systemProcesses.stateOf(owner, self)).toBe('dead');
      parent.kill('SIGKILL');
      await once(parent, 'exit');
      expect(
        await systemProcesses.stateOf({ world: self.world, pid: parent.pid ?? 0, startedAt: '1' }, self),
      ).toBe('dead');
    } finally {
      parent.kill('SIGKILL');
    }
  });
});

function statOf(pid: number): string[] {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
}
