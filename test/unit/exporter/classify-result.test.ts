import { describe, expect, it } from 'vitest';
import { classifyResult } from '../../../src/exporter/classify-result.ts';

/** A FAILED with an error that has this code. */
function failedWithCode(code: unknown) {
  return { code: 1, error: Object.assign(new Error('failed'), { code }) };
}

describe('classifyResult', () => {
  it.each([
    [{ code: 0 }],
    [{ code: 0, error: Object.assign(new Error('but'), { code: 400 }) }],
    [{ code: 0, error: new Error('Nothing to send') }],
  ])('takes SUCCESS for "success", whatever it carries: %o', (result) => {
    expect(classifyResult(result)).toBe('success');
  });

  it.each([400, 413, 422, 3])(
    'takes the number %i for "invalid": the backend is up, and refused this payload',
    (code) => {
      expect(classifyResult(failedWithCode(code))).toBe('invalid');
    },
  );

  it.each([
    ["statusCode, as Azure Monitor's exporter", { statusCode: 400 }],
    ['status', { status: 422 }],
    ['response.status, as axios', { code: 'ERR_BAD_REQUEST', response: { status: 413 } }],
    ['the code of its cause', { cause: { code: 3 } }],
    ['statusCode of its cause', { cause: { statusCode: 400 } }],
    ['status of its cause', { cause: { status: 400 } }],
    ['response.status of its cause', { cause: { response: { status: 400 } } }],
  ])('looks for the status in %s', (_, fields) => {
    expect(classifyResult({ code: 1, error: Object.assign(new Error('failed'), fields) })).toBe('invalid');
  });

  it.each([
    ['a code that is a word', { code: 'ECONNREFUSED', statusCode: 400, cause: { code: 400 } }],
    ['a code that is a status', { code: 503, statusCode: 400, cause: { code: 400 } }],
    ['its own status, before that of its cause', { status: 500, cause: { status: 400 } }],
  ])('lets the first status decide: %s', (_, fields) => {
    expect(classifyResult({ code: 1, error: Object.assign(new Error('failed'), fields) })).toBe('failure');
  });

  it.each([
    ['8 RESOURCE_EXHAUSTED: grpc: received message larger than max (5 vs. 4)', 'invalid'],
    ['8 RESOURCE_EXHAUSTED: Received message larger than max (5 vs 4)', 'invalid'],
    ['8 RESOURCE_EXHAUSTED: too many requests', 'failure'],
  ])('takes gRPC\'s RESOURCE_EXHAUSTED with "%s" for "%s"', (message, classification) => {
    expect(classifyResult({ code: 1, error: Object.assign(new Error(message), { code: 8 }) })).toBe(
      classification,
    );
  });

  it.each([
    ['Got unexpected status code from zipkin: 400', 'invalid'],
    ['Got unexpected status code from zipkin: 413', 'invalid'],
    ['Got unexpected status code from zipkin: 404', 'failure'],
    ['Got unexpected status code from zipkin: 429', 'failure'],
    ['Got unexpected status code from zipkin: 500', 'failure'],
    ['error sending spans over HTTP: server responded with HTTP 400', 'invalid'],
    ['error sending spans over HTTP: server responded with HTTP 503', 'failure'],
    ['Fetch request failed with non-retryable status 400', 'invalid'],
    ['a span with the attribute http.status_code: 400', 'failure'],
  ])('reads the status in the fixed message "%s": "%s"', (message, classification) => {
    expect(classifyResult({ code: 1, error: new Error(message) })).toBe(classification);
  });

  it('takes no number of a DOMException for a status', () => {
    // TIMEOUT_ERR is 23, HIERARCHY_REQUEST_ERR is 3: gRPC's INVALID_ARGUMENT.
    const error = new DOMException('no', 'HierarchyRequestError');
    expect(error.code).toBe(3);
    expect(classifyResult({ code: 1, error })).toBe('failure');
    expect(classifyResult({ code: 1, error: new DOMException('late', 'TimeoutError') })).toBe('failure');
  });

  it.each(['Concurrent export limit reached', 'Nothing to send'])(
    'takes "%s" for "ignored": nothing was sent',
    (message) => {
      expect(classifyResult({ code: 1, error: new Error(message) })).toBe('ignored');
      expect(classifyResult({ code: 1, error: { message } as Error })).toBe('ignored');
    },
  );

  it.each([
    401,
    403,
    404,
    408,
    429,
    500,
    502,
    503,
    504,
    2,
    4,
    7,
    14,
    16,
    0,
    '400',
    '3',
    'ECONNREFUSED',
    null,
    undefined,
    4n,
  ])('takes the code %o for "failure"', (code) => {
    expect(classifyResult(failedWithCode(code))).toBe('failure');
  });

  it.each([
    [{ code: 1 }],
    [{ code: 1, error: undefined as never }],
    [{ code: 1, error: null as never }],
    [{ code: 1, error: 'Nothing to send' as never }],
    [{ code: 1, error: new Error('nothing to send') }],
    [{ code: 1, error: new Error('Nothing to send.') }],
    [{ code: 2 }],
    [{ code: 400 }],
    [{} as never],
  ])('takes all else for "failure": %o', (result) => {
    expect(classifyResult(result)).toBe('failure');
  });
});
