import { describe, expect, it } from 'vitest';
import { isDelivered } from '../../../src/sending/judge.ts';

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
