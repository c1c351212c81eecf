import { expandSeen } from '../../../test/support/receiver/seen.ts';
import type { ServiceProcess } from '../service-process.ts';
import type { Stage } from '../stage.ts';

/** Where a service stands before an outage. */
export interface Mark {
  readonly service: ServiceProcess;
  /** The number of the next span. */
  readonly first: number;
  /** What its exporter has given up so far. */
  readonly lost: number;
}

/** What became of the spans of an outage. */
export interface Count {
  readonly made: number;
  readonly arrived: number;
  readonly lost: number;
  readonly twice: number;
  /** What the exporter itself says was lost. */
  readonly lostByExporter: number;
}

/** Lets a service make spans, and remembers where it stood. */
export async function mark(service: ServiceProcess): Promise<Mark> {
  return { service, first: await service.ask('resume'), lost: service.report.lost };
}

/** Stops a service, and counts at the collector, one by one, the spans made since the mark. */
export async function count(stage: Stage, { service, first, lost }: Mark): Promise<Count> {
  const last = await service.ask('pause');
  await service.until('nothing to be under way', ({ kept, inFlight }) => kept + inFlight === 0);
  const seen = expandSeen((await stage.collector.stats()).seen);
  let arrived = 0;
  let twice = 0;
  for (let number = first; number <= last; number += 1) {
    const times = seen.get(number) ?? 0;
    if (times > 0) arrived += 1;
    if (times > 1) twice += 1;
  }
  const made = last - first + 1;
  return { made, arrived, lost: made - arrived, twice, lostByExporter: service.report.lost - lost };
}
