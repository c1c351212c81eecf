/**
 * The service of the demo, a process of its own: makes numbered spans all the time, and exports them by OTLP/HTTP through
 * a `BatchSpanProcessor`. Told what to do by IPC; dies with its parent.
 */
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { BasicTracerProvider, BatchSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { CircuitBreakerExporter } from 'otel-circuit-breaker';
import { renderHealth } from 'otel-circuit-breaker/health';
import { renderPrometheus } from 'otel-circuit-breaker/prometheus';
import { dieWithParent } from '../../test/support/die-with-parent.ts';
import type {
  ServiceCommand,
  ServiceCommands,
  ServiceMessage,
  ServiceReport,
  ServiceRequest,
  ServiceSettings,
} from './service-protocol.ts';

const SPAN_EVERY_MILLIS = 10;
const REPORT_EVERY_MILLIS = 50;

dieWithParent();
const { url, breaker, timeoutMillis, scheduledDelayMillis, firstNumber }: ServiceSettings = JSON.parse(
  process.argv[2] ?? '{}',
);

const otlp = new OTLPTraceExporter({ url, ...(timeoutMillis !== undefined && { timeoutMillis }) });
const wrapped =
  breaker === 'none'
    ? undefined
    : new CircuitBreakerExporter(otlp, breaker === 'retention' ? { retention: {} } : {});
const provider = new BasicTracerProvider({
  spanProcessors: [new BatchSpanProcessor(wrapped ?? otlp, { scheduledDelayMillis })],
});
const tracer = provider.getTracer('demo');

let made = 0;
let spans: NodeJS.Timeout | undefined;

const commands: { [C in ServiceCommand]: () => ServiceCommands[C] | Promise<ServiceCommands[C]> } = {
  resume() {
    spans ??= setInterval(makeSpan, SPAN_EVERY_MILLIS);
    return firstNumber + made;
  },
  async pause() {
    stop();
    // Rejects where the export fails, which is what this demo is about.
    await provider.forceFlush().catch(() => {});
    return firstNumber + made - 1;
  },
  health: () => renderHealth(wrapped),
  prometheus: () => renderPrometheus(wrapped),
  async redeliver() {
    await wrapped?.redeliver();
    return null;
  },
  async shutdown() {
    stop();
    // So that there is something to flush, as there is in a busy service.
    makeSpan();
    let outcome = 'resolved';
    const report = (error: unknown): void => {
      outcome = `rejected: ${nameOf(Array.isArray(error) ? error[0] : error)}`;
    };
    const begin = performance.now();
    // The two lines of the README.
    await provider.shutdown().catch(report);
    await wrapped?.shutdown();
    return { millis: performance.now() - begin, outcome };
  },
};

wrapped?.breaker.onTransition(({ from, to, error }) => {
  const { consecutiveFailures, exports, probes } = wrapped.snapshot();
  send({ type: 'report', report: report() });
  send({
    type: 'transition',
    transition: {
      from,
      to,
      consecutiveFailures,
      cause: error === undefined ? null : nameOf(error),
      sent: exports.success + exports.failure + exports.invalid + exports.ignored,
      probes: probes.success + probes.failure,
    },
  });
});
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

function makeSpan(): void {
  tracer.startSpan('work', { attributes: { n: firstNumber + made } }).end();
  made += 1;
}

function stop(): void {
  clearInterval(spans);
  spans = undefined;
}

function report(): ServiceReport {
  if (wrapped === undefined) {
    const probes = { success: 0, failure: 0 };
    return { state: 'CLOSED', made, delivered: 0, rejected: 0, kept: 0, lost: 0, inFlight: 0, probes };
  }
  const { state, items, probes, delivery } = wrapped.snapshot();
  return {
    state,
    made,
    delivered: delivery.delivered.items,
    rejected: items.rejected,
    kept: delivery.kept.items,
    lost: delivery.lost.items,
    inFlight: delivery.inFlight.items,
    probes,
  };
}

function nameOf(error: unknown): string {
  const { code, message } = error as { code?: string | number; message?: string };
  return String(code ?? message ?? error);
}

function send(message: ServiceMessage): void {
  // The demo may have gone: then so will this process.
  if (process.connected) process.send?.(message, () => {});
}
