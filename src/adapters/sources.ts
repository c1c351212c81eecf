import type { CircuitSnapshot } from '../breaker/snapshot.ts';
import type { DeliverySnapshot, ExporterSnapshot, SnapshotSource } from '../delivery/delivery-snapshot.ts';
import { ignoreRejection } from '../internal/report-problem.ts';
import { show } from '../internal/validate-options.ts';

/** The input of every adapter: one source, several, or `undefined` where no exporter is configured. */
export type SnapshotSources = SnapshotSource | readonly SnapshotSource[] | undefined;

/** One source as it is now. */
export interface Circuit {
  /** Unique among the sources: the second one of a name is `name#2`, the third `name#3`. */
  readonly name: string;
  readonly source: SnapshotSource;
  readonly snapshot: CircuitSnapshot;
  /** `undefined` for a bare breaker. */
  readonly delivery: DeliverySnapshot | undefined;
}

/**
 * Takes the snapshots of all sources. A source that is given twice is one.
 *
 * @param owner - the caller; error messages begin with it
 * @returns in the order of the sources
 * @throws TypeError for anything that is not a source
 */
export function gatherCircuits(owner: string, sources: SnapshotSources): readonly Circuit[] {
  const names = new Set<string>();
  return [...new Set(listSources(sources))].map((source) => {
    const snapshot = takeSnapshot(owner, source);
    const name = freeName(snapshot.name, names);
    names.add(name);
    return { name, source, snapshot, delivery: 'delivery' in snapshot ? snapshot.delivery : undefined };
  });
}

/**
 * Tells once of each source whose name an earlier one has, too.
 *
 * @param told - the names that were told of before
 */
export function tellOfSharedNames(
  circuits: readonly Circuit[],
  told: Set<string>,
  tell: (message: string) => void,
): void {
  for (const { name, snapshot } of circuits) {
    if (name === snapshot.name || told.has(name)) continue;
    told.add(name);
    tell(
      `more than one circuit breaker has the name ${show(snapshot.name)}; one of them is shown as ${show(name)}`,
    );
  }
}

/**
 * Refuses anything that is not a source, without taking a snapshot.
 *
 * @throws TypeError that begins with `owner`
 */
export function checkSources(owner: string, sources: SnapshotSources): void {
  for (const source of listSources(sources)) checkSource(owner, source);
}

function listSources(sources: SnapshotSources): readonly SnapshotSource[] {
  if (sources === undefined) return [];
  return Array.isArray(sources) ? sources : [sources as SnapshotSource];
}

function checkSource(owner: string, source: unknown): void {
  if (isObject(source) && (hasSnapshot(source) || looksLikeSnapshot(source))) return;
  ignoreRejection(source);
  throw new TypeError(`${owner}: a source must be a snapshot, or have snapshot(), got ${show(source)}`);
}

function takeSnapshot(owner: string, source: SnapshotSource): CircuitSnapshot | ExporterSnapshot {
  checkSource(owner, source);
  if (!hasSnapshot(source)) return source;
  const snapshot: unknown = source.snapshot();
  if (isObject(snapshot) && looksLikeSnapshot(snapshot)) return snapshot;
  ignoreRejection(snapshot);
  throw new TypeError(`${owner}: snapshot() of a source must return a snapshot, got ${show(snapshot)}`);
}

function freeName(name: string, taken: ReadonlySet<string>): string {
  let free = name;
  for (let number = 2; taken.has(free); number++) free = `${name}#${number}`;
  return free;
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
