/**
 * Every processor and reader of an SDK line, as providers of that line hold them:
 *
 *     node --import otel-circuit-breaker/attach fields.mjs <1|2|3>
 *
 * The last line is what attach put where, as JSON.
 */
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
const line = Number(process.argv[2]);
const { BatchSpanProcessor, SimpleSpanProcessor } = require(
  line === 3 ? '@opentelemetry/sdk-trace' : '@opentelemetry/sdk-trace-base',
);
const { BatchLogRecordProcessor, SimpleLogRecordProcessor } = require('@opentelemetry/sdk-logs');
const { PeriodicExportingMetricReader } = require('@opentelemetry/sdk-metrics');
const { NodeSDK } = require('@opentelemetry/sdk-node');

class QuietExporter {
  export(_batch, resultCallback) {
    resultCallback({ code: 0 });
  }
  async forceFlush() {}
  async shutdown() {}
}

const span = (Processor) =>
  new Processor(line === 3 ? { exporter: new QuietExporter() } : new QuietExporter());
const log = (Processor) =>
  new Processor(line === 1 ? new QuietExporter() : { exporter: new QuietExporter() });
const holders = {
  BatchSpanProcessor: span(BatchSpanProcessor),
  SimpleSpanProcessor: span(SimpleSpanProcessor),
  PeriodicExportingMetricReader: new PeriodicExportingMetricReader({ exporter: new QuietExporter() }),
  BatchLogRecordProcessor: log(BatchLogRecordProcessor),
  SimpleLogRecordProcessor: log(SimpleLogRecordProcessor),
};
const [batch, simple, reader, batchLog, simpleLog] = Object.values(holders);
const sdk = new NodeSDK({
  spanProcessors: [batch, simple],
  logRecordProcessors: [batchLog, simpleLog],
  ...(line === 1 ? { metricReader: reader } : { metricReaders: [reader] }),
});
sdk.start();

const registered = () =>
  (globalThis[Symbol.for('otel-circuit-breaker.exporters')] ?? []).map((reference) => reference.deref());
while (registered().length < 5) await new Promise((resolve) => setTimeout(resolve, 10));
const found = Object.entries(holders).map(([name, holder]) => {
  assert.ok(registered().includes(holder._exporter), `${name}: the breaker is in _exporter`);
  return [name, holder._exporter.snapshot().name];
});
assert.deepEqual(Object.fromEntries(found), {
  BatchSpanProcessor: 'traces',
  SimpleSpanProcessor: 'traces#2',
  PeriodicExportingMetricReader: 'metrics',
  BatchLogRecordProcessor: 'logs',
  SimpleLogRecordProcessor: 'logs#2',
});
console.log(JSON.stringify({ node: process.versions.node, found: Object.fromEntries(found) }));
await sdk.shutdown();
