import type { Classification } from '../breaker/snapshot.ts';
import type { ExportResultLike } from '../delivery/exporter-contract.ts';
import { SUCCESS } from '../delivery/exporter-contract.ts';
import { statusOf } from '../internal/causes.ts';

/** HTTP 400, 413 and 422, and gRPC's INVALID_ARGUMENT: the backend is up, and refused this payload. */
const INVALID_STATUSES: readonly unknown[] = [400, 413, 422, 3];

/**
 * Messages of the OTLP exporters for a batch that they did not send.
 *
 * @see https://github.com/open-telemetry/opentelemetry-js/blob/main/experimental/packages/otlp-exporter-base/src/otlp-export-delegate.ts
 */
const NOT_SENT_MESSAGES: readonly unknown[] = ['Concurrent export limit reached', 'Nothing to send'];

/**
 * The default of `classify`. Reads the results of the OTLP, Zipkin, Jaeger and Azure Monitor exporters, and of others
 * that put an HTTP or gRPC status on their errors.
 *
 * - SUCCESS is `'success'`.
 * - FAILED with the status 400, 413 or 422 (HTTP) or 3 (gRPC), or with gRPC's "message larger than max", is `'invalid'`:
 *   the backend is up and refused this payload, and a poisoned batch must not cut off the good ones. The status is looked
 *   for in the error's `code`, `statusCode`, `status` and `response.status`, in the fixed messages of exporters that give
 *   it nowhere else, and then in the error's `cause`.
 * - FAILED with the message `Concurrent export limit reached` or `Nothing to send` is `'ignored'`: nothing was sent.
 * - Everything else is `'failure'`, including 401, 403 and 404: a misconfigured exporter is better cut off, and seen.
 *
 * @param result - what the inner exporter answered
 */
export function classifyResult(result: ExportResultLike): Classification {
  if (result.code === SUCCESS) return 'success';
  const { error } = result;
  if (INVALID_STATUSES.includes(statusOf(error))) return 'invalid';
  return NOT_SENT_MESSAGES.includes(error?.message) ? 'ignored' : 'failure';
}
