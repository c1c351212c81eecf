import { join } from 'node:path';
import { MAX_TEXT_BYTES } from '../codec/batch-codec.ts';
import type { Files } from '../files.ts';
import { codeOf, messageOf } from '../files.ts';
import { UnknownVersionError } from './record.ts';
import { scanSegment } from './scan-segment.ts';
import type { Segment } from './segment.ts';
import { isSegmentName, SEGMENT_BYTES } from './segment.ts';

/** What reading segments needs. */
export interface SegmentReading {
  readonly files: Files;
  /** @param subject - what it is about; the operator hears of each once */
  warn(subject: string, message: string): void;
}

/** Errors that say nothing about a file. */
const PASSING: readonly string[] = ['EMFILE', 'ENFILE', 'ENOMEM', 'EAGAIN'];
/** No segment of ours is larger: one that is full, and a batch that cannot be compressed. */
export const LARGEST_SEGMENT_BYTES = SEGMENT_BYTES + MAX_TEXT_BYTES + 1024 * 1024;

/**
 * Reads what the segments of a folder still hold, and cuts off what is damaged at their ends.
 *
 * @returns those of this version, in the order in which they were written
 * @throws if files cannot be read now
 */
export async function readSegments(folder: string, reading: SegmentReading): Promise<Segment[]> {
  const segments: Segment[] = [];
  for (const name of (await reading.files.list(folder)).sort()) {
    const segment = isSegmentName(name) ? await readOne(folder, name, reading) : undefined;
    if (segment !== undefined) segments.push(segment);
  }
  return segments;
}

async function readOne(
  folder: string,
  name: string,
  { files, warn }: SegmentReading,
): Promise<Segment | undefined> {
  const path = join(folder, name);
  const status = await files.status(path);
  if (status === undefined) return undefined;
  if (status.kind !== 'file') {
    warn('file', `${path} is no file and is left alone`);
    return undefined;
  }
  try {
    const bytes = await files.read(path, 0, Math.min(status.size, LARGEST_SEGMENT_BYTES));
    const { segment, goodUntil } = await scanSegment({ folder, path }, bytes, status.modifiedMillis);
    segment.bytes = status.size;
    if (goodUntil !== undefined) await cutOff(segment, goodUntil, files);
    return segment;
  } catch (error) {
    if (PASSING.includes(codeOf(error) ?? '')) throw error;
    const hint = error instanceof UnknownVersionError ? ': a newer version of this library can read it' : '';
    warn(
      error instanceof UnknownVersionError ? 'version' : 'read',
      `${path} is left alone: ${messageOf(error)}${hint}`,
    );
    return undefined;
  }
}

/** What is appended behind half a record would be taken for a part of it. */
async function cutOff(segment: Segment, goodUntil: number, files: Files): Promise<void> {
  try {
    await files.truncate(segment.path, goodUntil);
    segment.bytes = goodUntil;
  } catch {
    // Then a deletion may be lost, and a batch be sent once more.
  }
}
