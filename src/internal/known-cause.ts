/** What the OTLP exporters of all lines say where they give no code, and what an operator wants to read. */
const CAUSES: Readonly<Record<string, string>> = {
  'Request Timeout': 'timed out',
  'Request timed out': 'timed out',
  'Export failed with retryable status': 'refused with 429, 502, 503 or 504',
};

/**
 * Says in constant words why an export failed whose error has no code; other messages can hold URLs and credentials.
 *
 * @see https://github.com/open-telemetry/opentelemetry-js/blob/main/experimental/packages/otlp-exporter-base/src/retrying-transport.ts
 */
export function knownCause(message: unknown): string | undefined {
  return typeof message === 'string' && Object.hasOwn(CAUSES, message) ? CAUSES[message] : undefined;
}
