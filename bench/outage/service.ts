/**
 * A service that makes spans at a steady rate, as a process of its own: `NodeSDK` with the batch processor that it makes
 * itself, the real OTLP/HTTP exporter, and a wrapping between them.
 *
 *     node service.ts '<ServiceConfig as JSON>'
 *
 * Says `ready` when it makes spans. SIGTERM ends it as the README says; its last line is a `ServiceReport`.
 */
import { subscribe } from 'node:diagnostics_channel';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { trace } from '@opentelemetry/api';
import { setGlobalErrorHandler } from '@opentelemetry/core';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { NodeSDK } from '@opentelemetry/sdk-node';
import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace-base';
import { dieWithParent } from '../../test/support/die-with-parent.ts';
import type { ServiceConfig, ServiceReport } from './protocol.ts';
import { wrap } from './wrap.ts';

dieWithParent();
const { url, wrapping, spansPerSecond } = JSON.parse(process.argv[2] ?? '') as ServiceConfig;

let errorHandlerCalls = 0;
setGlobalErrorHandler(() => {
  errorHandlerCalls += 1;
});
let requests = 0;
subscribe('http.client.request.start', () => {
  requests += 1;
});

let exporterCalls = 0;
const successesAt: number[] = [];
const counted = watch(new OTLPTraceExporter({ url }), (result) => {
  if (result === undefined) exporterCalls += 1;
  else if (result.code === 0) successesAt.push(Date.now());
});
const { exporter, state, onOpen } = wrap(counted, wrapping);
let firstOpenedAt: number | undefined;
onOpen(() => {
  firstOpenedAt ??= Date.now();
});
let offered = 0;
const traceExporter = watch(exporter, (result, spans) => {
  if (result === undefined) offered += spans;
});
const sdk = new NodeSDK({ traceExporter, metricReaders: [], logRecordProcessors: [] });
sdk.start();
const tracer = trace.getTracer('outage');

const delay = monitorEventLoopDelay({ resolution: 10 });
delay.enable();
const cpuAtStart = process.cpuUsage();
const start = performance.now();
let made = 0;
const traffic = setInterval(() => {
  const due = Math.floor(((performance.now() - start) / 1_000) * spansPerSecond);
  for (; made < due; made += 1) tracer.startSpan('GET /orders', { attributes: { n: made + 1 } }).end();
}, 10);

process.once('SIGTERM', async () => {
  clearInterval(traffic);
  delay.disable();
  const stateAtSigterm = state();
  const shutdownAt = performance.now();
  await sdk.shutdown().catch(() => {});
  const sdkShutdownMillis = performance.now() - shutdownAt;
  await exporter.shutdown().catch(() => {});
  const { user, system } = process.cpuUsage(cpuAtStart);
  const report: ServiceReport = {
    made,
    offered,
    exporterCalls,
    requests,
    cpuSeconds: (user + system) / 1e6,
    // Kilobytes, whatever the platform.
    peakMegabytes: process.resourceUsage().maxRSS / 1_024,
    // What is recorded is the pause between two looks.
    eventLoopDelayP99Millis: Math.max(0, delay.percentile(99) / 1e6 - 10),
    errorHandlerCalls,
    firstOpenedAt,
    successesAt,
    sdkShutdownMillis,
    stateAtSigterm,
  };
  process.stdout.write(`${JSON.stringify(report)}\n`, () => process.exit());
});
console.log('ready');

/** Hears of each call of `export` (without a result), and of each answer. */
function watch(
  inner: SpanExporter,
  heard: (result: { code: number } | undefined, spans: number) => void,
): SpanExporter {
  return {
    export(spans: ReadableSpan[], resultCallback) {
      heard(undefined, spans.length);
      inner.export(spans, (result) => {
        heard(result, spans.length);
        resultCallback(result);
      });
    },
    forceFlush: () => inner.forceFlush?.() ?? Promise.resolve(),
    shutdown: () => inner.shutdown(),
  };
}
