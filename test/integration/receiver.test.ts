import { request } from 'node:http';
import { LoggerProvider, SimpleLogRecordProcessor } from '@opentelemetry/sdk-logs';
import { MeterProvider, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics';
import { describe, expect, it } from 'vitest';
import { numberedSpans } from '../support/numbered-spans.ts';
import { exported, IMPATIENT, PATIENT, protocols, send } from '../support/otlp-exporters.ts';
import { expandSeen, missingNumbers } from '../support/receiver/seen.ts';
import { startReceiver } from '../support/receiver-process.ts';
import { waitFor } from '../support/wait-for.ts';

describe.for(protocols)('a receiver of $name', { concurrent: true }, (protocol) => {
  it('counts spans one by one, and sees loss and duplication', async () => {
    await using receiver = await startReceiver({ protocol: protocol.server });
    const spans = numberedSpans(1, 10);

    expect(await send(protocol, receiver, spans.slice(0, 6))).toMatchObject({ code: 0 });
    expect(await send(protocol, receiver, spans.slice(4, 9))).toMatchObject({ code: 0 });

    const stats = await receiver.stats();
    expect(stats).toMatchObject({
      requests: 2,
      batches: 2,
      spans: 11,
      distinct: 9,
      duplicates: 2,
      seen: [
        [1, 4, 1],
        [5, 6, 2],
        [7, 9, 1],
      ],
      names: { numbered: 11 },
      byStatus: { [protocol.success]: 2 },
    });
    expect(stats.connections).toBeGreaterThan(0);
    expect(missingNumbers(stats.seen, 1, 10)).toEqual([10]);
    expect(expandSeen(stats.seen).get(5)).toBe(2);
  });

  it('counts log records by number and body', async () => {
    await using receiver = await startReceiver({ protocol: protocol.server });
    const exporter = protocol.logs(receiver.endpoint('logs'));
    const provider = new LoggerProvider({ processors: [new SimpleLogRecordProcessor({ exporter })] });
    const logger = provider.getLogger('test');

    logger.emit({ body: 'first', attributes: { n: 1 } });
    logger.emit({ body: 'second', attributes: { n: 2 } });
    await provider.shutdown();

    expect(await receiver.stats()).toMatchObject({
      logs: 2,
      seenLogs: [[1, 2, 1]],
      names: { first: 1, second: 1 },
      spans: 0,
    });
  });

  it('counts data points by temporality', async () => {
    await using receiver = await startReceiver({ protocol: protocol.server });
    const exporter = protocol.metrics(receiver.endpoint('metrics'));
    const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 60_000 });
    const provider = new MeterProvider({ readers: [reader] });
    const meter = provider.getMeter('test');

    meter.createCounter('requests').add(1, { route: '/a' });
    meter.createCounter('requests').add(1, { route: '/b' });
    meter.createUpDownCounter('open').add(1);
    meter.createGauge('heat').record(20);
    meter.createHistogram('latency').record(3);
    await provider.shutdown();

    expect(await receiver.stats()).toMatchObject({
      dataPoints: 5,
      names: { requests: 2, open: 1, heat: 1, latency: 1 },
      temporalities: { delta: 3, cumulative: 1, none: 1 },
    });
  });

  it('refuses with a status, and counts nothing as received', async () => {
    await using receiver = await startReceiver({ protocol: protocol.server, mode: 'status:503' });

    expect(await send(protocol, receiver, numberedSpans(1, 3), IMPATIENT)).toMatchObject({ code: 1 });

    expect(await receiver.stats()).toMatchObject({ spans: 0, refused: { spans: 3 }, byStatus: { 503: 1 } });
  });

  it('refuses only requests with a poisoned span', async () => {
    await using receiver = await startReceiver({ protocol: protocol.server, mode: 'poison' });
    const poisoned = numberedSpans(4, 1, { poison: true });

    expect(await send(protocol, receiver, numberedSpans(1, 3))).toMatchObject({ code: 0 });
    const { error } = await send(protocol, receiver, [...poisoned, ...numberedSpans(5, 2)]);

    expect(error).toMatchObject({ code: protocol.invalid });
    expect(await receiver.stats()).toMatchObject({ seen: [[1, 3, 1]], refused: { seen: [[4, 6, 1]] } });
  });

  it.for(['hang', 'reset-after-request'] as const)(
    'in mode %s reads, and counts it as unanswered',
    async (mode) => {
      await using receiver = await startReceiver({ protocol: protocol.server, mode });

      expect(await send(protocol, receiver, numberedSpans(1, 3), IMPATIENT)).toMatchObject({ code: 1 });

      expect(await receiver.stats()).toMatchObject({
        spans: 0,
        unanswered: { spans: 3 },
        byStatus: { unanswered: 1 },
      });
    },
  );

  it('sends headers and no more in mode reset-after-headers, which the HTTP exporters take for a success', async () => {
    await using receiver = await startReceiver({ protocol: protocol.server, mode: 'reset-after-headers' });

    const { code } = await send(protocol, receiver, numberedSpans(1, 3), IMPATIENT);

    expect(code).toBe(protocol.server === 'http' ? 0 : 1);
    expect(await receiver.stats()).toMatchObject({ spans: 0, unanswered: { spans: 3 } });
  });

  it('resets the connection before it reads anything in mode reset', async () => {
    await using receiver = await startReceiver({ protocol: protocol.server, mode: 'reset' });

    const { error } = await send(protocol, receiver, numberedSpans(1, 3), IMPATIENT);

    expect(error?.message).toContain('ECONNRESET');
    expect(await receiver.stats()).toMatchObject({
      requests: 1,
      spans: 0,
      unanswered: { spans: 0 },
      byStatus: { reset: 1 },
    });
  });

  it('answers later in mode latency, and notices a client that has left by then', async () => {
    await using receiver = await startReceiver({ protocol: protocol.server, mode: 'latency:100' });

    expect(await send(protocol, receiver, numberedSpans(1, 3))).toMatchObject({ code: 0 });
    await receiver.mode('latency:3000');
    expect(await send(protocol, receiver, numberedSpans(4, 3), IMPATIENT)).toMatchObject({ code: 1 });

    await waitFor(async () => (await receiver.stats()).byStatus['gone'], { what: 'the late answer' });
    expect(await receiver.stats()).toMatchObject({ seen: [[1, 3, 1]], unanswered: { seen: [[4, 6, 1]] } });
  });

  it('trickles an answer that outlives the timeout of the HTTP exporters, not that of gRPC', async () => {
    await using receiver = await startReceiver({ protocol: protocol.server, mode: 'slow-trickle:700' });
    const begin = performance.now();

    const { code } = await send(protocol, receiver, numberedSpans(1, 3), IMPATIENT);

    expect(code).toBe(protocol.server === 'http' ? 0 : 1);
    expect(performance.now() - begin).toBeGreaterThan(protocol.server === 'http' ? 690 : 490);
    const stats = await waitFor(
      async () => {
        const now = await receiver.stats();
        return now.spans + now.unanswered.spans === 3 ? now : undefined;
      },
      { what: 'the end of the trickle' },
    );
    expect(stats.spans).toBe(protocol.server === 'http' ? 3 : 0);
  });

  it('holds requests until they are released, the oldest first', async () => {
    await using receiver = await startReceiver({ protocol: protocol.server, mode: 'hold' });
    const exporter = protocol.traces(receiver.endpoint('traces'), PATIENT);
    const results = [exported(exporter, numberedSpans(1, 3))];
    const held = (count: number) =>
      waitFor(async () => (await receiver.stats()).held === count, { what: `${count} held requests` });
    await held(1);
    results.push(exported(exporter, numberedSpans(4, 3)));
    await held(2);
    expect(await receiver.stats()).toMatchObject({ spans: 0 });

    expect(await receiver.release(1)).toBe(1);
    expect(await results[0]).toMatchObject({ code: 0 });
    expect(await receiver.stats()).toMatchObject({ seen: [[1, 3, 1]], held: 1 });
    expect(await receiver.release()).toBe(1);
    expect(await results[1]).toMatchObject({ code: 0 });
    await exporter.shutdown();
  });
});

describe.concurrent('the receiver', () => {
  it('asks for a pause: Retry-After over HTTP, RetryInfo over gRPC', async () => {
    await using http = await startReceiver({ protocol: 'http', mode: 'status:429:60' });
    const response = await fetch(http.endpoint('traces'), {
      method: 'POST',
      body: '{}',
      headers: { 'Content-Type': 'application/json' },
    });
    expect(response.status).toBe(429);
    expect(response.headers.get('retry-after')).toBe('60');

    await using grpc = await startReceiver({ protocol: 'grpc', mode: 'status:8:60' });
    const { error } = await send(protocols[2]!, grpc, numberedSpans(1, 1));
    const { metadata } = error as unknown as { metadata: { get(key: string): Buffer[] } };
    expect(metadata.get('grpc-status-details-bin')[0]?.toString('latin1')).toContain('google.rpc.RetryInfo');
  });

  it('refuses what is no OTLP request, and counts no span for it', async () => {
    await using receiver = await startReceiver({ protocol: 'http' });
    const post = (path: string, type: string) =>
      fetch(receiver.url + path, { method: 'POST', body: 'no request', headers: { 'Content-Type': type } });

    expect((await post('/v1/traces', 'application/json')).status).toBe(400);
    expect((await post('/v1/traces', 'application/x-protobuf')).status).toBe(400);
    expect((await post('/v1/traces', 'text/plain')).status).toBe(415);
    expect((await post('/v1/spans', 'application/json')).status).toBe(404);
    expect(await receiver.stats()).toMatchObject({ spans: 0, refused: { spans: 0 }, byStatus: { 400: 2 } });
  });

  it('notices a client that leaves in the middle of its request', async () => {
    await using receiver = await startReceiver({ protocol: 'http' });
    const headers = { 'Content-Type': 'application/json', 'Content-Length': '100' };
    const client = request(receiver.endpoint('traces'), { method: 'POST', headers }).on('error', () => {});
    client.write('{');
    await waitFor(async () => (await receiver.stats()).requests === 1, { what: 'the request' });

    client.destroy();

    await waitFor(async () => (await receiver.stats()).byStatus['gone'] === 1, {
      what: 'the receiver to notice',
    });
  });

  it('is read and controlled by HTTP too', async () => {
    await using receiver = await startReceiver({ protocol: 'http' });
    const control = async (method: string, path: string, body?: string) => {
      const response = await fetch(receiver.controlUrl + path, {
        method,
        ...(body !== undefined && { body }),
      });
      return { status: response.status, ...((await response.json()) as object) };
    };

    expect(await control('POST', '/mode', 'status:503:7')).toEqual({ status: 200, mode: 'status:503:7' });
    expect(await control('POST', '/mode', 'sleepy')).toMatchObject({
      status: 400,
      error: expect.stringContaining('sleepy'),
    });
    expect(await control('POST', '/release')).toEqual({ status: 200, released: 0 });
    expect(await control('GET', '/stats')).toEqual({ status: 200, ...(await receiver.stats()) });
    expect((await receiver.stats()).mode).toBe('status:503:7');
  });
});
