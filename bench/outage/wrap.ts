import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace-base';
import type { CircuitBreakerExporterOptions, RetentionOptions } from 'otel-circuit-breaker';
import {
  afterCooldown,
  anyTrip,
  CircuitBreakerExporter,
  consecutiveFailures,
  everyNthAttempt,
  exponentialBackoff,
  slowExportRate,
} from 'otel-circuit-breaker';
import { OpossumExporter } from './opossum-exporter.ts';
import type { Wrapping } from './protocol.ts';
import { RETENTION_ITEMS } from './protocol.ts';

/** An exporter, wrapped or not, and what can be seen of it. */
export interface Wrapped {
  readonly exporter: SpanExporter;
  state(): string;
  onOpen(listener: () => void): void;
}

const retention: RetentionOptions = { maxItems: RETENTION_ITEMS };

/** The README's, for slow collectors. */
function recipe(): CircuitBreakerExporterOptions<ReadableSpan[]> {
  return {
    exportTimeoutMillis: 4_000,
    tripPolicy: anyTrip(
      consecutiveFailures(3),
      slowExportRate({ slowerThanMillis: 2_000, window: { exports: 4 }, minimumExports: 2 }),
    ),
  };
}

/** The time-out of the OTLP exporter, where the wrapping asks for another than its default. */
export function otlpTimeoutMillis(wrapping: Wrapping): number {
  return wrapping === 'recipe' || wrapping === 'both' ? 3_000 : 10_000;
}

/** Puts the wrapping around the exporter. */
export function wrap(inner: SpanExporter, wrapping: Wrapping): Wrapped {
  switch (wrapping) {
    case 'nothing':
      return { exporter: inner, state: () => 'none', onOpen() {} };
    case 'opossum': {
      const exporter = new OpossumExporter(inner);
      const { breaker } = exporter;
      const state = (): string => (breaker.opened ? 'OPEN' : breaker.halfOpen ? 'HALF_OPEN' : 'CLOSED');
      return { exporter, state, onOpen: (listener) => breaker.on('open', listener) };
    }
    case 'ours':
      return ours(new CircuitBreakerExporter<ReadableSpan[]>(inner));
    case 'retention':
      return ours(new CircuitBreakerExporter<ReadableSpan[]>(inner, { retention }));
    case 'recipe':
      return ours(new CircuitBreakerExporter<ReadableSpan[]>(inner, recipe()));
    case 'both':
      return ours(new CircuitBreakerExporter<ReadableSpan[]>(inner, { ...recipe(), retention }));
    case 'everyNth':
      return ours(new CircuitBreakerExporter<ReadableSpan[]>(inner, { probePolicy: everyNthAttempt(10) }));
    case 'cooldown':
      return ours(new CircuitBreakerExporter<ReadableSpan[]>(inner, { probePolicy: afterCooldown(30_000) }));
    case 'backoff':
      return ours(new CircuitBreakerExporter<ReadableSpan[]>(inner, { probePolicy: exponentialBackoff() }));
  }
}

function ours(exporter: CircuitBreakerExporter<ReadableSpan[]>): Wrapped {
  return {
    exporter,
    state: () => exporter.breaker.state,
    onOpen(listener) {
      exporter.breaker.onTransition(({ to }) => {
        if (to === 'OPEN') listener();
      });
    },
  };
}
