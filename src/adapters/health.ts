import { lastResultOf } from '../breaker/last-result.ts';
import type { CircuitSnapshot, CircuitState, FailureSummary, ResultCounts } from '../breaker/snapshot.ts';
import type { Amount, DeliverySnapshot, EvictionReason, LossReason } from '../delivery/delivery-snapshot.ts';
import { readOptions } from '../internal/validate-options.ts';
import type { CompleteHealthOptions, RenderHealthOptions } from './health-options.ts';
import { healthOptionChecks } from './health-options.ts';
import type { Circuit, SnapshotSources } from './sources.ts';
import { gatherCircuits } from './sources.ts';

export type { RenderHealthOptions } from './health-options.ts';
export type { SnapshotSources } from './sources.ts';

/**
 * The state of telemetry:
 *
 * - `'unhealthy'` while a circuit is OPEN or HALF_OPEN (a probe in flight must not make an outage blink);
 * - `'degraded'` while one is CLOSED, but its backend refuses batches as invalid, or its last export failed or was
 *   ignored: nothing gets through, and the circuit has not opened, or will not;
 * - `'healthy'` otherwise.
 */
export type HealthStatus = 'healthy' | 'degraded' | 'unhealthy';

/** The two halves of an HTTP answer. */
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
  /** All breakers, in the order of the sources; absent unless there are several. */
  circuit_breakers?: CircuitHealth[];
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
  /** The second one of a name is `name#2`. */
  name: string;
  state: CircuitState;
  forced: 'OPEN' | 'CLOSED' | null;
  since: string;
  not_closed_since: string | null;
  consecutive_failures: number;
  consecutive_invalid: number;
  failed_probes: number;
  attempts_since_opened: number;
  last_failure: FailureHealth | null;
  last_invalid: FailureHealth | null;
  last_ignored: FailureHealth | null;
  last_success_at: string | null;
  exports: ResultCounts;
  items: ResultCounts;
  probes: { success: number; failure: number };
  not_closed_seconds: number;
  /** `null` for a bare breaker. */
  delivery: DeliveryHealth | null;
}

/** A failure in a health report. */
export interface FailureHealth {
  name: string;
  code: string | number | null;
  /** A few fixed words, such as `'timed out'`; `null` if the cause is not known. */
  cause: string | null;
  /** Only with `includeErrorMessages`. */
  message?: string;
  at: string;
}

/** The delivery of an exporter in a health report; fields as in its snapshot. */
export interface DeliveryHealth {
  exporter: string;
  offered: Amount;
  delivered: Amount;
  fallback: Amount;
  lost: Amount;
  kept: Amount;
  in_flight: Amount;
  recovered: Amount;
  last_offered_at: string | null;
  redelivered: Amount;
  evicted: Record<EvictionReason, number>;
  lost_by: Record<LossReason, number>;
}

/**
 * Reports the state of telemetry to operators. It says nothing about the service itself: a service whose telemetry backend
 * is down is neither dead nor unready.
 *
 * @param source - a breaker, an exporter, a snapshot, an array of them, or `undefined` where no exporter is configured
 * @param options - the status for an open circuit, and whether error messages are shown
 * @returns the HTTP status, and the body to be sent as JSON
 * @throws TypeError for anything that is not a source, a bad option or an unknown one; RangeError for a number out of its range
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
      ...(shown.length > 1 && { circuit_breakers: shown.map(({ health }) => health) }),
      timestamp,
    },
  };
}

const NEVER = Number.NEGATIVE_INFINITY;

const HEALTHY = 0;
const DEGRADED = 1;
const HALF_OPEN = 2;
const OPEN = 3;

function severityOf(snapshot: CircuitSnapshot): number {
  switch (snapshot.state) {
    case 'OPEN':
      return OPEN;
    case 'HALF_OPEN':
      return HALF_OPEN;
    case 'CLOSED':
      return snapshot.consecutiveInvalid > 0 || didNotGetThrough(snapshot) ? DEGRADED : HEALTHY;
  }
}

/** Whether the last answer, to a live batch or a redelivered one, was a failure or ignored. */
function didNotGetThrough(snapshot: CircuitSnapshot): boolean {
  const lastResult = lastResultOf(snapshot);
  if (lastResult !== undefined) return lastResult === 'failure' || lastResult === 'ignored';
  const { lastFailure, lastIgnored, lastInvalid, lastSuccessAt } = snapshot;
  const unansweredAt = Math.max(lastFailure?.at ?? NEVER, lastIgnored?.at ?? NEVER);
  const answeredAt = Math.max(lastSuccessAt ?? NEVER, lastInvalid?.at ?? NEVER);
  if (unansweredAt !== answeredAt) return unansweredAt > answeredAt;
  // Within one millisecond the streaks tell which came last.
  return snapshot.consecutiveFailures > 0 || snapshot.consecutiveIgnored > 0;
}

function statusOf(severity: number): HealthStatus {
  if (severity === HEALTHY) return 'healthy';
  return severity === DEGRADED ? 'degraded' : 'unhealthy';
}

function circuitHealth({ name, snapshot, delivery }: Circuit, withMessage: boolean): CircuitHealth {
  return {
    name,
    state: snapshot.state,
    forced: snapshot.forced,
    since: isoTime(snapshot.since),
    not_closed_since: isoTimeOrNull(snapshot.notClosedSince),
    consecutive_failures: snapshot.consecutiveFailures,
    consecutive_invalid: snapshot.consecutiveInvalid,
    failed_probes: snapshot.failedProbes,
    attempts_since_opened: snapshot.attemptsSinceOpened,
    last_failure: failureHealth(snapshot.lastFailure, withMessage),
    last_invalid: failureHealth(snapshot.lastInvalid, withMessage),
    last_ignored: failureHealth(snapshot.lastIgnored, withMessage),
    last_success_at: isoTimeOrNull(snapshot.lastSuccessAt),
    exports: { ...snapshot.exports },
    items: { ...snapshot.items },
    probes: { ...snapshot.probes },
    not_closed_seconds: snapshot.notClosedMillis / 1_000,
    delivery: delivery === undefined ? null : deliveryHealth(delivery),
  };
}

function failureHealth(failure: FailureSummary | null, withMessage: boolean): FailureHealth | null {
  if (failure === null) return null;
  const { name, code, cause, message, at } = failure;
  return { name, code, cause, ...(withMessage ? { message } : {}), at: isoTime(at) };
}

function deliveryHealth(delivery: DeliverySnapshot): DeliveryHealth {
  return {
    exporter: delivery.exporter,
    offered: { ...delivery.offered },
    delivered: { ...delivery.delivered },
    fallback: { ...delivery.fallback },
    lost: { ...delivery.lost },
    kept: { ...delivery.kept },
    in_flight: { ...delivery.inFlight },
    recovered: { ...delivery.recovered },
    last_offered_at: isoTimeOrNull(delivery.lastOfferedAt),
    redelivered: { ...delivery.redelivered },
    evicted: { ...delivery.evicted },
    lost_by: { ...delivery.lostBy },
  };
}

function isoTime(millis: number): string {
  return new Date(millis).toISOString();
}

function isoTimeOrNull(millis: number | null): string | null {
  return millis === null ? null : isoTime(millis);
}
