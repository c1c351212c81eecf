// Metrics in a cluster of workers: one port for each worker, so that every scrape of a target meets the same process.
//
//   WORKERS=4 APP_PORT=3000 METRICS_PORT=9400 node cluster.mjs
//
// Prometheus scrapes the ports 9401 to 9404 as four targets of one job. A worker that is started again gets the slot, and
// with it the port, of the one that died.
import cluster from 'node:cluster';
import { createServer } from 'node:http';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { NodeSDK } from '@opentelemetry/sdk-node';
import { CircuitBreakerExporter } from 'otel-circuit-breaker';
import { createNodeHandler } from 'otel-circuit-breaker/http';

const {
  WORKERS = '2',
  APP_PORT = '3000',
  METRICS_PORT = '9400',
  HOST = '127.0.0.1',
  SLOT = '0',
} = process.env;

if (cluster.isPrimary) {
  const slots = new Map();
  const start = (slot) => slots.set(cluster.fork({ SLOT: slot }).id, slot);
  cluster.on('exit', ({ id }) => start(slots.get(id)));
  for (let slot = 1; slot <= Number(WORKERS); slot++) start(slot);
} else {
  const exporter = new CircuitBreakerExporter(new OTLPTraceExporter(), { name: 'traces', retention: {} });
  const sdk = new NodeSDK({ traceExporter: exporter, metricReaders: [], logRecordProcessors: [] });
  sdk.start();

  // All workers share the port of the service …
  createServer((_, response) => response.end(`worker ${SLOT}, process ${process.pid}\n`)).listen(
    Number(APP_PORT),
    HOST,
  );
  // … and each has one of its own for /metrics and /health/telemetry.
  const port = Number(METRICS_PORT) + Number(SLOT);
  createServer(createNodeHandler(exporter)).listen({ port, host: HOST, exclusive: true });

  process.once('SIGTERM', async () => {
    await sdk.shutdown().catch(() => {});
    await exporter.shutdown().catch(() => {});
    process.exit(0);
  });
}
