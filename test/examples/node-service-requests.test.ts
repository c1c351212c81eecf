import { connect } from 'node:net';
import { describe, expect, test } from 'vitest';
import { deadPort } from '../support/dead-port.ts';
import type { ExampleProcess } from './support/example-process.ts';
import { startExample } from './support/example-process.ts';

const start = (env: Readonly<Record<string, string>> = {}): Promise<ExampleProcess> =>
  startExample('node-service', env, '/orders/1');

/** The statuses of so many scrapes, the n-th with the header that `forwarded` gives for it. */
async function scrape(
  service: ExampleProcess,
  times: number,
  forwarded?: (n: number) => string,
): Promise<number[]> {
  const statuses: number[] = [];
  for (let n = 1; n <= times; n += 1) {
    const headers = forwarded === undefined ? undefined : { 'X-Forwarded-For': forwarded(n) };
    statuses.push((await service.request('/metrics', headers && { headers })).status);
  }
  return statuses;
}

describe('the limit of /metrics', () => {
  test('answers the sixth request in a minute with 429 and says when to come again', async () => {
    await using service = await start();
    expect(await scrape(service, 5)).toEqual([200, 200, 200, 200, 200]);
    const { status, headers, text } = await service.request('/metrics');
    expect(status).toBe(429);
    expect(headers.get('RateLimit')).toMatch(/^"5-in-1min"; r=0; t=\d+$/);
    expect(headers.get('RateLimit-Policy')).toContain('q=5; w=60');
    expect(Number(headers.get('Retry-After'))).toBeGreaterThan(50);
    expect(text).not.toContain('otel_circuit_breaker');
  });

  test('holds for HEAD, a query and other spellings of the path too', async () => {
    await using service = await start();
    await scrape(service, 5);
    for (const [path, method] of [
      ['/metrics', 'HEAD'],
      ['/metrics?again', 'GET'],
      ['/METRICS', 'GET'],
      ['/metrics/', 'GET'],
      ['/metrics', 'POST'],
    ] as const) {
      expect([path, method, (await service.request(path, { method })).status]).toEqual([path, method, 429]);
    }
    expect(await raw(service, `GET ${service.url}/metrics HTTP/1.1\r\nHost: x`)).toMatch(/^HTTP\/1.1 429 /);
  });

  test('does not touch health and the rest', async () => {
    await using service = await start();
    await scrape(service, 6);
    for (let n = 1; n <= 20; n += 1) expect((await service.health()).httpStatus).toBe(200);
    expect((await service.request('/orders/1')).status).toBe(200);
  });

  test('is what the environment says', async () => {
    await using service = await start({ APP_METRICS_REQUESTS_PER_MINUTE: '2' });
    expect(await scrape(service, 3)).toEqual([200, 200, 429]);
  });

  test('is not to be got round by an invented X-Forwarded-For', async () => {
    await using service = await start();
    const statuses = await scrape(service, 6, (n) => `203.0.113.${n}`);
    expect(statuses).toEqual([200, 200, 200, 200, 200, 429]);
    expect(service.child.errorLines).toEqual([]);
  });

  test('counts the clients of a trusted proxy each by itself, and believes nobody else', async () => {
    await using service = await start({ TRUST_PROXY: '1' });
    expect(await scrape(service, 6, (n) => `203.0.113.${n}`)).toEqual([200, 200, 200, 200, 200, 200]);
    // The client invented the first address, the proxy appended the second.
    const statuses = await scrape(service, 6, (n) => `203.0.113.${n}, 198.51.100.1`);
    expect(statuses).toEqual([200, 200, 200, 200, 200, 429]);
  });
});

describe('odd requests', () => {
  test('HEAD is GET without a body', async () => {
    await using service = await start();
    for (const path of ['/health/telemetry', '/metrics']) {
      const get = await service.request(path);
      const head = await service.request(path, { method: 'HEAD' });
      expect([head.status, head.text]).toEqual([200, '']);
      for (const name of ['content-type', 'cache-control', 'content-length']) {
        expect(head.headers.get(name)).toBe(get.headers.get(name));
      }
    }
  });

  test('another method is a 405 that says which are allowed', async () => {
    await using service = await start({ APP_METRICS_REQUESTS_PER_MINUTE: '100' });
    for (const path of ['/health/telemetry', '/metrics']) {
      for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS']) {
        const { status, headers } = await service.request(path, { method });
        expect([status, headers.get('allow')]).toEqual([405, 'GET, HEAD']);
      }
    }
  });

  test('a query of 64 KiB is refused by Node itself, and the service lives', async () => {
    await using service = await start();
    const answer = await raw(service, `GET ${target(64)} HTTP/1.1\r\nHost: x`);
    expect(answer).toMatch(/^HTTP\/1.1 431 Request Header Fields Too Large\r\n/);
    expect((await service.request(target(15))).status).toBe(200);
  });

  test('a query of 64 KiB changes nothing where Node lets it through', async () => {
    await using service = await start({ NODE_OPTIONS: '--max-http-header-size=131072' });
    const { status, text } = await service.request(target(64));
    expect(status).toBe(200);
    expect(text).not.toContain('qqq');
  });

  test('no answer holds an error message, a URL or a header', async () => {
    await using dead = await deadPort();
    await using service = await startExample(
      'node-service',
      {
        APP_OTEL__EXPORTER_ENDPOINT: dead.url.replace('//', '//user:password@'),
        OTEL_EXPORTER_OTLP_PROTOCOL: 'http/protobuf',
        OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Bearer%20hush',
        APP_METRICS_REQUESTS_PER_MINUTE: '100',
        APP_ADMIN_TOKEN: 'let me in',
      },
      '/orders/1',
    );
    await service.serveUntil('OPEN');
    const answers: string[] = [];
    for (const path of ['/health/telemetry', '/metrics', '/orders/%zz', '/nowhere', '/admin/circuit/reset']) {
      for (const method of ['GET', 'POST', 'PUT']) {
        const { headers, text } = await service.request(path, { method });
        answers.push(`${path} ${JSON.stringify([...headers])} ${text}`);
      }
    }
    for (const answer of answers) {
      expect(answer).not.toMatch(/connect ECONNREFUSED|127\.0\.0\.1|password|hush|let me in|v1\/traces/);
      expect(answer).not.toMatch(/node_modules|URIError|x-powered-by/i);
    }
  });
});

/** Health with a query of so many KiB. */
function target(kibibytes: number): string {
  return `/health/telemetry?${'q'.repeat(kibibytes * 1_024)}`;
}

/** Sends a request as it stands, and reads until the server closes the connection, by a reset if need be. */
async function raw({ port }: ExampleProcess, head: string): Promise<string> {
  const socket = connect(port, '127.0.0.1').setEncoding('utf8');
  socket.write(`${head}\r\nConnection: close\r\n\r\n`);
  let received = '';
  socket.on('data', (chunk) => {
    received += chunk;
  });
  socket.on('error', () => {});
  await new Promise((resolve) => socket.once('close', resolve));
  return received;
}
