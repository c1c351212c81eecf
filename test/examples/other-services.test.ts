import { describe, expect, test } from 'vitest';
import { deadPort } from '../support/dead-port.ts';
import { startReceiver } from '../support/receiver-process.ts';
import { startExample } from './support/example-process.ts';

const METRICS_TYPE = 'text/plain; version=0.0.4; charset=utf-8';
const CLOSED = 'otel_circuit_breaker_state{name="otlp",state="closed"} 1';
const OPEN = 'otel_circuit_breaker_state{name="otlp",state="open"} 1';

describe.each(['fastify', 'fetch'] as const)('%s', (name) => {
  test('health is 200 while closed, 503 while open, and 200 again', async () => {
    await using collector = await startReceiver({ protocol: 'http' });
    await using service = await startExample(name, { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url });
    expect(await service.health()).toMatchObject({ httpStatus: 200, body: { status: 'healthy' } });
    await collector.mode('status:500');
    await service.serveUntil('OPEN');
    expect(await service.health()).toMatchObject({ httpStatus: 503, body: { status: 'unhealthy' } });
    await collector.mode('healthy');
    await service.serveUntil('CLOSED');
    expect(await service.health()).toMatchObject({ httpStatus: 200, body: { status: 'healthy' } });
    expect((await collector.stats()).names['GET']).toBeGreaterThan(0);
  });

  test('metrics show the state before anything has happened, HEAD shows no body', async () => {
    await using dead = await deadPort();
    await using service = await startExample(name, { OTEL_EXPORTER_OTLP_ENDPOINT: dead.url });
    const get = await service.request('/metrics');
    expect(get.status).toBe(200);
    expect(get.headers.get('content-type')).toBe(METRICS_TYPE);
    expect(get.headers.get('cache-control')).toBe('no-store');
    expect(get.text.split('\n')).toContain(CLOSED);
    for (const path of ['/metrics', '/health/telemetry']) {
      const head = await service.request(path, { method: 'HEAD' });
      expect([head.status, head.text]).toEqual([200, '']);
    }
  });

  test('no answer holds an error message, a URL or a header', async () => {
    await using dead = await deadPort();
    await using service = await startExample(name, {
      OTEL_EXPORTER_OTLP_ENDPOINT: dead.url,
      OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Bearer%20hush',
    });
    await service.serveUntil('OPEN');
    const health = await service.request('/health/telemetry');
    const metrics = await service.request('/metrics');
    expect(metrics.text.split('\n')).toContain(OPEN);
    expect(health.text + metrics.text).not.toMatch(/connect ECONNREFUSED|127\.0\.0\.1|hush/);
  });

  test('SIGTERM sends the last spans, and ends the service by itself', async () => {
    await using collector = await startReceiver({ protocol: 'http' });
    await using service = await startExample(name, {
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
      OTEL_BSP_SCHEDULE_DELAY: '60000',
    });
    await service.request('/');
    expect(await service.child.kill('SIGTERM')).toEqual({ code: 0, signal: null });
    expect((await collector.stats()).names).toEqual({ GET: 1 });
  });
});

test('fastify answers the sixth scrape in a minute with 429, whatever X-Forwarded-For says', async () => {
  await using dead = await deadPort();
  await using service = await startExample('fastify', { OTEL_EXPORTER_OTLP_ENDPOINT: dead.url });
  const scrape = (n: number) =>
    service.request('/metrics', { headers: { 'X-Forwarded-For': `203.0.113.${n}` } });
  for (let n = 1; n <= 5; n += 1) expect((await scrape(n)).status).toBe(200);
  const { status, headers } = await scrape(6);
  expect(status).toBe(429);
  expect(headers.get('ratelimit-limit')).toBe('5');
  expect(headers.get('ratelimit-remaining')).toBe('0');
  expect(Number(headers.get('retry-after'))).toBeGreaterThan(50);
  expect((await service.health()).httpStatus).toBe(200);
});

test('fetch answers another method with 405, and leaves other paths to the service', async () => {
  await using dead = await deadPort();
  await using service = await startExample('fetch', { OTEL_EXPORTER_OTLP_ENDPOINT: dead.url });
  const { status, headers } = await service.request('/metrics', { method: 'POST' });
  expect([status, headers.get('allow')]).toEqual([405, 'GET, HEAD']);
  expect(JSON.parse((await service.request('/')).text)).toEqual({ service: 'fetch-service' });
});

test('prom-client and the breaker share one page of metrics', async () => {
  await using collector = await startReceiver({ protocol: 'http' });
  await using service = await startExample('prom-client', { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url });
  await service.request('/');
  const { headers, text } = await service.request('/metrics');
  expect(headers.get('content-type')).toBe(METRICS_TYPE);
  const lines = text.split('\n');
  expect(lines).toContain('app_requests_total 1');
  expect(lines).toContain(CLOSED);
  const types = lines.filter((line) => line.startsWith('# TYPE '));
  expect(types).toContain('# TYPE process_cpu_seconds_total counter');
  expect(types).toContain('# TYPE otel_circuit_breaker_state gauge');
  expect(new Set(types).size).toBe(types.length);
  expect(text.endsWith('\n')).toBe(true);
  expect(await service.child.kill('SIGTERM')).toEqual({ code: 0, signal: null });
  expect((await collector.stats()).names['GET']).toBeGreaterThan(0);
});

describe('telemetry.mjs, the quick start', () => {
  test('brings traces, metrics and logs to a service, the last of them at SIGTERM', async () => {
    await using collector = await startReceiver({ protocol: 'http' });
    await using app = await startExample('telemetry', {
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
      OTEL_BSP_SCHEDULE_DELAY: '60000',
    });
    expect((await app.request('/')).text).toBe('hello\n');
    expect(await app.child.kill('SIGTERM')).toEqual({ code: 0, signal: null });
    const { names } = await collector.stats();
    expect(names).toMatchObject({ GET: 1, hello: 1, 'http.server.request.duration': expect.any(Number) });
    expect(app.child.errorLines).toEqual([]);
  });

  test('tells of an outage in one line for each circuit, and in health', async () => {
    await using dead = await deadPort();
    await using app = await startExample('telemetry', { OTEL_EXPORTER_OTLP_ENDPOINT: dead.url });
    await app.serveUntil('OPEN');
    for (let n = 1; n <= 100; n += 1) await app.request('/');
    expect(await app.health()).toMatchObject({ httpStatus: 503, body: { status: 'unhealthy' } });
    expect(await app.child.kill('SIGTERM')).toEqual({ code: 0, signal: null });
    const opened = app.child.errorLines.filter((line) => line.includes('" opened after 3 failures in a row'));
    expect(opened.length).toBeGreaterThan(0);
    expect(new Set(opened.map((line) => line.split(' ')[1])).size).toBe(opened.length);
    expect(app.child.errorLines.length).toBeLessThan(10);
  });
});
