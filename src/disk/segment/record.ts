import type { StoredBatch } from '../../delivery/batch-store.ts';
import type { Signal } from '../codec/batch-codec.ts';
import { crc32 } from './crc32.ts';

/**
 * A segment is a file of records. It begins with `OTCB`, a version, three bytes of nothing and their checksum. All
 * numbers have 32 bits and are little-endian. A record:
 *
 * | bytes | content |
 * | ---: | --- |
 * | 4 | a mark, by which the next good record is found behind a damaged one |
 * | 4 | length of the header |
 * | 4 | length of the payload |
 * | 4 | CRC-32 of the payload |
 * | 4 | CRC-32 of the three numbers above and of the header |
 * | | header: JSON; what a batch is, or the ids of deleted batches |
 * | | payload: the encoded batch, or nothing |
 */
export const VERSION = 1;
export const SEGMENT_HEAD_LENGTH = 12;
const SEGMENT_MARK = 'OTCB';

const HEAD_LENGTH = 20;
// A byte that UTF-8 does not have, so that no header contains it.
const MARK = Buffer.from([0xf5, 0x4f, 0x43, 0x42]);
const MAX_HEADER_LENGTH = 8 * 1024;
const MAX_ID_LENGTH = 256;
/** So many ids fit into a header. */
export const MAX_DELETED_IDS = 24;

/** What the header of a record says about its batch. */
export interface BatchHeader extends StoredBatch {
  readonly signal: Signal;
}

/** Where the payload of a batch is in its record. */
export interface PayloadPlace {
  readonly offset: number;
  readonly length: number;
  readonly crc: number;
}

/** What a segment holds, in the order of its bytes. */
export type Finding =
  | {
      readonly kind: 'batch';
      readonly start: number;
      readonly header: BatchHeader;
      readonly payload: PayloadPlace;
    }
  | { readonly kind: 'deleted'; readonly ids: readonly string[] }
  /** A batch whose payload was not written to its end. Nothing follows it. */
  | { readonly kind: 'torn'; readonly start: number; readonly header: BatchHeader }
  /** Bytes that are no record. Another such finding may follow at once, and belongs to the same damage. */
  | { readonly kind: 'damage'; readonly start: number; readonly end: number };

/** A segment that another version of the library has written. */
export class UnknownVersionError extends Error {
  override readonly name = 'UnknownVersionError';
  readonly version: number;

  constructor(version: number) {
    super(`its format version, ${version}, is unknown`);
    this.version = version;
  }
}

/** The first bytes of a segment. */
export function segmentHead(version = VERSION): Buffer {
  const head = Buffer.alloc(SEGMENT_HEAD_LENGTH);
  head.write(SEGMENT_MARK, 'latin1');
  head.writeUInt8(version, 4);
  head.writeUInt32LE(crc32(head.subarray(0, 8)), 8);
  return head;
}

/** The record of a batch, and where its payload is in it. */
export function batchRecord(
  { id, items, bytes, keptAt, signal }: BatchHeader,
  payload: Uint8Array,
): { record: Buffer; payload: PayloadPlace } {
  if (id.length > MAX_ID_LENGTH) throw new RangeError(`an id has more than ${MAX_ID_LENGTH} characters`);
  return recordOf({ id, items, bytes, keptAt, signal }, payload);
}

/** The record that deletes batches. @param ids - at most {@link MAX_DELETED_IDS} */
export function deletionRecord(ids: readonly string[]): Buffer {
  return recordOf({ deleted: ids }, new Uint8Array()).record;
}

/**
 * Reads what is in a segment, whatever has happened to its bytes. Payloads are not looked at.
 *
 * @throws UnknownVersionError
 */
export function* readSegment(bytes: Buffer): Generator<Finding> {
  let at = startOfRecords(bytes);
  while (at < bytes.length) {
    const record = recordAt(bytes, at);
    if (record === undefined) {
      const next = bytes.indexOf(MARK, at + 1);
      const end = next === -1 ? bytes.length : next;
      yield { kind: 'damage', start: at, end };
      at = end;
    } else {
      yield record.finding;
      at = record.end;
    }
  }
}

function recordOf(header: object, payload: Uint8Array): { record: Buffer; payload: PayloadPlace } {
  const text = Buffer.from(JSON.stringify(header));
  const offset = HEAD_LENGTH + text.length;
  const record = Buffer.alloc(offset + payload.length);
  const crc = crc32(payload);
  MARK.copy(record);
  record.writeUInt32LE(text.length, 4);
  record.writeUInt32LE(payload.length, 8);
  record.writeUInt32LE(crc, 12);
  text.copy(record, HEAD_LENGTH);
  record.writeUInt32LE(crcOfHead(record, text.length), 16);
  record.set(payload, offset);
  return { record, payload: { offset, length: payload.length, crc } };
}

function crcOfHead(record: Buffer, headerLength: number): number {
  return crc32(record.subarray(HEAD_LENGTH, HEAD_LENGTH + headerLength), crc32(record.subarray(4, 16)));
}

/** A damaged head is no reason to give up the records behind it. */
function startOfRecords(bytes: Buffer): number {
  const head = bytes.subarray(0, SEGMENT_HEAD_LENGTH);
  if (head.length < SEGMENT_HEAD_LENGTH) return 0;
  const isWhole =
    head.toString('latin1', 0, 4) === SEGMENT_MARK && head.readUInt32LE(8) === crc32(head.subarray(0, 8));
  const version = head.readUInt8(4);
  if (isWhole && version !== VERSION) throw new UnknownVersionError(version);
  return isWhole ? SEGMENT_HEAD_LENGTH : Math.max(0, bytes.indexOf(MARK));
}

function recordAt(bytes: Buffer, start: number): { finding: Finding; end: number } | undefined {
  const record = bytes.subarray(start);
  if (record.length < HEAD_LENGTH || !record.subarray(0, MARK.length).equals(MARK)) return undefined;
  const headerLength = record.readUInt32LE(4);
  const offset = HEAD_LENGTH + headerLength;
  if (headerLength > MAX_HEADER_LENGTH || offset > record.length) return undefined;
  if (record.readUInt32LE(16) !== crcOfHead(record, headerLength)) return undefined;
  const length = record.readUInt32LE(8);
  const header = parseHeader(record.toString('utf8', HEAD_LENGTH, offset));
  if (header === undefined) return undefined;
  if ('ids' in header) return { finding: header, end: start + offset + length };
  if (offset + length > record.length) return { finding: { kind: 'torn', start, header }, end: bytes.length };
  const payload = { offset, length, crc: record.readUInt32LE(12) };
  return { finding: { kind: 'batch', start, header, payload }, end: start + offset + length };
}

/** Whoever writes a right checksum can write any header. */
function parseHeader(text: string): BatchHeader | { kind: 'deleted'; ids: readonly string[] } | undefined {
  let json: Partial<Record<string, unknown>> | null;
  try {
    json = JSON.parse(text);
  } catch {
    return undefined;
  }
  const { id, items, bytes, keptAt, signal, deleted } = json ?? {};
  if (Array.isArray(deleted)) {
    return deleted.every((each) => typeof each === 'string') ? { kind: 'deleted', ids: deleted } : undefined;
  }
  if (typeof id !== 'string' || id.length > MAX_ID_LENGTH) return undefined;
  if (!isCount(items) || !isCount(bytes ?? 0) || !Number.isFinite(keptAt)) return undefined;
  if (signal !== 'spans' && signal !== 'logs' && signal !== 'metrics') return undefined;
  return { id, items, bytes: bytes as number | undefined, keptAt: keptAt as number, signal };
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value <= Number.MAX_SAFE_INTEGER;
}
