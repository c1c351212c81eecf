import type { DecodedBatch } from '../codec/batch-codec.ts';
import type { LogRecordLike } from '../codec/log-record-rows.ts';
import type { DataPointLike, MetricLike, ResourceMetricsLike } from '../codec/metric-rows.ts';
import type { ResourceLike, ScopeLike } from '../codec/shared-objects.ts';
import type { SpanContextLike } from '../codec/span-context.ts';
import type { SpanLike } from '../codec/span-rows.ts';

type Json = Readonly<Record<string, unknown>>;

/** `SDK`'s enums start at 0, OTLP's have 0 for unspecified. */
const FIRST_IN_OTLP = 1;
const HAS_IS_REMOTE = 0x100;
const IS_REMOTE = 0x200;
const INTEGER_LIMIT = 2 ** 63;

/**
 * A batch as an OTLP request in JSON, as the SDK's exporters of today send it. What JSON has no number for is text, as
 * the JSON form of protobuf wants it.
 *
 * @see https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding
 */
export function otlpJsonOf(decoded: DecodedBatch): Json {
  switch (decoded.signal) {
    case 'spans':
      return { resourceSpans: grouped(decoded.batch, scopeOfSpan, 'scopeSpans', 'spans', spanOf) };
    case 'logs':
      return { resourceLogs: grouped(decoded.batch, scopeOfLog, 'scopeLogs', 'logRecords', logRecordOf) };
    case 'metrics':
      return { resourceMetrics: [metricsOf(decoded.batch)] };
  }
}

/** Groups items by their resource and scope, in the order in which these come. */
function grouped<T extends { readonly resource: ResourceLike }>(
  items: readonly T[],
  scopeOf: (item: T) => ScopeLike,
  scopesKey: string,
  itemsKey: string,
  convert: (item: T) => Json,
): Json[] {
  const byResource = new Map<ResourceLike, Map<ScopeLike, T[]>>();
  for (const item of items) {
    const byScope = getOrAdd(byResource, item.resource, () => new Map<ScopeLike, T[]>());
    getOrAdd(byScope, scopeOf(item), () => []).push(item);
  }
  return [...byResource].map(([resource, byScope]) => ({
    resource: resourceOf(resource),
    [scopesKey]: [...byScope].map(([scope, some]) => ({
      scope: scopeJson(scope),
      [itemsKey]: some.map(convert),
      schemaUrl: scope.schemaUrl,
    })),
    schemaUrl: resource.schemaUrl || undefined,
  }));
}

function scopeOfSpan({ instrumentationScope, instrumentationLibrary }: SpanLike): ScopeLike {
  return (instrumentationScope ?? instrumentationLibrary) as ScopeLike;
}

function scopeOfLog({ instrumentationScope }: LogRecordLike): ScopeLike {
  return instrumentationScope;
}

function spanOf(span: SpanLike): Json {
  const context = span.spanContext();
  const parent = span.parentSpanContext;
  return {
    traceId: context.traceId,
    spanId: context.spanId,
    parentSpanId: parent?.spanId || undefined,
    traceState: context.traceState?.serialize(),
    name: span.name,
    kind: typeof span.kind === 'number' ? span.kind + FIRST_IN_OTLP : 0,
    startTimeUnixNano: nanosOf(span.startTime),
    endTimeUnixNano: nanosOf(span.endTime),
    attributes: attributesOf(span.attributes),
    droppedAttributesCount: span.droppedAttributesCount,
    events: span.events.map(({ name, time, attributes, droppedAttributesCount }) => ({
      attributes: attributesOf(attributes),
      name,
      timeUnixNano: nanosOf(time),
      droppedAttributesCount: droppedAttributesCount || 0,
    })),
    droppedEventsCount: span.droppedEventsCount,
    status: { code: span.status.code, message: span.status.message },
    links: span.links.map(({ context: linked, attributes, droppedAttributesCount }) => ({
      attributes: attributesOf(attributes),
      spanId: linked.spanId,
      traceId: linked.traceId,
      traceState: linked.traceState?.serialize(),
      droppedAttributesCount: droppedAttributesCount || 0,
      flags: flagsOf(linked, linked.isRemote),
    })),
    droppedLinksCount: span.droppedLinksCount,
    flags: flagsOf(context, parent?.isRemote),
  };
}

function logRecordOf(record: LogRecordLike): Json {
  const { spanContext } = record;
  return {
    timeUnixNano: nanosOf(record.hrTime),
    observedTimeUnixNano: nanosOf(record.hrTimeObserved),
    severityNumber: record.severityNumber,
    severityText: record.severityText,
    body: anyValueOf(record.body),
    eventName: record.eventName,
    attributes: attributesOf(record.attributes),
    droppedAttributesCount: record.droppedAttributesCount,
    flags: spanContext?.traceFlags,
    traceId: spanContext?.traceId,
    spanId: spanContext?.spanId,
  };
}

function metricsOf({ resource, scopeMetrics }: ResourceMetricsLike): Json {
  return {
    resource: resourceOf(resource),
    schemaUrl: resource.schemaUrl || undefined,
    scopeMetrics: scopeMetrics.map(({ scope, metrics }) => ({
      scope: scopeJson(scope),
      metrics: metrics.map(metricOf),
      schemaUrl: scope.schemaUrl,
    })),
  };
}

/** The kinds of data, in the order of the SDK's enum. */
const KINDS = ['histogram', 'exponentialHistogram', 'gauge', 'sum'] as const;

function metricOf(metric: MetricLike): Json {
  const { name, description, unit, valueType } = metric.descriptor as Json;
  const kind = KINDS[metric.dataPointType as number];
  const named = { name, description, unit };
  if (kind === undefined) return named;
  const temporality = { aggregationTemporality: (metric.aggregationTemporality as number) + FIRST_IN_OTLP };
  return {
    ...named,
    [kind]: {
      ...(kind !== 'gauge' && temporality),
      ...(kind === 'sum' && { isMonotonic: metric.isMonotonic }),
      dataPoints: metric.dataPoints.map((point) => dataPointOf(point, kind, valueType === 0)),
    },
  };
}

function dataPointOf(point: DataPointLike, kind: (typeof KINDS)[number], isInteger: boolean): Json {
  const times = { startTimeUnixNano: nanosOf(point.startTime), timeUnixNano: nanosOf(point.endTime) };
  const attributes = attributesOf(point.attributes);
  if (kind === 'gauge' || kind === 'sum') {
    const value = isInteger ? { asInt: point.value } : { asDouble: numberOf(point.value) };
    return { attributes, ...times, ...value };
  }
  const { count, sum, min, max, ...rest } = point.value as Json;
  const summary = { count, sum: numberOf(sum), min: numberOf(min), max: numberOf(max) };
  if (kind === 'exponentialHistogram') return { attributes, ...summary, ...rest, ...times };
  const { boundaries, counts } = rest['buckets'] as { boundaries: unknown[]; counts: unknown[] };
  return { attributes, bucketCounts: counts, explicitBounds: boundaries.map(numberOf), ...summary, ...times };
}

function resourceOf({ attributes, schemaUrl }: ResourceLike): Json {
  return {
    attributes: attributesOf(attributes),
    droppedAttributesCount: 0,
    ...(schemaUrl ? { schemaUrl } : {}),
  };
}

function scopeJson({ name, version, attributes, droppedAttributesCount }: ScopeLike): Json {
  if (attributes === undefined || Object.keys(attributes).length === 0) return { name, version };
  return {
    name,
    version,
    attributes: attributesOf(attributes),
    droppedAttributesCount: droppedAttributesCount ?? 0,
  };
}

function attributesOf(attributes: object | undefined): Json[] {
  return Object.entries(attributes ?? {}).map(([key, value]) => ({ key, value: anyValueOf(value) }));
}

function anyValueOf(value: unknown): Json {
  switch (typeof value) {
    case 'string':
      return { stringValue: value };
    case 'boolean':
      return { boolValue: value };
    case 'number': {
      const isInteger = Number.isInteger(value) && value >= -INTEGER_LIMIT && value < INTEGER_LIMIT;
      return isInteger ? { intValue: value } : { doubleValue: numberOf(value) };
    }
    case 'object':
      if (value === null) return {};
      if (value instanceof Uint8Array) return { bytesValue: Buffer.from(value).toString('base64') };
      if (Array.isArray(value)) return { arrayValue: { values: value.map(anyValueOf) } };
      return { kvlistValue: { values: attributesOf(value) } };
    default:
      return {};
  }
}

function numberOf(value: unknown): unknown {
  return typeof value === 'number' && !Number.isFinite(value) ? String(value) : value;
}

/** Nanoseconds as text: they have more digits than a number. */
function nanosOf(time: unknown): string {
  const [seconds, nanos] = time as readonly [number, number];
  return String(BigInt(Math.trunc(seconds)) * 1_000_000_000n + BigInt(Math.trunc(nanos)));
}

function flagsOf({ traceFlags }: SpanContextLike, isRemote: unknown): number {
  return ((traceFlags as number) & 0xff) | HAS_IS_REMOTE | (isRemote ? IS_REMOTE : 0);
}

function getOrAdd<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = make();
  map.set(key, made);
  return made;
}
