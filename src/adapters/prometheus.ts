import type { SnapshotSource } from '../delivery/delivery-snapshot.ts';
import { expositionOf } from './exposition.ts';
import type { SnapshotSources } from './sources.ts';
import { gatherCircuits, tellOfSharedNames } from './sources.ts';
import { tellDiag } from './tell-diag.ts';

export type { SnapshotSources } from './sources.ts';

/** The `Content-Type` of the text that {@link renderPrometheus} returns. */
export const PROMETHEUS_CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/**
 * Writes all numbers in Prometheus' text exposition format 0.0.4. Every series exists from the first scrape, before
 * anything has happened. The text can be appended to that of another registry.
 *
 * Sources need different names. The second source of one name is shown as `name#2`, and `diag.error` is told once.
 *
 * @param source - a breaker, an exporter, a snapshot, an array of them, or `undefined` where no exporter is configured
 * @returns the text, to be sent with {@link PROMETHEUS_CONTENT_TYPE}; ends with a newline
 * @throws TypeError for anything that is not a source
 * @see https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format
 * @example
 * ```ts
 * import { CircuitBreaker } from 'otel-circuit-breaker';
 * import { renderPrometheus } from 'otel-circuit-breaker/prometheus';
 *
 * const text = renderPrometheus(new CircuitBreaker({ name: 'collector' }));
 * console.log(text.includes('otel_circuit_breaker_state{name="collector",state="closed"} 1')); // true
 * ```
 */
export function renderPrometheus(source: SnapshotSources): string {
  const circuits = gatherCircuits('renderPrometheus', source);
  tellOfSharedNames(circuits, toldTo(circuits[0]?.source), (message) =>
    tellDiag('error', `renderPrometheus: ${message}`),
  );
  return expositionOf(circuits);
}

/** The names that were told of, for each caller; a caller is known by its first source. */
const toldOf = new WeakMap<SnapshotSource, Set<string>>();

function toldTo(first: SnapshotSource | undefined): Set<string> {
  const told = (first && toldOf.get(first)) ?? new Set();
  if (first !== undefined) toldOf.set(first, told);
  return told;
}
