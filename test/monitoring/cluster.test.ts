import { createServer } from 'node:net';
import { expect, it } from 'vitest';
import { startNode } from '../support/child-process.ts';
import { waitFor } from '../support/wait-for.ts';
import { PACK } from './pack.ts';

/** The metrics of each worker, as its own port gives them: the Unix time of its creation tells the processes apart. */
async function born(metricsPort: number, slot: number): Promise<string> {
  const response = await fetch(`http://127.0.0.1:${metricsPort + slot}/metrics`);
  const text = await response.text();
  return (
    /^otel_circuit_breaker_last_transition_timestamp_seconds\{name="traces"\} (\S+)$/m.exec(text)?.[1] ?? ''
  );
}

it('each worker of the cluster example has its own metrics, also after it was started again', async () => {
  const [appPort, metricsPort] = await twoPorts();
  await using _primary = await startNode(`${PACK}/cluster.mjs`, [], {
    ownGroup: true,
    env: {
      ...process.env,
      WORKERS: '2',
      APP_PORT: String(appPort),
      METRICS_PORT: String(metricsPort),
      OTEL_TRACES_EXPORTER: 'none',
    },
  });
  const bornAt = (slot: number) =>
    waitFor(() => born(metricsPort, slot).catch(() => ''), {
      what: `the metrics of worker ${slot}`,
      timeoutMillis: 20_000,
    });
  const first = await bornAt(1);
  const second = await bornAt(2);

  // Behind the port of the service the workers take turns; behind its own, each is always itself.
  const processes = new Map<string, number>();
  await waitFor(
    async () => {
      const answer = await fetch(`http://127.0.0.1:${appPort}/`, { headers: { connection: 'close' } });
      const [, slot = '', pid = ''] = /^worker (\d), process (\d+)\n$/.exec(await answer.text()) ?? [];
      processes.set(slot, Number(pid));
      return processes.size === 2;
    },
    { what: 'an answer of each worker', timeoutMillis: 20_000 },
  );
  for (let scrape = 0; scrape < 5; scrape++) {
    expect([await bornAt(1), await bornAt(2)]).toEqual([first, second]);
  }

  process.kill(processes.get('2') as number, 'SIGKILL');
  await waitFor(async () => (await bornAt(2)) !== second, {
    what: 'another worker in slot 2',
    timeoutMillis: 20_000,
  });
  expect(await bornAt(1)).toBe(first);
});

/**
 * Ports that were free a moment ago, of the service and the one below those of the workers: three in a row, below the range
 * from which the system gives ports to everybody else.
 */
async function twoPorts(): Promise<[number, number]> {
  for (;;) {
    const first = 20_000 + Math.floor(Math.random() * 10_000);
    const row = [first, first + 1, first + 2];
    if ((await Promise.all(row.map(isFree))).every(Boolean)) return [first, first];
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
