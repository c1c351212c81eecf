import { metrics, trace } from '@opentelemetry/api';
import { logs } from '@opentelemetry/api-logs';
import { BatchLogRecordProcessor, LoggerProvider, SimpleLogRecordProcessor } from '@opentelemetry/sdk-logs';
import {
  AggregationTemporality,
  ConsoleMetricExporter,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import {
  BasicTracerProvider,
  BatchSpanProcessor,
  ConsoleSpanExporter,
  InMemorySpanExporter,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base';
import { afterEach, describe, expect, it } from 'vitest';
import { findExporters, staysAsItIs } from '../../../src/attach/find-exporters.ts';
import { CircuitBreakerExporter } from '../../../src/exporter/circuit-breaker-exporter.ts';
import { forgetApi, OtlpExporter, registerApi, registerLogs, tracesTo } from './arrange.ts';

afterEach(() => {
  trace.disable();
  metrics.disable();
  logs.disable();
  forgetApi();
});

const found = () => findExporters().fields.map(({ signal, exporter }) => [signal, exporter]);

describe('findExporters', () => {
  it('finds nothing where nothing is registered', () => {
    expect(findExporters()).toEqual({ fields: [], providers: 'no provider is registered' });
  });

  it('finds the exporters of all processors and readers of the real SDK', () => {
    const [batch, simple, metric, batchLog, simpleLog] = Array.from({ length: 5 }, () => new OtlpExporter());
    trace.setGlobalTracerProvider(
      new BasicTracerProvider({
        spanProcessors: [new BatchSpanProcessor(batch as never), new SimpleSpanProcessor(simple as never)],
      }),
    );
    metrics.setGlobalMeterProvider(
      new MeterProvider({ readers: [new PeriodicExportingMetricReader({ exporter: metric as never })] }),
    );
    logs.setGlobalLoggerProvider(
      new LoggerProvider({
        processors: [
          new BatchLogRecordProcessor({ exporter: batchLog as never }),
          new SimpleLogRecordProcessor({ exporter: simpleLog as never }),
        ],
      }),
    );
    expect(found()).toEqual([
      ['traces', batch],
      ['traces', simple],
      ['metrics', metric],
      ['logs', batchLog],
      ['logs', simpleLog],
    ]);
    expect(findExporters().providers).toBe(
      'traces: BasicTracerProvider, metrics: MeterProvider, logs: LoggerProvider',
    );
    expect(findExporters().fields[0]?.description).toBe('OtlpExporter in BatchSpanProcessor');
  });

  it('finds exporters behind processors of others', () => {
    const exporter = new OtlpExporter();
    registerApi({
      trace: { _activeSpanProcessor: { processors: [{ innerProcessor: { _exporter: exporter } }] } },
    });
    expect(found()).toEqual([['traces', exporter]]);
  });

  it('finds a provider of loggers that is registered in both places once', () => {
    const provider = { _sharedState: { activeProcessor: { _exporter: new OtlpExporter() } } };
    registerApi({ logs: { _delegate: provider } });
    registerLogs(provider);
    expect(found()).toHaveLength(1);
  });

  it('replaces what it found', () => {
    const { processors, proxy } = tracesTo(new OtlpExporter());
    registerApi({ trace: proxy });
    const replacement = new OtlpExporter();
    expect(findExporters().fields[0]?.replace(replacement)).toBe(true);
    expect(processors[0]?._exporter).toBe(replacement);
  });

  it.each([
    ['frozen', (holder: object) => Object.freeze(holder)],
    ['read-only', (holder: object) => Object.defineProperty(holder, '_exporter', { writable: false })],
  ])('says so where the field is %s', (_, spoil) => {
    const { processors, proxy } = tracesTo(new OtlpExporter());
    spoil(processors[0] as object);
    registerApi({ trace: proxy });
    expect(findExporters().fields[0]?.replace(new OtlpExporter())).toBe(false);
  });

  it('comes back from a structure that goes in circles, or has no end', () => {
    const circle: Record<string, unknown> = {};
    circle['_processor'] = circle;
    registerApi({ trace: circle });
    expect(found()).toEqual([]);

    let made = 0;
    const endless = (): object =>
      new Proxy(
        {},
        {
          ownKeys: () => ['processor'],
          getOwnPropertyDescriptor: () => {
            made++;
            return { configurable: true, enumerable: true, value: endless() };
          },
        },
      );
    registerApi({ trace: endless() });
    expect(found()).toEqual([]);
    expect(made).toBeLessThan(2_000);
  });

  it('runs no getter, and survives proxies and globals that throw', () => {
    const exporter = new OtlpExporter();
    const thrower = () => {
      throw new Error('hands off');
    };
    const hostile = new Proxy({}, { ownKeys: thrower, get: thrower, getOwnPropertyDescriptor: thrower });
    const processor = Object.defineProperty({ _exporter: exporter }, 'otherProcessor', {
      enumerable: true,
      get: thrower,
    });
    registerApi({
      trace: { _activeSpanProcessor: { processors: [hostile, processor, { _exporter: hostile }] } },
      get metrics() {
        return thrower();
      },
    });
    registerLogs(hostile);
    expect(found()).toEqual([['traces', exporter]]);
  });
});

describe('staysAsItIs', () => {
  it.each([
    new ConsoleSpanExporter(),
    new InMemorySpanExporter(),
    new ConsoleMetricExporter(),
    new InMemoryMetricExporter(AggregationTemporality.DELTA),
    new CircuitBreakerExporter(new OtlpExporter()),
  ])('is true of $constructor.name', (exporter) => {
    expect(staysAsItIs(exporter as never)).toBe(true);
  });

  it('is true of a circuit breaker exporter of another copy of the package', () => {
    class Renamed extends OtlpExporter {
      readonly breaker = { tryAcquire() {} };
      snapshot() {}
    }
    expect(staysAsItIs(new Renamed())).toBe(true);
  });

  it('is false of all others, also of those that throw when they are looked at', () => {
    expect(staysAsItIs(new OtlpExporter())).toBe(false);
    const hostile = new Proxy(new OtlpExporter(), {
      get() {
        throw new Error('hands off');
      },
    });
    expect(staysAsItIs(hostile)).toBe(false);
  });
});
