import { describe, expect, it } from 'vitest';
import { openPromise } from '../../../src/internal/open-promise.ts';

describe('openPromise', () => {
  it('is resolved by what comes with it, and not before', async () => {
    const { promise, resolve } = openPromise();
    let resolved = false;
    const seen = promise.then(() => {
      resolved = true;
    });
    await Promise.resolve();
    expect(resolved).toBe(false);
    resolve();
    await seen;
    expect(resolved).toBe(true);
  });

  it('goes the way of the promise that it is resolved with', async () => {
    const { promise, resolve } = openPromise();
    resolve(Promise.reject(new Error('went wrong')));
    await expect(promise).rejects.toThrow('went wrong');
  });
});
