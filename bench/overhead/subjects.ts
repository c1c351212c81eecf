import { ConsecutiveBreaker, circuitBreaker, handleAll } from 'cockatiel';
import Opossum from 'opossum';
import type { CircuitBreakerExporterOptions, ExporterLike } from 'otel-circuit-breaker';
import { CircuitBreakerExporter, systemClock } from 'otel-circuit-breaker';
import { asPromise, asynchronous, BATCH, failing, noop, withOwnTimer } from './exporters.ts';
import type { Subject } from './measure-calls.ts';

/** What each row is, by the name under which others refer to it. */
export const ROWS = {
  direct: 'the exporter itself, which does nothing',
  dateNow: '`Date.now()`',
  performanceNow: '`performance.now()`',
  clock: '`systemClock.now()`; a CLOSED export reads it twice, a rejected one once',
  empty: 'an awaited promise: what a row marked "awaited" holds of it',
  closed: 'ours, CLOSED',
  closedUntimed: 'ours, CLOSED, `exportTimeoutMillis: 0`',
  closedRetention: 'ours, CLOSED, retention',
  open: 'ours, OPEN',
  openRetention: 'ours, OPEN, retention (full: keeps one, gives one up)',
  cockatielClosed: 'cockatiel, closed (awaited)',
  cockatielOpen: 'cockatiel, open (awaited)',
  opossumClosed: 'opossum, closed (awaited)',
  opossumOpen: 'opossum, open (awaited)',
  later: 'the exporter itself, answering later (awaited)',
  laterUntimed: 'ours around it, `exportTimeoutMillis: 0` (awaited)',
  laterTimed: 'ours around it: one shared deadline (awaited)',
  laterRetention: 'ours around it, retention: one more, for the hand-over (awaited)',
  laterOwnTimer: 'the same without, and a timer for each export (awaited)',
} as const;
export type Row = keyof typeof ROWS;

/** What is measured, under the name of its row; nothing is made but what this row needs. */
export async function subjectOf(row: Row): Promise<Subject> {
  return { name: row, call: await makers[row]() };
}

const makers: Readonly<Record<Row, () => (() => unknown) | Promise<() => unknown>>> = {
  direct: () => exporting(noop),
  dateNow: () => () => Date.now(),
  performanceNow: () => () => performance.now(),
  clock: () => () => systemClock.now(),
  empty: () => async () => undefined,
  closed: () => exporting(ours(noop)),
  closedUntimed: () => exporting(ours(noop, { exportTimeoutMillis: 0 })),
  closedRetention: () => exporting(ours(noop, { retention: {} })),
  open: () => exporting(opened(ours(failing))),
  openRetention: () => exporting(filled(opened(ours(failing, { retention: {} })))),
  cockatielClosed() {
    const breaker = cockatielBreaker();
    return () => breaker.execute(() => asPromise(noop, BATCH));
  },
  async cockatielOpen() {
    const breaker = cockatielBreaker();
    const call = () => breaker.execute(() => asPromise(failing, BATCH)).catch(ignore);
    for (let failure = 0; failure < 3; failure += 1) await call();
    return call;
  },
  opossumClosed() {
    const breaker = opossumBreaker(noop);
    return () => breaker.fire(BATCH);
  },
  async opossumOpen() {
    const breaker = opossumBreaker(failing);
    const call = () => breaker.fire(BATCH).catch(ignore);
    for (let failure = 0; failure < 3; failure += 1) await call();
    return call;
  },
  later: () => awaiting(asynchronous),
  laterUntimed: () => awaiting(ours(asynchronous, { exportTimeoutMillis: 0 })),
  laterTimed: () => awaiting(ours(asynchronous)),
  laterRetention: () => awaiting(ours(asynchronous, { retention: {} })),
  laterOwnTimer: () => awaiting(withOwnTimer(ours(asynchronous, { exportTimeoutMillis: 0 }), 15_000)),
};

function ignore(): void {}

function ours(
  inner: ExporterLike<unknown>,
  options: CircuitBreakerExporterOptions = {},
): CircuitBreakerExporter<unknown> {
  return new CircuitBreakerExporter<unknown>(inner, options);
}

function exporting(exporter: ExporterLike<unknown>): () => void {
  const answered = (): void => {};
  return () => exporter.export(BATCH, answered);
}

function awaiting(exporter: ExporterLike<unknown>): () => Promise<unknown> {
  return () => asPromise(exporter, BATCH);
}

/** Opens it by failures; it probes from then on, as it always does, and each probe fails. */
function opened(exporter: CircuitBreakerExporter<unknown>): CircuitBreakerExporter<unknown> {
  for (let failure = 0; failure < 3; failure += 1) exporter.export(BATCH, () => {});
  if (exporter.breaker.state !== 'OPEN') throw new Error('three failures must have opened the circuit');
  return exporter;
}

/** Fills the retention, so that each batch pushes out another. */
function filled(exporter: CircuitBreakerExporter<unknown>): CircuitBreakerExporter<unknown> {
  for (let batch = 0; batch < 50; batch += 1) exporter.export(BATCH, () => {});
  return exporter;
}

function cockatielBreaker() {
  return circuitBreaker(handleAll, { halfOpenAfter: 60_000, breaker: new ConsecutiveBreaker(3) });
}

function opossumBreaker(inner: ExporterLike<unknown>) {
  return new Opossum((batch: unknown) => asPromise(inner, batch), {
    timeout: false,
    volumeThreshold: 3,
    errorThresholdPercentage: 50,
    resetTimeout: 60_000,
    rollingCountTimeout: 60_000,
  });
}
