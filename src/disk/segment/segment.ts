import type { BatchHeader, PayloadPlace } from './record.ts';

/** A segment is closed when it has reached this size. */
export const SEGMENT_BYTES = 1024 * 1024;

const SEGMENT_NAME = /^\d{8,}\.seg$/;

/** The name of a folder's nth segment; in the order of the alphabet. */
export function segmentName(number: number): string {
  return `${String(number).padStart(8, '0')}.seg`;
}

export function isSegmentName(name: string): boolean {
  return SEGMENT_NAME.test(name);
}

/** A batch that the store holds: in memory, in a segment, or, for a while, in both. */
export interface HeldBatch {
  readonly header: BatchHeader;
  /** The whole record, until a segment has it. */
  record?: Buffer | undefined;
  /** What of the record is the payload. `undefined`: its bytes are damaged. */
  readonly payload?: PayloadPlace | undefined;
  /** The segment that has it, and where in the file its record begins. */
  segment?: Segment | undefined;
  offset?: number | undefined;
}

/** A file of batches. */
export class Segment {
  readonly folder: string;
  readonly path: string;
  /** When the oldest of its batches was kept, in Unix milliseconds. */
  readonly since: number;
  /** The length of the file. */
  bytes: number;
  /** What is still to be delivered, by id. */
  readonly live = new Map<string, HeldBatch>();
  /** The file is gone, or belongs to another process. */
  isGone = false;

  constructor(folder: string, path: string, since: number, bytes: number) {
    this.folder = folder;
    this.path = path;
    this.since = since;
    this.bytes = bytes;
  }

  add(held: HeldBatch, offset: number): void {
    held.segment = this;
    held.offset = offset;
    held.record = undefined;
    this.live.set(held.header.id, held);
  }
}
