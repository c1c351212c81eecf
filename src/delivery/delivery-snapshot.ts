import type { CircuitSnapshot } from '../breaker/snapshot.ts';

/** A number of batches, and of the items in them. */
export interface Amount {
  batches: number;
  items: number;
}

/** Why retention gave a batch up. */
export type EvictionReason = 'full' | 'expired' | 'attempts' | 'invalid' | 'shutdown';

/**
 * What became of the batches given to an exporter. At every moment, in batches and in items:
 * `offered = delivered + fallback + lost + kept + inFlight`.
 */
export interface DeliverySnapshot {
  /** The exporter's name. */
  exporter: string;
  /** Total given to `export()`. */
  offered: Amount;
  /** Total accepted by the inner exporter, at once or later. */
  delivered: Amount;
  /** Total accepted by the fallback. */
  fallback: Amount;
  /** Total given up. */
  lost: Amount;
  /** Now in retention, the one being sent again included. */
  kept: Amount;
  /** Now with the inner exporter or the fallback, and not kept. */
  inFlight: Amount;
  /** Of `delivered`, what came out of retention. */
  redelivered: Amount;
  /** Items that retention gave up, by reason. */
  evicted: Record<EvictionReason, number>;
}

/** Everything that can be seen of an exporter: its breaker, and what became of its batches. */
export interface ExporterSnapshot extends CircuitSnapshot {
  delivery: DeliverySnapshot;
}

/**
 * What the adapters take: a snapshot, or anything that can make one. Exporters with the same `breaker` are one circuit
 * with several deliveries.
 */
export type SnapshotSource =
  | CircuitSnapshot
  | ExporterSnapshot
  | { snapshot(): CircuitSnapshot | ExporterSnapshot; readonly breaker?: object };
