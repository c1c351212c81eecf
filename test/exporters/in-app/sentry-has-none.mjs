/** What Sentry's span processor sends with is no exporter: a breaker refuses it. */

import { SentrySpanProcessor } from '@sentry/opentelemetry';
import { CircuitBreakerExporter } from 'otel-circuit-breaker';
import { report } from './receiver.mjs';

const { _exporter: exporter } = new SentrySpanProcessor();
try {
  new CircuitBreakerExporter(exporter);
  report({ refused: null });
} catch (error) {
  report({ refused: `${error.name}: ${error.message}` });
}
