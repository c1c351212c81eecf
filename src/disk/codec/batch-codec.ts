import { promisify } from 'node:util';
import { deflateRaw, inflateRaw } from 'node:zlib';
import type { LogRecordLike } from './log-record-rows.ts';
import { encodeLogRecord, LogRecordReader } from './log-record-rows.ts';
import type { ResourceMetricsLike } from './metric-rows.ts';
import { encodeMetrics, MetricsReader } from './metric-rows.ts';
import type { ResourceLike, Row } from './shared-objects.ts';
import { SharedObjectsWriter } from './shared-objects.ts';
import type { SpanLike } from './span-rows.ts';
import { encodeSpan, SpanReader } from './span-rows.ts';
import { CodecError } from './tagged-values.ts';
import { Turns } from './turns.ts';

/** What a batch holds. */
export type Signal = 'spans' | 'logs' | 'metrics';

/** A batch as bytes. */
export interface EncodedBatch {
  readonly signal: Signal;
  readonly payload: Uint8Array;
}

/** A batch that was decoded. */
export type DecodedBatch =
  | { readonly signal: 'spans'; readonly batch: SpanLike[] }
  | { readonly signal: 'logs'; readonly batch: LogRecordLike[] }
  | { readonly signal: 'metrics'; readonly batch: ReturnType<MetricsReader['end']> };

/** A batch is at most this long before it is compressed, so that crafted bytes cannot fill the memory. */
export const MAX_TEXT_BYTES = 32 * 1024 * 1024;
/** Text is turned into bytes in pieces of this size. */
const PIECE_LENGTH = 128 * 1024;
const NEW_LINE = 0x0a;
/** A shorter row cannot nest deeply enough to fill the memory. */
const HARMLESS_ROW_LENGTH = 64 * 1024;
const MAX_ROW_DEPTH = 1_000;

const deflate = promisify(deflateRaw);
const inflate = promisify(inflateRaw);

/**
 * Encodes spans, log records or metrics of any line of the SDK, a row of JSON for each item, compressed. Works in pieces
 * of a millisecond.
 *
 * @throws CodecError for anything else, and for what is too large or nests too deeply
 */
export async function encodeBatch(batch: unknown): Promise<EncodedBatch> {
  const turns = new Turns();
  const { signal, groups } = rowsOf(batch);
  const text = new TextBytes();
  text.add(JSON.stringify(signal));
  for (const rows of groups) {
    for (const row of rows) text.add(`\n${JSON.stringify(row)}`);
    if (turns.over) await turns.next();
  }
  return { signal, payload: await deflate(text.end(), { level: 1 }) };
}

/**
 * Decodes a batch. Its content is data: nothing of it is executed, and no prototype is touched.
 *
 * @throws CodecError, or the error of zlib, for bytes that `encodeBatch` did not make
 */
export async function decodeBatch(payload: Uint8Array): Promise<DecodedBatch> {
  const text = await inflate(payload, { maxOutputLength: MAX_TEXT_BYTES });
  const turns = new Turns();
  let end = endOfRow(text, 0);
  const signal = JSON.parse(text.toString('utf8', 0, end)) as Signal;
  const reader = readerOf(signal);
  while (end < text.length) {
    const start = end + 1;
    end = endOfRow(text, start);
    reader.take(parseRow(text.toString('utf8', start, end)));
    if (turns.over) await turns.next();
  }
  return { signal, batch: reader.end() } as DecodedBatch;
}

function rowsOf(batch: unknown): { signal: Signal; groups: Iterable<Row[]> } {
  if (Array.isArray(batch)) {
    const first: Partial<SpanLike & LogRecordLike> | null | undefined = batch[0];
    if (typeof first?.spanContext === 'function') {
      return { signal: 'spans', groups: itemRows(batch as SpanLike[], encodeSpan) };
    }
    if (first?.hrTime !== undefined) {
      return { signal: 'logs', groups: itemRows(batch as LogRecordLike[], encodeLogRecord) };
    }
  } else if (Array.isArray((batch as Partial<ResourceMetricsLike> | null | undefined)?.scopeMetrics)) {
    return { signal: 'metrics', groups: encodeMetrics(batch as ResourceMetricsLike) };
  }
  throw new CodecError('a batch must be an array of spans or log records, or ResourceMetrics');
}

function* itemRows<T>(
  items: readonly T[],
  encode: (item: T, shared: SharedObjectsWriter, rows: Row[]) => void,
): Generator<Row[]> {
  const shared = new SharedObjectsWriter();
  for (const item of items) {
    const rows: Row[] = [];
    encode(item, shared, rows);
    yield rows;
  }
}

/** Waits for resource attributes that are still detected. Processors have done that; other callers may not have. */
export async function completeResources(batch: unknown): Promise<void> {
  const holders = Array.isArray(batch) ? batch : [batch];
  const resources = new Set(
    holders.map((holder: { resource?: PendingResource } | null | undefined) => holder?.resource),
  );
  for (const resource of resources) {
    if (resource?.asyncAttributesPending) await resource.waitForAsyncAttributes?.();
  }
}

type PendingResource = ResourceLike & {
  readonly asyncAttributesPending?: boolean;
  waitForAsyncAttributes?(): Promise<void>;
};

function readerOf(signal: Signal): SpanReader | LogRecordReader | MetricsReader {
  switch (signal) {
    case 'spans':
      return new SpanReader();
    case 'logs':
      return new LogRecordReader();
    case 'metrics':
      return new MetricsReader();
    default:
      throw new CodecError('unknown signal');
  }
}

/** Collects text as bytes, in pieces, so that a large batch is not encoded in one go. */
class TextBytes {
  readonly #pieces: Buffer[] = [];
  #bytes = 0;
  #text = '';

  /** @throws CodecError when it becomes too large */
  add(text: string): void {
    this.#text += text;
    if (this.#text.length >= PIECE_LENGTH) this.#flush();
  }

  end(): Buffer {
    this.#flush();
    return Buffer.concat(this.#pieces);
  }

  #flush(): void {
    const piece = Buffer.from(this.#text);
    this.#text = '';
    this.#bytes += piece.length;
    if (this.#bytes > MAX_TEXT_BYTES) {
      throw new CodecError(`the batch is larger than ${MAX_TEXT_BYTES} bytes before compression`);
    }
    this.#pieces.push(piece);
  }
}

function endOfRow(text: Buffer, start: number): number {
  const end = text.indexOf(NEW_LINE, start);
  return end === -1 ? text.length : end;
}

function parseRow(text: string): unknown[] {
  if (text.length > HARMLESS_ROW_LENGTH && nestsTooDeeply(text)) {
    throw new CodecError('a row nests too deeply');
  }
  const row: unknown = JSON.parse(text);
  if (!Array.isArray(row)) throw new CodecError('a row must be a list');
  return row;
}

/** Whether lists and objects nest so deeply that parsing them, at 60 bytes of memory a level, could fill the memory. */
function nestsTooDeeply(text: string): boolean {
  let depth = 0;
  for (let i = 0; i < text.length; i++) {
    switch (text.charCodeAt(i)) {
      case 0x22: // "
        i = endOfString(text, i + 1);
        break;
      case 0x5b: // [
      case 0x7b: // {
        if (++depth > MAX_ROW_DEPTH) return true;
        break;
      case 0x5d: // ]
      case 0x7d: // }
        depth--;
        break;
    }
  }
  return false;
}

function endOfString(text: string, start: number): number {
  for (let i = start; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === 0x5c /* \ */) i++;
    else if (code === 0x22 /* " */) return i;
  }
  return text.length;
}
