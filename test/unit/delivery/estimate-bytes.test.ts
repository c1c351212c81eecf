import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import { estimateBytes } from '../../../src/delivery/estimate-bytes.ts';
import { usualBatches } from './usual-batches.ts';

const SCRIPT = fileURLToPath(new URL('./measure-heap.ts', import.meta.url));

describe('the estimate is within a factor of two of the heap that is held by', () => {
  let measured: Record<string, number>;

  beforeAll(async () => {
    const { stdout } = await promisify(execFile)(process.execPath, ['--expose-gc', SCRIPT]);
    measured = JSON.parse(stdout) as Record<string, number>;
  }, 60_000);

  it.each(Object.entries(usualBatches))('%s', async (shape, make) => {
    const ratio = estimateBytes(await make()) / (measured[shape] ?? Number.NaN);

    expect(ratio).toBeGreaterThan(0.5);
    expect(ratio).toBeLessThan(2);
  });
});

describe('the estimate is never less than the length of the strings in', () => {
  const long = 'x'.repeat(10_000);

  class Span {
    readonly name = long;
    readonly attributes = { text: long, list: [long, long], map: { [long]: long } };
    readonly events = [{ name: long, attributes: { text: long } }];
    readonly _body = Object.assign(Object.create(null), { nested: [{ text: long }] });
  }

  it.each([
    ['a string', long, 1],
    ['an object', { text: long, other: long }, 2],
    ['an object without a prototype', Object.assign(Object.create(null), { text: long }), 1],
    ['nested arrays', [[[long]], [long]], 2],
    ['an object with a long key', { [long]: 1 }, 1],
    ['instances in whatever field of an object', { _private: new Span() }, 9],
    ['many short strings', Array.from({ length: 10_000 }, () => 'x'), 1],
    ['instances of a class, its private data included', [new Span(), new Span()], 18],
    ['instances in attributes', [{ attributes: { span: new Span() } }], 9],
  ])('%s', (_what, batch, strings) => {
    expect(estimateBytes(batch)).toBeGreaterThanOrEqual(strings * long.length);
  });
});

describe('the estimate', () => {
  it('counts an object that items share once', () => {
    class Resource {
      readonly attributes = { host: 'x'.repeat(1_000) };
    }
    const resource = new Resource();
    const scope = { name: 'y'.repeat(1_000) };
    const batch = Array.from({ length: 100 }, () => ({ resource, scope }));

    expect(estimateBytes(batch)).toBeLessThan(100 * 100 + 2 * 1_500);
  });

  it('does not follow a span to its processor', () => {
    class Processor {
      readonly queue = ['x'.repeat(100_000)];
    }
    class Span {
      readonly name = 'span';
      readonly _spanProcessor = new Processor();
    }

    expect(estimateBytes([new Span()])).toBeLessThan(500);
  });

  it('counts the bytes of typed arrays', () => {
    expect(estimateBytes(new Uint8Array(5_000))).toBeGreaterThanOrEqual(5_000);
    expect(estimateBytes([{ body: new Uint8Array(5_000) }])).toBeLessThan(5_500);
    expect(estimateBytes(new DataView(new ArrayBuffer(5_000)))).toBeGreaterThanOrEqual(5_000);
  });

  it('takes in a value that contains itself', () => {
    const cycle: Record<string, unknown> = { text: 'x'.repeat(1_000) };
    cycle['self'] = [cycle, { cycle }];

    expect(estimateBytes([cycle])).toBeGreaterThan(1_000);
    expect(estimateBytes([cycle])).toBeLessThan(2_000);
  });

  it('takes in a value nested more deeply than the call stack', () => {
    let deep: unknown = 'x'.repeat(1_000);
    for (let i = 0; i < 100_000; i++) deep = i % 2 === 0 ? [deep] : { deep };

    expect(estimateBytes([deep])).toBeGreaterThan(1_000);
  });

  it.each([undefined, null, 1, Number.NaN, true, 1n, Symbol('s'), () => {}, new Date(), new Map(), /x/, []])(
    'of %s is a small number',
    (value) => {
      expect(estimateBytes(value)).toBeGreaterThan(0);
      expect(estimateBytes([value, { value }])).toBeLessThan(500);
    },
  );
});
