import { STATUS_CODES } from 'node:http';
import { trace } from '@opentelemetry/api';
import express from 'express';
import { rateLimit } from 'express-rate-limit';
import { createNodeHandler } from 'otel-circuit-breaker/http';
import { circuitAdmin } from './admin.mjs';

const tracer = trace.getTracer('node-service');

/** The web service; `exporter` is `undefined` where none is configured. */
export function createApp(exporter, { metricsRequestsPerMinute, trustedProxies, adminToken }) {
  const app = express();
  app.disable('x-powered-by');
  // Without this anybody could count as a new client by inventing an X-Forwarded-For.
  app.set('trust proxy', trustedProxies);

  const telemetry = createNodeHandler(exporter);
  const metricsLimit = rateLimit({
    windowMs: 60_000,
    limit: metricsRequestsPerMinute,
    message: `Too many requests: ${metricsRequestsPerMinute} a minute, see APP_METRICS_REQUESTS_PER_MINUTE\n`,
    standardHeaders: 'draft-8',
    legacyHeaders: false,
    // It would print an error about every X-Forwarded-For that we distrust on purpose.
    validate: { xForwardedForHeader: false },
  });
  app.all('/health/telemetry', telemetry);
  app.use('/metrics', metricsLimit);
  app.all('/metrics', telemetry);
  if (exporter !== undefined && adminToken !== '') {
    app.use('/admin/circuit', circuitAdmin(exporter.breaker, adminToken));
  }

  // For liveness and readiness: says nothing about telemetry, which the service can do without.
  app.get('/healthz', (_request, response) => response.sendStatus(200));

  app.get('/', (_request, response) => response.json({ service: 'node-service' }));
  app.get('/orders/:id', async ({ params }, response) => {
    response.json(await tracer.startActiveSpan('load order', (span) => loadOrder(params.id, span)));
  });

  app.use((error, _request, response, next) => {
    if (response.headersSent) return next(error);
    const { status = 500 } = error;
    if (status >= 500) console.error(error);
    response.status(status).type('text').send(STATUS_CODES[status]);
  });
  return app;
}

async function loadOrder(id, span) {
  try {
    span.setAttribute('order.id', id);
    return { id, state: 'shipped' };
  } finally {
    span.end();
  }
}
