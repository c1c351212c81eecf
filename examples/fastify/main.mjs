import rateLimit from '@fastify/rate-limit';
import Fastify from 'fastify';
import { renderHealth } from 'otel-circuit-breaker/health';
import { PROMETHEUS_CONTENT_TYPE, renderPrometheus } from 'otel-circuit-breaker/prometheus';
import { exporter, stopTelemetry } from './telemetry.mjs';

const { HOST = '127.0.0.1', PORT = '3000', METRICS_REQUESTS_PER_MINUTE = '5' } = process.env;

const app = Fastify();
await app.register(rateLimit, { global: false, enableDraftSpec: true });

app.get('/health/telemetry', (_request, reply) => {
  const { httpStatus, body } = renderHealth(exporter);
  return reply.code(httpStatus).header('Cache-Control', 'no-store').send(body);
});

const metricsLimit = { max: Number(METRICS_REQUESTS_PER_MINUTE), timeWindow: '1 minute' };
app.get('/metrics', { config: { rateLimit: metricsLimit } }, (_request, reply) =>
  reply.type(PROMETHEUS_CONTENT_TYPE).header('Cache-Control', 'no-store').send(renderPrometheus(exporter)),
);

app.get('/', () => ({ service: 'fastify-service' }));

await app.listen({ host: HOST, port: Number(PORT) });
console.log(`listening on port ${app.server.address().port}`);

process.once('SIGTERM', async () => {
  await app.close();
  await stopTelemetry();
});
