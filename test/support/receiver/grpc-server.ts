import type { Http2Server, IncomingHttpHeaders, OutgoingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import { createServer } from 'node:http2';
import type { Socket } from 'node:net';
import { gunzipSync } from 'node:zlib';
import type { Exchange } from './exchange.ts';
import { trickleBytes } from './exchange.ts';
import type { Batch, Signal } from './otlp-batch.ts';
import { decodeBatch, encodeRetryInfo } from './otlp-batch.ts';
import type { Receiver } from './receiver.ts';

const SIGNALS = new Map<string, Signal>([
  ['/opentelemetry.proto.collector.trace.v1.TraceService/Export', 'traces'],
  ['/opentelemetry.proto.collector.logs.v1.LogsService/Export', 'logs'],
  ['/opentelemetry.proto.collector.metrics.v1.MetricsService/Export', 'metrics'],
]);
const GRPC_HEADERS = { ':status': 200, 'content-type': 'application/grpc+proto' };
const OK = 0;
const INVALID_ARGUMENT = 3;
const UNIMPLEMENTED = 12;

/** A message frame: not compressed, 64 bytes of a success with a field 15 that no parser knows, long enough to trickle. */
const SUCCESS_FRAME = Buffer.from([0, 0, 0, 0, 64, 0x7a, 62, ...new Uint8Array(62)]);

/**
 * OTLP/gRPC: unary calls over `node:http2`. (The server of `@grpc/grpc-js` hides its sockets and sends a message whole, so
 * that it can neither reset a connection nor trickle.) Not yet listening.
 */
export function createGrpcReceiver(receiver: Receiver): Http2Server {
  const server = createServer();
  // A session shows its socket only behind a proxy that refuses to be reset.
  const sockets = new Map<number, Socket>();
  server.on('connection', (socket: Socket) => {
    const port = socket.remotePort ?? 0;
    sockets.set(port, socket);
    socket.once('close', () => sockets.delete(port));
  });
  server.on('sessionError', () => {});
  server.on('stream', (stream, headers) => {
    stream.on('error', () => {});
    const signal = SIGNALS.get(headers[':path'] ?? '');
    const socket = sockets.get(stream.session?.socket.remotePort ?? 0);
    if (signal === undefined) refuse(stream, UNIMPLEMENTED);
    else if (socket === undefined) stream.close();
    else void receiver.serve(new GrpcExchange(signal, stream, headers, socket));
  });
  return server;
}

class GrpcExchange implements Exchange {
  readonly successStatus = OK;
  readonly invalidStatus = INVALID_ARGUMENT;
  readonly #signal: Signal;
  readonly #stream: ServerHttp2Stream;
  readonly #headers: IncomingHttpHeaders;
  readonly #socket: Socket;
  /** Whether we ended it: a stream that the client resets counts as finished to Node. */
  #ended = false;

  constructor(signal: Signal, stream: ServerHttp2Stream, headers: IncomingHttpHeaders, socket: Socket) {
    this.#signal = signal;
    this.#stream = stream;
    this.#headers = headers;
    this.#socket = socket;
  }

  get gone(): boolean {
    return (this.#stream.closed || this.#stream.destroyed) && !this.#ended;
  }

  onGone(callback: () => void): void {
    this.#stream.once('close', () => {
      if (!this.#ended) callback();
    });
  }

  async read(): Promise<Batch | undefined> {
    const chunks: Buffer[] = [];
    try {
      for await (const chunk of this.#stream) chunks.push(chunk as Buffer);
    } catch {
      return undefined;
    }
    if (this.#stream.aborted) return undefined;
    return decodeBatch(this.#signal, 'protobuf', unframe(Buffer.concat(chunks), this.#headers));
  }

  succeed(): void {
    this.#successHeaders();
    this.#ended = true;
    this.#stream.end(SUCCESS_FRAME);
  }

  trickle(millis: number, beforeLastByte: () => void): void {
    this.#successHeaders();
    trickleBytes(SUCCESS_FRAME, millis, (byte, last) => {
      if (this.gone) return false;
      this.#ended = last;
      if (last) beforeLastByte();
      this.#stream.write(byte);
      if (last) this.#stream.end();
      return true;
    });
  }

  refuse(status: number, retryAfter?: string): void {
    refuse(this.#stream, status, retryAfter);
  }

  closeAfterHeaders(): void {
    this.#stream.respond(GRPC_HEADERS);
    // The session writes on its next turn; what it wrote by then goes out before the end of the connection.
    setImmediate(() => this.#socket.destroySoon());
  }

  reset(): void {
    this.#socket.resetAndDestroy();
  }

  #successHeaders(): void {
    this.#stream.respond(GRPC_HEADERS, { waitForTrailers: true });
    this.#stream.once('wantTrailers', () => this.#stream.sendTrailers({ 'grpc-status': String(OK) }));
  }
}

/** Answers with a gRPC status, or from 100 on with a bare HTTP status, as a proxy would. */
function refuse(stream: ServerHttp2Stream, status: number, retryAfter?: string): void {
  if (stream.closed || stream.destroyed) return;
  const retryInfo = retryAfter === undefined ? undefined : Number(retryAfter);
  const message = `refused with ${status}`;
  const headers: OutgoingHttpHeaders =
    status >= 100
      ? { ':status': status, ...(retryAfter !== undefined && { 'retry-after': retryAfter }) }
      : {
          ...GRPC_HEADERS,
          'grpc-status': String(status),
          'grpc-message': message,
          ...(retryInfo !== undefined && {
            'grpc-status-details-bin': encodeRetryInfo(status, message, retryInfo).toString('base64'),
          }),
        };
  stream.respond(headers, { endStream: true });
}

/** The one message of a unary call: a byte that says whether it is compressed, four of length, and the message. */
function unframe(frame: Buffer, headers: IncomingHttpHeaders): Buffer {
  if (frame.length < 5 || frame.length !== 5 + frame.readUInt32BE(1))
    throw new Error('not one whole gRPC message');
  const message = frame.subarray(5);
  if (frame[0] === 0) return message;
  if (headers['grpc-encoding'] !== 'gzip') throw new Error(`no such encoding: ${headers['grpc-encoding']}`);
  return gunzipSync(message);
}
