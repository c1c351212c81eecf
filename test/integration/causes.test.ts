import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import type { RequestListener } from 'node:http';
import { createServer } from 'node:http';
import { createServer as createHttp2Server } from 'node:http2';
import type { AddressInfo, Server } from 'node:net';
import { createServer as createTcpServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Server as GrpcServer, ServerCredentials } from '@grpc/grpc-js';
import { OTLPTraceExporter as GrpcTraceExporter } from '@opentelemetry/exporter-trace-otlp-grpc';
import { OTLPTraceExporter as JsonTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { ZipkinExporter } from '@opentelemetry/exporter-zipkin';
import { createLegacyOtlpBrowserExportDelegate } from '@opentelemetry/otlp-exporter-base/browser-http';
import { JsonTraceSerializer, TraceExporterMetricsHelper } from '@opentelemetry/otlp-transformer';
import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace-base';
import { describe, expect, it } from 'vitest';
import { classifyResult } from '../../src/exporter/classify-result.ts';
import { causeOf } from '../../src/internal/causes.ts';
import { deadPort } from '../support/dead-port.ts';
import { numberedSpans } from '../support/numbered-spans.ts';
import { exported, IMPATIENT, PATIENT, protocols, send } from '../support/otlp-exporters.ts';
import type { ReceiverMode } from '../support/receiver/mode.ts';
import { startReceiver } from '../support/receiver-process.ts';

const spans = numberedSpans(1, 3);

/** A collector that answers each request alike. */
async function startServer(answer: RequestListener) {
  const server = createServer(answer).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/v1/traces`,
    port,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
    },
  };
}

/** A server of any kind on a port of its own. */
async function listening(server: Server) {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    [Symbol.asyncDispose]: () => new Promise<void>((resolve) => server.close(() => resolve())),
  };
}

/** A gRPC server with a certificate that nobody trusts. */
async function selfSignedGrpc() {
  const folder = await mkdtemp(join(tmpdir(), 'causes-'));
  const files = { key: join(folder, 'key.pem'), cert: join(folder, 'cert.pem') };
  const request = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=localhost'];
  execFileSync('openssl', [...request, '-keyout', files.key, '-out', files.cert], { stdio: 'ignore' });
  const pair = { private_key: await readFile(files.key), cert_chain: await readFile(files.cert) };
  await rm(folder, { recursive: true });
  return startGrpc(new GrpcServer(), ServerCredentials.createSsl(null, [pair]));
}

async function startGrpc(server: GrpcServer, credentials = ServerCredentials.createInsecure()) {
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', credentials, (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    ),
  );
  return { port, [Symbol.asyncDispose]: async () => server.forceShutdown() };
}

const overGrpc = (url: string) => outcome(new GrpcTraceExporter({ url, timeoutMillis: PATIENT }));

const answering = (status: number) => startServer((_, response) => response.writeHead(status).end());
const hanging = () => startServer(() => {});

/** What an export comes to, and why. */
async function outcome(exporter: SpanExporter, batch: ReadableSpan[] = spans) {
  const result = await exported(exporter, batch);
  await exporter.shutdown();
  return [classifyResult(result), causeOf(result.error)];
}

const statusOverBoth: [ReceiverMode, string, string][] = [
  ['status:400', 'invalid', 'refused the payload'],
  ['status:401', 'failure', 'unauthorized'],
  ['status:403', 'failure', 'forbidden'],
  ['status:404', 'failure', 'no such endpoint'],
  ['status:413', 'invalid', 'too large'],
  ['status:500', 'failure', 'server error'],
  ['status:503', 'failure', 'retryable status'],
];

const statusOverGrpc: [ReceiverMode, string, string][] = [
  ['status:3', 'invalid', 'refused the payload'],
  ['status:4', 'failure', 'timed out'],
  ['status:7', 'failure', 'forbidden'],
  ['status:8', 'failure', 'throttled'],
  ['status:12', 'failure', 'no such endpoint'],
  ['status:14', 'failure', 'unavailable'],
  ['status:16', 'failure', 'unauthorized'],
];

describe('the cause of a failure is known of the OTLP exporters', () => {
  it.for(protocols.filter(({ server }) => server === 'http'))('over $name', async (protocol) => {
    await using receiver = await startReceiver({ protocol: 'http' });
    for (const [mode, classification, cause] of statusOverBoth) {
      await receiver.mode(mode);
      // With so little time there is no second try of what can be tried again.
      const result = await send(protocol, receiver, spans, IMPATIENT);
      expect([mode, classifyResult(result), causeOf(result.error)]).toEqual([mode, classification, cause]);
    }
    await receiver.mode('hang');
    expect(causeOf((await send(protocol, receiver, spans, IMPATIENT)).error)).toBe('timed out');
    await receiver.mode('reset');
    expect(causeOf((await send(protocol, receiver, spans, IMPATIENT)).error)).toBe('connection reset');
  });

  it('over gRPC', async () => {
    const grpc = protocols.find(({ server }) => server === 'grpc')!;
    await using receiver = await startReceiver({ protocol: 'grpc' });
    for (const [mode, classification, cause] of statusOverGrpc) {
      await receiver.mode(mode);
      const result = await send(grpc, receiver, spans, PATIENT);
      expect([mode, classifyResult(result), causeOf(result.error)]).toEqual([mode, classification, cause]);
    }
    await receiver.mode('hang');
    expect(causeOf((await send(grpc, receiver, spans, IMPATIENT)).error)).toBe('timed out');
  });

  it('where a gRPC server refuses a message for its size', async () => {
    const server = new GrpcServer({ 'grpc.max_receive_message_length': 1_000 });
    server.addService(
      {
        export: {
          path: '/opentelemetry.proto.collector.trace.v1.TraceService/Export',
          requestStream: false,
          responseStream: false,
          requestSerialize: (value: Buffer) => value,
          requestDeserialize: (bytes: Buffer) => bytes,
          responseSerialize: (value: Buffer) => value,
          responseDeserialize: (bytes: Buffer) => bytes,
        },
      },
      { export: (_: unknown, answer: (error: null, value: Buffer) => void) => answer(null, Buffer.alloc(0)) },
    );
    await using started = await startGrpc(server);
    const url = `http://127.0.0.1:${started.port}`;
    expect((await exported(new GrpcTraceExporter({ url }), spans)).code).toBe(0);
    const large = numberedSpans(1, 100);
    expect(await outcome(new GrpcTraceExporter({ url }), large)).toEqual(['invalid', 'too large']);
  });

  it('where nobody listens, the name is unknown, or it is another protocol', async () => {
    await using port = await deadPort();
    const http = (url: string) => new JsonTraceExporter({ url, timeoutMillis: IMPATIENT });
    expect(await outcome(http(`${port.url}/v1/traces`))).toEqual(['failure', 'connection refused']);
    expect(await outcome(http('http://nowhere.invalid/v1/traces'))).toEqual(['failure', 'host not found']);
    await using receiver = await startReceiver({ protocol: 'grpc' });
    expect(await outcome(http(`${receiver.url}/v1/traces`))).toEqual(['failure', 'protocol error']);
    await using plain = await answering(200);
    expect(await outcome(http(plain.url.replace('http:', 'https:')))).toEqual(['failure', 'TLS failure']);
  });

  it('where gRPC has no connection: its status is UNAVAILABLE, and the text says why', async () => {
    await using port = await deadPort();
    expect(await overGrpc(port.url)).toEqual(['failure', 'connection refused']);
    expect(await overGrpc('http://nowhere.invalid:4317')).toEqual(['failure', 'host not found']);
    await using plain = await startReceiver({ protocol: 'grpc' });
    expect(await overGrpc(plain.url.replace('http:', 'https:'))).toEqual(['failure', 'TLS failure']);
    await using http = await answering(200);
    expect(await overGrpc(`http://127.0.0.1:${http.port}`)).toEqual(['failure', 'protocol error']);
    await using selfSigned = await selfSignedGrpc();
    expect(await overGrpc(`https://localhost:${selfSigned.port}`)).toEqual(['failure', 'TLS failure']);
    // As the port of a TLS server does, too, with whoever does not speak TLS.
    await using closing = await listening(
      createTcpServer((socket) => socket.once('data', () => socket.end())),
    );
    expect(await overGrpc(closing.url)).toEqual(['failure', 'connection reset']);
    await using resetting = await listening(
      createTcpServer((socket) => socket.once('data', () => socket.resetAndDestroy())),
    );
    expect(await overGrpc(resetting.url)).toEqual(['failure', 'connection reset']);
  });

  it('where a connection of gRPC breaks during an export', async () => {
    await using server = await listening(
      createHttp2Server().on('stream', (stream) => stream.session?.socket.destroy()) as unknown as Server,
    );
    expect(await overGrpc(server.url)).toEqual(['failure', 'connection reset']);
  });

  it('where all their places are taken: nothing was sent', async () => {
    await using server = await hanging();
    const exporter = new JsonTraceExporter({
      url: server.url,
      concurrencyLimit: 1,
      timeoutMillis: IMPATIENT,
    });
    const first = exported(exporter, spans);
    const second = await exported(exporter, spans);
    expect([classifyResult(second), causeOf(second.error)]).toEqual(['ignored', 'local limit']);
    await first;
  });
});

describe('the cause of a failure is known of the OTLP exporter of browsers', () => {
  /** As its trace exporter is made in a browser; in Node its transport runs on Node's `fetch`. */
  const exporter = (url: string): SpanExporter =>
    createLegacyOtlpBrowserExportDelegate(
      { url, timeoutMillis: IMPATIENT },
      JsonTraceSerializer,
      'otlp_http_span_exporter',
      TraceExporterMetricsHelper,
      undefined,
      'v1/traces',
      {},
    );

  it.each([
    [400, 'invalid', 'refused the payload'],
    [404, 'failure', 'no such endpoint'],
    [503, 'failure', 'retryable status'],
  ])('from status %i', async (status, classification, cause) => {
    await using server = await answering(status);
    expect(await outcome(exporter(server.url))).toEqual([classification, cause]);
  });

  it('from a connection that is refused, and a collector that hangs', async () => {
    await using port = await deadPort();
    expect(await outcome(exporter(`${port.url}/v1/traces`))).toEqual(['failure', 'connection refused']);
    await using server = await hanging();
    expect(await outcome(exporter(server.url))).toEqual(['failure', 'timed out']);
  });
});

describe('the cause of a failure is known of the Zipkin exporter', () => {
  const exporter = (url: string) => new ZipkinExporter({ url }) as unknown as SpanExporter;

  it.each([
    [400, 'invalid', 'refused the payload'],
    [404, 'failure', 'no such endpoint'],
    [413, 'invalid', 'too large'],
    [429, 'failure', 'throttled'],
    [500, 'failure', 'server error'],
    [503, 'failure', 'unavailable'],
  ])('from status %i, which is in its message alone', async (status, classification, cause) => {
    await using server = await answering(status);
    expect(await outcome(exporter(server.url))).toEqual([classification, cause]);
  });

  it('from a connection that is refused, and from having been shut down', async () => {
    await using port = await deadPort();
    expect(await outcome(exporter(port.url))).toEqual(['failure', 'connection refused']);
    const ended = exporter(port.url);
    await ended.shutdown();
    expect(await outcome(ended)).toEqual(['failure', 'shut down']);
  });
});
