import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import {
  CodecError,
  decodeMap,
  decodeValue,
  encodeMap,
  encodeValue,
} from '../../../../src/disk/codec/tagged-values.ts';
import { AWKWARD_VALUES } from './sdk-telemetry.ts';

vi.setConfig({ testTimeout: 60_000 });

const throughJson = (value: unknown): unknown => JSON.parse(JSON.stringify([value]))[0];
const throughCodec = (value: unknown): unknown => decodeValue(throughJson(encodeValue(value)));

describe('a value comes back', () => {
  it.each(
    Object.entries(AWKWARD_VALUES).filter(([key]) => key !== 'date' && key !== 'map' && key !== 'holes'),
  )('as it was: %s', (_, value) => {
    expect(throughCodec(value)).toStrictEqual(value);
    expect(throughCodec([[value]])).toStrictEqual([[value]]);
    expect(decodeMap(throughJson(encodeMap({ key: value })))).toStrictEqual({ key: value });
  });

  it('as what the serializers see of it, where that is less', () => {
    expect(throughCodec(new Date(0))).toEqual({});
    expect(throughCodec(new Map([['a', 1]]))).toEqual({});
    expect(throughCodec(() => {})).toBeNull();
    expect(throughCodec(Symbol('s'))).toBeNull();
    expect(throughCodec({ toJSON: () => 'other', a: 1 })).toEqual({ toJSON: null, a: 1 });
    expect(
      throughCodec(
        new (class {
          shown = 1;
          get hidden() {
            return 2;
          }
        })(),
      ),
    ).toEqual({ shown: 1 });
  });

  it('whatever it is', () => {
    const anything = fc.anything({
      withBigInt: true,
      withNullPrototype: false,
      withSparseArray: false,
      withTypedArray: false,
      key: fc.oneof(fc.string(), fc.constantFrom('__proto__', 'constructor', 'toJSON', 'm', 'n', 'b', '0')),
      values: [
        fc.string({ unit: 'binary' }),
        fc.double(),
        fc.boolean(),
        fc.constant(undefined),
        fc.constant(null),
        fc.uint8Array(),
      ],
    });
    fc.assert(
      fc.property(anything, (value) => {
        // `toStrictEqual` takes a key `constructor` for the type.
        expect(isDeepStrictEqual(throughCodec(value), value)).toBe(true);
      }),
    );
  });
});

describe('hostile content', () => {
  it('touches no prototype', () => {
    const map = decodeMap(
      JSON.parse(
        '{"__proto__": {"m": {"polluted": true}}, "constructor": {"m": {"prototype": {"m": {"polluted": true}}}}}',
      ),
    );
    expect(Object.keys(map)).toEqual(['__proto__', 'constructor']);
    expect(Object.getPrototypeOf(map)).toBe(Object.prototype);
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  });

  it.each([
    ['two tags', { n: 0, m: {} }],
    ['no tag', {}],
    ['an unknown tag', { x: 1 }],
    ['the tag of a prototype', JSON.parse('{"__proto__": {}}')],
    ['a list as map', { m: [] }],
    ['null as map', { m: null }],
    ['a number that is none', { d: '1e3' }],
    ['digits that are none', { i: '0x10' }],
    ['too many digits', { i: '9'.repeat(10_001) }],
    ['bytes that are no text', { b: 1 }],
    ['a buffer that is no text', { B: {} }],
  ])('is refused: %s', (_, json) => {
    expect(() => decodeValue(json)).toThrow(CodecError);
  });

  it('is refused when it nests deeply, as is what would be written so', () => {
    const lists = JSON.parse(`${'['.repeat(5_000)}${']'.repeat(5_000)}`);
    expect(() => decodeValue(lists)).toThrow(/nests deeper than 200 levels/);
    expect(() => encodeValue(lists)).toThrow(/nests deeper than 200 levels/);
    let maps: object = {};
    for (let i = 0; i < 5_000; i++) maps = { m: maps };
    expect(() => decodeValue(maps)).toThrow(/nests deeper than 200 levels/);
    expect(() => encodeValue(maps)).toThrow(/nests deeper than 200 levels/);
    const circular: unknown[] = [];
    circular.push(circular);
    expect(() => encodeValue(circular)).toThrow(/nests deeper than 200 levels/);
  });

  it.each([
    ['lists', (inner: unknown) => [inner]],
    ['maps', (inner: unknown) => ({ a: inner })],
  ])('nests as deeply as it may: %s', (_, nest) => {
    let value: unknown = ['innermost'];
    for (let i = 0; i < 200; i++) value = nest(value);
    expect(throughCodec(value)).toStrictEqual(value);
  });

  it('has no bigint of a length that takes long to read', () => {
    expect(throughCodec(-(10n ** 9_998n))).toBe(-(10n ** 9_998n));
    expect(() => encodeValue(10n ** 10_000n)).toThrow(/10000 digits/);
  });
});
