import { EventEmitter, once } from 'node:events';
import { createServer, Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { openHealthServer } from '../../../src/attach/health-server.ts';

const made: Server[] = [];
vi.mock('node:http', async (original) => {
  const http = await original<typeof import('node:http')>();
  return {
    ...http,
    createServer: (...args: Parameters<typeof http.createServer>) => {
      const server = http.createServer(...args);
      made.push(server);
      return server;
    },
  };
});

afterEach(() => {
  for (const server of made.splice(0)) server.close();
  vi.restoreAllMocks();
});

/** Port 0 stands for any free one here; the environment cannot ask for it. */
async function open(): Promise<{ server: Server; url: string }> {
  openHealthServer({ port: 0, host: '127.0.0.1' });
  const server = made.at(-1) as Server;
  await once(server, 'listening');
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

describe('openHealthServer', () => {
  it('serves health and metrics, and closes each connection', async () => {
    const { url } = await open();
    const health = await fetch(`${url}/health/telemetry`);
    expect([health.status, health.headers.get('connection')]).toEqual([200, 'close']);
    expect((await fetch(`${url}/metrics`)).status).toBe(200);
    expect((await fetch(`${url}/`)).status).toBe(404);
  });

  it('is not seen by what patches the servers of node:http', async () => {
    const emit = vi.spyOn(Server.prototype, 'emit');
    const { server, url } = await open();
    await fetch(`${url}/metrics`);
    expect(server.emit).toBe(EventEmitter.prototype.emit);
    expect(emit.mock.contexts).not.toContain(server);
  });

  it('is one warning where the port is taken', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as AddressInfo;
    const write = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
    openHealthServer({ port, host: '127.0.0.1' });
    await vi.waitFor(() => expect(write).toHaveBeenCalledOnce());
    expect(write.mock.calls[0]?.[0]).toBe(
      `otel-circuit-breaker: no health and metrics on 127.0.0.1:${port} (EADDRINUSE); the exporters are not affected\n`,
    );
  });
});
