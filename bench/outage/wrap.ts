import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace-base';
import type { CircuitBreakerExporterOptions } from 'otel-circuit-breaker';
import {
  afterCooldown,
  CircuitBreakerExporter,
  everyNthAttempt,
  exponentialBackoff,
} from 'otel-circuit-breaker';
import { OpossumExporter } from './opossum-exporter.ts';
import type { Wrapping } from './protocol.ts';

/** An exporter, wrapped or not, and what can be seen of it. */
export interface Wrapped {
  readonly exporter: SpanExporter;
  state(): string;
  onOpen(listener: () => void): void;
}

const OURS: Readonly<
  Record<Exclude<Wrapping, 'nothing' | 'opossum'>, CircuitBreakerExporterOptions<ReadableSpan[]>>
> = {
  ours: {},
  retention: { retention: {} },
  notHandedOver: { retention: { handOverMillis: 0 } },
  everyNth: { probePolicy: everyNthAttempt(10) },
  cooldown: { probePolicy: afterCooldown(30_000) },
  backoff: { probePolicy: exponentialBackoff() },
};

/** Puts the wrapping around the exporter. */
export function wrap(inner: SpanExporter, wrapping: Wrapping): Wrapped {
  if (wrapping === 'nothing') return { exporter: inner, state: () => 'none', onOpen() {} };
  if (wrapping === 'opossum') {
    const exporter = new OpossumExporter(inner);
    const { breaker } = exporter;
    const state = (): string => (breaker.opened ? 'OPEN' : breaker.halfOpen ? 'HALF_OPEN' : 'CLOSED');
    return { exporter, state, onOpen: (listener) => breaker.on('open', listener) };
  }
  const exporter = new CircuitBreakerExporter<ReadableSpan[]>(inner, OURS[wrapping]);
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
