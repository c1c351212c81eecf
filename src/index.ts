export { CircuitBreaker } from './breaker/circuit-breaker.ts';
export type { CircuitBreakerOptions } from './breaker/circuit-breaker-options.ts';
export { type Clock, systemClock } from './breaker/clock.ts';
export type { Permit } from './breaker/permit.ts';
export {
  afterCooldown,
  allOf,
  anyOf,
  defaultProbePolicy,
  type EveryNthAttemptOptions,
  type ExponentialBackoffOptions,
  everyNthAttempt,
  exponentialBackoff,
  type ProbeContext,
  type ProbePolicy,
} from './breaker/probe-policies.ts';
export type { RollingWindow } from './breaker/rolling-window.ts';
export type {
  CircuitSnapshot,
  CircuitState,
  Classification,
  FailureSummary,
  HistogramSnapshot,
  ResultCounts,
  TransitionName,
} from './breaker/snapshot.ts';
export type { CircuitTransition, TransitionListener } from './breaker/transition-listeners.ts';
export {
  anyTrip,
  consecutiveFailures,
  type FailureRateOptions,
  failureRate,
  type SlowExportRateOptions,
  slowExportRate,
  type TripDetector,
  type TripPolicy,
} from './breaker/trip-policies.ts';
export type { BatchStore, BatchStoreOpening, Dropped, StoredBatch } from './delivery/batch-store.ts';
export type {
  Amount,
  DeliverySnapshot,
  EvictionReason,
  ExporterSnapshot,
  LossReason,
  SnapshotSource,
} from './delivery/delivery-snapshot.ts';
export type { ExporterLike, ExportResultLike, MetricSelectors } from './delivery/exporter-contract.ts';
export type { RetentionOptions } from './delivery/retention-options.ts';
export { CircuitBreakerExporter } from './exporter/circuit-breaker-exporter.ts';
export type {
  CircuitBreakerExporterOptions,
  ExportFacts,
  Loss,
} from './exporter/circuit-breaker-exporter-options.ts';
export { classifyResult } from './exporter/classify-result.ts';
export { CircuitOpenError, ExporterShutdownError, ExportTimeoutError } from './internal/errors.ts';
export type { ProblemListener } from './internal/report-problem.ts';
