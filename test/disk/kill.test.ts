import { expect, it } from 'vitest';
import { expandSeen } from '../support/receiver/seen.ts';
import { startReceiver } from '../support/receiver-process.ts';
import { between, isLong, pause, startService, temporaryDirectory, waitUntilEmpty } from './run-service.ts';

const rounds = isLong ? 50 : 5;

it.each(['batch', 'none'] as const)(
  `kill -9 at any moment of an outage loses nothing that was accepted: ${rounds} rounds, sync: %s`,
  async (sync) => {
    using directory = temporaryDirectory();
    await using receiver = await startReceiver({ protocol: 'http', mode: 'status:500' });
    const options = { directory: directory.path, url: receiver.endpoint('traces'), sync, everyMillis: 20 };
    const accepted: number[] = [];
    for (let round = 0; round < rounds; round++) {
      // Every third time the backend is back, so that batches are deleted when the end comes.
      await receiver.mode(round % 3 === 2 ? 'healthy' : 'status:500');
      await using service = await startService({ ...options, firstSpan: round * 100_000, batchSize: 5 });
      await pause(between(100, 1_500));
      await service.kill('SIGKILL');
      accepted.push(...service.accepted());
    }
    await receiver.mode('healthy');
    await using last = await startService({ ...options, firstSpan: 0, batchSize: 0 });
    await waitUntilEmpty(directory.path, 120_000);
    const { recovered, delivered, lost } = await last.state();
    const { seen, duplicates, distinct } = await receiver.stats();
    const arrived = expandSeen(seen);
    const missing = accepted.filter((n) => !arrived.has(n));
    console.log(
      `sync ${sync}: ${rounds} rounds, ${accepted.length} spans accepted, ${distinct} different ones arrived, ${duplicates} of them twice; the last process took over ${recovered.items}`,
    );
    expect(missing.slice(0, 10), `${missing.length} spans are missing`).toEqual([]);
    expect(accepted.length).toBeGreaterThan(rounds * 5);
    expect(lost.items).toBeLessThanOrEqual(rounds);
    expect(delivered.items).toBeGreaterThan(0);
    expect(last.logs().filter((line) => !line.startsWith('info'))).toEqual([]);
  },
);
