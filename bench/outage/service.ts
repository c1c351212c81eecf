/**
 * A service that makes spans at a steady rate, as a process of its own: a `BatchSpanProcessor`, the real OTLP/HTTP
 * exporter, and a wrapping between them.
 *
 *     node service.ts '<ServiceConfig as JSON>'
 *
 * Says `ready` when it makes spans. Any line on its stdin ends it; its last line is a `ServiceReport`.
 */
import { subscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setGlobalErrorHandler } from '@opentelemetry/core';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace-base';
import { BasicTracerProvider, BatchSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { dieWithParent } from '../../test/support/die-with-parent.ts';
import type { ServiceConfig, ServiceReport } from './protocol.ts';
import { QUEUE_SPANS } from './protocol.ts';
import { otlpTimeoutMillis, wrap } from './wrap.ts';

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

const otlp = new OTLPTraceExporter({ url, timeoutMillis: otlpTimeoutMillis(wrapping) });
let exporterCalls = 0;
const successesAt: number[] = [];
const counted = watch(otlp, (result) => {
  if (result === undefined) exporterCalls += 1;
  else if (result.code === 0) successesAt.push(Date.now());
});
const { exporter, state, onOpen } = wrap(counted, wrapping);
let firstOpenedAt: number | undefined;
onOpen(() => {
  firstOpenedAt ??= Date.now();
});
let offered = 0;
let exporterShutdownAt: number | undefined;
const outer = watch(exporter, (result, spans) => {
  if (result === undefined) offered += spans;
});
outer.shutdown = () => {
  exporterShutdownAt ??= performance.now();
  return exporter.shutdown();
};
const provider = new BasicTracerProvider({
  spanProcessors: [new BatchSpanProcessor(outer, { maxQueueSize: QUEUE_SPANS })],
});
const tracer = provider.getTracer('outage');

const delay = monitorEventLoopDelay({ resolution: 10 });
delay.enable();
const cpuAtStart = process.cpuUsage();
const startedAt = Date.now();
const start = performance.now();
let made = 0;
const traffic = setInterval(() => {
  const due = Math.floor(((performance.now() - start) / 1_000) * spansPerSecond);
  for (; made < due; made += 1) tracer.startSpan('GET /orders', { attributes: { n: made + 1 } }).end();
}, 10);
console.log('ready');

await once(process.stdin, 'data');
clearInterval(traffic);
delay.disable();
const stateAtShutdown = state();
const shutdownAt = performance.now();
await provider.shutdown().catch(() => {});
exporterShutdownAt ??= performance.now();
await exporter.shutdown();
const exporterShutdownMillis = performance.now() - exporterShutdownAt;
const shutdownMillis = performance.now() - shutdownAt;
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
  startedAt,
  firstOpenedAt,
  successesAt,
  shutdownMillis,
  exporterShutdownMillis,
  stateAtShutdown,
};
process.stdout.write(`${JSON.stringify(report)}\n`, () => process.exit(0));

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
