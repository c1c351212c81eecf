import { readFileSync } from 'node:fs';
import protobuf from 'protobufjs';

/** What an OTLP request is about; the last part of its HTTP path. */
export type Signal = 'traces' | 'logs' | 'metrics';

/** How an OTLP request is written. */
export type Encoding = 'json' | 'protobuf';

/** What the receiver remembers of one request. */
export interface Batch {
  readonly signal: Signal;
  /** Spans, log records or data points. */
  readonly items: number;
  /** The attribute `n` of each span or log record that has one. */
  readonly numbers: readonly number[];
  /** Span names, bodies of log records, metric names: how many items bear each. */
  readonly names: Readonly<Record<string, number>>;
  /** Data points by `delta`, `cumulative`, and `none` for gauges and summaries. */
  readonly temporalities: Readonly<Record<string, number>>;
  /** Whether any span or log record has the attribute `poison: true`. */
  readonly poisoned: boolean;
}

interface AnyValue {
  stringValue?: string;
  boolValue?: boolean;
  intValue?: number | string;
  doubleValue?: number;
}
interface Attributed {
  name?: string;
  body?: AnyValue;
  attributes?: { key: string; value?: AnyValue }[];
}
interface Points {
  dataPoints?: unknown[];
  aggregationTemporality?: number | string;
}
type Metric = { name?: string } & Partial<Record<(typeof POINT_KINDS)[number], Points>>;

const POINT_KINDS = ['gauge', 'sum', 'histogram', 'exponentialHistogram', 'summary'] as const;
const messages = protobuf.parse(readFileSync(new URL('./otlp.proto', import.meta.url), 'utf8')).root;
const REQUEST_TYPES = { traces: 'otlp.Traces', logs: 'otlp.Logs', metrics: 'otlp.Metrics' } as const;

/**
 * Reads the body of an export request.
 *
 * @throws Error where the bytes are no such request
 */
export function decodeBatch(signal: Signal, encoding: Encoding, bytes: Uint8Array): Batch {
  const request = encoding === 'json' ? JSON.parse(new TextDecoder().decode(bytes)) : decode(signal, bytes);
  if (signal === 'metrics') return metricsBatch(request);
  const items: Attributed[] =
    signal === 'traces'
      ? flatten(request, 'resourceSpans', 'scopeSpans', 'spans')
      : flatten(request, 'resourceLogs', 'scopeLogs', 'logRecords');
  const names: Record<string, number> = {};
  const numbers: number[] = [];
  let poisoned = false;
  for (const item of items) {
    add(names, signal === 'traces' ? (item.name ?? '') : text(item.body), 1);
    for (const { key, value } of item.attributes ?? []) {
      if (key === 'n') numbers.push(Number(value?.intValue ?? value?.doubleValue));
      if (key === 'poison' && value?.boolValue === true) poisoned = true;
    }
  }
  return { signal, items: items.length, numbers, names, temporalities: {}, poisoned };
}

/** Encodes a `google.rpc.Status` with a `RetryInfo`, the way a gRPC server asks for a pause. */
export function encodeRetryInfo(code: number, message: string, seconds: number): Buffer {
  const retryInfo = encode('otlp.RetryInfo', { retryDelay: { seconds } });
  const detail = { typeUrl: 'type.googleapis.com/google.rpc.RetryInfo', value: retryInfo };
  return Buffer.from(encode('otlp.Status', { code, message, details: [detail] }));
}

function metricsBatch(request: unknown): Batch {
  const names: Record<string, number> = {};
  const temporalities: Record<string, number> = {};
  let items = 0;
  for (const metric of flatten<Metric>(request, 'resourceMetrics', 'scopeMetrics', 'metrics')) {
    for (const kind of POINT_KINDS) {
      const points = metric[kind];
      if (points === undefined) continue;
      const count = points.dataPoints?.length ?? 0;
      items += count;
      add(names, metric.name ?? '', count);
      add(temporalities, temporality(points), count);
    }
  }
  return { signal: 'metrics', items, numbers: [], names, temporalities, poisoned: false };
}

function temporality({ aggregationTemporality = 0 }: Points): string {
  if (aggregationTemporality === 1 || aggregationTemporality === 'AGGREGATION_TEMPORALITY_DELTA')
    return 'delta';
  if (aggregationTemporality === 2 || aggregationTemporality === 'AGGREGATION_TEMPORALITY_CUMULATIVE')
    return 'cumulative';
  return 'none';
}

function decode(signal: Signal, bytes: Uint8Array): unknown {
  const type = messages.lookupType(REQUEST_TYPES[signal]);
  return type.toObject(type.decode(bytes), { longs: Number });
}

function encode(type: string, value: object): Uint8Array {
  const found = messages.lookupType(type);
  return found.encode(found.fromObject(value)).finish();
}

/** The items of the three nested lists that every OTLP request is. */
function flatten<T>(request: unknown, resources: string, scopes: string, items: string): T[] {
  const inner = (parents: unknown[], key: string): unknown[] =>
    parents.flatMap((parent) => (parent as Record<string, unknown[] | undefined>)[key] ?? []);
  return inner(inner(inner([request], resources), scopes), items) as T[];
}

function text(value: AnyValue | undefined): string {
  return String(value?.stringValue ?? value?.intValue ?? value?.doubleValue ?? value?.boolValue ?? '');
}

function add(counts: Record<string, number>, key: string, count: number): void {
  counts[key] = (counts[key] ?? 0) + count;
}
