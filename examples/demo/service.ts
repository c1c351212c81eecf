/**
 * A service of the demo, a process of its own: makes numbered spans and exports them over OTLP/HTTP. Exporter, batch
 * processor and circuit breaker have their default settings; `retention: {}` is the only option. Takes commands over IPC,
 * ends at SIGTERM as README shows it, and dies with its parent.
 */
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { BasicTracerProvider, BatchSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { CircuitBreakerExporter } from 'otel-circuit-breaker';
import { renderHealth } from 'otel-circuit-breaker/health';
import { logTransitions } from 'otel-circuit-breaker/logging';
import { renderPrometheus } from 'otel-circuit-breaker/prometheus';
import { dieWithParent } from '../../test/support/die-with-parent.ts';
import { CountingExporter } from './counting-exporter.ts';
import type {
  ServiceCommand,
  ServiceCommands,
  ServiceMessage,
  ServiceReport,
  ServiceRequest,
  ServiceSettings,
} from './service-protocol.ts';

const SPANS_PER_SECOND = 1_000;
const SPANS_EVERY_MILLIS = 10;
const REPORT_EVERY_MILLIS = 50;
/** The default `maxQueueSize` of a `BatchSpanProcessor`. */
const QUEUE_SIZE = 2_048;

dieWithParent();
const { url, guarded, firstNumber }: ServiceSettings = JSON.parse(process.argv[2] ?? '{}');

const otlp = new OTLPTraceExporter({ url });
const breaker = guarded ? new CircuitBreakerExporter(otlp, { name: 'traces', retention: {} }) : undefined;
// Counts what the batch processor hands out, so that the drops of its queue are known.
const exporter = new CountingExporter(breaker ?? otlp);
const provider = new BasicTracerProvider({ spanProcessors: [new BatchSpanProcessor(exporter)] });
const tracer = provider.getTracer('demo');

let made = 0;
let droppedByQueue = 0;
let spans: NodeJS.Timeout | undefined;

const commands: { [C in ServiceCommand]: () => ServiceCommands[C] | Promise<ServiceCommands[C]> } = {
  resume() {
    const begin = performance.now();
    const madeBefore = made;
    spans ??= setInterval(() => {
      const due = madeBefore + ((performance.now() - begin) * SPANS_PER_SECOND) / 1_000;
      while (made < due) makeSpan();
    }, SPANS_EVERY_MILLIS);
    return firstNumber + made;
  },
  async pause() {
    stop();
    await provider.forceFlush().catch(() => {});
    return firstNumber + made - 1;
  },
  async redeliver() {
    await breaker?.redeliver();
    return null;
  },
  health: () => renderHealth(breaker),
  prometheus: () => renderPrometheus(breaker),
};

process.once('SIGTERM', async () => {
  stop();
  await provider.shutdown().catch(() => {});
  await breaker?.shutdown();
  process.exit();
});
if (breaker !== undefined) {
  const log = (line: string) => send({ type: 'log', line });
  logTransitions(breaker, { warn: log, info: log, debug: log });
}
process.on('message', async ({ id, command }: ServiceRequest) => {
  try {
    const answer = await commands[command]();
    send({ type: 'report', report: report() });
    send({ type: 'answer', id, answer });
  } catch (error) {
    send({ type: 'refused', id, error: String(error) });
  }
});
setInterval(() => send({ type: 'report', report: report() }), REPORT_EVERY_MILLIS);
send({ type: 'ready' });

function stop(): void {
  clearInterval(spans);
  spans = undefined;
}

function makeSpan(): void {
  tracer.startSpan('work', { attributes: { n: firstNumber + made } }).end();
  made += 1;
  // The queue drops only while it is full: at that moment this is exact.
  droppedByQueue = Math.max(droppedByQueue, made - exporter.offered - QUEUE_SIZE);
}

function report(): ServiceReport {
  if (breaker === undefined) {
    const { offered, succeeded, failed } = exporter;
    const inFlight = offered - succeeded - failed;
    const none = { state: null, kept: 0, attempts: 0 };
    return { ...none, made, delivered: succeeded, lost: failed + droppedByQueue, inFlight };
  }
  const { state, attemptsSinceOpened, delivery } = breaker.snapshot();
  return {
    state,
    made,
    delivered: delivery.delivered.items,
    kept: delivery.kept.items,
    lost: delivery.lost.items + droppedByQueue,
    inFlight: delivery.inFlight.items,
    attempts: attemptsSinceOpened,
  };
}

function send(message: ServiceMessage): void {
  // The demo may be gone: then this process ends as well.
  if (process.connected) process.send?.(message, () => {});
}
