import { logs } from '@opentelemetry/api-logs';
import { InMemoryLogRecordExporter, LoggerProvider, SimpleLogRecordProcessor } from '@opentelemetry/sdk-logs';
import { describe, expect, it } from 'vitest';
import {
  attachExporterInternals,
  exporterInternalsOf,
  signalOf,
} from '../../../src/delivery/exporter-internals.ts';
import { numberedSpans } from '../../support/numbered-spans.ts';

describe('signalOf', () => {
  it('knows spans of the SDK', () => {
    expect(signalOf(numberedSpans(1, 2))).toBe('span');
  });

  it('knows log records of the SDK, within a trace and without', () => {
    const memory = new InMemoryLogRecordExporter();
    const provider = new LoggerProvider({ processors: [new SimpleLogRecordProcessor({ exporter: memory })] });
    provider.getLogger('test').emit({ body: 'hello' });
    expect(signalOf(memory.getFinishedLogRecords())).toBe('log');
    logs.disable();
  });

  it.each<[unknown, string | undefined]>([
    [{ resource: {}, scopeMetrics: [] }, 'metric_data_point'],
    [[{ severityNumber: 9 }], 'log'],
    [[{ body: 'text' }], 'log'],
    [[{ spanContext: () => ({}) }], 'span'],
    [[{ spanContext: { traceId: '0' }, body: 'a log record within a trace' }], 'log'],
    [[], undefined],
    [[1, 2], undefined],
    [[null], undefined],
    [{}, undefined],
    [null, undefined],
    ['text', undefined],
  ])('%j is %s', (batch, signal) => {
    expect(signalOf(batch)).toBe(signal);
  });
});

describe('exporterInternalsOf', () => {
  it('finds what was attached, and nothing on anything else', () => {
    const exporter = {};
    const internals = { signal: () => undefined, ledger: { lostUnseen: {} as never, lostBefore: 0 } };
    attachExporterInternals(exporter, internals);
    expect(exporterInternalsOf(exporter)).toBe(internals);
    expect([{}, null, undefined, 5].map(exporterInternalsOf)).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
    expect(Object.keys(exporter)).toEqual([]);
  });
});
