import type { Socket } from 'node:dgram';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { RequestListener, Server } from 'node:http';
import { createServer } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { UntypedHandleCall } from '@grpc/grpc-js';
import { Server as GrpcServer, ServerCredentials } from '@grpc/grpc-js';
import type { Certificates } from '../collector/certificates.ts';

/** What the backend does. */
export type Mode = 'healthy' | 'nobody listens' | '503' | '400' | '401' | 'hang';

/** How it is spoken to. `s` is for TLS. */
export type Protocol = 'http' | 'https' | 'grpc' | 'grpcs' | 'udp';

/** A backend of an exporter, on a port of its own that it keeps. */
export interface Receiver extends AsyncDisposable {
  readonly url: string;
  /** So far, healthy or not. */
  readonly requests: number;
  become(mode: Mode): Promise<void>;
}

/** What a gRPC server says instead of an HTTP status. */
const GRPC_STATUS: Partial<Record<Mode, number>> = { '503': 14, '400': 3, '401': 16 };

/** Starts a backend on 127.0.0.1 that answers every path alike. */
export async function startReceiver(protocol: Protocol, certificates: Certificates): Promise<Receiver> {
  if (protocol === 'udp') return startUdp();
  const start = protocol.startsWith('grpc') ? startGrpc : startHttp;
  let mode: Mode = 'healthy';
  let requests = 0;
  const look = (): Mode => {
    requests++;
    return mode;
  };
  let running = await start(protocol, certificates, 0, look);
  const { port } = running;
  let listens = true;
  return {
    get requests() {
      return requests;
    },
    url: `${protocol.endsWith('s') ? 'https' : 'http'}://127.0.0.1:${port}`,
    async become(next) {
      mode = next;
      if (listens && next === 'nobody listens') {
        await running.stop();
        listens = false;
      } else if (!listens && next !== 'nobody listens') {
        running = await start(protocol, certificates, port, look);
        listens = true;
      }
    },
    async [Symbol.asyncDispose]() {
      if (listens) await running.stop();
    },
  };
}

interface Running {
  readonly port: number;
  stop(): Promise<void>;
}

async function startHttp(
  protocol: Protocol,
  { certFile, keyFile }: Certificates,
  port: number,
  next: () => Mode,
): Promise<Running> {
  const listener: RequestListener = (request, response) => {
    request.resume().once('end', () => {
      const mode = next();
      if (mode === 'hang') return;
      const status = mode === 'healthy' ? 200 : Number(mode);
      const body = status === 200 ? {} : { error: { code: status, message: 'refused' } };
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    });
  };
  const server: Server =
    protocol === 'http'
      ? createServer(listener)
      : createSecureServer({ cert: readFileSync(certFile), key: readFileSync(keyFile) }, listener);
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    async stop() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

async function startGrpc(
  protocol: Protocol,
  { certFile, keyFile }: Certificates,
  port: number,
  next: () => Mode,
): Promise<Running> {
  const server = new GrpcServer();
  const answer = (_: unknown, reply: (error: object | null, message?: Buffer) => void): void => {
    const mode = next();
    if (mode === 'hang') return;
    const code = GRPC_STATUS[mode];
    if (code === undefined) reply(null, Buffer.alloc(0));
    else reply({ code, details: 'refused' });
  };
  for (const path of [
    '/opentelemetry.proto.collector.trace.v1.TraceService/Export',
    '/google.devtools.cloudtrace.v2.TraceService/BatchWriteSpans',
  ]) {
    const bytes = (value: Buffer): Buffer => value;
    const method = {
      path,
      requestStream: false,
      responseStream: false,
      requestSerialize: bytes,
      requestDeserialize: bytes,
      responseSerialize: bytes,
      responseDeserialize: bytes,
    } as const;
    server.addService({ answer: method }, { answer: answer as UntypedHandleCall });
  }
  const credentials =
    protocol === 'grpc'
      ? ServerCredentials.createInsecure()
      : ServerCredentials.createSsl(null, [
          { cert_chain: readFileSync(certFile), private_key: readFileSync(keyFile) },
        ]);
  const bound = await new Promise<number>((resolve, reject) => {
    server.bindAsync(`127.0.0.1:${port}`, credentials, (error, number) =>
      error === null ? resolve(number) : reject(error),
    );
  });
  return {
    port: bound,
    async stop() {
      server.forceShutdown();
    },
  };
}

/** Nobody answers to UDP: a port that listens, or one that does not. */
async function startUdp(): Promise<Receiver> {
  let requests = 0;
  const listen = async (port: number): Promise<Socket> => {
    const made = createSocket('udp4', () => requests++).bind(port, '127.0.0.1');
    await once(made, 'listening');
    return made;
  };
  let socket = await listen(0);
  const { port } = socket.address();
  let listens = true;
  const close = async (): Promise<void> => {
    if (!listens) return;
    listens = false;
    socket.close();
    await once(socket, 'close');
  };
  return {
    url: `http://127.0.0.1:${port}`,
    get requests() {
      return requests;
    },
    async become(mode) {
      if (mode === 'nobody listens') return close();
      if (listens) return;
      socket = await listen(port);
      listens = true;
    },
    [Symbol.asyncDispose]: close,
  };
}
