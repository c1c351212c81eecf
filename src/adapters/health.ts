import type { CircuitSnapshot, CircuitState, FailureSummary, ResultCounts } from '../breaker/snapshot.ts';
import type { Amount, DeliverySnapshot, EvictionReason } from '../delivery/delivery-snapshot.ts';
import { readOptions } from '../internal/validate-options.ts';
import type { CompleteHealthOptions, RenderHealthOptions } from './health-options.ts';
import { healthOptionChecks } from './health-options.ts';
import type { Circuit, SnapshotSources } from './sources.ts';
import { gatherCircuits } from './sources.ts';

export type { RenderHealthOptions } from './health-options.ts';
export type { SnapshotSources } from './sources.ts';

/**
 * How telemetry fares: `'unhealthy'` while a circuit is not CLOSED (a probe in flight must not make an outage blink),
 * `'degraded'` while one is CLOSED but its backend refuses batches as invalid, `'healthy'` else.
 */
export type HealthStatus = 'healthy' | 'degraded' | 'unhealthy';

/** What `renderHealth` returns: the two halves of an HTTP answer. */
export interface HealthReport {
  /** `openStatus` when unhealthy, else 200. */
  httpStatus: number;
  /** To be sent as JSON. */
  body: HealthBody;
}

/** The JSON of a health report. All times are ISO 8601. */
export interface HealthBody {
  /** The worst of all breakers. */
  status: HealthStatus;
  /** The worst breaker, the first of equals. */
  circuit_breaker: CircuitHealth | UnconfiguredHealth;
  /** All breakers, in the order of the sources. */
  circuit_breakers: CircuitHealth[];
  /** When this report was made. */
  timestamp: string;
}

/** Stands for the breaker where no exporter is configured. */
export interface UnconfiguredHealth {
  state: 'N/A';
  reason: string;
}

/** A breaker in a health report; fields as in its snapshot. */
export interface CircuitHealth {
  name: string;
  state: CircuitState;
  forced: 'OPEN' | 'CLOSED' | null;
  since: string;
  not_closed_since: string | null;
  consecutive_failures: number;
  consecutive_invalid: number;
  failed_probes: number;
  last_failure: FailureHealth | null;
  last_invalid: FailureHealth | null;
  last_success_at: string | null;
  exports: ResultCounts;
  items: ResultCounts;
  probes: { success: number; failure: number };
  not_closed_seconds: number;
  /** One entry for each exporter on the breaker; empty for a bare breaker. */
  delivery: DeliveryHealth[];
}

/** A failure in a health report. */
export interface FailureHealth {
  name: string;
  code: string | number | null;
  /** Only with `includeErrorMessages`. */
  message?: string;
  at: string;
}

/** What became of an exporter's batches; fields as in its snapshot. */
export interface DeliveryHealth {
  exporter: string;
  offered: Amount;
  delivered: Amount;
  fallback: Amount;
  lost: Amount;
  kept: Amount;
  in_flight: Amount;
  redelivered: Amount;
  evicted: Record<EvictionReason, number>;
}

/**
 * Tells operators, and load balancers that can read a status, how telemetry fares. It says nothing about the service
 * itself: a service whose telemetry backend is down is neither dead nor unready.
 *
 * @param source - a breaker, an exporter, a snapshot, an array of them, or `undefined` where no exporter is configured
 * @param options - the status for an open circuit, and whether error messages are shown
 * @returns the HTTP status, and the body to be sent as JSON
 * @throws TypeError for what is no source, a bad option or an unknown one; RangeError for a number out of its range
 * @example
 * ```ts
 * import { CircuitBreaker } from 'otel-circuit-breaker';
 * import { renderHealth } from 'otel-circuit-breaker/health';
 *
 * const breaker = new CircuitBreaker({ name: 'collector' });
 * const { httpStatus, body } = renderHealth(breaker);
 * console.log(httpStatus, JSON.stringify(body)); // 200 {"status":"healthy","circuit_breaker":{"name":"collector", …
 * ```
 */
export function renderHealth(source: SnapshotSources, options?: RenderHealthOptions): HealthReport {
  const complete = readOptions<CompleteHealthOptions>('renderHealth', options, healthOptionChecks);
  const circuits = gatherCircuits('renderHealth', source);
  const timestamp = isoTime(complete.now ?? Date.now());
  const shown = circuits.map((circuit) => ({
    severity: severityOf(circuit.snapshot),
    health: circuitHealth(circuit, complete.includeErrorMessages),
  }));
  const worstSeverity = Math.max(HEALTHY, ...shown.map(({ severity }) => severity));
  const worst = shown.find(({ severity }) => severity === worstSeverity);
  const status = statusOf(worstSeverity);
  return {
    httpStatus: status === 'unhealthy' ? complete.openStatus : 200,
    body: {
      status,
      circuit_breaker: worst?.health ?? { state: 'N/A', reason: 'OTLP exporter not configured' },
      circuit_breakers: shown.map(({ health }) => health),
      timestamp,
    },
  };
}

const HEALTHY = 0;
const DEGRADED = 1;
const HALF_OPEN = 2;
const OPEN = 3;

function severityOf({ state, consecutiveInvalid }: CircuitSnapshot): number {
  switch (state) {
    case 'OPEN':
      return OPEN;
    case 'HALF_OPEN':
      return HALF_OPEN;
    case 'CLOSED':
      return consecutiveInvalid > 0 ? DEGRADED : HEALTHY;
  }
}

function statusOf(severity: number): HealthStatus {
  if (severity === HEALTHY) return 'healthy';
  return severity === DEGRADED ? 'degraded' : 'unhealthy';
}

function circuitHealth({ snapshot, deliveries }: Circuit, withMessage: boolean): CircuitHealth {
  return {
    name: snapshot.name,
    state: snapshot.state,
    forced: snapshot.forced,
    since: isoTime(snapshot.since),
    not_closed_since: isoTimeOrNull(snapshot.notClosedSince),
    consecutive_failures: snapshot.consecutiveFailures,
    consecutive_invalid: snapshot.consecutiveInvalid,
    failed_probes: snapshot.failedProbes,
    last_failure: failureHealth(snapshot.lastFailure, withMessage),
    last_invalid: failureHealth(snapshot.lastInvalid, withMessage),
    last_success_at: isoTimeOrNull(snapshot.lastSuccessAt),
    exports: { ...snapshot.exports },
    items: { ...snapshot.items },
    probes: { ...snapshot.probes },
    not_closed_seconds: snapshot.notClosedMillis / 1_000,
    delivery: deliveries.map(deliveryHealth),
  };
}

function failureHealth(failure: FailureSummary | null, withMessage: boolean): FailureHealth | null {
  if (failure === null) return null;
  const { name, code, message, at } = failure;
  return { name, code, ...(withMessage ? { message } : {}), at: isoTime(at) };
}

function deliveryHealth({ inFlight, ...delivery }: DeliverySnapshot): DeliveryHealth {
  return {
    exporter: delivery.exporter,
    offered: { ...delivery.offered },
    delivered: { ...delivery.delivered },
    fallback: { ...delivery.fallback },
    lost: { ...delivery.lost },
    kept: { ...delivery.kept },
    in_flight: { ...inFlight },
    redelivered: { ...delivery.redelivered },
    evicted: { ...delivery.evicted },
  };
}

function isoTime(millis: number): string {
  return new Date(millis).toISOString();
}

function isoTimeOrNull(millis: number | null): string | null {
  return millis === null ? null : isoTime(millis);
}
