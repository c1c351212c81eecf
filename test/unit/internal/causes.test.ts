import { describe, expect, it } from 'vitest';
import { causeOf, statusOf } from '../../../src/internal/causes.ts';

function coded(code: unknown): Error {
  return Object.assign(new Error('failed'), { code });
}

describe('causeOf', () => {
  it.each([
    ['connection refused', ['ECONNREFUSED']],
    ['connection reset', ['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET']],
    ['host not found', ['ENOTFOUND', 'EAI_AGAIN']],
    ['host unreachable', ['EHOSTUNREACH', 'ENETUNREACH', 'EHOSTDOWN', 'ENETDOWN']],
    [
      'timed out',
      ['ETIMEDOUT', 'ESOCKETTIMEDOUT', 'UND_ERR_HEADERS_TIMEOUT', 'ERR_EXPORT_TIMEOUT', 'ABORT_ERR', 408, 4],
    ],
    [
      'TLS failure',
      [
        'EPROTO',
        'CERT_HAS_EXPIRED',
        'DEPTH_ZERO_SELF_SIGNED_CERT',
        'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
        'ERR_TLS_CERT_ALTNAME_INVALID',
        'ERR_SSL_WRONG_VERSION_NUMBER',
      ],
    ],
    ['protocol error', ['HPE_INVALID_CONSTANT', 415]],
    ['redirected', [301, 302, 307, 308]],
    ['unauthorized', [401, 407, 16]],
    ['forbidden', [403, 7]],
    ['no such endpoint', [404, 405, 5, 12]],
    ['too large', [413]],
    ['refused the payload', [400, 422, 3]],
    ['throttled', [429, 8]],
    ['refused the request', [402, 409, 431, 9]],
    ['unavailable', [502, 503, 504, 14]],
    ['server error', [500, 507, 2, 13]],
    ['canceled', [1]],
    ['local limit', ['EMFILE', 'EADDRNOTAVAIL']],
    ['shut down', ['ERR_EXPORTER_SHUTDOWN']],
    ['circuit open', ['ERR_CIRCUIT_OPEN']],
  ])('says "%s" of the codes %j', (cause, codes) => {
    for (const code of codes) expect(causeOf(coded(code)), String(code)).toBe(cause);
  });

  it.each([
    ['timed out', 'Request Timeout'],
    ['timed out', 'Request timed out'],
    ['timed out', 'XHR request timed out'],
    ['retryable status', 'Export failed with retryable status'],
    ['local limit', 'Concurrent export limit reached'],
    ['nothing to send', 'Nothing to send'],
    ['shut down', 'Exporter has been shutdown'],
    ['network error', 'Fetch request encountered a network error'],
    ['refused the payload', 'Got unexpected status code from zipkin: 400'],
    ['unavailable', 'Got unexpected status code from zipkin: 503'],
    ['no such endpoint', 'error sending spans over HTTP: server responded with HTTP 404'],
    ['connection refused', 'error sending spans over HTTP: Error: connect ECONNREFUSED 127.0.0.1:14268'],
    ['host not found', 'error sending spans over HTTP: Error: getaddrinfo ENOTFOUND nowhere'],
    ['forbidden', 'Fetch request failed with non-retryable status 403'],
  ])('says "%s" of the fixed message "%s"', (cause, message) => {
    expect(causeOf(new Error(message))).toBe(cause);
  });

  it.each([
    ['code', { code: 404 }],
    ['statusCode', { statusCode: 404 }],
    ['status', { status: 404 }],
    ['response.status', { response: { status: 404 } }],
    ['the code of its cause', { cause: { code: 404 } }],
    ['response.status of its cause', { cause: { response: { status: 404 } } }],
    ["the code of its cause's cause", { cause: { cause: { code: 404 } } }],
  ])('looks for it in %s', (_, fields) => {
    expect(causeOf(Object.assign(new Error('failed'), fields))).toBe('no such endpoint');
  });

  it('takes time-outs and aborts of fetch for time-outs, alone and wrapped', () => {
    const timeout = new DOMException('signal timed out', 'TimeoutError');
    const abort = new DOMException('aborted', 'AbortError');
    expect([timeout, abort].map(causeOf)).toEqual(['timed out', 'timed out']);
    expect(causeOf(new Error('Fetch request errored', { cause: abort }))).toBe('timed out');
    expect(causeOf(Object.assign(new Error('aborted'), { name: 'AbortError' }))).toBe('timed out');
  });

  it('never takes the number of a DOMException for a status', () => {
    const syntax = new DOMException('no', 'SyntaxError');
    expect(syntax.code).toBe(12);
    expect(causeOf(syntax)).toBeNull();
    expect(statusOf(syntax)).toBeUndefined();
    // Neither where its class is another realm's.
    const foreign = { name: 'SyntaxError', code: 12, message: 'no', [Symbol.toStringTag]: 'DOMException' };
    expect(causeOf(foreign)).toBeNull();
  });

  it('reads what fetch of Node gives: the code is in the cause of the cause', () => {
    const refused = new AggregateError([coded('ECONNREFUSED')], '');
    Object.assign(refused, { code: 'ECONNREFUSED' });
    const fetched = new TypeError('fetch failed', { cause: refused });
    expect(causeOf(fetched)).toBe('connection refused');
    expect(causeOf(new Error('Fetch request errored', { cause: fetched }))).toBe('connection refused');
  });

  it('tells a message that is too large from being throttled', () => {
    const exhausted = (message: string) => causeOf(Object.assign(new Error(message), { code: 8 }));
    expect(exhausted('8 RESOURCE_EXHAUSTED: Received message larger than max (5 vs 4)')).toBe('too large');
    expect(
      exhausted('8 RESOURCE_EXHAUSTED: Received message that decompresses to a size larger than 4'),
    ).toBe('too large');
    expect(exhausted('8 RESOURCE_EXHAUSTED: gRPC message exceeds maximum size 4: 5')).toBe('too large');
    expect(exhausted('8 RESOURCE_EXHAUSTED: quota')).toBe('throttled');
  });

  it.each([
    [
      'connection refused',
      'No connection established. Last error: Error: connect ECONNREFUSED 127.0.0.1:1. Resolution note: ',
    ],
    [
      'connection reset',
      'No connection established. Last error: read ECONNRESET (2026-11-26T20:58:36.738Z). Resolution note: ',
    ],
    [
      'connection reset',
      'No connection established. Last error: Failed to connect (2026-11-26T20:58:36Z). Resolution note: ',
    ],
    ['connection reset', 'read ECONNRESET'],
    ['connection reset', 'Connection dropped'],
    [
      'timed out',
      'No connection established. Last error: Error: connect ETIMEDOUT 10.0.0.1:4317. Resolution note: ',
    ],
    ['host not found', 'Name resolution failed for target dns:nowhere.invalid:4317'],
    ['host unreachable', 'No connection established. Last error: Error: connect EHOSTUNREACH 10.0.0.1:4317'],
    [
      'TLS failure',
      'No connection established. Last error: Error: self-signed certificate; if the root CA is installed',
    ],
    [
      'TLS failure',
      "No connection established. Last error: Error [ERR_TLS_CERT_ALTNAME_INVALID]: no match of certificate's names",
    ],
    [
      'TLS failure',
      'No connection established. Last error: 400D:error:0A00010B:SSL routines:tls_validate_record_header',
    ],
    ['protocol error', 'No connection established. Last error: Protocol error (2026-11-26T20:58:36.795Z)'],
    ['unavailable', 'No connection established. Last error: null. Resolution note: '],
    ['unavailable', 'No connection established. Last error: Error: EMYOWN'],
    ['unavailable', 'upstream connect error: connect ECONNREFUSED 10.0.0.2:443'],
    ['unavailable', 'no healthy upstream'],
  ])("says %s of gRPC's UNAVAILABLE, %j", (cause, details) => {
    expect(causeOf(Object.assign(new Error(`14 UNAVAILABLE: ${details}`), { code: 14 }))).toBe(cause);
  });

  it('prefers a known status to a code that says nothing', () => {
    expect(causeOf({ code: 'ERR_BAD_REQUEST', response: { status: 401 } })).toBe('unauthorized');
    expect(causeOf({ code: 'BadRequest', statusCode: 400 })).toBe('refused the payload');
  });

  it.each([
    [undefined],
    [null],
    ['timed out'],
    [404],
    [4n],
    [Symbol('x')],
    [() => {}],
    [{}],
    [[]],
    [new Error('connect ECONNREFUSED')],
    [coded('E_MY_OWN')],
    [coded('econnrefused')],
    [coded('ECONNREFUSED ')],
    [coded(Object.create(null))],
    [coded(0)],
    [coded(-1)],
    [coded(4.5)],
    [coded(17)],
    [coded(99)],
    [coded(200)],
    [coded(600)],
    [coded(Number.NaN)],
    [{ response: null, status: 0 }],
    [{ message: 5 }],
    [new Error('404')],
  ])('is null where nothing is known, and never throws: %o', (error) => {
    expect(causeOf(error)).toBeNull();
  });

  it('ends where a chain of causes leads back to its beginning', () => {
    const error = new Error('first');
    error.cause = new Error('second', { cause: error });
    expect(causeOf(error)).toBeNull();
  });

  // Quadratic work would take minutes.
  it('takes a time that is linear in the length of a code', { timeout: 20_000 }, () => {
    expect(causeOf(coded('CERT'.repeat(250_000)))).toBeNull();
    expect(causeOf(Object.assign(new Error('message '.repeat(125_000)), { code: 8 }))).toBe('throttled');
    const repeated = 'UNAVAILABLE: No connection established. Last error: '.repeat(20_000);
    expect(causeOf(Object.assign(new Error(repeated), { code: 14 }))).toBe('unavailable');
  });
});
