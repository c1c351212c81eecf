/**
 * A service that runs the built library: spans all the time, through two exporters to the URLs that it is given, one with
 * retention and one without. Three time-outs open their circuits; then they probe every 200 ms, and a probe into a
 * collector that hangs takes 600 ms.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { BasicTracerProvider, BatchSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { afterCooldown, CircuitBreakerExporter } from 'otel-circuit-breaker';
import { createNodeHandler } from 'otel-circuit-breaker/http';
import { dieWithParent } from '../support/die-with-parent.ts';

dieWithParent();

const [url = '', auditUrl = url] = process.argv.slice(2);

const probePolicy = afterCooldown(200);
const exporters = [
  new CircuitBreakerExporter(new OTLPTraceExporter({ url, timeoutMillis: 600 }), {
    name: 'collector',
    probePolicy,
    retention: { maxItems: 200 },
  }),
  new CircuitBreakerExporter(new OTLPTraceExporter({ url: auditUrl, timeoutMillis: 600 }), {
    name: 'audit',
    probePolicy,
  }),
];
const provider = new BasicTracerProvider({
  spanProcessors: exporters.map(
    (exporter) => new BatchSpanProcessor(exporter, { scheduledDelayMillis: 100 }),
  ),
});
const tracer = provider.getTracer('monitoring');
let n = 0;
setInterval(() => {
  tracer.startSpan('work', { attributes: { n: n++ } }).end();
}, 20);

const server = createServer(createNodeHandler(exporters)).listen(0, '127.0.0.1', () => {
  console.log(JSON.stringify({ port: (server.address() as AddressInfo).port }));
});
