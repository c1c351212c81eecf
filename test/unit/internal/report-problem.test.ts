import { describe, expect, it, vi } from 'vitest';
import { reportProblem } from '../../../src/internal/report-problem.ts';

describe('reportProblem', () => {
  it('tells onError', () => {
    const onError = vi.fn();
    const error = new Error('broken');
    reportProblem(onError, 'something broke', error);
    expect(onError.mock.calls).toEqual([['something broke', error]]);
  });

  it('ignores an onError that throws', () => {
    const onError = (): void => {
      throw new Error('broken, too');
    };
    expect(() => reportProblem(onError, 'something broke', undefined)).not.toThrow();
  });

  it('lets no rejection end the process: neither that of an async onError, nor that of a promise it tells of', async () => {
    const unhandled = vi.fn();
    process.on('unhandledRejection', unhandled);
    const onError = async (): Promise<never> => {
      throw new Error('broken, too');
    };
    reportProblem(onError, 'answered no boolean', Promise.reject(new Error('async')));
    await new Promise((resolve) => setImmediate(resolve));
    process.off('unhandledRejection', unhandled);
    expect(unhandled).not.toHaveBeenCalled();
  });
});
