/** The fields in which exporters say why an export failed. */
interface ErrorFields {
  readonly name?: unknown;
  readonly code?: unknown;
  readonly statusCode?: unknown;
  readonly status?: unknown;
  readonly response?: { readonly status?: unknown } | null | undefined;
  readonly cause?: unknown;
  readonly message?: unknown;
}

/**
 * Each cause with its signs: HTTP and gRPC statuses, codes and names of errors, and the fixed messages of exporters that
 * give nothing else. The first match counts.
 */
const CAUSES = /* @__PURE__ */ (
  [
    ['connection refused', 'ECONNREFUSED'],
    ['connection reset', 'ECONNRESET|ECONNABORTED|EPIPE|UND_ERR_SOCKET|Connection dropped|Failed to connect'],
    ['host not found', 'ENOTFOUND|EAI_\\w+|Name resolution failed'],
    ['host unreachable', 'E(HOST|NET)(UNREACH|DOWN)'],
    ['timed out', '408|4|\\w*TIMED?OUT|ABORT_ERR|(Timeout|Abort)Error|(XHR r|R)equest (timed out|Timeout)'],
    ['TLS failure', 'EPROTO|certificate|\\w*(CERT|SSL|TLS|SIGNATURE)\\w*'],
    // HPE: Node's HTTP parser met something else, such as the gRPC port of a collector.
    ['protocol error', '415|426|HPE_\\w+|Protocol error'],
    ['redirected', '30\\d'],
    ['unauthorized', '401|407|16'],
    ['forbidden', '403|7'],
    ['no such endpoint', '404|405|410|5|12'],
    ['too large', '413'],
    ['refused the payload', '400|422|3'],
    ['throttled', '429|8'],
    ['refused the request', '4\\d\\d|6|9|10|11|XHR request failed with non-retryable status'],
    ['unavailable', '502|503|504|14'],
    ['server error', '5\\d\\d|2|13|15'],
    ['canceled', '1'],
    ['retryable status', 'Export failed with retryable status'],
    ['network error', 'Fetch request encountered a network error|XHR request errored|SendBeacon failed'],
    ['local limit', 'E[MN]FILE|EADDRNOTAVAIL|Concurrent export limit reached'],
    ['nothing to send', 'Nothing to send'],
    ['shut down', 'ERR_EXPORTER_SHUTDOWN|Exporter has been shutdown|Sender is shut down'],
    ['circuit open', 'ERR_CIRCUIT_OPEN'],
  ] as const
).map(([cause, signs]) => [cause, new RegExp(`^(${signs})$`)] as const);

/** No sign is longer; some SDKs put a server's text into `code`. */
const LONGEST_SIGN = 64;

/**
 * A status or code in the messages of the Zipkin, Jaeger and browser exporters, which give it nowhere else; and what gRPC's
 * UNAVAILABLE was, where @grpc/grpc-js had no connection. What a server says of its own backend is another matter.
 */
const STATUS_IN_MESSAGE =
  /^(?:Got unexpected status code from zipkin:|error sending spans over HTTP: (?:server responded with HTTP|Error: \w+)|Fetch request failed with non-retryable status) (\w+)|14 UNAVAILABLE: (?:No connection.{0,200}?|read )?\b(E[A-Z]{4,}|SSL|TLS|certificate|Protocol error|Failed to connect|Name resolution failed|Connection dropped)\b/;

/** gRPC's RESOURCE_EXHAUSTED also answers a message that is larger than the receiver allows. */
const TOO_LARGE = /message.{0,40}larger than|message exceeds/;

/** Chains of causes end here: one may lead back to its beginning. */
const MAX_DEPTH = 4;

/**
 * The status of a failed export: the first of `code`, `statusCode`, `status` and `response.status` that is known, as an
 * HTTP or gRPC status or as a word such as `'ECONNREFUSED'`; else what `message` and `name` say in fixed words; else that
 * of `cause`. gRPC's "message larger than max" is 413, and its UNAVAILABLE a word where the connection failed.
 *
 * @param error - whatever an exporter failed with
 */
export function statusOf(error: unknown, depth = 0): unknown {
  if (depth === MAX_DEPTH || typeof error !== 'object' || error === null) return undefined;
  const { name, code, statusCode, status, response, cause, message }: ErrorFields = error;
  const text = typeof message === 'string' ? message : '';
  const inMessage = STATUS_IN_MESSAGE.exec(text)?.slice(1).join('');
  const found = [
    Number(inMessage) || inMessage,
    isDomException(error) ? undefined : code,
    statusCode,
    status,
    response?.status,
    name,
    // A message of one word says too little: it may be a number of any kind.
    text.includes(' ') ? text : undefined,
  ].find(causeOfStatus);
  if (found === 8 && TOO_LARGE.test(text)) return 413;
  return found ?? statusOf(cause, depth + 1);
}

/**
 * The cause of a failure in a few fixed words, or `null` if it is not known. Health, metrics, log lines and error
 * messages all use these words: an error's own message can hold URLs and credentials.
 *
 * @param error - whatever an exporter failed with
 */
export function causeOf(error: unknown): string | null {
  return causeOfStatus(statusOf(error)) ?? null;
}

/** Whether its `code` is a number that DOM gives to its name. An instance may come from another realm. */
export function isDomException(error: object): boolean {
  return Object.prototype.toString.call(error) === '[object DOMException]';
}

function causeOfStatus(status: unknown): string | undefined {
  if (typeof status !== 'number' && typeof status !== 'string') return undefined;
  const sign = String(status);
  if (sign.length > LONGEST_SIGN) return undefined;
  return CAUSES.find(([, signs]) => signs.test(sign))?.[0];
}
