import type { RevivedResource } from './revived.ts';
import type { ResourceLike, Row, ScopeLike } from './shared-objects.ts';
import { SharedObjectsReader, SharedObjectsWriter } from './shared-objects.ts';
import { CodecError, decodeMap, decodeValue, encodeMap, encodeValue } from './tagged-values.ts';

/** A data point of any kind; a histogram's value is an object. */
export interface DataPointLike {
  readonly attributes: object;
  readonly startTime: unknown;
  readonly endTime: unknown;
  readonly value: unknown;
}

/** A metric of any kind. */
export interface MetricLike {
  readonly descriptor: object;
  readonly aggregationTemporality: unknown;
  readonly dataPointType: unknown;
  readonly isMonotonic?: unknown;
  readonly dataPoints: readonly DataPointLike[];
}

/** `ResourceMetrics` of any line of the SDK. */
export interface ResourceMetricsLike {
  readonly resource: ResourceLike;
  readonly scopeMetrics: readonly { readonly scope: ScopeLike; readonly metrics: readonly MetricLike[] }[];
}

const SCOPE_METRICS = 'S';
const METRIC = 'm';
const DATA_POINT = 'p';

/** Answers the rows of metrics, a few at a time. */
export function* encodeMetrics(metrics: ResourceMetricsLike): Generator<Row[]> {
  const shared = new SharedObjectsWriter();
  const rows: Row[] = [];
  shared.resource(metrics.resource, rows);
  yield rows;
  for (const { scope, metrics: list } of metrics.scopeMetrics) {
    const scopeRows: Row[] = [];
    const number = shared.scope(scope, scopeRows);
    yield [...scopeRows, [SCOPE_METRICS, number]];
    for (const metric of list) {
      yield [metricRow(metric)];
      for (const point of metric.dataPoints) yield [dataPointRow(point)];
    }
  }
}

/** Makes metrics of their rows that every line of the SDK can export. */
export class MetricsReader {
  readonly #shared = new SharedObjectsReader();
  readonly #scopeMetrics: { scope: ScopeLike; metrics: (MetricLike & { dataPoints: DataPointLike[] })[] }[] =
    [];

  /** @throws CodecError */
  take(row: unknown[]): void {
    if (this.#shared.take(row)) return;
    const metrics = this.#scopeMetrics.at(-1)?.metrics;
    const points = metrics?.at(-1)?.dataPoints;
    if (row[0] === SCOPE_METRICS) this.#scopeMetrics.push({ scope: this.#shared.scope(row[1]), metrics: [] });
    else if (row[0] === METRIC && metrics !== undefined) metrics.push(readMetric(row));
    else if (row[0] === DATA_POINT && points !== undefined) points.push(readDataPoint(row));
    else throw new CodecError('a row of metrics is out of place');
  }

  /** @throws CodecError */
  end(): { resource: RevivedResource; scopeMetrics: ResourceMetricsLike['scopeMetrics'] } {
    return { resource: this.#shared.resource(0), scopeMetrics: this.#scopeMetrics };
  }
}

function metricRow({ descriptor, aggregationTemporality, dataPointType, isMonotonic }: MetricLike): Row {
  return [
    METRIC,
    encodeMap(descriptor),
    encodeValue(aggregationTemporality),
    encodeValue(dataPointType),
    encodeValue(isMonotonic),
  ];
}

function readMetric([, descriptor, temporality, type, isMonotonic]: readonly unknown[]) {
  return {
    descriptor: decodeMap(descriptor),
    aggregationTemporality: decodeValue(temporality),
    dataPointType: decodeValue(type),
    ...(isMonotonic != null && { isMonotonic: decodeValue(isMonotonic) }),
    dataPoints: [] as DataPointLike[],
  };
}

function dataPointRow({ attributes, startTime, endTime, value }: DataPointLike): Row {
  return [
    DATA_POINT,
    encodeMap(attributes),
    encodeValue(startTime),
    encodeValue(endTime),
    encodeValue(value),
  ];
}

function readDataPoint([, attributes, startTime, endTime, value]: readonly unknown[]): DataPointLike {
  return {
    attributes: decodeMap(attributes),
    startTime: decodeValue(startTime),
    endTime: decodeValue(endTime),
    value: decodeValue(value),
  };
}
