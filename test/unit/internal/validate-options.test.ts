import { describe, expect, it } from 'vitest';
import type { Check } from '../../../src/internal/validate-options.ts';
import {
  aFunction,
  boolean,
  nonEmptyString,
  nonNegativeInteger,
  nonNegativeNumber,
  objectWith,
  oneOf,
  optional,
  optionsObject,
  positiveInteger,
  positiveNumber,
  readOptions,
  refuseUnknownKeys,
  share,
  show,
} from '../../../src/internal/validate-options.ts';

describe('bad input', () => {
  it.each<[string, Check<unknown>, unknown, typeof TypeError | typeof RangeError, string]>([
    ['positiveInteger', positiveInteger, 0, RangeError, 'a positive integer, got 0'],
    ['positiveInteger', positiveInteger, -1, RangeError, 'a positive integer, got -1'],
    ['positiveInteger', positiveInteger, 1.5, RangeError, 'a positive integer, got 1.5'],
    ['positiveInteger', positiveInteger, Number.NaN, RangeError, 'a positive integer, got NaN'],
    ['positiveInteger', positiveInteger, 2 ** 53, RangeError, 'a positive integer, got 9007199254740992'],
    [
      'positiveInteger',
      positiveInteger,
      Number.POSITIVE_INFINITY,
      RangeError,
      'a positive integer, got Infinity',
    ],
    ['positiveInteger', positiveInteger, '1', TypeError, 'a positive integer, got "1"'],
    ['positiveInteger', positiveInteger, null, TypeError, 'a positive integer, got null'],
    ['positiveInteger', positiveInteger, undefined, TypeError, 'a positive integer, got undefined'],
    ['nonNegativeInteger', nonNegativeInteger, -1, RangeError, 'an integer of at least 0, got -1'],
    ['nonNegativeInteger', nonNegativeInteger, 0.5, RangeError, 'an integer of at least 0, got 0.5'],
    ['nonNegativeInteger', nonNegativeInteger, true, TypeError, 'an integer of at least 0, got true'],
    ['nonNegativeNumber', nonNegativeNumber, -0.1, RangeError, 'a finite number of at least 0, got -0.1'],
    [
      'nonNegativeNumber',
      nonNegativeNumber,
      Number.POSITIVE_INFINITY,
      RangeError,
      'a finite number of at least 0, got Infinity',
    ],
    [
      'nonNegativeNumber',
      nonNegativeNumber,
      Number.NaN,
      RangeError,
      'a finite number of at least 0, got NaN',
    ],
    ['nonNegativeNumber', nonNegativeNumber, 5n, TypeError, 'a finite number of at least 0, got 5n'],
    ['positiveNumber', positiveNumber, 0, RangeError, 'a finite number above 0, got 0'],
    [
      'positiveNumber',
      positiveNumber,
      Number.POSITIVE_INFINITY,
      RangeError,
      'a finite number above 0, got Infinity',
    ],
    ['positiveNumber', positiveNumber, [], TypeError, 'a finite number above 0, got an array of 0'],
    ['share', share, 0, RangeError, 'a number above 0 and at most 1, got 0'],
    ['share', share, 1.01, RangeError, 'a number above 0 and at most 1, got 1.01'],
    ['share', share, '1', TypeError, 'a number above 0 and at most 1, got "1"'],
    ['boolean', boolean, 'true', TypeError, 'true or false, got "true"'],
    ['boolean', boolean, 0, TypeError, 'true or false, got 0'],
    ['nonEmptyString', nonEmptyString, '', TypeError, 'a non-empty string, got ""'],
    ['nonEmptyString', nonEmptyString, 5, TypeError, 'a non-empty string, got 5'],
    ['oneOf', oneOf('a', 'b'), 'c', TypeError, 'one of "a", "b", got "c"'],
    ['oneOf', oneOf('a', 'b'), undefined, TypeError, 'one of "a", "b", got undefined'],
    ['aFunction', aFunction, {}, TypeError, 'a function, got an object'],
    [
      'objectWith',
      objectWith<{ a: 1; b: 2 }>('a', 'b'),
      { a() {} },
      TypeError,
      'an object with a(), b(), got an object',
    ],
    ['objectWith', objectWith<{ a: 1 }>('a'), null, TypeError, 'an object with a(), got null'],
    ['objectWith', objectWith<{ a: 1 }>('a'), undefined, TypeError, 'an object with a(), got undefined'],
  ])('%s refuses %4$s', (_, check, value, errorClass, wanted) => {
    expect(() => check(value, 'test: option "x"')).toThrow(
      new errorClass(`test: option "x" must be ${wanted}`),
    );
  });
});

describe('good input', () => {
  const methods = { a() {}, b() {} };
  const fn = (): void => {};

  it.each<[string, Check<unknown>, unknown]>([
    ['positiveInteger', positiveInteger, 1],
    ['positiveInteger', positiveInteger, Number.MAX_SAFE_INTEGER],
    ['nonNegativeInteger', nonNegativeInteger, 0],
    ['nonNegativeNumber', nonNegativeNumber, 0],
    ['nonNegativeNumber', nonNegativeNumber, 0.5],
    ['positiveNumber', positiveNumber, Number.MIN_VALUE],
    ['share', share, 1],
    ['share', share, 0.001],
    ['boolean', boolean, false],
    ['boolean', boolean, true],
    ['nonEmptyString', nonEmptyString, ' '],
    ['oneOf', oneOf('a', 'b'), 'b'],
    ['aFunction', aFunction, fn],
    ['objectWith', objectWith<{ a: 1; b: 2 }>('a', 'b'), methods],
    ['objectWith', objectWith<{ a: 1; call: 2 }>('call'), fn],
  ])('%s takes %o as it is', (_, check, value) => {
    expect(check(value, 'x')).toBe(value);
  });
});

describe('optional', () => {
  it('takes undefined, and nothing else, for absent', () => {
    const check = optional(positiveInteger, 7);
    expect(check(undefined, 'x')).toBe(7);
    expect(check(3, 'x')).toBe(3);
    expect(() => check(null, 'x')).toThrow(TypeError);
  });
});

describe('readOptions', () => {
  interface Options {
    size: number;
    name: string;
  }
  const read = (given: unknown): Options =>
    readOptions<Options>('Box', given, {
      size: optional(positiveInteger, 5),
      name: optional(nonEmptyString, 'box'),
    });

  it('fills in what is absent or undefined', () => {
    expect(read(undefined)).toEqual({ size: 5, name: 'box' });
    expect(read({})).toEqual({ size: 5, name: 'box' });
    expect(read({ size: undefined, name: 'bag' })).toEqual({ size: 5, name: 'bag' });
  });

  it('names owner, key and value of a bad one', () => {
    expect(() => read({ size: -5 })).toThrow(
      new RangeError('Box: option "size" must be a positive integer, got -5'),
    );
  });

  it.each([[null], [5], ['size'], [[]], [true], [() => {}]])(
    'refuses %o, which is no options object',
    (given) => {
      expect(() => read(given)).toThrow(TypeError);
      expect(() => optionsObject('Box', given)).toThrow(`Box: options must be an object, got ${show(given)}`);
    },
  );

  it('refuses an unknown key before it reads the others', () => {
    expect(() => read({ size: -5, nmae: 'x' })).toThrow(
      new TypeError('Box: unknown option "nmae" ("x"); known options: size, name'),
    );
  });

  it('does not take what every object has for an option', () => {
    expect(() => read({ constructor: 5 })).toThrow('Box: unknown option "constructor" (5)');
    expect(() => read({ toString: 5 })).toThrow('Box: unknown option "toString" (5)');
  });
});

describe('refuseUnknownKeys', () => {
  const known = ['exportTimeoutMillis', 'name', 'clock'];

  it('takes the known, and an unknown one that is undefined', () => {
    expect(() => refuseUnknownKeys('Box', { name: 1, clock: null, unknown: undefined }, known)).not.toThrow();
  });

  it('names the known ones when it refuses another', () => {
    expect(() => refuseUnknownKeys('Box', { name: 1, exportTimeout: 5 }, known)).toThrow(
      new TypeError(
        'Box: unknown option "exportTimeout" (5); known options: exportTimeoutMillis, name, clock',
      ),
    );
  });
});

describe('show', () => {
  class Named {}

  it.each([
    ['a "string"', '"a \\"string\\""'],
    ['x'.repeat(80), `"${'x'.repeat(80)}"`],
    ['x'.repeat(81), `"${'x'.repeat(80)}…"`],
    [function named() {}, 'function named'],
    [Named, 'function Named'],
    [(() => () => {})(), 'function (anonymous)'],
    [null, 'null'],
    [undefined, 'undefined'],
    [[1, 2], 'an array of 2'],
    [{}, 'an object'],
    [new Map(), 'an object'],
    [Promise.resolve(), 'a promise'],
    [12n, '12n'],
    [-0.5, '-0.5'],
    [Number.NaN, 'NaN'],
    [false, 'false'],
    [Symbol('s'), 'Symbol(s)'],
  ])('case %#', (value, shown) => {
    expect(show(value)).toBe(shown);
  });

  it('does not throw for what has no prototype', () => {
    expect(show(Object.create(null))).toBe('an object');
  });
});
