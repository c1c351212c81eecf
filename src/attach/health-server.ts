import { EventEmitter } from 'node:events';
import { createServer } from 'node:http';
import { createNodeHandler } from '../adapters/http.ts';
import { registeredExporters } from '../adapters/registry.ts';
import { warn } from './say.ts';

/** Where health and metrics are served. */
export interface HealthAddress {
  readonly port: number;
  readonly host: string;
}

/**
 * Serves health and metrics of all registered exporters. Keeps no process alive; a port that is taken is one warning.
 */
export function openHealthServer({ port, host }: HealthAddress): void {
  const handler = createNodeHandler(() => registeredExporters());
  const server = createServer((request, response) => {
    // A connection that is kept open would keep the process.
    response.setHeader('Connection', 'close');
    handler(request, response);
  });
  // HTTP instrumentations patch `Server.prototype.emit`: probes would become spans.
  server.emit = EventEmitter.prototype.emit;
  server.on('connection', (socket) => socket.unref());
  server.on('error', ({ code, message }: NodeJS.ErrnoException) => {
    warn(`no health and metrics on ${host}:${port} (${code ?? message}); the exporters are not affected`);
  });
  // `exclusive`: the workers of a cluster would share the port, and any one of them would answer.
  server.listen({ port, host, exclusive: true });
  server.unref();
}
