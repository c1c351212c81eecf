import type { SdkLine } from './sdk-line.ts';

/** Values that JSON cannot say, or says differently. A span takes some of them, a log's body all. */
export const AWKWARD_VALUES = {
  text: 'naïve — 日本 🚀 \u2028 "quoted" \\ \u0000',
  'lone surrogate': 'a\ud800b',
  empty: '',
  integer: 42,
  large: 2 ** 53 + 2,
  tiny: Number.MIN_VALUE,
  negativeZero: -0,
  notANumber: Number.NaN,
  infinite: Number.POSITIVE_INFINITY,
  minusInfinite: Number.NEGATIVE_INFINITY,
  yes: true,
  no: false,
  none: null,
  missing: undefined,
  big: 12345678901234567890123n,
  bytes: new Uint8Array([0, 1, 127, 128, 255]),
  buffer: Buffer.from('bytes of Node'),
  strings: ['a', '', 'ü'],
  numbers: [1, -0, 2.5, Number.NaN, Number.NEGATIVE_INFINITY],
  holes: ['a', null, undefined, 'b'],
  nested: { list: [{ deep: [1, [2, [3]]] }, new Uint8Array([9])], 'a.b': { m: { m: 1 } }, d: 'NaN', i: '1' },
  date: new Date(0),
  map: new Map([['a', 1]]),
  toJSON: 'an attribute of this name',
  constructor: 'another',
  ['__proto__']: 'a third',
  '7': 'keys of integers come first',
};

/** Ended spans of two resources and four scopes, with all that a span can have. */
export function spansOf(line: SdkLine): unknown[] {
  const spans: unknown[] = [];
  const processor = { ...idle, onStart() {}, onEnd: (span: unknown) => spans.push(span) };
  const tracerOf = (resource: unknown, limits: object, name: string, version?: string, options?: object) => {
    const Provider = line.trace.TracerProvider ?? line.trace.BasicTracerProvider;
    const provider = new Provider({ resource, spanLimits: limits, spanProcessors: [processor] });
    return provider.getTracer(name, version, options);
  };
  const { ROOT_CONTEXT, SpanKind, SpanStatusCode, trace } = line.api;
  const limits = {
    attributeCountLimit: 40,
    eventCountLimit: 2,
    linkCountLimit: 2,
    attributePerEventCountLimit: 2,
    attributePerLinkCountLimit: 2,
  };
  const first = resourceOf(line, { 'service.name': 'shop', 'host.ports': [80, 443], 'a.ratio': 0.5 });
  const second = resourceOf(line, { 'service.name': 'shop', 'host.ports': [80, 443], 'a.ratio': 0.5 });
  const tracers = [
    tracerOf(first, limits, 'a'),
    tracerOf(first, limits, 'a', '1.0'),
    tracerOf(second, limits, 'b', '2.0', { schemaUrl: 'https://example.com/schemas/1.2.3' }),
    tracerOf(second, { ...limits, attributeCountLimit: 3 }, ''),
  ];
  const remote = {
    traceId: '0af7651916cd43dd8448eb211c80319c',
    spanId: 'b7ad6b7169203331',
    traceFlags: 1,
    isRemote: true,
    traceState: new line.core.TraceState('vendor=one,other=two'),
  };
  for (let i = 0; i < 12; i++) {
    const tracer = tracers[i % tracers.length];
    const parent = trace.setSpanContext(ROOT_CONTEXT, remote);
    const root = tracer.startSpan(`root ${i}`, { kind: SpanKind.SERVER, attributes: AWKWARD_VALUES }, parent);
    const inner = trace.setSpan(ROOT_CONTEXT, root);
    const span = tracer.startSpan(
      'child',
      {
        links: [
          { context: root.spanContext() },
          {
            context: remote,
            attributes: { 'link.kind': 'follows', n: i, more: 1 },
            droppedAttributesCount: 2,
          },
          { context: { ...remote, isRemote: false, traceState: undefined }, attributes: {} },
        ],
        startTime: [1_700_000_000 + i, 123_456_789],
      },
      inner,
    );
    span.addEvent('first', { a: 1 }, [1_700_000_001, 1]);
    span.addEvent('second');
    span.recordException(new Error('failed — öfter'), [1_700_000_001, 999_999_999]);
    if (i % 3 === 0) span.setStatus({ code: SpanStatusCode.ERROR, message: 'no good' });
    if (i % 3 === 1) span.setStatus({ code: SpanStatusCode.OK });
    span.setAttribute('http.route', '/a/:id');
    span.end();
    root.end();
  }
  return spans;
}

/** Log records of two resources and three loggers, one for each awkward value. */
export function logRecordsOf(line: SdkLine): unknown[] {
  const records: unknown[] = [];
  const processor = { ...idle, onEmit: (record: unknown) => records.push(record) };
  const loggerOf = (resource: unknown, name: string, version?: string, options?: object) => {
    const provider = new line.logs.LoggerProvider({ resource, processors: [processor] });
    if (isFirstLine(line)) provider.addLogRecordProcessor(processor);
    return provider.getLogger(name, version, options);
  };
  const resource = resourceOf(line, { 'service.name': 'shop' });
  const loggers = [
    loggerOf(resource, 'a'),
    loggerOf(resource, 'a', undefined, {
      schemaUrl: 'https://example.com/1',
      attributes: { k: 'v' },
      scopeAttributes: { k: 'v' },
    }),
    loggerOf(resourceOf(line, { 'service.name': 'other' }), 'b', '1.0'),
  ];
  const { ROOT_CONTEXT, trace } = line.api;
  const spanContext = { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), traceFlags: 1, isRemote: true };
  Object.entries({ ...AWKWARD_VALUES, all: AWKWARD_VALUES }).forEach(([key, value], i) => {
    loggers[i % loggers.length].emit({
      body: value,
      attributes: { [key]: value },
      ...(i % 2 === 0 && { severityNumber: 9, severityText: 'INFO' }),
      ...(i % 3 === 0 && { context: trace.setSpanContext(ROOT_CONTEXT, spanContext) }),
      ...(i % 4 === 0 && { eventName: 'an.event' }),
      ...(i % 5 === 0 && { timestamp: [1_700_000_000, 7], observedTimestamp: [1_700_000_001, 8] }),
    });
  });
  return records;
}

/** Metrics of all kinds, with both temporalities, from two meters. */
export async function metricsOf(line: SdkLine, temporality: 'DELTA' | 'CUMULATIVE'): Promise<unknown> {
  const {
    AggregationTemporality,
    AggregationType,
    ExponentialHistogramAggregation,
    MeterProvider,
    MetricReader,
    View,
  } = line.metrics;
  class Reader extends MetricReader {
    constructor() {
      super({ aggregationTemporalitySelector: () => AggregationTemporality[temporality] });
    }
    async onForceFlush() {}
    async onShutdown() {}
  }
  const instrumentName = 'exponential';
  const view = isFirstLine(line)
    ? new View({ instrumentName, aggregation: new ExponentialHistogramAggregation(20) })
    : {
        instrumentName,
        aggregation: { type: AggregationType.EXPONENTIAL_HISTOGRAM, options: { maxSize: 20 } },
      };
  const reader: SdkLine['metrics'] = new Reader();
  const resource = resourceOf(line, { 'service.name': 'shop' });
  const provider = new MeterProvider({ resource, readers: [reader], views: [view] });
  const meter = provider.getMeter('a');
  const other = provider.getMeter('b', '1.0', { schemaUrl: 'https://example.com/1' });
  for (const each of [meter, other]) {
    const counter = each.createCounter('counter', { unit: '1', description: 'counts', valueType: 0 });
    counter.add(3, { route: '/a', code: 200 });
    counter.add(2, { route: '/b', list: ['x', 'y'] });
    each.createCounter('double', { valueType: 1 }).add(0.1);
    each.createUpDownCounter('up and down').add(-0);
    each.createObservableGauge('gauge').addCallback((result: { observe(value: number): void }) => {
      result.observe(Number.NaN);
    });
    each.createObservableGauge('infinite').addCallback((result: { observe(value: number): void }) => {
      result.observe(Number.NEGATIVE_INFINITY);
    });
    for (const name of ['histogram', 'exponential']) {
      const histogram = each.createHistogram(name, { advice: { explicitBucketBoundaries: [0, 0.5, 1, 10] } });
      for (const value of [0, 0.1, 0.7, 5, 50, 5_000]) histogram.record(value, { route: '/a' });
    }
    each.createHistogram('unused');
  }
  const { resourceMetrics, errors } = await reader.collect();
  if (errors.length > 0) throw errors[0];
  return resourceMetrics;
}

const idle = { forceFlush: async () => {}, shutdown: async () => {} };

function isFirstLine({ version }: SdkLine): boolean {
  return version.startsWith('1.');
}

function resourceOf(line: SdkLine, attributes: object): unknown {
  // SDK 1.x has a class, and no schema URLs.
  return isFirstLine(line)
    ? new line.resources.Resource(attributes)
    : line.resources.resourceFromAttributes(attributes, { schemaUrl: 'https://example.com/resource/1.0' });
}
