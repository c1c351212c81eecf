import { SpanKind, trace } from '@opentelemetry/api';
import { Hono } from 'hono';
import { createFetchHandler } from 'otel-circuit-breaker/http';
import { exporter, stopTelemetry } from './telemetry.ts';

const { HOST = '127.0.0.1', PORT = '3000' } = process.env;
const tracer = trace.getTracer('hono-bun');
const telemetry = createFetchHandler(exporter);

const app = new Hono();
app.get('/health/telemetry', (context) => telemetry(context.req.raw));
app.get('/metrics', (context) => telemetry(context.req.raw));
// No instrumentation sees Bun's server.
app.use(async (context, next) => {
  const span = tracer.startSpan(context.req.method, { kind: SpanKind.SERVER });
  try {
    await next();
  } finally {
    span.setAttribute('http.response.status_code', context.res.status).end();
  }
});
app.get('/', (context) => context.json({ service: 'hono-bun-service' }));

const server = Bun.serve({ hostname: HOST, port: Number(PORT), fetch: app.fetch });
console.log(`listening on port ${server.port}`);

process.once('SIGTERM', async () => {
  await server.stop();
  await stopTelemetry();
});
