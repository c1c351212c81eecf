/**
 * A service that runs the built library: spans all the time, to the URL that it is given. Three time-outs open its
 * circuit; then it probes every 200 ms, and a probe into a collector that hangs takes 600 ms.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { BasicTracerProvider, BatchSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { afterCooldown, CircuitBreakerExporter } from 'otel-circuit-breaker';
import { createNodeHandler } from 'otel-circuit-breaker/http';
import { dieWithParent } from '../support/die-with-parent.ts';

dieWithParent();

const [url = ''] = process.argv.slice(2);
const exporter = new CircuitBreakerExporter(new OTLPTraceExporter({ url, timeoutMillis: 600 }), {
  name: 'collector',
  probePolicy: afterCooldown(200),
  retention: { maxItems: 200 },
});
const provider = new BasicTracerProvider({
  spanProcessors: [new BatchSpanProcessor(exporter, { scheduledDelayMillis: 100 })],
});
const tracer = provider.getTracer('monitoring');
let n = 0;
setInterval(() => {
  tracer.startSpan('work', { attributes: { n: n++ } }).end();
}, 20);

const server = createServer(createNodeHandler(exporter)).listen(0, '127.0.0.1', () => {
  console.log(JSON.stringify({ port: (server.address() as AddressInfo).port }));
});
