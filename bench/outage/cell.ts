import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { startNode } from '../../test/support/child-process.ts';
import { deadPort } from '../../test/support/dead-port.ts';
import { startReceiver } from '../../test/support/receiver-process.ts';
import { within } from '../../test/support/wait-for.ts';
import { median } from '../support/table.ts';
import type { Outage } from './outages.ts';
import type { ServiceConfig, ServiceReport, Wrapping } from './protocol.ts';

const SERVICE = fileURLToPath(new URL('./service.ts', import.meta.url));

export interface CellResult {
  readonly outage: string;
  readonly wrapping: Wrapping;
  readonly report: ServiceReport;
  readonly delivered: number;
  readonly duplicated: number;
  /** From the start, where it began with the outage. */
  readonly millisToOpen: number | undefined;
  /** From a recovery to the next span that arrives, the median of all recoveries. */
  readonly millisToDeliver: number | undefined;
}

/** Runs a service with one wrapping through one outage. */
export async function runCell(
  outage: Outage,
  wrapping: Wrapping,
  seconds: number,
  spansPerSecond: number,
): Promise<CellResult> {
  await using receiver = await startReceiver({ protocol: 'http', mode: outage.mode });
  await using dead = await deadPort();
  const url = outage.refused ? `${dead.url}/v1/traces` : receiver.endpoint('traces');
  const config: ServiceConfig = { url, wrapping, spansPerSecond };
  await using service = await startNode(SERVICE, [JSON.stringify(config)]);
  await service.waitForLine('ready', { timeoutMillis: 30_000 });

  const startedAt = performance.now();
  const recoveries: number[] = [];
  for (const { atSeconds, mode } of outage.steps) {
    await pause(Math.max(0, startedAt + atSeconds * 1_000 - performance.now()));
    await receiver.mode(mode);
    if (mode === 'healthy') recoveries.push(Date.now());
  }
  await pause(Math.max(0, startedAt + seconds * 1_000 - performance.now()));
  service.process.stdin?.write('end\n');
  const line = await service.waitForLine('"made"', { timeoutMillis: 60_000 });
  await within(service.exited, { what: 'the service to end' });
  const report = JSON.parse(line) as ServiceReport;
  const { distinct, duplicates } = await receiver.stats();

  const waits = recoveries.map(
    (at) => (report.successesAt.find((success) => success >= at) ?? Number.NaN) - at,
  );
  const known = waits.filter((millis) => !Number.isNaN(millis));
  return {
    outage: outage.name,
    wrapping,
    report,
    delivered: distinct,
    duplicated: duplicates,
    millisToOpen: report.firstOpenedAt === undefined ? undefined : report.firstOpenedAt - report.startedAt,
    millisToDeliver: known.length === 0 ? undefined : median(known),
  };
}
