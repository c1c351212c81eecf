/**
 * A service with a BatchSpanProcessor, the real OTLP/HTTP exporter and the built library, all at their defaults, as a
 * process of its own.
 *
 *     node service.ts '<ServiceConfig as JSON>'
 *
 * Obeys by IPC, see `protocol.ts`. SIGTERM and `finish` end it as the README says; its last line is a `ServiceReport`.
 */
import { setGlobalErrorHandler } from '@opentelemetry/core';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import type { ReadableSpan } from '@opentelemetry/sdk-trace-base';
import { BasicTracerProvider, BatchSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { dieWithParent } from '../support/die-with-parent.ts';
import { FileSpanExporter } from '../support/file-span-exporter.ts';
import type { ServiceConfig, ServiceLook, ServiceReport, ServiceRequest } from './protocol.ts';
import { EXPORT_TIMEOUT_MILLIS, SPANS_A_SECOND } from './protocol.ts';
import { StubbedLookup } from './stubbed-lookup.ts';
import { WatchedExporter } from './watched-exporter.ts';

dieWithParent();
// The failed flushes of a service without retention: they are counted, nobody needs to read them.
setGlobalErrorHandler(() => {});

const config = JSON.parse(process.argv[2] ?? '') as ServiceConfig;
const { CircuitBreakerExporter } = (await import(config.library)) as typeof import('../../src/index.ts');

const lookup = new StubbedLookup();
const otlp = new OTLPTraceExporter({
  url: config.url,
  ...(config.stubLookup && { httpAgentOptions: { keepAlive: false, lookup: lookup.lookup } }),
});
const watched = new WatchedExporter(otlp, EXPORT_TIMEOUT_MILLIS);
const problems: string[] = [];
const exporter = new CircuitBreakerExporter<ReadableSpan[]>(watched, {
  retention: config.retention,
  fallback: config.fallbackFile === undefined ? undefined : new FileSpanExporter(config.fallbackFile),
  onError: (message, error) => problems.push(`${message}: ${String(error)}`),
});
const provider = new BasicTracerProvider({ spanProcessors: [new BatchSpanProcessor(exporter)] });
const tracer = provider.getTracer('faults');

let made = 0;
let peakHeapBytes = 0;
let mostKept = 0;
let imbalances = 0;
let traffic: NodeJS.Timeout | undefined;

function look(): ServiceLook {
  const snapshot = exporter.snapshot();
  const { offered, delivered, fallback, lost, kept, inFlight } = snapshot.delivery;
  const sum = (unit: 'batches' | 'items'): number =>
    delivered[unit] + fallback[unit] + lost[unit] + kept[unit] + inFlight[unit];
  if (offered.batches !== sum('batches') || offered.items !== sum('items')) imbalances += 1;
  mostKept = Math.max(mostKept, kept.items);
  peakHeapBytes = Math.max(peakHeapBytes, process.memoryUsage().heapUsed);
  return { made, snapshot, unanswered: watched.unanswered };
}

function setTraffic(on: boolean): void {
  clearInterval(traffic);
  traffic = undefined;
  if (!on) return;
  let lastAt = performance.now();
  traffic = setInterval(() => {
    const now = performance.now();
    // A process that has not run for a while makes up for half a second: the processor's queue is not the machine's.
    const due = Math.floor((Math.min(now - lastAt, 500) / 1_000) * SPANS_A_SECOND);
    lastAt = now - lastAt > 500 ? now : lastAt + (due / SPANS_A_SECOND) * 1_000;
    for (let n = 0; n < due; n += 1) makeSpan();
  }, 10);
}

function makeSpan(): void {
  made += 1;
  const poisoned = config.poisonEvery !== undefined && made % config.poisonEvery === 0;
  tracer.startSpan('numbered', { attributes: { n: made, ...(poisoned && { poison: true }) } }).end();
}

let ending = false;

async function end(): Promise<void> {
  if (ending) return;
  ending = true;
  setTraffic(false);
  const stateAtEnd = exporter.breaker.state;
  await provider.shutdown().catch(() => {});
  await exporter.shutdown();
  const report: ServiceReport = {
    ...look(),
    sendings: watched.totals(),
    // Kilobytes, whatever the platform.
    peakMegabytes: process.resourceUsage().maxRSS / 1_024,
    peakHeapMegabytes: peakHeapBytes / 1_048_576,
    mostKept,
    imbalances,
    stateAtEnd,
    problems,
  };
  process.stdout.write(`${JSON.stringify(report)}\n`, () => process.exit());
}

setInterval(look, 50).unref();
process.on('SIGTERM', end);
process.on('message', async ({ id, command, on = false }: ServiceRequest) => {
  if (command === 'finish') {
    await end();
    return;
  }
  if (command === 'traffic') setTraffic(on);
  if (command === 'resolves') lookup.resolves = on;
  if (command === 'flush') await provider.forceFlush().catch(() => {});
  process.send?.({ id, look: look() });
});
console.log('ready');
