import { ExportResultCode } from '@opentelemetry/core';
import { describe, expect, it } from 'vitest';
import {
  ACCEPTED,
  countItems,
  FAILED,
  failedWith,
  isErrorLike,
  SUCCESS,
  withError,
} from '../../../src/delivery/exporter-contract.ts';

function metrics(...points: number[][]) {
  return {
    resource: {},
    scopeMetrics: points.map((scope) => ({
      scope: {},
      metrics: scope.map((count) => ({ dataPoints: new Array(count).fill({}) })),
    })),
  };
}

describe('the codes', () => {
  it("are OpenTelemetry's own", () => {
    expect([SUCCESS, FAILED]).toEqual([ExportResultCode.SUCCESS, ExportResultCode.FAILED]);
  });

  it('come in one SUCCESS that nobody can change', () => {
    expect(ACCEPTED).toEqual({ code: 0 });
    expect(Object.isFrozen(ACCEPTED)).toBe(true);
  });
});

describe('countItems', () => {
  it.each<[string, unknown, number]>([
    ['an array', [1, 2, 3], 3],
    ['an empty array', [], 0],
    ['ResourceMetrics of one scope', metrics([2, 3]), 5],
    ['ResourceMetrics of several scopes', metrics([2, 0], [], [4]), 6],
    ['ResourceMetrics of nothing', metrics(), 0],
    ['any other object', { spans: [1, 2] }, 1],
    ['a string', 'batch', 1],
    ['nothing', undefined, 1],
    ['null', null, 1],
    ['scopeMetrics that is none', { scopeMetrics: 5 }, 1],
    ['scopeMetrics of null', { scopeMetrics: null }, 1],
    ['scopes without metrics', { scopeMetrics: [{}] }, 1],
    ['metrics without data points', { scopeMetrics: [{ metrics: [{}] }] }, 1],
    ['data points that cannot be counted', { scopeMetrics: [{ metrics: [{ dataPoints: {} }] }] }, 1],
  ])('of %s', (_, batch, items) => {
    expect(countItems(batch)).toBe(items);
  });
});

describe('isErrorLike', () => {
  it.each([
    [new Error('x'), true],
    [{ message: '' }, true],
    [{ message: 5 }, false],
    [{}, false],
    [null, false],
    [undefined, false],
    ['error', false],
    [Object.assign(() => {}, { message: 'x' }), false],
  ])('case %#', (value, is) => {
    expect(isErrorLike(value)).toBe(is);
  });
});

describe('failedWith', () => {
  it('carries what was thrown, if it is an error', () => {
    const error = new Error('thrown');
    expect(failedWith(error, 'exporter "otlp" threw')).toEqual({ code: 1, error });
    expect(failedWith(error, 'exporter "otlp" threw').error).toBe(error);
  });

  it.each([
    ['connection lost', '"connection lost"'],
    ['line\nbreak', '"line\\nbreak"'],
    ['x'.repeat(300), `"${'x'.repeat(200)}…"`],
    [undefined, 'undefined'],
    [null, 'null'],
    [5, '5'],
    [{}, 'an object'],
  ])('tells in words what was thrown and is no error: %j', (thrown, shown) => {
    expect(failedWith(thrown, 'exporter "otlp" threw')).toEqual({
      code: 1,
      error: new Error(`exporter "otlp" threw ${shown}`),
    });
  });
});

describe('withError', () => {
  it.each([new Error('given'), { message: 'like one' } as Error])(
    'is the same object, where it has an error',
    (error) => {
      const result = { code: 1, error };
      expect(withError(result, 'exporter "otlp"')).toBe(result);
    },
  );

  it.each([undefined, null, 'text', {}])('is a new result with an error, where it has %o', (error) => {
    const result = { code: 2, error: error as never };
    const given = withError(result, 'exporter "otlp"');
    expect(given).not.toBe(result);
    expect(given).toEqual({ code: 1, error: new Error('exporter "otlp" answered FAILED and gave no error') });
    expect(result).toEqual({ code: 2, error });
  });
});
