import type { HistogramSnapshot } from '../breaker/snapshot.ts';
import type { Family, Reading } from './families.ts';
import { circuitFamilies, deliveryFamilies } from './families.ts';
import type { Circuit, SnapshotSources } from './sources.ts';
import { gatherCircuits, refuseDuplicateNames } from './sources.ts';

export type { SnapshotSources } from './sources.ts';

/** The `Content-Type` of what {@link renderPrometheus} returns. */
export const PROMETHEUS_CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

const PREFIX = 'otel_circuit_breaker_';

type Labels = Readonly<Record<string, string>>;

/**
 * Writes all numbers in Prometheus' text exposition format 0.0.4. Every series exists from the first scrape, before
 * anything has happened. The text can be appended to that of another registry.
 *
 * @param source - a breaker, an exporter, a snapshot, an array of them, or `undefined` where no exporter is configured
 * @returns the text, to be sent with {@link PROMETHEUS_CONTENT_TYPE}; ends with a newline
 * @throws TypeError for what is no source, for two breakers of one name, and for two exporters of one name on one breaker
 * @see https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format
 * @example
 * ```ts
 * import { CircuitBreaker } from 'otel-circuit-breaker';
 * import { renderPrometheus } from 'otel-circuit-breaker/prometheus';
 *
 * const text = renderPrometheus(new CircuitBreaker({ name: 'collector' }));
 * console.log(text.includes('otel_circuit_breaker_state{name="collector",state="closed"} 1')); // true
 * ```
 */
export function renderPrometheus(source: SnapshotSources): string {
  const circuits = gatherCircuits('renderPrometheus', source);
  if (circuits.length === 0) return '# No circuit breaker: OTLP exporter not configured\n';
  refuseDuplicateNames('renderPrometheus', circuits);
  return `${lines(circuits).join('\n')}\n`;
}

function lines(circuits: readonly Circuit[]): string[] {
  const snapshots = circuits.map(({ snapshot }) => ({ labels: { name: snapshot.name }, seen: snapshot }));
  const deliveries = circuits.flatMap(({ snapshot, deliveries }) =>
    deliveries.map((seen) => ({ labels: { name: snapshot.name, exporter: seen.exporter }, seen })),
  );
  return [
    ...circuitFamilies.flatMap((family) => familyLines(family, snapshots)),
    ...histogramLines(
      'export_duration_seconds',
      'How long exports took that reached the inner exporter.',
      snapshots.map(({ labels, seen }) => ({ labels, seen: seen.exportDurations })),
    ),
    ...histogramLines(
      'batch_items',
      'Spans, log records or data points in the batches that reached the inner exporter.',
      snapshots.map(({ labels, seen }) => ({ labels, seen: seen.batchSizes })),
    ),
    ...deliveryFamilies.flatMap((family) => familyLines(family, deliveries)),
  ];
}

/** Something that is read, and the labels that say whose it is. */
interface Labelled<Seen> {
  readonly labels: Labels;
  readonly seen: Seen;
}

function familyLines<Seen>(family: Family<Seen>, all: readonly Labelled<Seen>[]): string[] {
  if (family.prometheus === undefined || all.length === 0) return [];
  const name = PREFIX + family.prometheus;
  return [
    ...header(name, family.kind, family.help),
    ...all.flatMap(({ labels, seen }) =>
      family
        .read(seen)
        .map((reading: Reading) => sample(name, { ...labels, ...reading.labels }, reading.value)),
    ),
  ];
}

function histogramLines(suffix: string, help: string, all: readonly Labelled<HistogramSnapshot>[]): string[] {
  const name = PREFIX + suffix;
  return [
    ...header(name, 'histogram', help),
    ...all.flatMap(({ labels, seen }) => [
      ...bucketLines(`${name}_bucket`, labels, seen),
      sample(`${name}_sum`, labels, seen.sum),
      sample(`${name}_count`, labels, seen.count),
    ]),
  ];
}

/** Prometheus' buckets are cumulative: each counts what lies below its bound. */
function bucketLines(name: string, labels: Labels, { bounds, counts, count }: HistogramSnapshot): string[] {
  const written: string[] = [];
  let below = 0;
  for (const [index, bound] of bounds.entries()) {
    below += counts[index] as number;
    written.push(sample(name, { ...labels, le: decimal(bound) }, below));
  }
  written.push(sample(name, { ...labels, le: '+Inf' }, count));
  return written;
}

/** The help texts are ours: nothing in them needs escaping. */
function header(name: string, type: string, help: string): string[] {
  return [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`];
}

function sample(name: string, labels: Labels, value: number): string {
  const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escapeLabelValue(text)}"`);
  return `${name}{${pairs.join(',')}} ${decimal(value)}`;
}

function escapeLabelValue(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}

/** A number as Go reads it. */
function decimal(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return '+Inf';
  return value === Number.NEGATIVE_INFINITY ? '-Inf' : String(value);
}
