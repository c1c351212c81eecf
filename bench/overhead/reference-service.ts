import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startChild } from '../../test/support/child-process.ts';
import { startReceiver } from '../../test/support/receiver-process.ts';
import { within } from '../../test/support/wait-for.ts';
import { figure, markdownTable } from '../support/table.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const AUTOCANNON = join(ROOT, 'node_modules/autocannon/autocannon.js');
const QUIET = ['--no-audit', '--no-fund', '--loglevel=error', '--ignore-scripts'];
const CONNECTIONS = 20;

/** A run of the load generator against a service of its own. */
interface Load {
  readonly name: string;
  readonly path: string;
  readonly env: Readonly<Record<string, string>>;
}

/** What autocannon says; latencies in milliseconds. */
interface Shot {
  readonly latency: { readonly p50: number; readonly p99: number };
  readonly requests: { readonly average: number };
  readonly non2xx: number;
  readonly errors: number;
}

/** Installs `examples/node-service` with the library as it is built, and puts it under load. */
export async function referenceService(seconds: number): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'otel-circuit-breaker-bench-'));
  try {
    await install(folder);
    await using receiver = await startReceiver({ protocol: 'http' });
    const traced = {
      APP_OTEL__EXPORTER_ENDPOINT: receiver.url,
      OTEL_EXPORTER_OTLP_PROTOCOL: 'http/protobuf',
      APP_METRICS_REQUESTS_PER_MINUTE: String(Number.MAX_SAFE_INTEGER),
    };
    const loads: readonly Load[] = [
      { name: '`GET /health/telemetry`', path: '/health/telemetry', env: traced },
      { name: '`GET /metrics`', path: '/metrics', env: traced },
      { name: '`GET /orders/1`, traces go nowhere', path: '/orders/1', env: {} },
      {
        name: '`GET /orders/1`, traced, breaker switched off',
        path: '/orders/1',
        env: { ...traced, OTEL_CIRCUIT_BREAKER_ENABLED: 'false' },
      },
      { name: '`GET /orders/1`, traced, through the breaker', path: '/orders/1', env: traced },
    ];
    const rows: string[][] = [];
    for (const load of loads) {
      const { latency, requests, non2xx, errors } = await shoot(folder, load, seconds);
      if (non2xx + errors > 0)
        throw new Error(`${load.name}: ${non2xx} answers without success, ${errors} errors`);
      rows.push([load.name, figure(requests.average), figure(latency.p50), figure(latency.p99)]);
    }
    return `### The reference service\n\n\`examples/node-service\` under autocannon, ${CONNECTIONS} connections, ${seconds} s each, a process of its own each time; every request
is sampled, and the receiver is a process on the same machine. autocannon counts whole milliseconds. "Switched off" is
\`enabled: false\`: every call is passed on.\n\n${markdownTable(['', 'requests/s', 'p50, ms', 'p99, ms'], rows)}`;
  } finally {
    await rm(folder, { recursive: true, force: true, maxRetries: 3 });
  }
}

async function install(folder: string): Promise<void> {
  const source = join(ROOT, 'examples/node-service');
  await cp(source, folder, { recursive: true, filter: (path) => !/\/(?:node_modules|\.env)$/.test(path) });
  const [packed] = JSON.parse(
    await run('npm', ['pack', '--json', '--pack-destination', folder, ...QUIET], ROOT),
  ) as [{ filename: string }];
  await run('npm', ['ci', '--prefer-offline', ...QUIET], folder);
  await run('npm', ['install', '--no-save', '--prefer-offline', `./${packed.filename}`, ...QUIET], folder);
}

async function shoot(folder: string, { path, env }: Load, seconds: number): Promise<Shot> {
  const { PATH = '' } = process.env;
  await using service = await startChild(process.execPath, ['--import', './telemetry.mjs', 'main.mjs'], {
    cwd: folder,
    env: { PATH, HOST: '127.0.0.1', PORT: '0', ...env },
  });
  const [, port] = /port (\d+)/.exec(await service.waitForLine('listening on port')) ?? [];
  const url = `http://127.0.0.1:${port}${path}`;
  const shot = (duration: number): Promise<string> =>
    run(process.execPath, [AUTOCANNON, '-j', '-c', String(CONNECTIONS), '-d', String(duration), url], ROOT);
  await shot(1);
  return JSON.parse(await shot(seconds)) as Shot;
}

async function run(command: string, args: readonly string[], cwd: string): Promise<string> {
  await using child = await startChild(command, args, { cwd, ownGroup: true });
  const what = `${command} ${args.join(' ')}`;
  const { code } = await within(child.exited, { what, timeoutMillis: 180_000 });
  if (code !== 0) throw new Error(`${what} ended with ${code}:\n${child.errorLines.join('\n')}`);
  return child.lines.join('\n');
}
