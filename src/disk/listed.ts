import type { StoredBatch } from '../delivery/batch-store.ts';
import type { HeldBatch } from './segment/segment.ts';
import type { SpoolLog } from './spool-log.ts';
import type { System } from './system.ts';

/** What is taken over is sent after a random wait of at most this, so that a fleet does not send it at once. */
const LONGEST_WAIT_MILLIS = 30_000;

/** What was taken over, as delivery wants to know it, oldest first; the operator gets a line. */
export function listed(found: readonly HeldBatch[], { time, random }: System, log: SpoolLog): StoredBatch[] {
  if (found.length === 0) return [];
  log.info(`took over ${found.length} batches with ${itemsOf(found)} items of an earlier process`);
  const damaged = found.filter(({ payload }) => payload === undefined);
  if (damaged.length > 0) {
    const places = damaged.length === 1 ? 'a place is' : `${damaged.length} places are`;
    log.warn(`${places} damaged, which counts as ${itemsOf(damaged)} unreadable items`);
  }
  const notBefore = time.unixMillis() + random() * LONGEST_WAIT_MILLIS;
  return found
    .map(({ header: { id, items, bytes, keptAt } }) => ({ id, items, bytes, keptAt, notBefore }))
    .sort((a, b) => a.keptAt - b.keptAt);
}

function itemsOf(batches: readonly HeldBatch[]): number {
  return batches.reduce((sum, { header }) => sum + header.items, 0);
}
