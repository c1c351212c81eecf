import { waitFor, within } from '../support/wait-for.ts';
import { outputOf } from './command.ts';
import type { InstalledApp } from './install-app.ts';
import type { Runtime } from './runtimes.ts';

/** What is looked at of the exporter's snapshot. */
export interface ServiceSnapshot {
  readonly state: string;
  readonly lastFailure: {
    readonly name: string;
    readonly code: string | number | null;
    readonly cause: string | null;
  } | null;
  readonly items: { readonly rejected: number };
  readonly delivery: Readonly<Record<'offered' | 'lost' | 'kept' | 'inFlight', { readonly items: number }>>;
}

/** A service on a runtime, asked by HTTP. */
export interface RuntimeService extends AsyncDisposable {
  /** Of the runtime, as it says itself. */
  readonly version: string;
  /** Spans that it has made. */
  readonly made: number;
  /** Makes a span. @param path - how, where not as usual */
  work(path?: string): Promise<void>;
  /** Makes spans until the snapshot is so. */
  workUntil(
    what: string,
    holds: (snapshot: ServiceSnapshot) => boolean,
    path?: string,
  ): Promise<ServiceSnapshot>;
  snapshot(): Promise<ServiceSnapshot>;
  health(): Promise<{ readonly httpStatus: number; readonly state: string }>;
  /**
   * Sends a signal.
   *
   * @returns how many milliseconds it took to end by itself
   * @throws Error when it ended in another way, or does not
   */
  end(signal: 'SIGTERM' | 'SIGINT'): Promise<number>;
}

const WAIT_MILLIS = 20_000;

/** Starts the service; resolves when it listens. */
export async function startRuntimeService(
  runtime: Runtime,
  app: InstalledApp,
  receiverUrl: string,
): Promise<RuntimeService> {
  const child = await runtime.start(app, receiverUrl);
  let listening: { readonly port: number; readonly version: string };
  try {
    listening = JSON.parse(await child.waitForLine('{"port"', { timeoutMillis: WAIT_MILLIS }));
  } catch (error) {
    await child.kill();
    throw error;
  }
  const url = `http://127.0.0.1:${listening.port}`;
  let made = 0;

  const get = async (path: string): Promise<Response> => {
    const response = await fetch(url + path, { signal: AbortSignal.timeout(WAIT_MILLIS) });
    if (response.status === 500) throw new Error(`${path}: ${await response.text()}\n${outputOf(child)}`);
    return response;
  };
  const work = async (path = '/work'): Promise<void> => {
    ({ made } = (await (await get(path)).json()) as { made: number });
  };
  const snapshot = async (): Promise<ServiceSnapshot> =>
    (await (await get('/snapshot')).json()) as ServiceSnapshot;

  return {
    version: listening.version,
    get made() {
      return made;
    },
    work,
    snapshot,
    workUntil(what, holds, path) {
      const look = async (): Promise<ServiceSnapshot | undefined> => {
        await work(path);
        const now = await snapshot();
        if (holds(now)) return now;
        throw new Error(JSON.stringify(now));
      };
      return waitFor(look, { what, timeoutMillis: WAIT_MILLIS, intervalMillis: 30 });
    },
    async health() {
      const response = await get('/health/telemetry');
      const { circuit_breaker } = (await response.json()) as { circuit_breaker: { state: string } };
      return { httpStatus: response.status, state: circuit_breaker.state };
    },
    async end(signal) {
      const began = performance.now();
      const ended = await within(child.kill(signal), {
        what: `${signal} to end the service`,
        timeoutMillis: 10_000,
      });
      if (ended.code !== 0) throw new Error(`ended with ${ended.code ?? ended.signal}:\n${outputOf(child)}`);
      return performance.now() - began;
    },
    [Symbol.asyncDispose]: child[Symbol.asyncDispose],
  };
}
