import { once } from 'node:events';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Child } from '../../test/support/child-process.ts';
import { startChild } from '../../test/support/child-process.ts';
import type { ReceiverProcess } from '../../test/support/receiver-process.ts';
import { startReceiver } from '../../test/support/receiver-process.ts';
import { within } from '../../test/support/wait-for.ts';
import { figure, markdownTable, median } from '../support/table.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const AUTOCANNON = join(ROOT, 'node_modules/autocannon/autocannon.js');
const MONITOR = new URL('./service-monitor.ts', import.meta.url).href;
const BARE = new URL('./bare-exporter.ts', import.meta.url).href;
const QUIET = ['--no-audit', '--no-fund', '--loglevel=error', '--ignore-scripts'];
const CONNECTIONS = 20;

/** How long and how often each load is measured. */
export interface ServiceEffort {
  readonly rounds: number;
  /** Of each load and round; the warm-up before takes as long again. */
  readonly seconds: number;
}

/** A way to run the service, and what it is asked for. */
interface Load {
  readonly name: string;
  readonly path: string;
  readonly traced: boolean;
  readonly env?: Readonly<Record<string, string>>;
  /** Loaded before the service's own code. */
  readonly shim?: string;
}

const BARE_EXPORTER = '`GET /orders/1`, traced, the bare OTLP exporter';
const SWITCHED_OFF = '`GET /orders/1`, traced, breaker switched off';
const THROUGH_BREAKER = '`GET /orders/1`, traced, through the breaker';
const LOADS: readonly Load[] = [
  { name: '`GET /health/telemetry`', path: '/health/telemetry', traced: true },
  { name: '`GET /metrics`', path: '/metrics', traced: true },
  { name: '`GET /orders/1`, traces go nowhere', path: '/orders/1', traced: false },
  { name: BARE_EXPORTER, path: '/orders/1', traced: true, shim: BARE },
  {
    name: SWITCHED_OFF,
    path: '/orders/1',
    traced: true,
    env: { OTEL_CIRCUIT_BREAKER_ENABLED: 'false' },
  },
  { name: THROUGH_BREAKER, path: '/orders/1', traced: true },
];

/** What autocannon says; latencies in milliseconds. */
interface Shot {
  readonly latency: { readonly p50: number; readonly p99: number };
  readonly requests: { readonly average: number; readonly total: number };
  /** Seconds. */
  readonly duration: number;
  readonly non2xx: number;
  readonly errors: number;
}

/** What one round came to. */
interface Measured {
  readonly requestsPerSecond: number;
  readonly p50Millis: number;
  readonly p99Millis: number;
  /** Of the service alone. */
  readonly cpuMicrosPerRequest: number;
  /** CPU seconds of the service in a second. */
  readonly coresBusy: number;
  readonly spansPerRequest: number;
}

/** Installs `examples/node-service` with the library as it is built, and puts it under load; as Markdown. */
export async function referenceService({ rounds, seconds }: ServiceEffort): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'otel-circuit-breaker-bench-'));
  try {
    await install(folder);
    await using receiver = await startReceiver({ protocol: 'http' });
    const measured = new Map<string, Measured[]>(LOADS.map(({ name }) => [name, []]));
    for (let round = 0; round < rounds; round += 1) {
      for (const load of LOADS) measured.get(load.name)?.push(await shoot(folder, receiver, load, seconds));
    }
    return report(measured, { rounds, seconds });
  } finally {
    await rm(folder, { recursive: true, force: true, maxRetries: 3 });
  }
}

function report(
  measured: ReadonlyMap<string, readonly Measured[]>,
  { rounds, seconds }: ServiceEffort,
): string {
  const all = (name: string, what: keyof Measured): number[] =>
    (measured.get(name) ?? []).map((round) => round[what]);
  const rows = [...measured.keys()].map((name) => {
    const middle = (what: keyof Measured): string => figure(median(all(name, what)));
    const speeds = all(name, 'requestsPerSecond');
    return [
      ...[
        name,
        middle('requestsPerSecond'),
        `${figure(Math.min(...speeds))} to ${figure(Math.max(...speeds))}`,
      ],
      ...[middle('p50Millis'), middle('p99Millis'), middle('cpuMicrosPerRequest'), middle('coresBusy')],
      middle('spansPerRequest'),
    ];
  });
  const bare = all(BARE_EXPORTER, 'cpuMicrosPerRequest');
  const against = (name: string): string => {
    const percent = 100 * (median(all(name, 'cpuMicrosPerRequest')) / median(bare) - 1);
    return `${percent < 0 ? '' : '+'}${figure(percent)} %`;
  };
  const columns = [
    ...['', 'requests/s', 'lowest to highest', 'p50, ms', 'p99, ms', 'CPU, µs a request', 'cores busy'],
    'spans delivered a request',
  ];
  return `### The reference service

\`examples/node-service\` under autocannon, ${CONNECTIONS} connections. Medians of ${rounds} interleaved rounds; each time a process of its own,
${seconds} s to warm it up and ${seconds} s measured. Every request is sampled; the receiver and autocannon, which counts whole milliseconds,
are processes on the same machine. Where the service keeps less than a core busy, requests/s are as much theirs as its own,
and its CPU time says more. "The bare OTLP exporter": without this library around it; "switched off": \`enabled: false\`, which
passes every call on.

${markdownTable(columns, rows)}

CPU time of a traced request, against the bare exporter: through the breaker ${against(THROUGH_BREAKER)}, switched off ${against(SWITCHED_OFF)}. The
rounds of the bare exporter alone are up to ${figure(100 * (Math.max(...bare) / Math.min(...bare) - 1))} % apart: what is less than that is noise.`;
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

async function shoot(
  folder: string,
  receiver: ReceiverProcess,
  { name, path, traced, env, shim }: Load,
  seconds: number,
): Promise<Measured> {
  const { PATH = '' } = process.env;
  const imports = [MONITOR, ...(shim === undefined ? [] : [shim]), './telemetry.mjs'];
  const args = [...imports.flatMap((module) => ['--import', module]), 'main.mjs'];
  await using service = await startChild(process.execPath, args, {
    cwd: folder,
    env: {
      ...{ PATH, HOST: '127.0.0.1', PORT: '0' },
      APP_OTEL__EXPORTER_ENDPOINT: traced ? receiver.url : '',
      OTEL_EXPORTER_OTLP_PROTOCOL: 'http/protobuf',
      APP_METRICS_REQUESTS_PER_MINUTE: String(Number.MAX_SAFE_INTEGER),
      ...env,
    },
    ipc: true,
  });
  const [, port] = /port (\d+)/.exec(await service.waitForLine('listening on port')) ?? [];
  const url = `http://127.0.0.1:${port}${path}`;
  const fire = async (): Promise<Shot> => {
    const args = [AUTOCANNON, '-j', '-c', String(CONNECTIONS), '-d', String(seconds), url];
    return JSON.parse(await run(process.execPath, args, ROOT)) as Shot;
  };
  await fire();
  const [cpuBefore, { spans: spansBefore }] = [await cpuMicros(service), await receiver.stats()];
  const { latency, requests, duration, non2xx, errors } = await fire();
  const [cpuAfter, { spans: spansAfter }] = [await cpuMicros(service), await receiver.stats()];
  if (non2xx + errors > 0) throw new Error(`${name}: ${non2xx} answers without success, ${errors} errors`);
  return {
    requestsPerSecond: requests.average,
    p50Millis: latency.p50,
    p99Millis: latency.p99,
    cpuMicrosPerRequest: (cpuAfter - cpuBefore) / requests.total,
    coresBusy: (cpuAfter - cpuBefore) / 1e6 / duration,
    spansPerRequest: (spansAfter - spansBefore) / requests.total,
  };
}

async function cpuMicros(service: Child): Promise<number> {
  const answer = once(service.process, 'message') as Promise<[NodeJS.CpuUsage]>;
  service.process.send('cpu');
  const [{ user, system }] = await within(answer, { what: 'the CPU time of the service' });
  return user + system;
}

async function run(command: string, args: readonly string[], cwd: string): Promise<string> {
  await using child = await startChild(command, args, { cwd, ownGroup: command === 'npm' });
  const what = `${command} ${args.join(' ')}`;
  const { code } = await within(child.exited, { what, timeoutMillis: 180_000 });
  if (code !== 0) throw new Error(`${what} ended with ${code}:\n${child.errorLines.join('\n')}`);
  return child.lines.join('\n');
}
