import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { startNode } from '../../test/support/child-process.ts';
import type { ReceiverProcess } from '../../test/support/receiver-process.ts';
import { startReceiver } from '../../test/support/receiver-process.ts';
import { within } from '../../test/support/wait-for.ts';
import { median } from '../support/table.ts';
import type { Outage } from './outages.ts';
import type { ServiceConfig, ServiceReport, Setup } from './protocol.ts';
import { QUEUE_SPANS } from './protocol.ts';

const SERVICE = fileURLToPath(new URL('./service.ts', import.meta.url));
/** Longer than any exporter's own time-outs together. */
const EXIT_TIMEOUT_MILLIS = 90_000;

/** How long a service runs before it gets its SIGTERM, and how much it does. */
export interface Load {
  readonly seconds: number;
  readonly spansPerSecond: number;
}

export interface CellResult {
  readonly outage: string;
  readonly setup: Setup;
  readonly report: ServiceReport;
  readonly delivered: number;
  readonly duplicated: number;
  /** From the start of the outage. */
  readonly millisToOpen: number | undefined;
  /** From a recovery to the next span that arrives, the median of all recoveries. */
  readonly millisToDeliver: number | undefined;
  /** From SIGTERM to the end of the process. */
  readonly exitMillis: number;
}

/** Runs a service through an outage, and ends it with SIGTERM. */
export async function runCell(
  outage: Outage,
  setup: Setup,
  { seconds, spansPerSecond }: Load,
): Promise<CellResult> {
  await using receiver = await startReceiver({ protocol: 'http' });
  const config: ServiceConfig = {
    url: receiver.endpoint('traces'),
    wrapping: setup.wrapping,
    spansPerSecond,
  };
  const env = environment(setup);
  await using service = await startNode(SERVICE, [JSON.stringify(config)], { env });
  if (outage.steps[0]?.atSeconds === 0) await receiver.kill();
  await service.waitForLine('ready', { timeoutMillis: 60_000 });

  const startedAt = performance.now();
  const until = (second: number): Promise<void> =>
    pause(Math.max(0, startedAt + second * 1_000 - performance.now()));
  const recoveries: number[] = [];
  let outageAt: number | undefined;
  for (const { atSeconds, mode } of outage.steps) {
    await until(atSeconds);
    outageAt ??= Date.now();
    await turn(receiver, mode);
    if (mode === 'healthy') recoveries.push(Date.now());
  }
  await until(seconds);
  const signalledAt = performance.now();
  service.process.kill('SIGTERM');
  await within(service.exited, { what: 'the service to end', timeoutMillis: EXIT_TIMEOUT_MILLIS });
  const exitMillis = performance.now() - signalledAt;
  const report = JSON.parse(await service.waitForLine('"made"')) as ServiceReport;
  // What was under way at the end.
  await pause(100);
  const { distinct, duplicates } = await receiver.stats();

  const waits = recoveries.map(
    (at) => (report.successesAt.find((success) => success >= at) ?? Number.NaN) - at,
  );
  const known = waits.filter((millis) => !Number.isNaN(millis));
  return {
    outage: outage.name,
    setup,
    report,
    delivered: distinct,
    duplicated: duplicates,
    millisToOpen: report.firstOpenedAt === undefined ? undefined : report.firstOpenedAt - (outageAt ?? 0),
    millisToDeliver: known.length === 0 ? undefined : median(known),
    exitMillis,
  };
}

/** Runs all, so many at once, in their order. */
export async function runCells<T>(
  runs: readonly (() => Promise<T>)[],
  atOnce: number,
  done: () => void = () => {},
): Promise<T[]> {
  const results: T[] = [];
  let next = 0;
  const work = async (): Promise<void> => {
    for (let index = next++; index < runs.length; index = next++) {
      const run = runs[index] as () => Promise<T>;
      results[index] = await run();
      done();
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  return results;
}

/** No variable of OpenTelemetry's but the queue: all else is at its default. */
function environment({ queue }: Setup): NodeJS.ProcessEnv {
  const { PATH } = process.env;
  return { PATH, ...(queue === 'long' && { OTEL_BSP_MAX_QUEUE_SIZE: String(QUEUE_SPANS.long) }) };
}

async function turn(receiver: ReceiverProcess, mode: Outage['steps'][number]['mode']): Promise<void> {
  if (mode === 'dead') await receiver.kill();
  else if (receiver.running) await receiver.mode(mode);
  else await receiver.restart(mode);
}
