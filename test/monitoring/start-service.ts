import { fileURLToPath } from 'node:url';
import { startNode } from '../support/child-process.ts';

const MAIN = fileURLToPath(new URL('./service.ts', import.meta.url));

/** A running service of `service.ts`. */
export interface ServiceProcess extends AsyncDisposable {
  /** host:port of its `/metrics` and `/health/telemetry`. */
  readonly target: string;
  /** The text of its health route, parsed. */
  health(): Promise<{ status: string }>;
}

/** @param auditUrl - where the exporter without retention sends; the same URL by default */
export async function startService(url: string, auditUrl = url): Promise<ServiceProcess> {
  const child = await startNode(MAIN, [url, auditUrl]);
  const { port } = JSON.parse(await child.waitForLine('{"port"', { timeoutMillis: 20_000 })) as {
    port: number;
  };
  const target = `127.0.0.1:${port}`;
  return {
    target,
    health: async () =>
      (await (await fetch(`http://${target}/health/telemetry`)).json()) as { status: string },
    [Symbol.asyncDispose]: () => child[Symbol.asyncDispose](),
  };
}
