import type { ResourceLike, Row, ScopeLike, SharedObjectsWriter } from './shared-objects.ts';
import { SharedObjectsReader } from './shared-objects.ts';
import type { SpanContextLike } from './span-context.ts';
import { decodeSpanContext, encodeSpanContext } from './span-context.ts';
import { decodeMap, decodeValue, encodeMap, encodeValue } from './tagged-values.ts';

/** A `ReadableLogRecord` of any line of the SDK. */
export interface LogRecordLike {
  readonly hrTime: unknown;
  readonly hrTimeObserved: unknown;
  readonly spanContext?: SpanContextLike | undefined;
  readonly severityNumber?: unknown;
  readonly severityText?: unknown;
  readonly body?: unknown;
  /** SDK 2.x and 3.x. */
  readonly eventName?: unknown;
  readonly attributes: object;
  readonly droppedAttributesCount: unknown;
  readonly resource: ResourceLike;
  readonly instrumentationScope: ScopeLike;
}

/** Adds a log record's row, and those of its resource and scope if they are new. */
export function encodeLogRecord(record: LogRecordLike, shared: SharedObjectsWriter, rows: Row[]): void {
  const resource = shared.resource(record.resource, rows);
  const scope = shared.scope(record.instrumentationScope, rows);
  rows.push([
    resource,
    scope,
    encodeValue(record.hrTime),
    encodeValue(record.hrTimeObserved),
    encodeSpanContext(record.spanContext),
    encodeValue(record.severityNumber),
    encodeValue(record.severityText),
    encodeValue(record.body),
    encodeValue(record.eventName),
    encodeMap(record.attributes),
    encodeValue(record.droppedAttributesCount),
  ]);
}

/** Makes log records of their rows that every line of the SDK can export. */
export class LogRecordReader {
  readonly #shared = new SharedObjectsReader();
  readonly #records: LogRecordLike[] = [];

  /** @throws CodecError */
  take(row: unknown[]): void {
    if (!this.#shared.take(row)) this.#records.push(this.#record(row));
  }

  end(): LogRecordLike[] {
    return this.#records;
  }

  #record(row: unknown[]): LogRecordLike {
    const [resource, scope, hrTime, hrTimeObserved, context, number, text, body, eventName, ...rest] = row;
    const [attributes, dropped] = rest;
    return {
      hrTime: decodeValue(hrTime),
      hrTimeObserved: decodeValue(hrTimeObserved),
      ...(context != null && { spanContext: decodeSpanContext(context) }),
      severityNumber: decodeValue(number),
      severityText: decodeValue(text),
      body: decodeValue(body),
      eventName: decodeValue(eventName),
      attributes: decodeMap(attributes),
      droppedAttributesCount: decodeValue(dropped),
      resource: this.#shared.resource(resource),
      instrumentationScope: this.#shared.scope(scope),
    };
  }
}
