import type { Classification } from '../breaker/snapshot.ts';
import type { ExportResultLike } from '../sending/exporter-contract.ts';
import { SUCCESS } from '../sending/exporter-contract.ts';

/** HTTP 400, 413 and 422, and gRPC's INVALID_ARGUMENT: the backend is up, and refused this payload. */
const INVALID_CODES: readonly unknown[] = [400, 413, 422, 3];

/**
 * What the OTLP exporters say before anything is sent.
 *
 * @see https://github.com/open-telemetry/opentelemetry-js/blob/main/experimental/packages/otlp-exporter-base/src/otlp-export-delegate.ts
 */
const NOT_SENT_MESSAGES: readonly unknown[] = ['Concurrent export limit reached', 'Nothing to send'];

/**
 * Reads the results of OTLP exporters, and the default of `classify`. SUCCESS is `'success'`. FAILED with the number 400,
 * 413 or 422 (HTTP) or 3 (gRPC) as `error.code` is `'invalid'`: a poisoned batch must not cut off the good ones. FAILED
 * with the message `Concurrent export limit reached` or `Nothing to send` is `'ignored'`: nothing was sent. All else is
 * `'failure'`, 401, 403 and 404 among it: a misconfigured exporter is better cut off, and seen.
 */
export function classifyOtlpResult(result: ExportResultLike): Classification {
  if (result.code === SUCCESS) return 'success';
  const error = result.error as { code?: unknown; message?: unknown } | null | undefined;
  if (INVALID_CODES.includes(error?.code)) return 'invalid';
  if (NOT_SENT_MESSAGES.includes(error?.message)) return 'ignored';
  return 'failure';
}
