import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import { gunzipSync } from 'node:zlib';
import type { Exchange } from './exchange.ts';
import { trickleBytes } from './exchange.ts';
import type { Batch, Encoding, Signal } from './otlp-batch.ts';
import { decodeBatch } from './otlp-batch.ts';
import type { Receiver } from './receiver.ts';

const SIGNALS = new Map<string, Signal>([
  ['/v1/traces', 'traces'],
  ['/v1/logs', 'logs'],
  ['/v1/metrics', 'metrics'],
]);
const ENCODINGS = new Map<string, Encoding>([
  ['application/json', 'json'],
  ['application/x-protobuf', 'protobuf'],
]);

/** Success of either encoding, long enough to trickle: blanks after the JSON; a field 15 that no parser knows. */
const SUCCESS_BODIES: Record<Encoding, Buffer> = {
  json: Buffer.from('{"partialSuccess":{}}'.padEnd(64)),
  protobuf: Buffer.from([0x7a, 62, ...new Uint8Array(62)]),
};

/** OTLP/HTTP, JSON and protobuf, plain and gzip. Not yet listening. */
export function createHttpReceiver(receiver: Receiver): Server {
  const server = createServer((request, response) => {
    const signal = SIGNALS.get(request.url ?? '');
    const encoding = ENCODINGS.get((request.headers['content-type'] ?? '').split(';', 1)[0] ?? '');
    if (signal === undefined || request.method !== 'POST') response.writeHead(404).end();
    else if (encoding === undefined) response.writeHead(415).end();
    else void receiver.serve(new HttpExchange(signal, encoding, request, response));
  });
  // A connection that this side closes for being idle would look like a fault to the client that just uses it.
  server.keepAliveTimeout = 0;
  server.requestTimeout = 0;
  return server;
}

class HttpExchange implements Exchange {
  readonly successStatus = 200;
  readonly invalidStatus = 400;
  readonly #signal: Signal;
  readonly #encoding: Encoding;
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;

  constructor(signal: Signal, encoding: Encoding, request: IncomingMessage, response: ServerResponse) {
    this.#signal = signal;
    this.#encoding = encoding;
    this.#request = request;
    this.#response = response;
    request.on('error', () => {});
    response.on('error', () => {});
  }

  get gone(): boolean {
    return this.#response.closed && !this.#response.writableFinished;
  }

  onGone(callback: () => void): void {
    this.#response.once('close', () => {
      if (!this.#response.writableFinished) callback();
    });
  }

  async read(): Promise<Batch | undefined> {
    const chunks: Buffer[] = [];
    try {
      for await (const chunk of this.#request) chunks.push(chunk as Buffer);
    } catch {
      return undefined;
    }
    const body = Buffer.concat(chunks);
    const zipped = this.#request.headers['content-encoding'] === 'gzip';
    return decodeBatch(this.#signal, this.#encoding, zipped ? gunzipSync(body) : body);
  }

  succeed(): void {
    this.#successHeaders().end(SUCCESS_BODIES[this.#encoding]);
  }

  trickle(millis: number, beforeLastByte: () => void): void {
    const response = this.#successHeaders();
    trickleBytes(SUCCESS_BODIES[this.#encoding], millis, (byte, last) => {
      if (this.gone) return false;
      if (last) beforeLastByte();
      response.write(byte);
      if (last) response.end();
      return true;
    });
  }

  refuse(status: number, retryAfter?: string): void {
    if (retryAfter !== undefined) this.#response.setHeader('Retry-After', retryAfter);
    this.#response.writeHead(status, { 'Content-Type': 'text/plain' }).end(`refused with ${status}`);
  }

  closeAfterHeaders(): void {
    this.#successHeaders().flushHeaders();
    this.#response.socket?.destroySoon();
  }

  reset(): void {
    this.#request.socket.resetAndDestroy();
  }

  #successHeaders(): ServerResponse {
    return this.#response.writeHead(200, {
      'Content-Type': this.#encoding === 'json' ? 'application/json' : 'application/x-protobuf',
      'Content-Length': SUCCESS_BODIES[this.#encoding].length,
    });
  }
}
