import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  callUserFunction,
  ignoreRejection,
  isThenable,
  reportProblem,
} from '../../../src/internal/report-problem.ts';

const broken = new Error('broken');
const unhandled = vi.fn();
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

beforeEach(() => {
  unhandled.mockClear();
  process.on('unhandledRejection', unhandled);
});

afterEach(async () => {
  await settled();
  process.off('unhandledRejection', unhandled);
  expect(unhandled).not.toHaveBeenCalled();
});

describe('reportProblem', () => {
  it('tells onError', () => {
    const onError = vi.fn();
    reportProblem(onError, 'something broke', broken);
    expect(onError.mock.calls).toEqual([['something broke', broken]]);
  });

  it('ignores an onError that throws or rejects', () => {
    const throws = (): void => {
      throw broken;
    };
    const rejects = async (): Promise<void> => {
      throw broken;
    };
    expect(() => reportProblem(throws, 'something broke', undefined)).not.toThrow();
    reportProblem(rejects, 'something broke', undefined);
  });
});

describe('reportProblem about a promise', () => {
  it('tells onError, and lets its rejection not end the process', () => {
    const onError = vi.fn();
    const promise = Promise.reject(broken);
    reportProblem(onError, 'returned a promise', promise);
    expect(onError.mock.calls).toEqual([['returned a promise', promise]]);
  });
});

describe('callUserFunction', () => {
  it('reports what the function throws', () => {
    const onProblem = vi.fn();
    callUserFunction(() => {
      throw broken;
    }, onProblem);
    expect(onProblem.mock.calls).toEqual([[broken]]);
  });

  it('reports what its promise rejects with, once it does', async () => {
    const onProblem = vi.fn();
    callUserFunction(async () => {
      throw broken;
    }, onProblem);
    expect(onProblem).not.toHaveBeenCalled();
    await settled();
    expect(onProblem.mock.calls).toEqual([[broken]]);
  });

  it.each([undefined, 5, {}, Promise.resolve()])(
    'is content with a function that returns %o',
    async (value) => {
      const onProblem = vi.fn();
      callUserFunction(() => value, onProblem);
      await settled();
      expect(onProblem).not.toHaveBeenCalled();
    },
  );
});

describe('ignoreRejection', () => {
  it('lets no rejection end the process', () => {
    ignoreRejection(Promise.reject(broken));
  });

  it.each([undefined, null, 0, 'then', {}, () => {}])('does nothing about %o', (value) => {
    expect(() => ignoreRejection(value)).not.toThrow();
  });
});

describe('isThenable', () => {
  // biome-ignore lint/suspicious/noThenProperty: promises of other libraries have one
  const foreign = { then() {} };

  it.each([
    [Promise.resolve(), true],
    [foreign, true],
    [undefined, false],
    [null, false],
    [Object.assign(() => {}, { catch() {} }), false],
  ])('case %#', (value, thenable) => {
    expect(isThenable(value)).toBe(thenable);
  });
});
