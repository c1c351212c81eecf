import { readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';
import { describe, expect, test } from 'vitest';
import { deadPort } from '../support/dead-port.ts';
import { startReceiver } from '../support/receiver-process.ts';
import { waitFor } from '../support/wait-for.ts';
import type { ExampleProcess } from './support/example-process.ts';
import { startExample } from './support/example-process.ts';

const ISO = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
const STATE = 'otel_circuit_breaker_state{name="otlp",state=';

const start = (env: Readonly<Record<string, string>>): Promise<ExampleProcess> =>
  startExample('node-service', env, '/orders/1');

describe.each([
  { protocol: 'grpc', receiver: 'grpc', refusing: 'status:13' },
  { protocol: 'http/protobuf', receiver: 'http', refusing: 'status:500' },
  { protocol: 'http/json', receiver: 'http', refusing: 'status:500' },
] as const)('over $protocol', ({ protocol, receiver, refusing }) => {
  test('health is 200 while closed, 503 while open, also while a slow probe is in flight, and 200 again', async () => {
    await using collector = await startReceiver({ protocol: receiver });
    await using service = await start({
      APP_OTEL__EXPORTER_ENDPOINT: collector.url,
      OTEL_EXPORTER_OTLP_PROTOCOL: protocol,
      OTEL_EXPORTER_OTLP_TIMEOUT: '1500',
    });

    const first = await service.health();
    expect(first.httpStatus).toBe(200);
    expect(first.body).toMatchObject({
      status: 'healthy',
      circuit_breaker: { name: 'otlp', state: 'CLOSED', not_closed_since: null, last_failure: null },
      timestamp: expect.stringMatching(ISO),
    });

    await service.request('/orders/1');
    // A server span of the HTTP instrumentation, and the route's own.
    await waitFor(async () => (await collector.stats()).names['load order'], { what: 'the first trace' });
    expect((await collector.stats()).names).toMatchObject({ GET: 1, 'load order': 1 });
    await waitFor(async () => (await service.health()).body.circuit_breaker['last_success_at'], {
      what: 'the first success',
    });

    await collector.mode(refusing);
    await service.serveUntil('OPEN');
    const open = await service.health();
    expect(open.httpStatus).toBe(503);
    expect(open.body).toMatchObject({
      status: 'unhealthy',
      circuit_breaker: {
        consecutive_failures: 3,
        since: expect.stringMatching(ISO),
        not_closed_since: expect.stringMatching(ISO),
        last_failure: { code: expect.any(Number), at: expect.stringMatching(ISO) },
        last_success_at: expect.stringMatching(ISO),
      },
      timestamp: expect.stringMatching(ISO),
    });

    await collector.mode('hang');
    await service.serveUntil('HALF_OPEN');
    const probing = await service.health();
    expect(probing).toMatchObject({
      httpStatus: 503,
      body: { status: 'unhealthy', circuit_breaker: { state: 'HALF_OPEN' } },
    });

    await collector.mode('healthy');
    await service.serveUntil('CLOSED');
    expect(await service.health()).toMatchObject({ httpStatus: 200, body: { status: 'healthy' } });
    const outage = service.child.lines.filter((line) => line.startsWith('circuit "otlp" closed again'));
    expect(outage).toHaveLength(1);
  });
});

test('metrics show the state before anything has happened', async () => {
  await using dead = await deadPort();
  await using service = await start({ APP_OTEL__EXPORTER_ENDPOINT: dead.url });
  const { status, headers, text } = await service.request('/metrics');
  expect(status).toBe(200);
  expect(headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
  const lines = text.split('\n');
  expect(lines).toContain('# TYPE otel_circuit_breaker_state gauge');
  expect(lines).toContain(`${STATE}"closed"} 1`);
  expect(lines).toContain(`${STATE}"open"} 0`);
  expect(lines).toContain(`${STATE}"half_open"} 0`);
});

test('metrics show an outage', async () => {
  await using dead = await deadPort();
  await using service = await start({ APP_OTEL__EXPORTER_ENDPOINT: dead.url });
  await service.serveUntil('OPEN');
  const lines = (await service.request('/metrics')).text.split('\n');
  expect(lines).toContain(`${STATE}"closed"} 0`);
  expect(lines).toContain('otel_circuit_breaker_exports_total{name="otlp",result="failure"} 3');
  expect(lines).toContain('otel_circuit_breaker_transitions_total{name="otlp",from="closed",to="open"} 1');
});

test('telemetry, its limits and the probes of Kubernetes make no spans', async () => {
  await using collector = await startReceiver({ protocol: 'grpc' });
  await using service = await start({ APP_OTEL__EXPORTER_ENDPOINT: collector.url });
  for (const path of ['/health/telemetry?verbose', '/metrics', '/healthz', '/orders/2']) {
    expect((await service.request(path)).status).toBe(200);
  }
  await service.child.kill('SIGTERM');
  expect((await collector.stats()).names).toEqual({ GET: 1, 'load order': 1 });
});

test('a sample rate of 0 makes no traces, and leaves the circuit alone', async () => {
  await using collector = await startReceiver({ protocol: 'grpc' });
  await using service = await start({
    APP_OTEL__EXPORTER_ENDPOINT: collector.url,
    APP_OTEL__SAMPLE_RATE: '0',
  });
  expect((await service.request('/orders/1')).status).toBe(200);
  await service.child.kill('SIGTERM');
  expect((await collector.stats()).requests).toBe(0);
});

describe('without an endpoint', () => {
  test('the service works, health says N/A, metrics say so', async () => {
    await using service = await start({ APP_OTEL__EXPORTER_ENDPOINT: '', APP_ADMIN_TOKEN: 'let me in' });
    expect(JSON.parse((await service.request('/orders/7')).text)).toEqual({ id: '7', state: 'shipped' });
    expect(await service.health()).toEqual({
      httpStatus: 200,
      body: {
        status: 'healthy',
        circuit_breaker: { state: 'N/A', reason: 'OTLP exporter not configured' },
        timestamp: expect.stringMatching(ISO),
      },
    });
    const metrics = await service.request('/metrics');
    expect(metrics.status).toBe(200);
    expect(metrics.text).toMatch(/^# .*not configured\n$/);
    const forced = await service.request('/admin/circuit/reset', {
      method: 'POST',
      headers: { Authorization: 'Bearer let me in' },
    });
    expect(forced.status).toBe(404);
    expect(await service.child.kill('SIGTERM')).toEqual({ code: 0, signal: null });
    expect(service.child.errorLines).toEqual([]);
  });
});

describe('the threshold', () => {
  test('of the environment holds', async () => {
    await using dead = await deadPort();
    await using service = await start({
      APP_OTEL__EXPORTER_ENDPOINT: dead.url,
      APP_OTEL__CIRCUIT_BREAKER_THRESHOLD: '2',
    });
    await service.serveUntil('OPEN');
    expect(service.child.errorLines).toContainEqual(
      expect.stringContaining('"otlp" opened after 2 failures in a row'),
    );
  });

  test('is 3, with one warning, where it makes no sense', async () => {
    await using dead = await deadPort();
    await using service = await start({
      APP_OTEL__EXPORTER_ENDPOINT: dead.url,
      APP_OTEL__CIRCUIT_BREAKER_THRESHOLD: 'many',
    });
    await service.serveUntil('OPEN');
    const { errorLines } = service.child;
    expect(errorLines.filter((line) => line.includes('APP_OTEL__CIRCUIT_BREAKER_THRESHOLD'))).toEqual([
      'APP_OTEL__CIRCUIT_BREAKER_THRESHOLD must be a positive integer, got "many"; the default stands',
    ]);
    expect(errorLines).toContainEqual(expect.stringContaining('"otlp" opened after 3 failures in a row'));
  });
});

test('each bad value of the environment is one warning, and the default stands', async () => {
  await using service = await start({
    APP_OTEL__EXPORTER_ENDPOINT: 'collector:4317/secret',
    OTEL_EXPORTER_OTLP_PROTOCOL: 'smoke',
    APP_OTEL__SAMPLE_RATE: '1.5',
    APP_METRICS_REQUESTS_PER_MINUTE: '0',
    TRUST_PROXY: 'yes',
  });
  const { headers } = await service.request('/metrics');
  expect(headers.get('RateLimit-Policy')).toContain('q=5');
  expect((await service.health()).body.circuit_breaker.state).toBe('N/A');
  expect(service.child.errorLines).toEqual([
    'APP_OTEL__EXPORTER_ENDPOINT must be an http or https URL; traces are not exported',
    'OTEL_EXPORTER_OTLP_PROTOCOL must be one of grpc, http/protobuf, http/json, got "smoke"; grpc stands',
    'APP_OTEL__SAMPLE_RATE must be a number from 0 to 1, got "1.5"; 1 stands',
    expect.stringMatching(
      /^APP_METRICS_REQUESTS_PER_MINUTE must be a whole number from 1 .*, got "0"; 5 stands$/,
    ),
    expect.stringMatching(/^TRUST_PROXY must be a whole number from 0 .*, got "yes"; 0 stands$/),
  ]);
});

test('.env.example is a working configuration', async () => {
  const example = readFileSync(new URL('../../examples/node-service/.env.example', import.meta.url), 'utf8');
  await using dead = await deadPort();
  await using service = await start({
    ...(parseEnv(example) as Record<string, string>),
    APP_OTEL__EXPORTER_ENDPOINT: dead.url,
    PORT: '0',
  });
  expect(await service.health()).toMatchObject({
    httpStatus: 200,
    body: { circuit_breaker: { state: 'CLOSED' } },
  });
  expect(service.child.errorLines).toEqual([]);
});

describe('the circuit by hand', () => {
  const token = 'correct horse battery staple';
  const post = (service: ExampleProcess, action: string, authorization?: string) =>
    service.request(`/admin/circuit/${action}`, {
      method: 'POST',
      ...(authorization !== undefined && { headers: { Authorization: authorization } }),
    });

  test('opens, closes and goes back to automatic for whoever has the token', async () => {
    await using dead = await deadPort();
    await using service = await start({ APP_OTEL__EXPORTER_ENDPOINT: dead.url, APP_ADMIN_TOKEN: token });
    const answers = [];
    for (const action of ['force-open', 'force-closed', 'reset']) {
      const { status, text } = await post(service, action, `Bearer ${token}`);
      answers.push([status, JSON.parse(text), (await service.health()).httpStatus]);
    }
    expect(answers).toEqual([
      [200, { state: 'OPEN', forced: 'OPEN' }, 503],
      [200, { state: 'CLOSED', forced: 'CLOSED' }, 200],
      [200, { state: 'CLOSED', forced: null }, 200],
    ]);
  });

  test('is out of reach without the token, and does not exist where none is set', async () => {
    await using dead = await deadPort();
    await using service = await start({ APP_OTEL__EXPORTER_ENDPOINT: dead.url, APP_ADMIN_TOKEN: token });
    await using closed = await start({ APP_OTEL__EXPORTER_ENDPOINT: dead.url });
    for (const authorization of [undefined, 'Bearer', `Bearer ${token}!`, token]) {
      expect((await post(service, 'force-open', authorization)).status).toBe(401);
    }
    expect((await service.health()).httpStatus).toBe(200);
    for (const authorization of [undefined, 'Bearer ', 'Bearer undefined']) {
      expect((await post(closed, 'force-open', authorization)).status).toBe(404);
    }
  });
});
