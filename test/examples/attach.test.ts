import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, inject, test } from 'vitest';
import { startChild } from '../support/child-process.ts';
import { deadPort } from '../support/dead-port.ts';
import { startReceiver } from '../support/receiver-process.ts';
import { waitFor } from '../support/wait-for.ts';

const folder = join(inject('examplesFolder'), 'attach');

/** Starts the example as its `npm start` does. */
async function start(env: Readonly<Record<string, string>>) {
  const { scripts } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const [node, ...args] = (scripts.start as string).split(' ');
  expect(node).toBe('node');
  // The port that the system gave to this one and took back.
  const health = await deadPort();
  await health.release();
  const child = await startChild(process.execPath, args, {
    cwd: folder,
    env: {
      PATH: process.env['PATH'],
      PORT: '0',
      OTEL_NODE_RESOURCE_DETECTORS: 'none',
      OTEL_BSP_SCHEDULE_DELAY: '200',
      OTEL_CIRCUIT_BREAKER_COOLDOWN: '300',
      OTEL_CIRCUIT_BREAKER_HEALTH_PORT: String(health.port),
      ...env,
    },
  });
  const port = (await child.waitForLine('listening on port ', { timeoutMillis: 20_000 })).split(' ').at(-1);
  return {
    child,
    get: () => fetch(`http://127.0.0.1:${port}/`).then((response) => response.text()),
    async states(): Promise<Record<string, string>> {
      const response = await fetch(`http://127.0.0.1:${health.port}/health/telemetry`);
      const { circuit_breakers } = (await response.json()) as {
        circuit_breakers: { name: string; state: string }[];
      };
      return Object.fromEntries(circuit_breakers.map(({ name, state }) => [name, state]));
    },
    [Symbol.asyncDispose]: child[Symbol.asyncDispose],
  };
}

test('an outage loses no span of a service that knows nothing of it', async () => {
  await using collector = await startReceiver({ protocol: 'http' });
  await using service = await start({
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    OTEL_EXPORTER_OTLP_TIMEOUT: '1000',
  });
  let requests = 0;
  const request = async (): Promise<void> => {
    expect(await service.get()).toBe('hello\n');
    requests++;
  };
  await request();
  await waitFor(async () => (await collector.stats()).names['GET'] === 1, { what: 'the first span' });
  expect(Object.keys(await service.states())).toEqual(['traces', 'metrics', 'logs']);

  await collector.kill();
  await waitFor(
    async () => {
      await request();
      return (await service.states())['traces'] === 'OPEN';
    },
    { what: 'the circuit to open', timeoutMillis: 20_000, intervalMillis: 200 },
  );
  await collector.restart();
  await waitFor(
    async () => {
      await request();
      return (await service.states())['traces'] === 'CLOSED';
    },
    { what: 'the circuit to close', timeoutMillis: 20_000, intervalMillis: 200 },
  );
  // What was kept follows behind live spans.
  await waitFor(
    async () => {
      const arrived = (await collector.stats()).names['GET'] === requests;
      if (!arrived) await request();
      return arrived;
    },
    { what: 'every span to arrive', timeoutMillis: 20_000, intervalMillis: 500 },
  );
});

test('SIGTERM ends the service during an outage', async () => {
  await using dead = await deadPort();
  await using service = await start({ OTEL_EXPORTER_OTLP_ENDPOINT: dead.url });
  await service.get();
  await waitFor(async () => (await service.states())['traces'], { what: 'the first batch' });
  const began = performance.now();
  expect(await service.child.kill('SIGTERM')).toEqual({ code: 0, signal: null });
  expect(performance.now() - began).toBeLessThan(5_000);
});
