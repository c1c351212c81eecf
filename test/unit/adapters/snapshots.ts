import type { CircuitSnapshot } from '../../../src/breaker/snapshot.ts';
import type { DeliverySnapshot, ExporterSnapshot } from '../../../src/delivery/delivery-snapshot.ts';

/** A source of snapshots that is neither breaker nor exporter. */
export interface FakeSource<Snapshot> {
  snapshot(): Snapshot;
}

/** A breaker before anything happened, but for what is given. */
export function circuitSnapshot(given: Partial<CircuitSnapshot> = {}): CircuitSnapshot {
  return {
    name: 'otlp',
    state: 'CLOSED',
    forced: null,
    since: 0,
    notClosedSince: null,
    consecutiveFailures: 0,
    consecutiveInvalid: 0,
    consecutiveIgnored: 0,
    failedProbes: 0,
    attemptsSinceOpened: 0,
    lastFailure: null,
    lastInvalid: null,
    lastIgnored: null,
    lastSuccessAt: null,
    exports: { success: 0, failure: 0, invalid: 0, ignored: 0, rejected: 0 },
    items: { success: 0, failure: 0, invalid: 0, ignored: 0, rejected: 0 },
    probes: { success: 0, failure: 0 },
    transitions: {
      'CLOSED->OPEN': 0,
      'OPEN->HALF_OPEN': 0,
      'HALF_OPEN->CLOSED': 0,
      'HALF_OPEN->OPEN': 0,
      'OPEN->CLOSED': 0,
    },
    exportDurations: { bounds: [0.5, 1], counts: [0, 0, 0], sum: 0, count: 0 },
    batchSizes: { bounds: [1, 512], counts: [0, 0, 0], sum: 0, count: 0 },
    notClosedMillis: 0,
    ...given,
  };
}

/** An exporter's delivery before anything happened, but for what is given. */
export function deliverySnapshot(given: Partial<DeliverySnapshot> = {}): DeliverySnapshot {
  const none = { batches: 0, items: 0 };
  return {
    exporter: 'otlp',
    offered: none,
    delivered: none,
    fallback: none,
    lost: none,
    kept: none,
    inFlight: none,
    redelivered: none,
    recovered: none,
    lastOfferedAt: null,
    evicted: { full: 0, expired: 0, attempts: 0, invalid: 0, shutdown: 0, unreadable: 0 },
    lostBy: {
      rejected: 0,
      failure: 0,
      invalid: 0,
      ignored: 0,
      full: 0,
      expired: 0,
      attempts: 0,
      shutdown: 0,
      unreadable: 0,
      fallback: 0,
      ended: 0,
    },
    ...given,
  };
}

/** An exporter's snapshot. */
export function exporterSnapshot(
  given: Partial<CircuitSnapshot> = {},
  delivery: Partial<DeliverySnapshot> = {},
): ExporterSnapshot {
  const snapshot = circuitSnapshot(given);
  return { ...snapshot, delivery: deliverySnapshot({ exporter: snapshot.name, ...delivery }) };
}

/** A source that always gives this snapshot. */
export function sourceOf<Snapshot>(snapshot: Snapshot): FakeSource<Snapshot> {
  return { snapshot: () => snapshot };
}
