import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createNodeHandler } from '../../src/adapters/http.ts';
import type { CircuitBreaker } from '../../src/index.ts';
import { CircuitBreakerExporter } from '../../src/index.ts';
import { ScriptedExporter } from '../../src/testing/scripted-exporter.ts';

/** Has the routes of examples/node-service, whose own tests are in test/examples, without its packages. */
export interface StandIn extends AsyncDisposable {
  readonly url: string;
}

/** @param withExporter - `false`: as after the rollback by environment */
export async function startStandIn(token: string, withExporter: boolean): Promise<StandIn> {
  const exporter = withExporter ? new CircuitBreakerExporter(new ScriptedExporter<number[]>()) : undefined;
  const telemetry = createNodeHandler(exporter);
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://service');
    if (exporter !== undefined && pathname.startsWith('/admin/circuit/'))
      return administer(exporter.breaker, pathname.slice('/admin/circuit/'.length), token, request, response);
    if (pathname === '/healthz') return void response.end('OK');
    if (pathname.startsWith('/orders/')) {
      exporter?.export([1], () => {});
      return void response.end('{}');
    }
    telemetry(request, response);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
    },
  };
}

function administer(
  breaker: CircuitBreaker,
  action: string,
  token: string,
  { headers, method }: IncomingMessage,
  response: ServerResponse,
): void {
  const actions: Record<string, () => void> = {
    'force-open': () => breaker.forceOpen(),
    'force-closed': () => breaker.forceClosed(),
    reset: () => breaker.reset(),
  };
  const act = actions[action];
  if (headers.authorization !== `Bearer ${token}`) response.statusCode = 401;
  else if (method !== 'POST' || act === undefined) response.statusCode = 404;
  else act();
  const { state, forced } = breaker.snapshot();
  response.end(JSON.stringify({ state, forced }));
}
