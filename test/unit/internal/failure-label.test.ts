import { describe, expect, it } from 'vitest';
import { failureLabel } from '../../../src/internal/failure-label.ts';

describe('failureLabel', () => {
  it.each([
    [
      'code and cause',
      { code: 'ECONNREFUSED', cause: 'connection refused' },
      'ECONNREFUSED (connection refused)',
    ],
    ['a status and its cause', { code: 404, cause: 'no such endpoint' }, '404 (no such endpoint)'],
    ['the cause where there is no code', { code: null, cause: 'timed out' }, 'timed out'],
    ['the cause where the code is empty', { code: '', cause: 'timed out' }, 'timed out'],
    ['a code without a known cause', { code: 'E_MY_OWN', cause: null }, 'E_MY_OWN'],
    ['the code 0', { code: 0, cause: null }, '0'],
    ['the name where nothing else is known', { code: null, cause: null }, 'MyError'],
  ])('shows %s', (_, failure, label) => {
    expect(failureLabel({ name: 'MyError', ...failure })).toBe(label);
  });

  it('escapes and cuts what comes from the error', () => {
    const label = failureLabel({ name: 'Error', code: `E\n${'x'.repeat(1_000_000)}`, cause: null });
    expect(label).toMatch(/^E\\nx{98}…$/);
    expect(failureLabel({ name: 'a\u001b[31mb', code: null, cause: null })).toBe('a\\u001b[31mb');
  });
});
