import { join } from 'node:path';
import type { DecodedBatch } from '../codec/batch-codec.ts';
import { decodeBatch } from '../codec/batch-codec.ts';
import type { Files } from '../files.ts';
import { codeOf, messageOf } from '../files.ts';
import type { FolderName } from '../folder-name.ts';
import { parseFolderName, unescapeName } from '../folder-name.ts';
import { crc32 } from '../segment/crc32.ts';
import { LARGEST_SEGMENT_BYTES } from '../segment/read-segments.ts';
import type { BatchHeader } from '../segment/record.ts';
import { scanSegment } from '../segment/scan-segment.ts';
import { isSegmentName } from '../segment/segment.ts';

/** A batch in a directory, as anybody finds it who may read it. */
export interface FoundBatch {
  /** The exporter's name. */
  readonly exporter: string;
  readonly folder: string;
  readonly owner: FolderName['owner'];
  readonly header: BatchHeader;
  /** What it takes up on disk. */
  readonly bytes: number;
  /** @returns `undefined` if it is damaged, or was delivered meanwhile */
  read(): Promise<DecodedBatch | undefined>;
}

/** Everything that a directory holds. */
export interface SpoolContents {
  /** Oldest first. */
  readonly batches: readonly FoundBatch[];
  /** Places of damage, of which nothing but this is known. */
  readonly damaged: number;
  /** What could not be looked into, a line each. */
  readonly problems: readonly string[];
}

/**
 * Reads a directory of a disk store, and changes nothing in it: processes may be using it.
 *
 * @throws if there is no such directory, or it cannot be read
 */
export async function readSpool(directory: string, files: Files): Promise<SpoolContents> {
  const batches: FoundBatch[] = [];
  const problems: string[] = [];
  let damaged = 0;
  for (const name of await files.list(directory)) {
    const parsed = parseFolderName(name);
    if (parsed === undefined) continue;
    const folder = join(directory, name);
    try {
      const found = await readFolder(folder, parsed, files, problems);
      batches.push(...found.batches);
      damaged += found.damaged;
    } catch (error) {
      // Its owner has emptied it meanwhile.
      if (codeOf(error) !== 'ENOENT') problems.push(`${folder}: ${messageOf(error)}`);
    }
  }
  batches.sort((a, b) => a.header.keptAt - b.header.keptAt);
  return { batches, damaged, problems };
}

async function readFolder(
  folder: string,
  { exporter, owner }: FolderName,
  files: Files,
  problems: string[],
): Promise<{ batches: FoundBatch[]; damaged: number }> {
  if ((await files.status(folder))?.kind !== 'folder') {
    problems.push(`${folder} is no folder`);
    return { batches: [], damaged: 0 };
  }
  const batches: FoundBatch[] = [];
  let damaged = 0;
  for (const name of (await files.list(folder)).filter(isSegmentName).sort()) {
    const path = join(folder, name);
    try {
      const { size = 0, modifiedMillis = 0 } = (await files.status(path)) ?? {};
      const content = await files.read(path, 0, Math.min(size, LARGEST_SEGMENT_BYTES));
      const { segment } = await scanSegment({ folder, path }, content, modifiedMillis);
      for (const { header, payload, offset = 0 } of segment.live.values()) {
        if (payload === undefined) damaged++;
        else {
          const place = { ...payload, path, start: offset + payload.offset };
          const read = (): Promise<DecodedBatch | undefined> => readPayload(place, files);
          const length = payload.offset + payload.length;
          batches.push({ exporter: unescapeName(exporter), folder, owner, header, bytes: length, read });
        }
      }
    } catch (error) {
      if (codeOf(error) !== 'ENOENT') problems.push(`${path}: ${messageOf(error)}`);
    }
  }
  return { batches, damaged };
}

async function readPayload(
  place: { path: string; start: number; length: number; crc: number },
  files: Files,
): Promise<DecodedBatch | undefined> {
  try {
    const payload = await files.read(place.path, place.start, place.length);
    return crc32(payload) === place.crc ? await decodeBatch(payload) : undefined;
  } catch {
    return undefined;
  }
}
