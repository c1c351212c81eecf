import { once } from 'node:events';
import type { RequestListener } from 'node:http';
import { createServer, request } from 'node:http';
import * as http2 from 'node:http2';
import type { AddressInfo } from 'node:net';
import { diag } from '@opentelemetry/api';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { HandlerSource, TelemetryHandlerOptions } from '../../../src/adapters/http.ts';
import { createFetchHandler, createNodeHandler } from '../../../src/adapters/http.ts';
import { PROMETHEUS_CONTENT_TYPE, renderPrometheus } from '../../../src/adapters/prometheus.ts';
import { CircuitBreaker } from '../../../src/breaker/circuit-breaker.ts';
import { circuitSnapshot } from './snapshots.ts';

/** What came back, whichever server gave it. */
interface Answer {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly body: string;
}

type Ask = (method: string, target: string) => Promise<Answer>;

const servers: ReturnType<typeof createServer>[] = [];

afterEach(async () => {
  diag.disable();
  vi.useRealTimers();
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  }
});

async function listen(listener: RequestListener): Promise<Ask> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  servers.push(server);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return async (method, path) => {
    const sent = request({ host: '127.0.0.1', port, method, path, agent: false }).end();
    const [response] = await once(sent, 'response');
    let body = '';
    for await (const chunk of response.setEncoding('utf8')) body += chunk;
    return { status: response.statusCode, headers: response.headers, body };
  };
}

function overNode(source: HandlerSource, options?: TelemetryHandlerOptions): Promise<Ask> {
  return listen(createNodeHandler(source, options));
}

async function overFetch(source: HandlerSource, options?: TelemetryHandlerOptions): Promise<Ask> {
  const handler = createFetchHandler(source, options);
  return async (method, target) => {
    const url = new URL(target, 'http://127.0.0.1:8080');
    const response = handler(new Request(url, { method }));
    return {
      status: response.status,
      headers: Object.fromEntries(response.headers),
      body: await response.text(),
    };
  };
}

const open = circuitSnapshot({ state: 'OPEN' });

describe.each([
  ['createNodeHandler', overNode, createNodeHandler],
  ['createFetchHandler', overFetch, createFetchHandler],
])('%s', (owner, serve, create) => {
  it('serves the health report as JSON', async () => {
    const answer = await (await serve(circuitSnapshot()))('GET', '/health/telemetry');
    expect(answer.status).toBe(200);
    expect(answer.headers['content-type']).toBe('application/json; charset=utf-8');
    expect(JSON.parse(answer.body)).toMatchObject({
      status: 'healthy',
      circuit_breaker: { state: 'CLOSED' },
    });
  });

  it('answers 503 while the circuit is open, or what openStatus says', async () => {
    expect((await (await serve(open))('GET', '/health/telemetry')).status).toBe(503);
    expect((await (await serve(open, { openStatus: 200 }))('GET', '/health/telemetry')).status).toBe(200);
  });

  it('serves the Prometheus text', async () => {
    const answer = await (await serve(open))('GET', '/metrics');
    expect(answer.status).toBe(200);
    expect(answer.headers['content-type']).toBe(PROMETHEUS_CONTENT_TYPE);
    expect(answer.body).toBe(renderPrometheus(open));
  });

  it.each(['/health/telemetry', '/metrics'])(
    'forbids caches to keep %s, and states its length',
    async (path) => {
      const { headers, body } = await (await serve(circuitSnapshot({ name: 'größe ☃' })))('GET', path);
      expect(headers['cache-control']).toBe('no-store');
      expect(headers['content-length']).toBe(String(Buffer.byteLength(body)));
      expect(Buffer.byteLength(body)).toBeGreaterThan(body.length);
    },
  );

  it.each(['/health/telemetry', '/metrics', '/elsewhere'])(
    'answers HEAD %s as GET, without a body',
    async (path) => {
      vi.useFakeTimers({ toFake: ['Date'] });
      const ask = await serve(open);
      const { date: _, ...got } = (await ask('GET', path)).headers;
      const head = await ask('HEAD', path);
      const { date: __, ...headers } = head.headers;
      expect(head.status).toBe((await ask('GET', path)).status);
      expect(head.body).toBe('');
      expect(headers).toEqual(got);
      expect(Number(headers['content-length'])).toBeGreaterThan(0);
    },
  );

  it.each(['POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH'])(
    'answers %s with 405 and what is allowed',
    async (method) => {
      const ask = await serve(circuitSnapshot());
      for (const path of ['/health/telemetry', '/metrics?x=1']) {
        const answer = await ask(method, path);
        expect(answer.status).toBe(405);
        expect(answer.headers['allow']).toBe('GET, HEAD');
        expect(answer.headers['content-type']).toBe('text/plain; charset=utf-8');
        expect(answer.body).toBe('Method Not Allowed\n');
        expect(answer.headers['cache-control']).toBe('no-store');
      }
    },
  );

  it.each(['/', '/health', '/metrics/', '/metricsx', '/x/metrics', '//metrics', '/health/telemetry/x'])(
    'answers 404 on %s',
    async (path) => {
      const ask = await serve(circuitSnapshot());
      const answer = await ask('GET', path === '//metrics' ? 'http://127.0.0.1//metrics' : path);
      expect(answer.status).toBe(404);
      expect(answer.headers['content-type']).toBe('text/plain; charset=utf-8');
      expect(answer.body).toBe('Not Found\n');
      expect(answer.headers['cache-control']).toBe('no-store');
      expect((await ask('POST', '/')).status).toBe(404);
    },
  );

  it('ignores a query string, however long', async () => {
    const ask = await serve(circuitSnapshot());
    expect((await ask('GET', '/metrics?name[]=otlp&x=/health/telemetry')).body).toMatch(/^# HELP/);
    expect((await ask('GET', '/health/telemetry?/metrics')).body).toMatch(/^\{"status"/);
  });

  it('serves the paths that it is told, and only those', async () => {
    const ask = await serve(circuitSnapshot(), { healthPath: '/h', metricsPath: '/m%C3%A4' });
    expect((await ask('GET', '/h')).body).toMatch(/^\{"status"/);
    expect((await ask('GET', '/m%C3%A4')).body).toMatch(/^# HELP/);
    expect((await ask('GET', '/health/telemetry')).status).toBe(404);
    expect((await ask('GET', '/metrics')).status).toBe(404);
  });

  it('can serve the root', async () => {
    const ask = await serve(circuitSnapshot(), { healthPath: '/' });
    expect((await ask('GET', '/')).status).toBe(200);
    expect((await ask('GET', 'http://127.0.0.1:1')).status).toBe(200);
    expect((await ask('GET', 'http://127.0.0.1:1?x=/metrics')).body).toMatch(/^\{"status"/);
  });

  it('understands an absolute URL', async () => {
    const ask = await serve(circuitSnapshot());
    expect((await ask('GET', 'http://host.example:80/metrics?x=1')).body).toMatch(/^# HELP/);
    expect((await ask('GET', 'HTTPS://[::1]/health/telemetry#x')).body).toMatch(/^\{"status"/);
    expect((await ask('GET', 'http://metrics/elsewhere')).status).toBe(404);
  });

  it('says that nothing is configured where there is no source', async () => {
    const ask = await serve(undefined);
    expect(JSON.parse((await ask('GET', '/health/telemetry')).body)).toMatchObject({
      circuit_breaker: { state: 'N/A', reason: 'OTLP exporter not configured' },
    });
    expect((await ask('GET', '/metrics')).body).toBe(renderPrometheus(undefined));
  });

  it('asks a source function at each request', async () => {
    const source = vi.fn(() => (source.mock.calls.length === 1 ? undefined : [open]));
    const ask = await serve(source);
    expect(source).not.toHaveBeenCalled();
    expect((await ask('GET', '/health/telemetry')).status).toBe(200);
    expect((await ask('GET', '/health/telemetry')).status).toBe(503);
    expect((await ask('GET', '/metrics')).body).toContain(
      'otel_circuit_breaker_state{name="otlp",state="open"} 1',
    );
  });

  it('looks at a breaker at each request', async () => {
    const breaker = new CircuitBreaker();
    const ask = await serve(breaker);
    expect((await ask('GET', '/health/telemetry')).status).toBe(200);
    breaker.forceOpen();
    expect((await ask('GET', '/health/telemetry')).status).toBe(503);
  });

  it('takes the time of each request', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: 0 });
    const ask = await serve(undefined);
    expect((await ask('GET', '/health/telemetry')).body).toContain('"timestamp":"1970-01-01T00:00:00.000Z"');
    vi.setSystemTime(1_000);
    expect((await ask('GET', '/health/telemetry')).body).toContain('"timestamp":"1970-01-01T00:00:01.000Z"');
  });

  it('shows error messages only when asked', async () => {
    const failed = circuitSnapshot({
      lastFailure: { name: 'Error', code: 1, cause: null, message: 'secret', at: 0 },
    });
    expect((await (await serve(failed))('GET', '/health/telemetry')).body).not.toContain('secret');
    const telling = await serve(failed, { includeErrorMessages: true, now: 5 });
    expect((await telling('GET', '/health/telemetry')).body).toContain('secret');
    expect((await telling('GET', '/health/telemetry')).body).toContain('1970-01-01T00:00:00.005Z');
  });

  it('answers 500 without detail when rendering throws, and tells onError why', async () => {
    const onError = vi.fn();
    const thrown = new Error('secret');
    const ask = await serve(
      () => {
        throw thrown;
      },
      { onError },
    );
    for (const path of ['/health/telemetry', '/metrics']) {
      const answer = await ask('GET', path);
      expect(answer.status).toBe(500);
      expect(answer.body).toBe('Internal Server Error\n');
      expect(JSON.stringify(answer)).not.toContain('secret');
      expect(answer.headers['cache-control']).toBe('no-store');
      expect(onError).toHaveBeenLastCalledWith(`otel-circuit-breaker: ${path} could not be rendered`, thrown);
    }
    expect(onError).toHaveBeenCalledTimes(2);
    expect((await ask('HEAD', '/metrics')).status).toBe(500);
  });

  it('shows two breakers of one name, and tells onError once', async () => {
    const onError = vi.fn();
    const ask = await serve(() => [new CircuitBreaker(), new CircuitBreaker()], { onError });
    for (let scrape = 0; scrape < 3; scrape++) {
      const { status, body } = await ask('GET', '/metrics');
      expect(status).toBe(200);
      expect(body).toContain('otel_circuit_breaker_state{name="otlp",state="closed"} 1');
      expect(body).toContain('otel_circuit_breaker_state{name="otlp#2",state="closed"} 1');
    }
    expect((await ask('GET', '/health/telemetry')).status).toBe(200);
    expect(onError).toHaveBeenCalledExactlyOnceWith(
      'otel-circuit-breaker: more than one circuit breaker has the name "otlp"; one of them is shown as "otlp#2"',
      undefined,
    );
  });

  it('tells diag.error of breakers of one name in words alone, without an error and its stack', async () => {
    const error = vi.fn();
    diag.setLogger({ error, warn: vi.fn(), info: vi.fn(), debug: vi.fn(), verbose: vi.fn() });
    const ask = await serve(() => [new CircuitBreaker(), new CircuitBreaker()]);
    await ask('GET', '/metrics');
    expect(error.mock.calls).toEqual([[expect.stringContaining('shown as "otlp#2"')]]);
  });

  it('answers 500 where a source function returns a promise that rejects, and leaves no unhandled rejection', async () => {
    const unhandled = vi.fn();
    process.on('unhandledRejection', unhandled);
    const onError = vi.fn();
    const ask = await serve((() => Promise.reject(new Error('no'))) as never, { onError });
    expect((await ask('GET', '/health/telemetry')).status).toBe(500);
    expect((await ask('GET', '/metrics')).status).toBe(500);
    process.off('unhandledRejection', unhandled);
    expect(onError).toHaveBeenCalledTimes(2);
    expect(unhandled).not.toHaveBeenCalled();
  });

  it('answers 500 to a source function that is async', async () => {
    const onError = vi.fn();
    const ask = await serve((async () => open) as never, { onError });
    expect((await ask('GET', '/health/telemetry')).status).toBe(500);
    expect(onError).toHaveBeenCalledExactlyOnceWith(expect.any(String), expect.any(TypeError));
  });

  it('does not mind an onError that throws', async () => {
    const throwing = (): never => {
      throw new Error('no');
    };
    const ask = await serve(throwing, { onError: throwing });
    expect((await ask('GET', '/metrics')).status).toBe(500);
  });

  it('tells diag.error by default', async () => {
    const error = vi.fn();
    diag.setLogger({ error, warn: vi.fn(), info: vi.fn(), debug: vi.fn(), verbose: vi.fn() });
    const thrown = new Error('no');
    const ask = await serve(() => {
      throw thrown;
    });
    await ask('GET', '/metrics');
    expect(error).toHaveBeenCalledExactlyOnceWith(
      'otel-circuit-breaker: /metrics could not be rendered',
      thrown,
    );
  });

  const badPath = 'must be a path that begins with "/", in ASCII, without query';
  it.each<[Record<string, unknown>, typeof TypeError | typeof RangeError, string]>([
    [{ healthPath: 'health' }, TypeError, `option "healthPath" ${badPath}, got "health"`],
    [{ healthPath: 'x/health' }, TypeError, `option "healthPath" ${badPath}, got "x/health"`],
    [{ healthPath: ['/health'] }, TypeError, `option "healthPath" ${badPath}, got an array of 1`],
    [{ healthPath: '' }, TypeError, `option "healthPath" ${badPath}, got ""`],
    [{ metricsPath: '/metrics?x' }, TypeError, `option "metricsPath" ${badPath}, got "/metrics?x"`],
    [{ metricsPath: '/metrics#x' }, TypeError, `option "metricsPath" ${badPath}, got "/metrics#x"`],
    [{ metricsPath: '/größe' }, TypeError, `option "metricsPath" ${badPath}, got "/größe"`],
    [{ metricsPath: '/a b' }, TypeError, `option "metricsPath" ${badPath}, got "/a b"`],
    [{ metricsPath: 5 }, TypeError, `option "metricsPath" ${badPath}, got 5`],
    [{ metricsPath: '/health/telemetry' }, TypeError, 'options "healthPath" and "metricsPath" must differ'],
    [{ onError: 'log' }, TypeError, 'option "onError" must be a function, got "log"'],
    [{ openStatus: 99 }, RangeError, 'option "openStatus" must be an HTTP status'],
    [{ includeErrorMessages: 1 }, TypeError, 'option "includeErrorMessages" must be true or false, got 1'],
    [{ now: '0' }, TypeError, 'option "now" must be a time in Unix milliseconds, got "0"'],
    [{ path: '/metrics' }, TypeError, 'unknown option "path" ("/metrics")'],
  ])('refuses %j', (options, error, message) => {
    const attempt = () => create(undefined, options);
    expect(attempt).toThrow(error);
    expect(attempt).toThrow(`${owner}: ${message}`);
  });

  it('refuses anything that is not a source at once', () => {
    expect(() => create('otlp' as never)).toThrow(
      new TypeError(`${owner}: a source must be a snapshot, or have snapshot(), got "otlp"`),
    );
  });
});

describe('createNodeHandler, mounted in Express or Connect', () => {
  it('calls next() for other paths, and answers nothing', () => {
    const next = vi.fn();
    const response = { writeHead: vi.fn(), end: vi.fn() };
    createNodeHandler(undefined)({ method: 'POST', url: '/other?x=/metrics' }, response, next);
    expect(next).toHaveBeenCalledExactlyOnceWith();
    expect(response.writeHead).not.toHaveBeenCalled();
    expect(response.end).not.toHaveBeenCalled();
  });

  it('does not call next() for its own paths, whatever the method or the result', () => {
    const next = vi.fn();
    const response = { writeHead: vi.fn(), end: vi.fn() };
    const handler = createNodeHandler(
      () => {
        throw new Error('no');
      },
      { onError: () => {} },
    );
    handler({ method: 'GET', url: '/metrics' }, response, next);
    handler({ method: 'POST', url: '/metrics' }, response, next);
    expect(response.writeHead.mock.calls.map(([status]) => status)).toEqual([500, 405]);
    expect(next).not.toHaveBeenCalled();
  });

  it('passes on what next() throws, which is not its own', () => {
    const onError = vi.fn();
    const handler = createNodeHandler(undefined, { onError });
    const next = () => {
      throw new Error('of the app');
    };
    expect(() => handler({ method: 'GET', url: '/' }, { writeHead: vi.fn(), end: vi.fn() }, next)).toThrow(
      'of the app',
    );
    expect(onError).not.toHaveBeenCalled();
  });
});

describe('createNodeHandler', () => {
  it('serves HTTP/2, too', async () => {
    const server = http2.createServer(createNodeHandler(open)).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const client = http2.connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    try {
      const stream = client.request({ ':path': '/health/telemetry?x' });
      const [headers] = await once(stream, 'response');
      let body = '';
      for await (const chunk of stream.setEncoding('utf8')) body += chunk;
      expect(headers[':status']).toBe(503);
      expect(headers['cache-control']).toBe('no-store');
      expect(JSON.parse(body)).toMatchObject({ status: 'unhealthy' });
    } finally {
      client.destroy();
      server.close();
    }
  });

  it('takes a query string of 64 KiB', async () => {
    const handler = createNodeHandler(undefined);
    const response = { writeHead: vi.fn(), end: vi.fn() };
    handler({ method: 'GET', url: `/metrics?${'?/x'.repeat(22_000)}` }, response);
    expect(response.writeHead).toHaveBeenCalledExactlyOnceWith(200, expect.any(Object));
  });

  it('does not throw when the answer cannot be written, and tells onError', () => {
    const onError = vi.fn();
    const thrown = new Error('headers are sent');
    const response = {
      writeHead: () => {
        throw thrown;
      },
      end: vi.fn(),
    };
    createNodeHandler(undefined, { onError })({ method: 'GET', url: '/metrics' }, response);
    expect(onError).toHaveBeenCalledExactlyOnceWith(
      'otel-circuit-breaker: an answer could not be written',
      thrown,
    );
  });

  it('takes a request without method and URL as GET /, as the types of Node allow', () => {
    const response = { writeHead: vi.fn(), end: vi.fn() };
    createNodeHandler(undefined, { healthPath: '/' })({}, response);
    expect(response.writeHead).toHaveBeenCalledExactlyOnceWith(200, expect.any(Object));
    expect(response.end).toHaveBeenCalledExactlyOnceWith(expect.any(Uint8Array));
  });

  it('gives a response to HEAD no body, also where that would not drop it', () => {
    const response = { writeHead: vi.fn(), end: vi.fn() };
    createNodeHandler(undefined)({ method: 'HEAD', url: '/metrics' }, response);
    expect(response.end).toHaveBeenCalledExactlyOnceWith();
  });

  it.each(['*', '/x/http://host/metrics', 'metrics', '127.0.0.1:80', '://metrics', 'http:/metrics'])(
    'answers 404 to the request target %s',
    (url) => {
      const response = { writeHead: vi.fn(), end: vi.fn() };
      createNodeHandler(undefined)({ method: 'GET', url }, response);
      expect(response.writeHead).toHaveBeenCalledExactlyOnceWith(404, expect.any(Object));
    },
  );
});

describe('createFetchHandler', () => {
  it('answers at once, with a Response', () => {
    expect(createFetchHandler(undefined)(new Request('http://localhost/metrics'))).toBeInstanceOf(Response);
  });

  it('takes a query string of 64 KiB', () => {
    const request = new Request(`http://localhost/metrics?${'?/x'.repeat(22_000)}`);
    expect(createFetchHandler(undefined)(request).status).toBe(200);
  });
});
