import { deflateRawSync, inflateRawSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { decodeBatch, encodeBatch, MAX_TEXT_BYTES } from '../../../../src/disk/codec/batch-codec.ts';
import type { LogRecordLike } from '../../../../src/disk/codec/log-record-rows.ts';
import type { SpanLike } from '../../../../src/disk/codec/span-rows.ts';
import { otlpOf, sdkLines } from './sdk-line.ts';
import { logRecordsOf, metricsOf, spansOf } from './sdk-telemetry.ts';

// DISK_RUNS=100000 for a long run of the fuzzing.
vi.setConfig({ testTimeout: process.env['DISK_RUNS'] === undefined ? 60_000 : 3_600_000 });

const [line] = sdkLines;
if (line === undefined) throw new Error('no SDK');

async function throughCodec(batch: unknown): Promise<unknown> {
  const { payload } = await encodeBatch(batch);
  return (await decodeBatch(payload)).batch;
}

describe.each(sdkLines)('with SDK $version', (sdk) => {
  it.each([
    ['spans', async () => spansOf(sdk)],
    ['logs', async () => logRecordsOf(sdk)],
    ['metrics', () => metricsOf(sdk, 'DELTA')],
    ['metrics', () => metricsOf(sdk, 'CUMULATIVE')],
  ] as const)('%s come back with the same OTLP, protobuf and JSON', async (signal, make) => {
    const batch = await make();
    const { payload, ...encoded } = await encodeBatch(batch);
    expect(encoded.signal).toBe(signal);
    const decoded = await decodeBatch(payload);
    expect(decoded.signal).toBe(signal);
    expect(otlpOf(sdk, signal, decoded.batch)).toEqual(otlpOf(sdk, signal, batch));
  });

  it('what came back can be stored again', async () => {
    for (const [signal, batch] of [
      ['spans', spansOf(sdk)],
      ['logs', logRecordsOf(sdk)],
    ] as const) {
      const twice = await throughCodec(await throughCodec(batch));
      expect(otlpOf(sdk, signal, twice)).toEqual(otlpOf(sdk, signal, batch));
    }
  });
});

describe('spans come back', () => {
  it('in all that exporters and processors read of them', async () => {
    const spans = spansOf(line) as SpanLike[];
    const revived = (await throughCodec(spans)) as SpanLike[];
    spans.forEach((span, i) => {
      const { resource, ...rest } = revived[i] as SpanLike;
      const context = span.spanContext();
      expect(rest.spanContext()).toEqual({ ...context, traceState: rest.spanContext().traceState });
      expect(rest).toMatchObject({
        name: span.name,
        kind: span.kind,
        startTime: span.startTime,
        endTime: span.endTime,
        duration: span.duration,
        ended: true,
        status: span.status,
        attributes: span.attributes,
        parentSpanId: span.parentSpanContext?.spanId,
        instrumentationScope: span.instrumentationScope,
        instrumentationLibrary: span.instrumentationScope,
      });
      expect(resource.attributes).toEqual(span.resource.attributes);
    });
  });

  it('with resource and scope shared by whoever shared them', async () => {
    const revived = (await throughCodec(spansOf(line))) as SpanLike[];
    expect(new Set(revived.map(({ resource }) => resource)).size).toBe(2);
    expect(new Set(revived.map(({ instrumentationScope }) => instrumentationScope)).size).toBe(4);
  });

  it('with the parent of SDK 1.x where SDK 2.x and 3.x look for it, and the other way round', async () => {
    const [span] = spansOf(line) as [SpanLike];
    const base = Object.fromEntries(Object.entries(span).filter(([key]) => key !== 'parentSpanContext'));
    const derived = { ...base, spanContext: () => span.spanContext(), duration: span.duration, ended: true };
    const dropped = { droppedAttributesCount: 0, droppedEventsCount: 0, droppedLinksCount: 0 };
    const old = { ...derived, ...dropped, parentSpanId: 'c'.repeat(16) };
    const [fromOld] = (await throughCodec([old])) as [SpanLike];
    expect(fromOld.parentSpanContext).toMatchObject({
      traceId: span.spanContext().traceId,
      spanId: 'c'.repeat(16),
    });
    const [fromNew] = (await throughCodec([span])) as [SpanLike];
    expect(fromNew.parentSpanId).toBe(span.parentSpanContext?.spanId);
    const [root] = (await throughCodec([{ ...derived, ...dropped }])) as [SpanLike];
    expect(root.parentSpanContext).toBeUndefined();
    expect(root.parentSpanId).toBeUndefined();
  });

  it('with a resource that can be merged and asked for its raw attributes', async () => {
    const [span] = (await throughCodec(spansOf(line))) as [SpanLike];
    const resource = span.resource as unknown as ReturnType<typeof line.resources.resourceFromAttributes>;
    expect(resource.asyncAttributesPending).toBe(false);
    expect(Object.fromEntries(resource.getRawAttributes())).toEqual(resource.attributes);
    const other = line.resources.resourceFromAttributes({ 'service.name': 'new', added: 1 });
    const merged = resource.merge(other);
    expect(merged.attributes).toMatchObject({ 'service.name': 'new', added: 1, 'a.ratio': 0.5 });
    expect(merged.schemaUrl).toBe(resource.schemaUrl);
    expect(other.merge(resource).attributes).toMatchObject({ 'service.name': 'shop', added: 1 });
    expect(resource.merge(null)).toBe(resource);
    const contrary = line.resources.resourceFromAttributes({}, { schemaUrl: 'https://example.com/other' });
    expect(resource.merge(contrary).schemaUrl).toBeUndefined();
    expect(merged.merge(resource).schemaUrl).toBe(resource.schemaUrl);
    expect(other.merge(resource).schemaUrl).toBe(resource.schemaUrl);
  });

  it('with a trace state that answers, and serializes to the same text', async () => {
    const [span] = (await throughCodec(spansOf(line))) as [SpanLike];
    const { traceState } = span.spanContext() as { traceState?: InstanceType<typeof line.core.TraceState> };
    expect(traceState.serialize()).toBe('vendor=one,other=two');
    expect(traceState.get('other')).toBe('two');
    expect(traceState.set('vendor', '1').serialize()).toBe('vendor=1,other=two');
    expect(traceState.unset('vendor').serialize()).toBe('other=two');
  });
});

describe('whatever a user puts into telemetry', () => {
  const anything = fc.anything({
    withBigInt: true,
    withDate: true,
    withMap: true,
    withTypedArray: true,
    withSparseArray: true,
    key: fc.oneof(fc.string(), fc.constantFrom('__proto__', 'toJSON', 'm', '0')),
  });
  const attributes = fc.dictionary(fc.oneof(fc.string(), fc.constant('__proto__')), anything);

  it('logs come back with the same OTLP', async () => {
    const [record] = logRecordsOf(line) as [LogRecordLike];
    const { resource, instrumentationScope } = record;
    const time = fc.tuple(fc.nat(), fc.nat());
    const records = fc.record(
      {
        hrTime: time,
        hrTimeObserved: time,
        attributes,
        droppedAttributesCount: fc.nat(),
        body: anything,
        eventName: fc.string(),
        severityNumber: fc.nat(24),
        severityText: fc.string(),
      },
      { requiredKeys: ['hrTime', 'hrTimeObserved', 'attributes', 'droppedAttributesCount'] },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(records, { minLength: 1, maxLength: 3 }), async (fields) => {
        const logs = fields.map((each) => ({ ...each, resource, instrumentationScope }));
        expect(otlpOf(line, 'logs', await throughCodec(logs))).toEqual(otlpOf(line, 'logs', logs));
      }),
    );
  });

  it('spans come back with the same OTLP', async () => {
    const [span] = spansOf(line) as [SpanLike];
    const { resource, instrumentationScope, startTime, endTime } = span;
    const context = span.spanContext();
    const scalars = fc.oneof(fc.string(), fc.double(), fc.constant(undefined));
    const spans = fc.record({
      name: fc.string({ unit: 'binary' }),
      kind: fc.nat(4),
      attributes,
      events: fc.array(
        fc.record(
          { name: fc.string(), time: fc.constant(startTime), attributes, droppedAttributesCount: fc.nat() },
          { requiredKeys: ['name', 'time'] },
        ),
        { maxLength: 2 },
      ),
      links: fc.array(
        fc.record(
          { context: fc.constant(context), attributes, droppedAttributesCount: fc.nat() },
          { requiredKeys: ['context'] },
        ),
        { maxLength: 2 },
      ),
      status: fc.record({ code: fc.nat(2), message: fc.string() }, { requiredKeys: ['code'] }),
      traceFlags: fc.oneof(fc.nat(255), fc.double()),
      dropped: fc.nat(),
      ignored: scalars,
    });
    await fc.assert(
      fc.asyncProperty(fc.array(spans, { minLength: 1, maxLength: 3 }), async (fields) => {
        const batch = fields.map(({ dropped, traceFlags, ...each }) => ({
          ...each,
          spanContext: () => ({ ...context, traceFlags }),
          duration: [0, 1],
          ended: true,
          startTime,
          endTime,
          resource,
          instrumentationScope,
          droppedAttributesCount: dropped,
          droppedEventsCount: dropped,
          droppedLinksCount: dropped,
        }));
        expect(otlpOf(line, 'spans', await throughCodec(batch))).toEqual(otlpOf(line, 'spans', batch));
      }),
    );
  });
});

describe('encoding', () => {
  it.each([
    ['nothing', undefined],
    ['an empty array', []],
    ['an array of other things', [1, 2]],
    ['an array of nothing', [null]],
    ['an object', {}],
    ['a string', 'spans'],
  ])('refuses %s', async (_, batch) => {
    await expect(encodeBatch(batch)).rejects.toThrow(
      'a batch must be an array of spans or log records, or ResourceMetrics',
    );
  });

  it('refuses what is larger than the decoder accepts', async () => {
    const [record] = logRecordsOf(line) as [LogRecordLike];
    const { hrTime, hrTimeObserved, resource, instrumentationScope } = record;
    const log = {
      hrTime,
      hrTimeObserved,
      attributes: {},
      droppedAttributesCount: 0,
      resource,
      instrumentationScope,
    };
    const batch = Array.from({ length: 33 }, () => ({ ...log, body: 'x'.repeat(1024 * 1024) }));
    await expect(encodeBatch(batch)).rejects.toThrow(/larger than 33554432 bytes/);
  });

  it('lets the event loop go on meanwhile, and decoding does', async () => {
    const spans = spansOf(line);
    const many = Array.from({ length: 20_000 }, (_, i) => spans[i % spans.length]);
    let turns = 0;
    let running = true;
    const count = (): void => {
      turns++;
      if (running) setImmediate(count);
    };
    setImmediate(count);
    const { payload } = await encodeBatch(many);
    expect(turns).toBeGreaterThan(20);
    turns = 0;
    await decodeBatch(payload);
    running = false;
    expect(turns).toBeGreaterThan(20);
  });
});

describe('decoding what encoding has not made', () => {
  const encoded = (text: string): Buffer => deflateRawSync(Buffer.from(text));

  it('never answers anything but a batch or an error, whatever byte is changed', async () => {
    for (const batch of [spansOf(line), logRecordsOf(line).slice(0, 5), await metricsOf(line, 'DELTA')]) {
      const { payload } = await encodeBatch(batch);
      const text = inflateRawSync(payload).toString();
      await fc.assert(
        fc.asyncProperty(
          fc.nat(text.length - 1),
          fc.string({ maxLength: 3 }),
          fc.nat(3),
          async (at, inserted, removed) => {
            const changed = text.slice(0, at) + inserted + text.slice(at + removed);
            await decodeBatch(encoded(changed)).catch((error: unknown) =>
              expect(error).toBeInstanceOf(Error),
            );
            const bytes = Buffer.from(payload);
            bytes[at % bytes.length] = (bytes[at % bytes.length] ?? 0) ^ (1 << removed);
            await decodeBatch(bytes).catch((error: unknown) => expect(error).toBeInstanceOf(Error));
          },
        ),
        { numRuns: Number(process.env['DISK_RUNS'] ?? 100) },
      );
    }
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  });

  it.each([
    ['nothing', ''],
    ['no JSON', 'spans'],
    ['another signal', '"profiles"\n[0]'],
    ['the name of a prototype', '"__proto__"\n[0]'],
    ['a row that is no list', '"spans"\n{"length": 3}'],
    [
      'a resource that is not there',
      '"spans"\n[0,0,"n",0,["a","b",1],null,null,[0,0],[0,0],[0,0],true,0,null,{},[],[],0,0,0]',
    ],
    [
      'a resource of another kind of number',
      '"logs"\n["r",{},null]\n["s","n"]\n["__proto__",0,[0,0],[0,0],null,1,"a",null,null,{},0]',
    ],
    ['a span context that is no list', '"spans"\n["r",{},null]\n["s","n"]\n[0,0,"n",0,{"n":0},null,null]'],
    [
      'a trace state that is no text',
      '"spans"\n["r",{},null]\n["s","n"]\n[0,0,"n",0,["a","b",1,null,{"n":0}],null,null]',
    ],
    [
      'events that are no list',
      '"spans"\n["r",{},null]\n["s","n"]\n[0,0,"n",0,["a","b",1],null,null,[0,0],[0,0],[0,0],true,0,null,{},"events",[],0,0,0]',
    ],
    ['metrics without a resource', '"metrics"'],
    ['a data point without a metric', '"metrics"\n["r",{},null]\n["p",{},[0,0],[0,0],1]'],
    ['a metric without a scope', '"metrics"\n["r",{},null]\n["m",{},0,0,null]'],
  ])('refuses %s', async (_, text) => {
    await expect(decodeBatch(encoded(text))).rejects.toThrow();
  });

  it('refuses what is huge when decompressed', async () => {
    const bomb = deflateRawSync(Buffer.alloc(MAX_TEXT_BYTES + 1, ' '));
    expect(bomb.length).toBeLessThan(MAX_TEXT_BYTES / 500);
    await expect(decodeBatch(bomb)).rejects.toThrow(/larger than 33554432 bytes/);
  });

  it('refuses a row that nests deeply without parsing it', async () => {
    const before = process.memoryUsage().heapUsed;
    await expect(decodeBatch(encoded(`"logs"\n${'['.repeat(MAX_TEXT_BYTES - 100)}`))).rejects.toThrow(
      'nests too deeply',
    );
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(256 * 1024 * 1024);
    await expect(decodeBatch(encoded(`"logs"\n["${'[\\"'.repeat(30_000)}"]`))).rejects.toThrow(
      'expected a map',
    );
    await expect(decodeBatch(encoded(`"logs"\n["${'['.repeat(70_000)}`))).rejects.toThrow(SyntaxError);
  });
});
