/**
 * A service with the SDK of its line, traces, logs and metrics each behind a breaker, lives through an outage:
 *
 *     node scenario.mjs <http|proto|grpc> <url of the receiver>
 *
 * Run with an IPC channel to the matrix, which owns the receiver.
 */
import assert from 'node:assert/strict';
import { metrics, trace } from '@opentelemetry/api';
import { AggregationTemporalityPreference } from '@opentelemetry/exporter-metrics-otlp-http';
import { PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics';
import { CircuitBreakerExporter, consecutiveFailures, everyNthAttempt } from 'otel-circuit-breaker';
import { ask, report, until } from './host.mjs';
import { getLogger, startSdk, timeoutMillis } from './sdk.mjs';
import { selfObservation } from './semconv.mjs';
import { versions } from './versions.mjs';

const [protocol, url] = process.argv.slice(2);
const options = { timeoutMillis: protocol === 'grpc' ? 5_000 : timeoutMillis };
const batching = { scheduledDelayMillis: 100, exportTimeoutMillis: 5_000 };
const signals = ['traces', 'logs', 'metrics'];

const [traces, logs, points] = await Promise.all(
  ['trace', 'logs', 'metrics'].map((signal) => import(`@opentelemetry/exporter-${signal}-otlp-${protocol}`)),
);
const endpoint = (signal) => (protocol === 'grpc' ? url : `${url}/v1/${signal}`);
const exporters = {
  traces: (own) => new traces.OTLPTraceExporter({ url: endpoint('traces'), ...own }),
  logs: (own) => new logs.OTLPLogExporter({ url: endpoint('logs'), ...own }),
  metrics: (own) =>
    new points.OTLPMetricExporter({
      url: endpoint('metrics'),
      temporalityPreference: AggregationTemporalityPreference.DELTA,
      ...own,
    }),
};
await warmUp();
const selfObs = selfObservation();
const wrapped = Object.fromEntries(
  signals.map((signal) => [
    signal,
    wrap(signal, exporters[signal]({ ...options, selfObsMeterProvider: selfObs.provider })),
  ]),
);
selfObs.observe(Object.values(wrapped));
const metricReader = new PeriodicExportingMetricReader({
  exporter: wrapped.metrics,
  exportIntervalMillis: 300,
  exportTimeoutMillis: 300,
});
const sdk = startSdk({
  traceExporter: wrapped.traces,
  logExporter: wrapped.logs,
  metricReader,
  batching,
});
const tracer = trace.getTracer('compat');
const logger = getLogger('compat');
const counter = metrics.getMeter('compat').createCounter('compat');

let traffic;
let offered = 0;

startTraffic();
await until('all three deliver', () => every(({ items }) => items.success > 0));
await quiet();
await ask('kill');
startTraffic();
await until('all three circuits are open', () => every(({ state }) => state === 'OPEN'));
await until('all three reject', () => every(({ items }) => items.rejected > 0));
await ask('restart');
await until('all three circuits are closed', () => every(({ state }) => state === 'CLOSED'));
await quiet();
const delivered = await delivery();
const accounted = await accountedFor();
await ask('kill');
startTraffic();
await until('all three circuits are open again', () => every(({ state }) => state === 'OPEN'));
clearInterval(traffic);
await shutDownWhileOpen();
await report({
  versions: versions(`@opentelemetry/exporter-trace-otlp-${protocol}`),
  detail: `${delivered.traces} spans, ${delivered.logs} logs, ${delivered.metrics} points of ${offered} each; ${accounted}`,
});

/**
 * Sends nothing, with time to spare: on a busy machine the first export of a process can take longer than the time-out
 * and arrive all the same, and then the two books differ for good.
 */
async function warmUp() {
  const nothing = { traces: [], logs: [], metrics: { resource: { attributes: {} }, scopeMetrics: [] } };
  for (const signal of signals) {
    const exporter = exporters[signal]({ timeoutMillis: 20_000 });
    const result = await new Promise((resolve) => exporter.export(nothing[signal], resolve));
    assert.equal(result.code, 0, result.error?.message);
    await exporter.shutdown();
  }
}

function wrap(name, exporter) {
  return new CircuitBreakerExporter(exporter, {
    name,
    tripPolicy: consecutiveFailures(2),
    probePolicy: everyNthAttempt(3),
  });
}

function startTraffic() {
  traffic = setInterval(() => {
    offered += 1;
    tracer.startSpan('compat', { attributes: { n: offered } }).end();
    logger.emit({ body: 'compat', attributes: { n: offered } });
    counter.add(1);
  }, 20);
}

/** Ends the traffic, and waits until all of it has its answer. */
async function quiet() {
  clearInterval(traffic);
  const totals = () => JSON.stringify(signals.map((signal) => wrapped[signal].snapshot().delivery.offered));
  await trace.getTracerProvider().getDelegate().forceFlush();
  for (;;) {
    const before = totals();
    await new Promise((resolve) => setTimeout(resolve, 700));
    const idle = signals.every((signal) => wrapped[signal].snapshot().delivery.inFlight.batches === 0);
    if (idle && totals() === before) return;
  }
}

/** Compares both ends' books, and returns the items that were delivered. */
async function delivery() {
  const seen = await ask('stats');
  const success = Object.fromEntries(signals.map((s) => [s, wrapped[s].snapshot().items.success]));
  assert.deepEqual({ traces: seen.spans, logs: seen.logs, metrics: seen.dataPoints }, success);
  assert.equal(seen.distinct, seen.spans, 'every span arrived once');
  assert.deepEqual(
    Object.keys(seen.temporalities).filter((name) => name !== 'none'),
    ['delta'],
    'a delta exporter stays one behind the breaker',
  );
  for (const signal of signals) {
    const { items, delivery: books } = wrapped[signal].snapshot();
    assert.equal(books.offered.items, items.success + items.failure + items.rejected, signal);
  }
  return success;
}

/** In SDK lines whose exporters count themselves, every item is in exactly one series of the SDK's own metrics. */
async function accountedFor() {
  let byTheSdk = 0;
  for (const signal of signals) {
    const points = await selfObs.exported(signal);
    const theirs = points.filter(({ type }) => !type.startsWith('circuit_breaker_'));
    const { items, delivery: books } = wrapped[signal].snapshot();
    const unseen = points.filter((point) => !theirs.includes(point));
    assert.equal(sum(unseen), items.rejected, `${signal} that the circuit rejected`);
    if (theirs.length === 0) continue;
    byTheSdk += 1;
    assert.equal(sum(points), books.offered.items, `${signal} in the SDK's own metrics`);
  }
  return byTheSdk === 0 ? 'exporters without metrics of their own' : `${byTheSdk} signals accounted for`;
}

function sum(points) {
  return points.reduce((total, { value }) => total + value, 0);
}

async function shutDownWhileOpen() {
  const began = Date.now();
  await sdk.shutdown().catch(() => {});
  await Promise.all(signals.map((signal) => wrapped[signal].shutdown()));
  const took = Date.now() - began;
  assert.ok(took < 3_000, `shutting down while open took ${took} ms`);
}

function every(holds) {
  const snapshots = signals.map((signal) => wrapped[signal].snapshot());
  return snapshots.every(holds) || snapshots.map(({ name, state, items }) => ({ name, state, items }));
}
