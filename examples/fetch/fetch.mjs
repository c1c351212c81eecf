import { createFetchHandler } from 'otel-circuit-breaker/http';
import { exporter } from './telemetry.mjs';

const telemetry = createFetchHandler(exporter);

/** The whole service: a `Request` comes in, a `Response` goes out. */
export function fetch(request) {
  const { pathname } = new URL(request.url);
  if (pathname === '/health/telemetry' || pathname === '/metrics') return telemetry(request);
  return Response.json({ service: 'fetch-service' });
}
