import { connect } from 'node:net';
import { expect, test } from 'vitest';
import { deadPort } from '../support/dead-port.ts';
import { startReceiver } from '../support/receiver-process.ts';
import { waitFor } from '../support/wait-for.ts';
import type { ExampleProcess } from './support/example-process.ts';
import { startExample } from './support/example-process.ts';

// Without the library it takes up to 10 s. `npm run bench:outage` has the exact times: at most 1.5 s.
const PROMISED_MILLIS = 5_000;

const start = (env: Readonly<Record<string, string>>): Promise<ExampleProcess> =>
  startExample('node-service', env, '/orders/1');

/** Ends the service by SIGTERM. */
async function terminate({ child }: ExampleProcess): Promise<{ code: number | null; millis: number }> {
  const begin = performance.now();
  const { code } = await child.kill('SIGTERM');
  return { code, millis: performance.now() - begin };
}

test('SIGTERM sends the last spans, and ends the service by itself', async () => {
  await using collector = await startReceiver({ protocol: 'grpc' });
  await using service = await start({
    APP_OTEL__EXPORTER_ENDPOINT: collector.url,
    OTEL_BSP_SCHEDULE_DELAY: '60000',
  });
  await service.request('/orders/1');
  expect((await collector.stats()).spans).toBe(0);
  const { code, millis } = await terminate(service);
  expect(code).toBe(0);
  expect(millis).toBeLessThan(PROMISED_MILLIS);
  expect((await collector.stats()).names).toEqual({ GET: 1, 'load order': 1 });
  expect(service.child.errorLines).toEqual([]);
});

test('SIGTERM with a dead collector and an open circuit is over in 2 s', async () => {
  await using dead = await deadPort();
  await using service = await start({
    APP_OTEL__EXPORTER_ENDPOINT: dead.url,
    OTEL_CIRCUIT_BREAKER_COOLDOWN: '60000',
    OTEL_CIRCUIT_BREAKER_PROBE_EVERY: '1000',
  });
  await service.serveUntil('OPEN');
  await service.request('/orders/1');
  const { code, millis } = await terminate(service);
  expect(code).toBe(0);
  expect(millis).toBeLessThan(PROMISED_MILLIS);
});

test.each([
  { collector: 'dead', mode: undefined },
  { collector: 'hanging', mode: 'hang' },
] as const)(
  'SIGTERM with a $collector collector is over in 2 s before the circuit opens',
  async ({ mode }) => {
    await using dead = await deadPort();
    await using receiver = await startReceiver({ protocol: 'grpc', ...(mode && { mode }) });
    await using service = await start({
      APP_OTEL__EXPORTER_ENDPOINT: mode === undefined ? dead.url : receiver.url,
      // As they are in production.
      OTEL_EXPORTER_OTLP_TIMEOUT: '10000',
      OTEL_BSP_SCHEDULE_DELAY: '5000',
    });
    await service.request('/orders/1');
    const { code, millis } = await terminate(service);
    expect(code).toBe(0);
    expect(millis).toBeLessThan(PROMISED_MILLIS);
  },
);

test('a client that never finishes its request does not hold up the last spans', async () => {
  await using collector = await startReceiver({ protocol: 'grpc' });
  await using service = await start({
    APP_OTEL__EXPORTER_ENDPOINT: collector.url,
    OTEL_BSP_SCHEDULE_DELAY: '60000',
  });
  const socket = connect(service.port, '127.0.0.1').on('error', () => {});
  socket.write('POST /orders/1 HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n');
  await service.request('/orders/1');
  const { millis } = await terminate(service);
  expect(millis).toBeLessThan(PROMISED_MILLIS);
  await waitFor(async () => (await collector.stats()).names['load order'], { what: 'the last spans' });
  socket.destroy();
});
