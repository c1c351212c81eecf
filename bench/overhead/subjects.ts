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
  laterOwnTimer: 'the same without, and a timer for each export (awaited)',
} as const;
export type Row = keyof typeof ROWS;

/** What is measured, under the name of its row. */
export async function subjects(): Promise<Subject[]> {
  const cockatiel = { closed: cockatielBreaker(), open: cockatielBreaker() };
  const opossum = { closed: opossumBreaker(noop), open: opossumBreaker(failing) };
  const ignore = (): void => {};
  for (let failure = 0; failure < 3; failure += 1) {
    await cockatiel.open.execute(() => asPromise(failing, BATCH)).catch(ignore);
    await opossum.open.fire(BATCH).catch(ignore);
  }
  const { retention } = { retention: {} };
  const ours = (inner: ExporterLike<unknown>, options: CircuitBreakerExporterOptions = {}) =>
    new CircuitBreakerExporter<unknown>(inner, options);

  const untimedLater = ours(asynchronous, { exportTimeoutMillis: 0 });
  const list: Record<Row, () => unknown> = {
    direct: exporting(noop),
    dateNow: () => Date.now(),
    clock: () => systemClock.now(),
    empty: async () => undefined,
    closed: exporting(ours(noop)),
    closedUntimed: exporting(ours(noop, { exportTimeoutMillis: 0 })),
    closedRetention: exporting(ours(noop, { retention })),
    open: exporting(opened(ours(failing))),
    openRetention: exporting(filled(opened(ours(failing, { retention })))),
    cockatielClosed: () => cockatiel.closed.execute(() => asPromise(noop, BATCH)),
    cockatielOpen: () => cockatiel.open.execute(() => asPromise(failing, BATCH)).catch(ignore),
    opossumClosed: () => opossum.closed.fire(BATCH),
    opossumOpen: () => opossum.open.fire(BATCH).catch(ignore),
    later: () => asPromise(asynchronous, BATCH),
    laterUntimed: awaiting(untimedLater),
    laterTimed: awaiting(ours(asynchronous)),
    laterOwnTimer: awaiting(withOwnTimer(untimedLater, 15_000)),
  };
  return (Object.keys(ROWS) as Row[]).map((name) => ({ name, call: list[name] }));
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
  const breaker = new Opossum((batch: unknown) => asPromise(inner, batch), {
    timeout: false,
    volumeThreshold: 3,
    errorThresholdPercentage: 50,
    resetTimeout: 60_000,
    rollingCountTimeout: 60_000,
  });
  return breaker;
}
