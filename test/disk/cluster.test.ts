import { readdirSync } from 'node:fs';
import { expect, it } from 'vitest';
import { expandSeen } from '../support/receiver/seen.ts';
import { startReceiver } from '../support/receiver-process.ts';
import { isLong, startCluster, temporaryDirectory, waitUntilEmpty } from './run-service.ts';

const kills = isLong ? 60 : 8;

it.each([2, 4])(
  `%i workers of a cluster, ${kills} times one is killed in an outage: nothing is lost or delivered twice, and no folder is left`,
  async (workers) => {
    using directory = temporaryDirectory();
    await using receiver = await startReceiver({ protocol: 'http', mode: 'status:500' });
    const options = {
      directory: directory.path,
      url: receiver.endpoint('traces'),
      everyMillis: 50,
      batchSize: 5,
    };
    await using services = await startCluster(
      { ...options, firstSpan: 0 },
      { workers, kills, everyMillis: 400 },
    );
    await services.waitForLine('rolled', { timeoutMillis: 600_000 });
    services.process.kill('SIGHUP');
    await receiver.mode('healthy');
    await waitUntilEmpty(directory.path, 180_000);
    const { seen, duplicates, distinct } = await receiver.stats();
    const arrived = expandSeen(seen);
    const accepted = services.accepted();
    const missing = accepted.filter((n) => !arrived.has(n));
    console.log(
      `${workers} workers, ${kills} kills: ${accepted.length} spans accepted, ${distinct} different ones arrived, ${duplicates} of them twice`,
    );
    expect(missing.slice(0, 10), `${missing.length} spans are missing`).toEqual([]);
    expect(duplicates).toBe(0);
    expect(accepted.length).toBeGreaterThan(kills * 5);
    expect(services.logs().filter((line) => /^(warn|error) disk/.test(line))).toEqual([]);
    services.process.kill('SIGTERM');
    await services.exited;
    expect(readdirSync(directory.path)).toEqual([]);
  },
);
