import type { HistogramSnapshot } from '../breaker/snapshot.ts';
import type { Family, Reading } from './families.ts';
import { circuitFamilies, deliveryFamilies } from './families.ts';
import type { Circuit } from './sources.ts';

const PREFIX = 'otel_circuit_breaker_';

type Labels = Readonly<Record<string, string>>;

/** The text of Prometheus' exposition format 0.0.4 for circuits whose names are unique. */
export function expositionOf(circuits: readonly Circuit[]): string {
  if (circuits.length === 0) return '# No circuit breaker: OTLP exporter not configured\n';
  return `${lines(circuits).join('\n')}\n`;
}

function lines(circuits: readonly Circuit[]): string[] {
  const snapshots = circuits.map(({ name, snapshot }) => ({ labels: { name }, seen: snapshot }));
  const deliveries = circuits.flatMap(({ name, delivery }) =>
    delivery === undefined ? [] : [{ labels: { name }, seen: delivery }],
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

/** A part of a snapshot, and the labels that say whose it is. */
interface Labelled<Seen> {
  readonly labels: Labels;
  readonly seen: Seen;
}

/** A family without a series, such as that of failures before the first, is left out. */
function familyLines<Seen>(family: Family<Seen>, all: readonly Labelled<Seen>[]): string[] {
  if (family.prometheus === undefined) return [];
  const name = PREFIX + family.prometheus;
  const samples = all.flatMap(({ labels, seen }) =>
    family
      .read(seen)
      .map((reading: Reading) => sample(name, { ...labels, ...reading.labels }, reading.value)),
  );
  return samples.length === 0 ? [] : [...header(name, family.kind, family.help), ...samples];
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
