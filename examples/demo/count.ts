import { expandSeen } from '../../test/support/receiver/seen.ts';
import type { ServiceProcess } from './service-process.ts';
import type { Stage } from './stage.ts';

/** What became of the spans of a service. */
export interface Count {
  readonly made: number;
  readonly arrived: number;
  readonly lost: number;
}

/**
 * Stops a service, and counts its spans at the collector, one by one.
 *
 * @param first - the number of its first span
 */
export async function count(stage: Stage, service: ServiceProcess, first: number): Promise<Count> {
  const last = await service.ask('pause', 15_000);
  await service.ask('redeliver', 15_000);
  await service.until('nothing to be under way', ({ kept, inFlight }) => kept + inFlight === 0);
  const seen = expandSeen((await stage.collector.stats()).seen);
  let arrived = 0;
  for (let number = first; number <= last; number += 1) {
    if (seen.has(number)) arrived += 1;
  }
  const made = last - first + 1;
  return { made, arrived, lost: made - arrived };
}
