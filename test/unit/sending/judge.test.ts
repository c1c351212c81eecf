import { describe, expect, it, vi } from 'vitest';
import { isDelivered, settlePermit } from '../../../src/sending/judge.ts';

describe('isDelivered', () => {
  it.each([
    [0, 'success', true],
    [0, 'failure', true],
    [0, 'invalid', true],
    [0, 'ignored', true],
    [1, 'success', true],
    [1, 'failure', false],
    [1, 'invalid', false],
    [1, 'ignored', false],
    [2, 'failure', false],
  ] as const)('with code %i, classified %j: %s', (code, classification, delivered) => {
    expect(isDelivered({ code }, classification)).toBe(delivered);
  });
});

describe('settlePermit', () => {
  it.each([
    ['success', 'succeed', []],
    ['failure', 'fail', ['why']],
    ['invalid', 'invalid', ['why']],
    ['ignored', 'ignore', []],
  ] as const)('tells the breaker of %j', (classification, method, args) => {
    const permit = { probe: false, succeed: vi.fn(), fail: vi.fn(), invalid: vi.fn(), ignore: vi.fn() };
    settlePermit(permit, classification, 'why');
    for (const name of ['succeed', 'fail', 'invalid', 'ignore'] as const)
      expect(permit[name].mock.calls).toEqual(name === method ? [args] : []);
  });
});
