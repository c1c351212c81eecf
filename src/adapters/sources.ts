import type { CircuitSnapshot } from '../breaker/snapshot.ts';
import type { DeliverySnapshot, ExporterSnapshot, SnapshotSource } from '../delivery/delivery-snapshot.ts';
import { show } from '../internal/validate-options.ts';

/** What every adapter takes: one source, several, or `undefined` where no exporter is configured. */
export type SnapshotSources = SnapshotSource | readonly SnapshotSource[] | undefined;

/** One breaker as it is now, and what became of the batches of the exporters on it. */
export interface Circuit {
  readonly snapshot: CircuitSnapshot;
  readonly deliveries: readonly DeliverySnapshot[];
}

/** A breaker's snapshots, as its exporters gave them. */
interface Group {
  snapshot: CircuitSnapshot;
  readonly deliveries: DeliverySnapshot[];
}

/**
 * Looks at the sources, and unites those that share a breaker. Breakers are told apart by identity: `source.breaker`,
 * or the source itself; plain snapshots are never united.
 *
 * @param owner - who asks; the errors begin with it
 * @returns in the order in which the breakers first appear
 * @throws TypeError for what is no source
 */
export function gatherCircuits(owner: string, sources: SnapshotSources): readonly Circuit[] {
  const groups = new Map<object, Group>();
  const seen = new Set<SnapshotSource>();
  for (const source of listSources(sources)) {
    checkSource(owner, source);
    // The same exporter twice is still one.
    if (seen.has(source)) continue;
    if (hasSnapshot(source)) seen.add(source);
    const snapshot = takeSnapshot(owner, source);
    const breaker = breakerOf(source);
    const group = groups.get(breaker);
    if (group === undefined) groups.set(breaker, { snapshot, deliveries: deliveriesOf(snapshot) });
    else unite(group, snapshot);
  }
  return [...groups.values()];
}

/**
 * Refuses what is no source, without looking at any snapshot.
 *
 * @throws TypeError that begins with `owner`
 */
export function checkSources(owner: string, sources: SnapshotSources): void {
  for (const source of listSources(sources)) checkSource(owner, source);
}

/**
 * Refuses circuits that would give the same series twice.
 *
 * @throws TypeError that names the breaker, or the exporter and its breaker
 */
export function refuseDuplicateNames(owner: string, circuits: readonly Circuit[]): void {
  const breaker = firstDuplicate(circuits.map(({ snapshot }) => snapshot.name));
  if (breaker !== undefined) throw new TypeError(`${owner}: two breakers have the name ${show(breaker)}`);
  for (const { snapshot, deliveries } of circuits) {
    const exporter = firstDuplicate(deliveries.map((delivery) => delivery.exporter));
    if (exporter !== undefined) {
      throw new TypeError(
        `${owner}: two exporters on the breaker ${show(snapshot.name)} have the name ${show(exporter)}`,
      );
    }
  }
}

function listSources(sources: SnapshotSources): readonly SnapshotSource[] {
  if (sources === undefined) return [];
  return Array.isArray(sources) ? sources : [sources as SnapshotSource];
}

function checkSource(owner: string, source: unknown): void {
  if (isObject(source) && (hasSnapshot(source) || looksLikeSnapshot(source))) return;
  throw new TypeError(`${owner}: a source must be a snapshot, or have snapshot(), got ${show(source)}`);
}

function takeSnapshot(owner: string, source: SnapshotSource): CircuitSnapshot | ExporterSnapshot {
  if (!hasSnapshot(source)) return source;
  const snapshot: unknown = source.snapshot();
  if (isObject(snapshot) && looksLikeSnapshot(snapshot)) return snapshot;
  throw new TypeError(`${owner}: snapshot() of a source must return a snapshot, got ${show(snapshot)}`);
}

function breakerOf(source: SnapshotSource): object {
  // A snapshot is nobody's, not even its own where it is given twice.
  return hasSnapshot(source) ? (source.breaker ?? source) : {};
}

function unite(group: Group, snapshot: CircuitSnapshot | ExporterSnapshot): void {
  // A disabled exporter shows its breaker as forced CLOSED. The others on the breaker know better.
  if (group.snapshot.forced === 'CLOSED') group.snapshot = snapshot;
  group.deliveries.push(...deliveriesOf(snapshot));
}

function deliveriesOf(snapshot: CircuitSnapshot | ExporterSnapshot): DeliverySnapshot[] {
  return 'delivery' in snapshot ? [snapshot.delivery] : [];
}

function firstDuplicate(names: readonly string[]): string | undefined {
  return names.find((name, index) => names.indexOf(name) !== index);
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

function hasSnapshot(source: object): source is Extract<SnapshotSource, { snapshot(): unknown }> {
  return typeof (source as { snapshot?: unknown }).snapshot === 'function';
}

function looksLikeSnapshot(value: object): value is CircuitSnapshot | ExporterSnapshot {
  const { name, state } = value as Partial<CircuitSnapshot>;
  return typeof name === 'string' && typeof state === 'string';
}
