import { basename } from 'node:path';
import { Turns } from '../codec/turns.ts';
import type { BatchHeader, Finding } from './record.ts';
import { readSegment } from './record.ts';
import type { HeldBatch } from './segment.ts';
import { Segment } from './segment.ts';

/** A segment that another process has left. */
export interface ScannedSegment {
  readonly segment: Segment;
  /** Where the damage at the end of the file begins; `undefined`: it has none. */
  readonly goodUntil: number | undefined;
}

/**
 * Finds out what a segment still holds. Damage counts as one item, or as many as a torn batch had, and is held like a
 * batch that cannot be read, so that it is accounted for.
 *
 * @param modifiedMillis - stands in where nothing tells when a batch was kept
 * @throws UnknownVersionError
 */
export async function scanSegment(
  { folder, path }: { folder: string; path: string },
  bytes: Buffer,
  modifiedMillis: number,
): Promise<ScannedSegment> {
  const turns = new Turns();
  const live = new Map<string, { held: HeldBatch; offset: number }>();
  let since: number | undefined;
  let damage: { start: number; end: number; items: number } | undefined;

  const addDamage = (): void => {
    if (damage === undefined) return;
    const id = `${basename(folder)}/${basename(path)}:${damage.start}`;
    const header: BatchHeader = { id, items: damage.items, keptAt: since ?? modifiedMillis, signal: 'spans' };
    live.set(id, { held: { header }, offset: damage.start });
  };

  const take = (finding: Finding): void => {
    switch (finding.kind) {
      case 'damage':
        if (damage?.end !== finding.start) addDamage();
        damage = {
          items: 1,
          start: damage?.end === finding.start ? damage.start : finding.start,
          end: finding.end,
        };
        return;
      case 'torn':
        addDamage();
        damage = { items: finding.header.items, start: finding.start, end: bytes.length };
        return;
      case 'batch': {
        const { header, payload, start } = finding;
        since ??= header.keptAt;
        live.set(header.id, { held: { header, payload }, offset: start });
        return;
      }
      case 'deleted':
        for (const id of finding.ids) live.delete(id);
    }
  };

  for (const finding of readSegment(bytes)) {
    take(finding);
    if (turns.over) await turns.next();
  }
  addDamage();

  const segment = new Segment(folder, path, since ?? modifiedMillis, bytes.length);
  for (const { held, offset } of live.values()) segment.add(held, offset);
  return { segment, goodUntil: damage?.end === bytes.length ? damage.start : undefined };
}
