import type { CircuitSnapshot, CircuitState, ResultCounts, TransitionName } from '../breaker/snapshot.ts';
import type { DeliverySnapshot, EvictionReason, LossReason } from '../delivery/delivery-snapshot.ts';

/** One number of a family, with the labels that tell it from the others. */
export interface Reading {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** A family of numbers, as Prometheus and OpenTelemetry both show it. */
export interface Family<Seen> {
  /** Its name without the prefix `otel_circuit_breaker_`; `undefined`: Prometheus does not show it. */
  readonly prometheus?: string;
  /** Its name without the prefix `circuit_breaker.`; `undefined`: OpenTelemetry does not show it. */
  readonly otel?: string;
  readonly kind: 'gauge' | 'counter';
  /** In UCUM, as OpenTelemetry writes it; the empty string where there is none. */
  readonly unit: string;
  readonly help: string;
  /** Every series there can ever be, so that all exist from the first look. */
  readonly read: (seen: Seen) => readonly Reading[];
}

const STATES = ['CLOSED', 'OPEN', 'HALF_OPEN'] as const satisfies readonly CircuitState[];

const TRANSITIONS = [
  'CLOSED->OPEN',
  'OPEN->HALF_OPEN',
  'HALF_OPEN->CLOSED',
  'HALF_OPEN->OPEN',
  'OPEN->CLOSED',
] as const satisfies readonly TransitionName[];

const RESULTS = [
  'success',
  'failure',
  'invalid',
  'ignored',
  'rejected',
] as const satisfies readonly (keyof ResultCounts)[];

const PROBE_RESULTS = ['success', 'failure'] as const;

const EVICTION_REASONS = [
  'full',
  'expired',
  'attempts',
  'invalid',
  'shutdown',
  'unreadable',
] as const satisfies readonly EvictionReason[];

const LOSS_REASONS = [
  'rejected',
  'failure',
  'invalid',
  'ignored',
  'full',
  'expired',
  'attempts',
  'shutdown',
  'unreadable',
  'fallback',
  'ended',
] as const satisfies readonly LossReason[];

/** The numbers of a breaker, without its histograms. */
export const circuitFamilies: readonly Family<CircuitSnapshot>[] = [
  {
    prometheus: 'state',
    otel: 'state',
    kind: 'gauge',
    unit: '1',
    help: '1 for the current state of the circuit, 0 for the others.',
    read: ({ state }) =>
      STATES.map((each) => ({ labels: { state: each.toLowerCase() }, value: each === state ? 1 : 0 })),
  },
  {
    prometheus: 'transitions_total',
    otel: 'transitions',
    kind: 'counter',
    unit: '{transition}',
    help: 'State changes of the circuit.',
    read: ({ transitions }) =>
      TRANSITIONS.map((name) => {
        const [from = '', to = ''] = name.toLowerCase().split('->');
        return { labels: { from, to }, value: transitions[name] };
      }),
  },
  {
    prometheus: 'exports_total',
    otel: 'exports',
    kind: 'counter',
    unit: '{batch}',
    help: 'Batches by result; rejected ones met an open circuit, and never reached the inner exporter.',
    read: (seen) => RESULTS.map((result) => ({ labels: { result }, value: seen.exports[result] })),
  },
  {
    prometheus: 'items_total',
    otel: 'items',
    kind: 'counter',
    unit: '{item}',
    help: 'Spans, log records and data points of the batches, by result.',
    read: ({ items }) => RESULTS.map((result) => ({ labels: { result }, value: items[result] })),
  },
  {
    prometheus: 'probes_total',
    otel: 'probes',
    kind: 'counter',
    unit: '{probe}',
    help: 'Batches that tried whether the backend is back, by result.',
    read: ({ probes }) => PROBE_RESULTS.map((result) => ({ labels: { result }, value: probes[result] })),
  },
  {
    otel: 'export.time',
    kind: 'counter',
    unit: 's',
    help: 'Time that exports took, added up.',
    read: ({ exportDurations }) => single(exportDurations.sum),
  },
  {
    prometheus: 'consecutive_failures',
    otel: 'consecutive_failures',
    kind: 'gauge',
    unit: '',
    help: 'Failures in a row up to now.',
    read: ({ consecutiveFailures }) => single(consecutiveFailures),
  },
  {
    prometheus: 'consecutive_invalid',
    otel: 'consecutive_invalid',
    kind: 'gauge',
    unit: '',
    help: 'Batches that the backend refused as invalid since the last success.',
    read: ({ consecutiveInvalid }) => single(consecutiveInvalid),
  },
  {
    prometheus: 'not_closed_seconds_total',
    otel: 'not_closed.time',
    kind: 'counter',
    unit: 's',
    help: 'Time that the circuit was open or half-open, added up.',
    read: ({ notClosedMillis }) => single(notClosedMillis / 1_000),
  },
  {
    prometheus: 'last_transition_timestamp_seconds',
    kind: 'gauge',
    unit: 's',
    help: 'Unix time of the last state change, of the creation at first.',
    read: ({ since }) => single(since / 1_000),
  },
  {
    prometheus: 'last_failure_info',
    kind: 'gauge',
    unit: '',
    help: '1, with cause and code of the last failure; absent before the first.',
    read: ({ lastFailure }) =>
      lastFailure === null
        ? []
        : [
            {
              labels: {
                cause: lastFailure.cause ?? '',
                code: String(lastFailure.code ?? ''),
              },
              value: 1,
            },
          ],
  },
];

/** Where the items of an exporter's batches went. */
const ACCOUNTS = [
  ['offered', 'Items given to the exporter.'],
  ['delivered', 'Items that the inner exporter accepted, at once or later.'],
  ['redelivered', 'Items delivered out of retention.'],
  ['fallback', 'Items that the fallback accepted.'],
] as const;

/** The numbers of an exporter's deliveries. */
export const deliveryFamilies: readonly Family<DeliverySnapshot>[] = [
  ...ACCOUNTS.map(
    ([account, help]): Family<DeliverySnapshot> => ({
      prometheus: `${account}_items_total`,
      otel: `delivery.${account}`,
      kind: 'counter',
      unit: '{item}',
      help,
      read: (delivery) => single(delivery[account].items),
    }),
  ),
  {
    prometheus: 'lost_items_total',
    otel: 'delivery.lost',
    kind: 'counter',
    unit: '{item}',
    help: 'Items given up, by the last thing that happened to them.',
    read: ({ lostBy }) => LOSS_REASONS.map((reason) => ({ labels: { reason }, value: lostBy[reason] })),
  },
  {
    prometheus: 'evicted_items_total',
    otel: 'delivery.evicted',
    kind: 'counter',
    unit: '{item}',
    help: 'Items that retention gave up, by reason; a fallback may have taken them.',
    read: ({ evicted }) => EVICTION_REASONS.map((reason) => ({ labels: { reason }, value: evicted[reason] })),
  },
  {
    prometheus: 'kept_items',
    otel: 'delivery.kept',
    kind: 'gauge',
    unit: '{item}',
    help: 'Items in retention now.',
    read: ({ kept }) => single(kept.items),
  },
  {
    prometheus: 'kept_batches',
    kind: 'gauge',
    unit: '{batch}',
    help: 'Batches in retention now.',
    read: ({ kept }) => single(kept.batches),
  },
];

function single(value: number): readonly Reading[] {
  return [{ labels: {}, value }];
}
