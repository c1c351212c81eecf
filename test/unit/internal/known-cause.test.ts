import { describe, expect, it } from 'vitest';
import { knownCause } from '../../../src/internal/known-cause.ts';

describe('knownCause', () => {
  it.each([
    ['Request Timeout', 'timed out'],
    ['Request timed out', 'timed out'],
    ['Export failed with retryable status', 'refused with 429, 502, 503 or 504'],
  ])('says what is behind %j', (message, cause) => {
    expect(knownCause(message)).toBe(cause);
  });

  it.each([
    'connect ECONNREFUSED 10.1.2.3:4318',
    'Request timed out at http://user:secret@host',
    'toString',
    '',
    undefined,
    5,
  ])('says nothing of %j', (message) => {
    expect(knownCause(message)).toBeUndefined();
  });
});
