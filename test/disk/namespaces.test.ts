import { spawnSync } from 'node:child_process';
import { readdirSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { expandSeen } from '../support/receiver/seen.ts';
import { startReceiver } from '../support/receiver-process.ts';
import { waitFor } from '../support/wait-for.ts';
import { isLong, pause, startService, temporaryDirectory, waitUntilEmpty } from './run-service.ts';

const UNSHARE = ['unshare', '--pid', '--fork', '--kill-child'];
const canUnshare = spawnSync('unshare', ['--pid', '--fork', 'true']).status === 0;
const tookOver = (line: string): boolean => line.includes('took over');

/** Makes heartbeats two minutes old, so that the short form need not wait for that. */
function age(directory: string): void {
  const then = new Date(Date.now() - 120_000);
  for (const folder of readdirSync(directory)) utimesSync(join(directory, folder, 'alive'), then, then);
}

/** As in a container, and as where the process sees the /proc of the namespace above. */
const kinds = [
  ['with a /proc of their own', [...UNSHARE, '--mount-proc']],
  ['without one', UNSHARE],
] as const;

describe.skipIf(!canUnshare).each(kinds)('processes in pid namespaces of their own, %s', (_, unshare) => {
  it('both pid 1, both alive: neither takes what the other has', async () => {
    using directory = temporaryDirectory();
    await using receiver = await startReceiver({ protocol: 'http', mode: 'status:500' });
    const options = {
      directory: directory.path,
      url: receiver.endpoint('traces'),
      batchSize: 5,
      everyMillis: 100,
    };
    await using first = await startService({ ...options, firstSpan: 0 }, unshare);
    await first.waitForLine('accepted 5', { timeoutMillis: 30_000 });
    await using second = await startService({ ...options, firstSpan: 100_000 }, unshare);
    await second.waitForLine('accepted 100005', { timeoutMillis: 30_000 });
    // Long enough for each to look for dead ones twice.
    if (isLong) await pause(150_000);
    expect([...first.logs(), ...second.logs()].filter(tookOver)).toEqual([]);
    const folders = readdirSync(directory.path);
    expect(folders).toHaveLength(2);
    for (const folder of folders) expect(folder).toMatch(/^traces\.([0-9a-f]{16}|x)-1-(\d+|x)\./);
  });

  it('one is killed: the other takes over what it had, a minute later', async () => {
    using directory = temporaryDirectory();
    await using receiver = await startReceiver({ protocol: 'http', mode: 'status:500' });
    const options = { directory: directory.path, url: receiver.endpoint('traces'), everyMillis: 100 };
    const another = () => startService({ ...options, batchSize: 0, firstSpan: 100_000 }, unshare);
    await using first = await startService({ ...options, batchSize: 5, firstSpan: 0 }, unshare);
    await using early = isLong ? await another() : undefined;
    await first.waitForLine('accepted 50', { timeoutMillis: 30_000 });
    const killedAt = Date.now();
    await first.kill('SIGKILL');
    await receiver.mode('healthy');
    if (!isLong) age(directory.path);
    await using late = isLong ? undefined : await another();
    await (early ?? late)?.waitForLine(tookOver, { timeoutMillis: 180_000 });
    if (isLong) {
      console.log(`taken over after ${((Date.now() - killedAt) / 1000).toFixed(0)} s`);
      expect(Date.now() - killedAt).toBeGreaterThan(45_000);
    }
    await waitUntilEmpty(directory.path, 60_000);
    const arrived = expandSeen((await receiver.stats()).seen);
    expect(first.accepted().filter((n) => !arrived.has(n))).toEqual([]);
  });

  it('one is stopped for longer than the heartbeat, taken over, and continued: nothing is lost', async () => {
    using directory = temporaryDirectory();
    await using receiver = await startReceiver({ protocol: 'http', mode: 'status:500' });
    const options = { directory: directory.path, url: receiver.endpoint('traces'), everyMillis: 50 };
    const another = () => startService({ ...options, batchSize: 5, firstSpan: 100_000 }, unshare);
    await using first = await startService({ ...options, batchSize: 5, firstSpan: 0 }, unshare);
    await using early = isLong ? await another() : undefined;
    await first.waitForLine('accepted 50', { timeoutMillis: 30_000 });
    await first.stop();
    if (!isLong) age(directory.path);
    await using second = early ?? (await another());
    await second.waitForLine(tookOver, { timeoutMillis: 180_000 });
    // Half of what was taken over is delivered and deleted before the other one wakes up.
    await receiver.mode('healthy');
    await waitFor(async () => (await receiver.stats()).distinct > 25, {
      what: 'deliveries',
      timeoutMillis: 30_000,
    });
    await receiver.mode('status:500');
    const before = first.accepted().length;
    first.cont();
    await waitFor(() => first.accepted().length > before + 50, {
      what: 'more to be accepted',
      timeoutMillis: 30_000,
    });
    await receiver.mode('healthy');
    await pause(isLong ? 5_000 : 1_000);
    if (isLong) {
      const told = first.logs().filter((line) => line.includes('were taken over by another process'));
      expect(told).toHaveLength(1);
      expect(first.logs().filter((line) => line.includes('give up'))).toEqual([]);
    }
    await first.kill('SIGKILL');
    await second.kill('SIGKILL');
    if (!isLong) age(directory.path);
    await using third = await startService({ ...options, batchSize: 0, firstSpan: 0 }, unshare);
    await waitUntilEmpty(directory.path, 240_000);
    const { seen, duplicates } = await receiver.stats();
    const arrived = expandSeen(seen);
    const accepted = [...first.accepted(), ...second.accepted()];
    console.log(
      `${accepted.length} spans accepted, ${duplicates} arrived twice; ${third.logs().length} lines`,
    );
    expect(accepted.filter((n) => !arrived.has(n))).toEqual([]);
  });
});
