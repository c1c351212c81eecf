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
});
