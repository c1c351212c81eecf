/** Vercel's SDK with the official OTLP exporter behind a breaker. @see docs/guide/exporters.md */
import { setTimeout } from 'node:timers/promises';
import { trace } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { registerOTel } from '@vercel/otel';
import { afterCooldown, CircuitBreakerExporter } from 'otel-circuit-breaker';
import { receiver, report } from './receiver.mjs';

process.env.OTEL_BSP_SCHEDULE_DELAY = '200';
const [url] = process.argv.slice(2);
const exporter = new CircuitBreakerExporter(
  new OTLPTraceExporter({ url: `${url}/v1/traces`, timeoutMillis: 1_000 }),
  { probePolicy: afterCooldown(200), retention: {} },
);
registerOTel({ serviceName: 'exporters', traceExporter: exporter, instrumentations: [] });
const tracer = trace.getTracer('exporters');

/** Goes on making spans until the circuit is in this state. */
async function until(state) {
  for (let look = 0; look < 300; look++) {
    if (exporter.breaker.state === state) return state;
    tracer.startSpan('request').end();
    await setTimeout(100);
  }
  return exporter.breaker.state;
}

const states = [];
for (const mode of ['503', 'healthy', 'nobody listens', 'healthy']) {
  await receiver(mode);
  states.push(await until(mode === 'healthy' ? 'CLOSED' : 'OPEN'));
}
await trace.getTracerProvider().getDelegate().forceFlush();
let { delivery } = exporter.snapshot();
// What an outage has left in the exporter's own retries is kept when they end.
for (
  let look = 0;
  look < 100 && delivery.delivered.items + delivery.lost.items < delivery.offered.items;
  look++
) {
  await exporter.redeliver();
  await setTimeout(100);
  delivery = exporter.snapshot().delivery;
}
const { offered, delivered, lost } = delivery;
report({ states, offered: offered.items, delivered: delivered.items, lost: lost.items });
