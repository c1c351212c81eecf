import { randomUUID } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ReceiverStats } from '../support/receiver/ledger.ts';
import { decodeBatch } from '../support/receiver/otlp-batch.ts';
import type { ReceiverProcess } from '../support/receiver-process.ts';
import { startReceiver } from '../support/receiver-process.ts';
import { waitFor } from '../support/wait-for.ts';
import type { Fault } from './fault.ts';
import { isRecovered } from './faults.ts';
import type { ServiceConfig, ServiceLook, ServiceReport, Variant } from './protocol.ts';
import { startService } from './service-process.ts';

/** One fault that happens to one kind of service. */
export interface Cell {
  readonly fault: Fault;
  readonly variant: Variant;
}

/** What service, receiver and file said in the end. */
export interface CellOutcome {
  readonly report: ServiceReport;
  /** From the signal to the end of the process, where there was one. */
  readonly exitMillis: number;
  readonly stats: ReceiverStats;
  /** The numbers of the spans in the fallback's file, a list for each line. */
  readonly file: readonly (readonly number[])[];
  /** What the service said just before and just after the fault. */
  readonly before: ServiceLook;
  readonly after: ServiceLook;
  /** What the fault itself found wrong. */
  readonly problems: readonly string[];
}

/** Where cells find what they need. */
export interface CellSurroundings {
  /** URL of the built main entry. */
  readonly library: string;
  /** An empty folder that somebody else removes. */
  readonly folder: string;
}

/** Starts the processes of a cell, lets the fault happen, and collects what became of the spans. */
export async function runCell(
  { fault, variant }: Cell,
  { library, folder }: CellSurroundings,
): Promise<CellOutcome> {
  await using receiver = await startReceiver({ protocol: 'http', mode: fault.mode ?? 'healthy' });
  const { retention = {}, ...rest } = fault.service ?? {};
  const fallbackFile = join(folder, `${randomUUID()}.jsonl`);
  const config: ServiceConfig = {
    ...rest,
    library,
    url: endpointOf(receiver, fault),
    ...(variant !== 'none' && { retention }),
    ...(variant === 'retention+file' && { fallbackFile }),
  };
  await using service = await startService(config);
  await service.traffic(true);
  await waitFor(async () => (await receiver.stats()).distinct >= 100, {
    what: 'the first hundred spans to arrive',
    timeoutMillis: 15_000,
  });

  const before = await service.look();
  const problems = await fault.run({ variant, receiver, service });
  const after = await service.look();
  if (fault.sigterm !== true) {
    if (fault.recovers?.(variant) ?? true) await service.until('all to be well again', isRecovered);
    await service.traffic(false);
    await service.flush();
    const settled = (look: ServiceLook): boolean => {
      const { kept, inFlight } = look.snapshot.delivery;
      return kept.batches + inFlight.batches === 0;
    };
    await service.until('nothing to be under way any more', settled);
  }
  const { report, exitMillis } = await service.finish(fault.sigterm === true ? 'SIGTERM' : 'message');
  // What was under way when the service ended is noted when its connections have closed.
  if (receiver.running) {
    await waitFor(async () => (await receiver.stats()).openConnections === 0, {
      what: 'the receiver to be done',
    });
  }
  return {
    report,
    exitMillis,
    stats: await receiver.stats(),
    file: readLines(fallbackFile),
    before,
    after,
    problems: problems ?? [],
  };
}

function endpointOf(receiver: ReceiverProcess, fault: Fault): string {
  return fault.service?.stubLookup === true
    ? `http://collector.test:${receiver.port}/v1/traces`
    : receiver.endpoint('traces');
}

function readLines(path: string): (readonly number[])[] {
  if (!existsSync(path)) return [];
  const lines = readFileSync(path, 'utf8').split('\n');
  if (lines.pop() !== '') throw new Error('the last line of the file has no end');
  // The same reader as the receiver's: a line is what would have been the body of a request.
  return lines.map((line) => decodeBatch('traces', 'json', Buffer.from(line)).numbers);
}
