import { describe, expect, it } from 'vitest';
import { classifyOtlpResult } from '../../../src/exporter/classify-result.ts';

/** A FAILED with an error that has this code. */
function failedWithCode(code: unknown) {
  return { code: 1, error: Object.assign(new Error('failed'), { code }) };
}

describe('classifyOtlpResult', () => {
  it.each([
    [{ code: 0 }],
    [{ code: 0, error: Object.assign(new Error('but'), { code: 400 }) }],
    [{ code: 0, error: new Error('Nothing to send') }],
  ])('takes SUCCESS for "success", whatever it carries: %o', (result) => {
    expect(classifyOtlpResult(result)).toBe('success');
  });

  it.each([400, 413, 422, 3])(
    'takes the number %i for "invalid": the backend is up, and refused this payload',
    (code) => {
      expect(classifyOtlpResult(failedWithCode(code))).toBe('invalid');
    },
  );

  it.each(['Concurrent export limit reached', 'Nothing to send'])(
    'takes "%s" for "ignored": nothing was sent',
    (message) => {
      expect(classifyOtlpResult({ code: 1, error: new Error(message) })).toBe('ignored');
      expect(classifyOtlpResult({ code: 1, error: { message } as Error })).toBe('ignored');
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
    expect(classifyOtlpResult(failedWithCode(code))).toBe('failure');
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
    expect(classifyOtlpResult(result)).toBe('failure');
  });
});
