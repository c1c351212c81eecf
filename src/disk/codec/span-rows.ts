import type { ResourceLike, Row, ScopeLike, SharedObjectsWriter } from './shared-objects.ts';
import { list, SharedObjectsReader } from './shared-objects.ts';
import type { SpanContextLike } from './span-context.ts';
import { decodeSpanContext, encodeSpanContext } from './span-context.ts';
import type { Json } from './tagged-values.ts';
import { decodeMap, decodeValue, encodeMap, encodeValue } from './tagged-values.ts';

interface EventLike {
  readonly name: unknown;
  readonly time: unknown;
  readonly attributes?: object | undefined;
  readonly droppedAttributesCount?: unknown;
}

interface LinkLike {
  readonly context: SpanContextLike;
  readonly attributes?: object | undefined;
  readonly droppedAttributesCount?: unknown;
}

/** A `ReadableSpan` of any line of the SDK. */
export interface SpanLike {
  readonly name: unknown;
  readonly kind: unknown;
  spanContext(): SpanContextLike;
  /** SDK 1.x. */
  readonly parentSpanId?: unknown;
  /** SDK 2.x and 3.x. */
  readonly parentSpanContext?: SpanContextLike | undefined;
  readonly startTime: unknown;
  readonly endTime: unknown;
  readonly duration: unknown;
  readonly ended: unknown;
  readonly status: { readonly code: unknown; readonly message?: unknown };
  readonly attributes: object;
  readonly events: readonly EventLike[];
  readonly links: readonly LinkLike[];
  readonly droppedAttributesCount: unknown;
  readonly droppedEventsCount: unknown;
  readonly droppedLinksCount: unknown;
  readonly resource: ResourceLike;
  /** SDK 2.x and 3.x. */
  readonly instrumentationScope?: ScopeLike | undefined;
  /** SDK 1.x. */
  readonly instrumentationLibrary?: ScopeLike | undefined;
}

/** Adds a span's row, and those of its resource and scope if they are new. */
export function encodeSpan(span: SpanLike, shared: SharedObjectsWriter, rows: Row[]): void {
  const resource = shared.resource(span.resource, rows);
  const scope = shared.scope((span.instrumentationScope ?? span.instrumentationLibrary) as ScopeLike, rows);
  rows.push([
    resource,
    scope,
    encodeValue(span.name),
    encodeValue(span.kind),
    encodeSpanContext(span.spanContext()),
    encodeSpanContext(span.parentSpanContext),
    encodeValue(span.parentSpanId),
    encodeValue(span.startTime),
    encodeValue(span.endTime),
    encodeValue(span.duration),
    encodeValue(span.ended),
    encodeValue(span.status.code),
    encodeValue(span.status.message),
    encodeMap(span.attributes),
    span.events.map(encodeEvent),
    span.links.map(encodeLink),
    encodeValue(span.droppedAttributesCount),
    encodeValue(span.droppedEventsCount),
    encodeValue(span.droppedLinksCount),
  ]);
}

/** Makes spans of their rows that every line of the SDK can export. */
export class SpanReader {
  readonly #shared = new SharedObjectsReader();
  readonly #spans: SpanLike[] = [];

  /** @throws CodecError */
  take(row: unknown[]): void {
    if (!this.#shared.take(row)) this.#spans.push(this.#span(row));
  }

  end(): SpanLike[] {
    return this.#spans;
  }

  #span(row: unknown[]): SpanLike {
    const [resource, scopeNumber, name, kind, context, parent, parentId, ...rest] = row;
    const [startTime, endTime, duration, ended, code, message, attributes, events, links, ...dropped] = rest;
    const spanContext = decodeSpanContext(context);
    const parentSpanId = decodeValue(parentId);
    const scope = this.#shared.scope(scopeNumber);
    return {
      name: decodeValue(name),
      kind: decodeValue(kind),
      spanContext: () => spanContext,
      ...parentOf(spanContext, parent, parentSpanId),
      startTime: decodeValue(startTime),
      endTime: decodeValue(endTime),
      duration: decodeValue(duration),
      ended: decodeValue(ended),
      status: { code: decodeValue(code), ...(message != null && { message: decodeValue(message) }) },
      attributes: decodeMap(attributes),
      events: list(events).map(decodeEvent),
      links: list(links).map(decodeLink),
      droppedAttributesCount: decodeValue(dropped[0]),
      droppedEventsCount: decodeValue(dropped[1]),
      droppedLinksCount: decodeValue(dropped[2]),
      resource: this.#shared.resource(resource),
      instrumentationScope: scope,
      instrumentationLibrary: scope,
    };
  }
}

/** The parent as each line of the SDK looks for it, so that a service can be upgraded in an outage. */
function parentOf(
  { traceId, traceFlags }: SpanContextLike,
  parent: unknown,
  parentSpanId: unknown,
): Pick<SpanLike, 'parentSpanContext' | 'parentSpanId'> {
  if (parent != null) {
    const parentSpanContext = decodeSpanContext(parent);
    return { parentSpanContext, parentSpanId: parentSpanId ?? parentSpanContext.spanId };
  }
  if (parentSpanId === undefined) return {};
  return { parentSpanContext: { traceId, spanId: parentSpanId, traceFlags }, parentSpanId };
}

function encodeEvent({ name, time, attributes, droppedAttributesCount }: EventLike): Json {
  return [
    encodeValue(name),
    encodeValue(time),
    attributes && encodeMap(attributes),
    encodeValue(droppedAttributesCount),
  ];
}

function decodeEvent(json: unknown): EventLike {
  const [name, time, attributes, dropped] = list(json);
  return { name: decodeValue(name), time: decodeValue(time), ...annotations(attributes, dropped) };
}

function encodeLink({ context, attributes, droppedAttributesCount }: LinkLike): Json {
  return [
    encodeSpanContext(context),
    attributes && encodeMap(attributes),
    encodeValue(droppedAttributesCount),
  ];
}

function decodeLink(json: unknown): LinkLike {
  const [context, attributes, dropped] = list(json);
  return { context: decodeSpanContext(context), ...annotations(attributes, dropped) };
}

function annotations(
  attributes: unknown,
  dropped: unknown,
): Pick<LinkLike, 'attributes' | 'droppedAttributesCount'> {
  return {
    ...(attributes != null && { attributes: decodeMap(attributes) }),
    ...(dropped != null && { droppedAttributesCount: decodeValue(dropped) }),
  };
}
