/** OTLP/HTTP by hand: what the Collector answers, headers and all. The exporters hide most of it. */

export interface RawAnswer {
  readonly status: number;
  readonly retryAfter: string | null;
  readonly body: string;
}

/** POSTs OTLP JSON. @param headers - besides the content type */
export async function rawPost(
  url: string,
  body: string,
  headers: Record<string, string> = {},
): Promise<RawAnswer> {
  const answer = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', connection: 'close', ...headers },
    body,
    signal: AbortSignal.timeout(10_000),
  });
  return {
    status: answer.status,
    retryAfter: answer.headers.get('retry-after'),
    body: (await answer.text()).trim(),
  };
}

/** One span without a number, which nobody counts, and with so many bytes in it. */
export function anonymousSpan(bytes = 0): string {
  const now = `${Date.now()}000000`;
  const span = {
    traceId: '5b8efff798038103d269b633813fc60c',
    spanId: 'eee19b7ec3c1b174',
    name: 'anonymous',
    kind: 1,
    startTimeUnixNano: now,
    endTimeUnixNano: now,
    attributes: bytes === 0 ? [] : [{ key: 'ballast', value: { stringValue: 'x'.repeat(bytes) } }],
  };
  return JSON.stringify({ resourceSpans: [{ resource: {}, scopeSpans: [{ scope: {}, spans: [span] }] }] });
}

/** For the document: `HTTP 503, Retry-After 1, "body"`. */
export function describeAnswer({ status, retryAfter, body }: RawAnswer): string {
  const hint = retryAfter === null ? 'without Retry-After' : `Retry-After: ${retryAfter}`;
  return `HTTP ${status}, ${hint}, \`${body.slice(0, 160)}\``;
}
