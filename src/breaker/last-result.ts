import type { Classification } from './snapshot.ts';

const LAST_RESULT = Symbol.for('otel-circuit-breaker/last-result');

/**
 * Notes on a snapshot which result came last: of two in one millisecond, their times do not tell. The note is no part of
 * the data: it does not show in JSON, in copies or in comparisons.
 */
export function withLastResult<S extends object>(snapshot: S, result: Classification | undefined): S {
  return Object.defineProperty(snapshot, LAST_RESULT, { value: result });
}

/** The result that came last, if the snapshot has a note of it. */
export function lastResultOf(snapshot: object): Classification | undefined {
  return (snapshot as { [LAST_RESULT]?: Classification })[LAST_RESULT];
}
