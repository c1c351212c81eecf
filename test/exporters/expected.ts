import type { Exporter } from './exporters.ts';
import type { Mode } from './receiver.ts';

type Outcomes = Partial<Readonly<Record<Mode, string>>>;

const BLIND = 'success, stays closed';

/** An exporter that puts a status on its errors. */
const TRUTHFUL: Outcomes = {
  'nobody listens': 'failure, connection refused, opens and closes',
  '503': 'failure, unavailable, opens and closes',
  '400': 'invalid, refused the payload, stays closed',
  '401': 'failure, unauthorized, opens and closes',
  hang: 'failure, timed out, opens and closes',
};

/** The official exporters try a 503 again, and do not say what it was. */
const OTLP_HTTP: Outcomes = { ...TRUTHFUL, '503': 'failure, retryable status, opens and closes' };

/** Whatever can be tried again has been written to disk, or dropped. */
const AZURE: Outcomes = { ...TRUTHFUL, 'nobody listens': BLIND, '503': BLIND, '401': BLIND };

/** An answer is a success, whatever its status. */
const VERCEL: Outcomes = { ...TRUTHFUL, '503': BLIND, '400': BLIND, '401': BLIND };

/** It was made for OTLP exporters of 2024, whose time-out ends retries and looks like a reset. */
const HONEYCOMB: Outcomes = {
  ...TRUTHFUL,
  '503': 'failure, timed out, opens and closes',
  hang: 'failure, connection reset, opens and closes',
};

/** No metric is registered, so there is nothing to send. */
const NEVER_WORKED: Outcomes = { ...AZURE, '400': BLIND };

/** What the breaker has to make of an exporter in a situation. */
export function expectedOutcome(exporter: Exporter, situation: Mode): string | undefined {
  return outcomesOf(exporter)[situation];
}

function outcomesOf({ make, protocol, warm }: Exporter): Outcomes {
  if (protocol === 'udp') return { 'nobody listens': BLIND };
  if (warm === false) return NEVER_WORKED;
  if (make.startsWith('azure')) return AZURE;
  if (make.startsWith('vercel')) return VERCEL;
  if (make === 'honeycomb') return HONEYCOMB;
  const isGrpc = protocol.startsWith('grpc');
  return isGrpc || ['zipkin', 'jaeger', 'google-metrics'].includes(make) ? TRUTHFUL : OTLP_HTTP;
}
