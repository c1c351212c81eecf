import { once } from 'node:events';
import type { Server } from 'node:http';
import { createServer, request } from 'node:http';
import { deadPort } from '../support/dead-port.ts';
import { waitFor } from '../support/wait-for.ts';

/** What stands before a receiver so that pages of other origins may send to it. Dead at first. */
export interface CorsFront extends AsyncDisposable {
  readonly url: string;
  /** From now on it answers. */
  rise(): Promise<void>;
}

/** A port that refuses connections until it rises, and then hands everything on to the receiver at `target`. */
export async function corsFront(target: string): Promise<CorsFront> {
  const dead = await deadPort();
  let server: Server | undefined;
  return {
    url: dead.url,
    async rise() {
      await dead.release();
      server = await waitFor(() => listen(target, dead.port), { what: `port ${dead.port} to be free` });
    },
    async [Symbol.asyncDispose]() {
      await dead.release();
      server?.close();
      server?.closeAllConnections();
    },
  };
}

async function listen(target: string, port: number): Promise<Server> {
  const server = createServer((incoming, outgoing) => {
    outgoing.setHeader('Access-Control-Allow-Origin', '*');
    outgoing.setHeader(
      'Access-Control-Allow-Headers',
      incoming.headers['access-control-request-headers'] ?? '*',
    );
    outgoing.setHeader('Access-Control-Allow-Private-Network', 'true');
    if (incoming.method === 'OPTIONS') {
      outgoing.writeHead(204).end();
      return;
    }
    const { method, headers, url } = incoming;
    const onward = request(new URL(url ?? '/', target), { method: method ?? 'POST', headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    onward.on('error', () => outgoing.destroy());
    incoming.pipe(onward);
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return server;
}
