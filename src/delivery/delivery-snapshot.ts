import type { CircuitSnapshot } from '../breaker/snapshot.ts';

/** A number of batches, and of the items in them. */
export interface Amount {
  batches: number;
  items: number;
}

/** Why retention gave up a batch. */
export type EvictionReason = 'full' | 'expired' | 'attempts' | 'invalid' | 'shutdown' | 'unreadable';

/**
 * Why a batch was lost: the last thing that happened to it. `rejected`: by the open circuit; `failure`: the export failed
 * or timed out; `invalid`, `ignored`: as classified; `fallback`: the fallback did not take it; `ended`: it was given after
 * `shutdown()`; the others are reasons of retention.
 */
export type LossReason =
  | 'rejected'
  | 'failure'
  | 'invalid'
  | 'ignored'
  | 'full'
  | 'expired'
  | 'attempts'
  | 'shutdown'
  | 'unreadable'
  | 'fallback'
  | 'ended';

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
  /** Now in retention, the one being sent again included; also what a store has left to another process. */
  kept: Amount;
  /** Now with the inner exporter or the fallback, and not kept. */
  inFlight: Amount;
  /** Of `offered`, what a store had from an earlier process. */
  recovered: Amount;
  /** Unix milliseconds of the last call of `export()`; `null`: never called. */
  lastOfferedAt: number | null;
  /** Of `delivered`, what came out of retention. */
  redelivered: Amount;
  /** Items that retention gave up, by reason. */
  evicted: Record<EvictionReason, number>;
  /** Items of `lost`, by reason. Their sum is `lost.items`. */
  lostBy: Record<LossReason, number>;
}

/** Everything that can be seen of an exporter: its breaker, and what became of its batches. */
export interface ExporterSnapshot extends CircuitSnapshot {
  delivery: DeliverySnapshot;
}

/** The input of the adapters: a snapshot, or an object that can make one. */
export type SnapshotSource =
  | CircuitSnapshot
  | ExporterSnapshot
  | { snapshot(): CircuitSnapshot | ExporterSnapshot };
