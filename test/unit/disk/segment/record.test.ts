import { crc32 as nativeCrc32 } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { crc32, crc32InJavaScript } from '../../../../src/disk/segment/crc32.ts';
import type { BatchHeader, Finding } from '../../../../src/disk/segment/record.ts';
import {
  batchRecord,
  deletionRecord,
  MAX_DELETED_IDS,
  readSegment,
  SEGMENT_HEAD_LENGTH,
  segmentHead,
  UnknownVersionError,
} from '../../../../src/disk/segment/record.ts';
import { scanSegment } from '../../../../src/disk/segment/scan-segment.ts';

// DISK_RUNS=20000 for a long run.
vi.setConfig({ testTimeout: process.env['DISK_RUNS'] === undefined ? 60_000 : 3_600_000 });

const header = (n: number, items = 10 + n): BatchHeader => ({
  id: `b${n}`,
  items,
  bytes: 1_000,
  keptAt: 1_700_000_000_000 + n,
  signal: 'spans',
});
const payloadOf = (n: number): Buffer => Buffer.from(`payload ${n} `.repeat(n + 1));
const records = [0, 1, 2].map((n) => batchRecord(header(n), payloadOf(n)).record);
const segment = Buffer.concat([segmentHead(), ...records]);

const scan = (bytes: Buffer) => scanSegment({ folder: '/f', path: '/f/00000001.seg' }, bytes, 5);

/** The numbers of the batches that are good, payload and all, and the items of those that are known to be damaged. */
async function stateOf(bytes: Buffer): Promise<{ good: number[]; damagedItems: number }> {
  const { segment: scanned } = await scan(bytes);
  const good: number[] = [];
  let damagedItems = 0;
  for (const { header: found, payload, offset = 0 } of scanned.live.values()) {
    const start = offset + (payload?.offset ?? 0);
    const content = payload === undefined ? undefined : bytes.subarray(start, start + payload.length);
    if (payload === undefined || content === undefined || crc32(content) !== payload.crc) {
      damagedItems += found.items;
      continue;
    }
    const n = Number(found.id.slice(1));
    expect(found).toEqual(header(n));
    expect(Buffer.from(content)).toEqual(payloadOf(n));
    good.push(n);
  }
  return { good, damagedItems };
}

it('the checksum is that of zlib', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 1_000 }), fc.nat(1_000), (bytes, at) => {
      expect(crc32(bytes)).toBe(nativeCrc32(bytes));
      expect(crc32InJavaScript(bytes)).toBe(nativeCrc32(bytes));
      expect(crc32InJavaScript(bytes.subarray(at), crc32InJavaScript(bytes.subarray(0, at)))).toBe(
        nativeCrc32(bytes),
      );
    }),
  );
});

describe('a segment', () => {
  it('is read as it was written', async () => {
    expect(await stateOf(segment)).toEqual({ good: [0, 1, 2], damagedItems: 0 });
    const { segment: scanned, goodUntil } = await scan(segment);
    expect(scanned).toMatchObject({ since: header(0).keptAt, bytes: segment.length });
    expect(goodUntil).toBeUndefined();
  });

  it('is without what was deleted', async () => {
    const deleted = Buffer.concat([segment, deletionRecord(['b1', 'b7']), deletionRecord(['b0'])]);
    expect(await stateOf(deleted)).toEqual({ good: [2], damagedItems: 0 });
  });

  it('has a header for as many deleted ids as one record takes', () => {
    const ids = Array.from({ length: MAX_DELETED_IDS }, (_, i) => `${i}`.padStart(256, 'x'));
    expect([...readSegment(Buffer.concat([segmentHead(), deletionRecord(ids)]))]).toEqual([
      { kind: 'deleted', ids },
    ]);
  });

  it('takes no id that its reader would refuse', () => {
    expect(() => batchRecord({ ...header(1), id: 'x'.repeat(257) }, payloadOf(1))).toThrow(RangeError);
  });

  it('that ends in half a record ends there, and the half counts with its items', async () => {
    const torn = segment.subarray(0, segment.length - 1);
    expect(await stateOf(torn)).toEqual({ good: [0, 1], damagedItems: 12 });
    expect((await scan(torn)).goodUntil).toBe(segment.length - (records[2]?.length ?? 0));
  });

  it('truncated at any byte still gives what is whole, and counts the rest', async () => {
    const ends = [
      SEGMENT_HEAD_LENGTH,
      ...records.map((_, i) => SEGMENT_HEAD_LENGTH + lengthOf(records.slice(0, i + 1))),
    ];
    for (let length = 0; length <= segment.length; length++) {
      const { good, damagedItems } = await stateOf(Buffer.from(segment.subarray(0, length)));
      const whole = ends.filter((end) => end <= length).length - 1;
      expect(good, `truncated at ${length}`).toEqual([0, 1, 2].slice(0, Math.max(0, whole)));
      const isClean = length === 0 || ends.includes(length);
      expect(damagedItems > 0, `truncated at ${length}`).toBe(!isClean);
    }
  });

  it('with a bit flipped in any byte still gives all other batches, and counts that one', async () => {
    for (let at = 0; at < segment.length; at++) {
      for (const bit of [0, 3, 7]) {
        const flipped = Buffer.from(segment);
        flipped[at] = (flipped[at] ?? 0) ^ (1 << bit);
        const { good, damagedItems } = await stateOf(flipped);
        const hit =
          at < SEGMENT_HEAD_LENGTH
            ? -1
            : records.findIndex((_, i) => at < SEGMENT_HEAD_LENGTH + lengthOf(records.slice(0, i + 1)));
        expect(good, `bit ${bit} of byte ${at}`).toEqual([0, 1, 2].filter((n) => n !== hit));
        expect(damagedItems > 0, `bit ${bit} of byte ${at}`).toBe(hit !== -1);
      }
    }
  });

  it('whatever is done to its bytes gives no batch that was not written, and never throws', async () => {
    const change = fc.oneof(
      fc.record({
        at: fc.nat(segment.length),
        removed: fc.nat(40),
        inserted: fc.uint8Array({ maxLength: 40 }),
      }),
      fc.record({
        at: fc.nat(segment.length),
        removed: fc.constant(0),
        inserted: fc.constantFrom(...records),
      }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 4 }), async (changes) => {
        let bytes = Buffer.from(segment);
        for (const { at, removed, inserted } of changes) {
          bytes = Buffer.concat([bytes.subarray(0, at), inserted, bytes.subarray(at + removed)]);
        }
        const { good } = await stateOf(bytes);
        expect([0, 1, 2]).toEqual(expect.arrayContaining(good));
      }),
      { numRuns: Number(process.env['DISK_RUNS'] ?? 1_000) },
    );
  });

  it('full of random bytes, or of nothing, is one place of damage', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 2_000 }), async (bytes) => {
        expect(await stateOf(Buffer.from(bytes))).toEqual({ good: [], damagedItems: 1 });
      }),
    );
    expect(await stateOf(Buffer.alloc(5_000))).toEqual({ good: [], damagedItems: 1 });
    expect(await stateOf(Buffer.concat([segment, Buffer.alloc(5_000)]))).toEqual({
      good: [0, 1, 2],
      damagedItems: 1,
    });
    expect(await stateOf(Buffer.alloc(0))).toEqual({ good: [], damagedItems: 0 });
  });

  it('counts each place of damage', async () => {
    const [a, b, c] = records as [Buffer, Buffer, Buffer];
    const garbage = Buffer.alloc(30, 7);
    const bytes = Buffer.concat([segmentHead(), garbage, a, garbage, garbage, b, c.subarray(0, 40)]);
    expect(await stateOf(bytes)).toEqual({ good: [0, 1], damagedItems: 3 });
    const marks = Buffer.concat([segmentHead(), a, c.subarray(0, 4), c.subarray(0, 4), c.subarray(0, 10), b]);
    expect(await stateOf(marks)).toEqual({ good: [0, 1], damagedItems: 1 });
  });

  it('of another version is not read', () => {
    const other = Buffer.concat([segmentHead(2), ...records]);
    expect(() => [...readSegment(other)]).toThrow(UnknownVersionError);
    expect(() => [...readSegment(other)]).toThrow('its format version, 2, is unknown');
  });
});

describe('a header that has the right checksum, and wrong content', () => {
  const crafted = (json: string): Finding['kind'][] => {
    // The text of a header is the id of another batch: its length is right, then its checksum is made right.
    const text = Buffer.from(json);
    const record = Buffer.alloc(20 + text.length);
    Buffer.from([0xf5, 0x4f, 0x43, 0x42]).copy(record);
    record.writeUInt32LE(text.length, 4);
    text.copy(record, 20);
    record.writeUInt32LE(crc32(text, crc32(record.subarray(4, 16))), 16);
    return [...readSegment(Buffer.concat([segmentHead(), record]))].map(({ kind }) => kind);
  };

  it('is accepted as far as it is right', () => {
    expect(crafted('{"id":"a","items":1,"keptAt":1,"signal":"logs"}')).toEqual(['batch']);
    expect(crafted('{"deleted":["a"]}')).toEqual(['deleted']);
  });

  it.each([
    'null',
    '1',
    '[]',
    '{}',
    '{"id":1,"items":1,"keptAt":1,"signal":"logs"}',
    '{"id":"a","items":-1,"keptAt":1,"signal":"logs"}',
    '{"id":"a","items":1e999,"keptAt":1,"signal":"logs"}',
    '{"id":"a","items":"1","keptAt":1,"signal":"logs"}',
    '{"id":"a","items":1,"keptAt":1e999,"signal":"logs"}',
    '{"id":"a","items":1,"keptAt":1,"signal":"profiles"}',
    '{"id":"a","items":1,"bytes":"x","keptAt":1,"signal":"logs"}',
    '{"__proto__":{"id":"a","items":1,"keptAt":1,"signal":"logs"}}',
    '{"deleted":[1]}',
    '{"deleted":"a"}',
    'no JSON',
    `{"id":"${'a'.repeat(257)}","items":1,"keptAt":1,"signal":"logs"}`,
    '['.repeat(8_000),
  ])('is damage: %.60s', (json) => {
    expect(crafted(json)).toEqual(['damage']);
  });

  it('takes time in proportion to its length, also if it is full of marks', async () => {
    const fake = Buffer.alloc(20);
    Buffer.from([0xf5, 0x4f, 0x43, 0x42]).copy(fake);
    fake.writeUInt32LE(8_192, 4);
    const hostile = Buffer.concat([segmentHead(), ...Array.from({ length: 5_000 }, () => fake)]);
    let turns = 0;
    const timer = setInterval(() => turns++, 1);
    const { segment: scanned } = await scan(hostile);
    clearInterval(timer);
    expect(scanned.live.size).toBe(1);
    expect(turns).toBeGreaterThan(1);
  });
});

function lengthOf(buffers: readonly Buffer[]): number {
  return buffers.reduce((sum, { length }) => sum + length, 0);
}
