/**
 * How the receiver behaves; one text form for the command line, IPC and HTTP.
 *
 * - `healthy`: stores and answers.
 * - `hang`: reads, never answers.
 * - `hold`: reads, stores and answers when released.
 * - `latency:<millis>`: healthy, that much later.
 * - `slow-trickle:<millis>`: answers byte by byte over that time.
 * - `poison`: refuses (400, INVALID_ARGUMENT) a request with an item whose attribute `poison` is true; else healthy.
 * - `status:<code>` and `status:<code>:<retry after>`: refuses. A code of 100 and more is an HTTP status, also over gRPC (as
 *   a proxy in between would answer); one below is a gRPC status. Retry after: seconds, or over HTTP a date.
 * - `reset`: resets the connection (RST) as soon as a request begins.
 * - `reset-after-request`: reads, then resets the connection instead of answering.
 * - `reset-after-headers`: reads, sends the headers of a success, and closes the connection.
 */
export type ReceiverMode =
  | 'healthy'
  | 'hang'
  | 'hold'
  | 'poison'
  | 'reset'
  | 'reset-after-request'
  | 'reset-after-headers'
  | `latency:${number}`
  | `slow-trickle:${number}`
  | `status:${number}`
  | `status:${number}:${string}`;

type PlainKind = Exclude<ReceiverMode, `${string}:${string}`>;

/** A {@link ReceiverMode}, taken apart. */
export type Behaviour =
  | { readonly kind: PlainKind }
  | { readonly kind: 'latency' | 'slow-trickle'; readonly millis: number }
  | { readonly kind: 'status'; readonly code: number; readonly retryAfter: string | undefined };

/**
 * Takes a mode apart.
 *
 * @throws TypeError for anything that is no {@link ReceiverMode}
 */
export function parseMode(mode: string): Behaviour {
  const [kind = '', number = '', ...rest] = mode.split(':');
  switch (kind) {
    case 'healthy':
    case 'hang':
    case 'hold':
    case 'poison':
    case 'reset':
    case 'reset-after-request':
    case 'reset-after-headers':
      if (mode === kind) return { kind };
      break;
    case 'latency':
    case 'slow-trickle':
      if (/^\d+$/.test(number) && rest.length === 0) return { kind, millis: Number(number) };
      break;
    case 'status':
      // The date of a Retry-After has colons of its own.
      if (/^\d+$/.test(number))
        return { kind, code: Number(number), retryAfter: rest.length > 0 ? rest.join(':') : undefined };
      break;
  }
  throw new TypeError(`no mode of the receiver: ${JSON.stringify(mode)}`);
}
