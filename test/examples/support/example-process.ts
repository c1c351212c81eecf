import { join } from 'node:path';
import { inject } from 'vitest';
import type { Child } from '../../support/child-process.ts';
import { startChild } from '../../support/child-process.ts';
import { waitFor } from '../../support/wait-for.ts';
import type { EXAMPLES } from './install-examples.ts';

/** An answer of an example, read to its end. */
interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

/** What the tests read of the health report. */
interface Health {
  readonly status: string;
  readonly circuit_breaker: {
    readonly state: string;
    readonly [field: string]: unknown;
  };
  readonly timestamp: string;
}

/** A running example. */
export interface ExampleProcess extends AsyncDisposable {
  readonly child: Child;
  readonly url: string;
  readonly port: number;
  request(path: string, init?: RequestInit): Promise<Answer>;
  health(): Promise<{ readonly httpStatus: number; readonly body: Health }>;
  /** Makes traffic, a request at a time, until the circuit has the state. */
  serveUntil(state: string): Promise<void>;
}

/** Exports at once, gives up soon, and probes at the first batch after a tenth of a second. */
const IMPATIENT = {
  OTEL_BSP_SCHEDULE_DELAY: '20',
  OTEL_EXPORTER_OTLP_TIMEOUT: '500',
  OTEL_CIRCUIT_BREAKER_COOLDOWN: '100',
  OTEL_CIRCUIT_BREAKER_PROBE_EVERY: '1',
};

/** Kills the example when this process is gone, and keeps it alive no longer than it would live by itself. */
const PRELOAD = `data:text/javascript,${encodeURIComponent(`
  import { dieWithParent } from ${JSON.stringify(new URL('../../support/die-with-parent.ts', import.meta.url))};
  dieWithParent();
  process.stdin.unref();
`)}`;

/**
 * Starts an installed example that is a service as its `npm start` does; resolves when it listens, on a free port of 127.0.0.1.
 *
 * @param env - beside what every process needs; nothing of OpenTelemetry comes from the environment of the tests
 * @param route - what `serveUntil` asks for
 */
export async function startExample(
  name: Exclude<(typeof EXAMPLES)[number], 'disk' | 'attach'>,
  env: Readonly<Record<string, string>> = {},
  route = '/',
): Promise<ExampleProcess> {
  const [command, ...args] = commandOf(name);
  const child = await startChild(command, args, {
    cwd: join(inject('examplesFolder'), name),
    env: { PATH: process.env['PATH'], HOST: '127.0.0.1', PORT: '0', ...IMPATIENT, ...env },
  });
  let line: string;
  try {
    line = await child.waitForLine('listening on port ', { timeoutMillis: 20_000 });
  } catch (error) {
    await child.kill();
    throw error;
  }
  const port = Number(line.split(' ').at(-1));
  const url = `http://127.0.0.1:${port}`;

  const request: ExampleProcess['request'] = async (path, init) => {
    const response = await fetch(url + path, init);
    return { status: response.status, headers: response.headers, text: await response.text() };
  };
  const health: ExampleProcess['health'] = async () => {
    const { status, text } = await request('/health/telemetry');
    return { httpStatus: status, body: JSON.parse(text) as Health };
  };
  const serveUntil = async (state: string): Promise<void> => {
    const reached = async (): Promise<boolean> => {
      await request(route);
      const { body } = await health();
      if (body.circuit_breaker.state === state) return true;
      throw new Error(JSON.stringify(body.circuit_breaker));
    };
    await waitFor(reached, { what: `the circuit to be ${state}`, timeoutMillis: 60_000 });
  };
  return { child, url, port, request, health, serveUntil, [Symbol.asyncDispose]: child[Symbol.asyncDispose] };
}

/** What `npm start` runs. */
function commandOf(name: string): [string, ...string[]] {
  switch (name) {
    case 'hono-bun':
      return [inject('bun'), 'main.ts'];
    case 'nestjs':
      return onNode('./dist/telemetry.js', 'dist/main.js');
    case 'telemetry':
      return onNode('./telemetry.mjs', 'app.mjs');
    default:
      return onNode('./telemetry.mjs', 'main.mjs');
  }
}

function onNode(telemetry: string, main: string): [string, ...string[]] {
  return [process.execPath, '--import', PRELOAD, '--import', telemetry, main];
}
