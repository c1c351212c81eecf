/**
 * What the library takes for granted about the packages of this line, which it never imports. An upgrade that changes
 * one of these fails here. Prints one line of JSON.
 *
 *     node constants.mjs <url of a gRPC receiver that answers INVALID_ARGUMENT>
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { createContextKey, ROOT_CONTEXT } from '@opentelemetry/api';
import { ExportResultCode, isTracingSuppressed, suppressTracing } from '@opentelemetry/core';
import { OTLPTraceExporter as GrpcTraceExporter } from '@opentelemetry/exporter-trace-otlp-grpc';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { classifyResult } from 'otel-circuit-breaker';
import { versions } from './versions.mjs';

assert.equal(ExportResultCode.SUCCESS, 0);
assert.equal(ExportResultCode.FAILED, 1);

const key = createContextKey('OpenTelemetry SDK Context Key SUPPRESS_TRACING');
assert.equal(isTracingSuppressed(ROOT_CONTEXT.setValue(key, true)), true, 'the key is found by the SDK');
assert.equal(suppressTracing(ROOT_CONTEXT).getValue(key), true, "the SDK's key is ours");

await pinsConcurrencyLimit();
await pinsNothingToSend();
await pinsInvalidArgument(process.argv[2]);
await pinsRetryableStatus();
const statusCodes = await pinsStatusCodes();

console.log(
  JSON.stringify({
    versions: versions(),
    detail: `codes 0 and 1, four messages, HTTP ${statusCodes}, gRPC 3`,
  }),
);

async function pinsConcurrencyLimit() {
  const server = createServer(() => {}).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${server.address().port}/v1/traces`;
  const exporter = new OTLPTraceExporter({ url, timeoutMillis: 500, concurrencyLimit: 1 });
  const first = exported(exporter);
  const second = await exported(exporter);
  assert.equal(second.error?.message, 'Concurrent export limit reached');
  assert.equal(classifyResult(second), 'ignored');
  const timedOut = await first;
  assert.equal(classifyResult(timedOut), 'failure', 'a request that timed out');
  // What logs name the cause by, where there is no code.
  assert.match(timedOut.error.message, /^(Request Timeout|Request timed out)$/);
  assert.equal(timedOut.error.code, undefined);
  server.close();
  server.closeAllConnections();
}

/** The line's own exporter, with a serializer that gives nothing. */
async function pinsNothingToSend() {
  const exporter = new OTLPTraceExporter({ timeoutMillis: 500 });
  const serializer = exporter._delegate._serializer;
  assert.equal(typeof serializer.serializeRequest, 'function');
  exporter._delegate._serializer = { ...serializer, serializeRequest: () => undefined };
  const result = await exported(exporter);
  assert.equal(result.error?.message, 'Nothing to send');
  assert.equal(classifyResult(result), 'ignored');
  await exporter.shutdown();
}

/** The gRPC exporter puts gRPC's number on its error. */
async function pinsInvalidArgument(url) {
  const exporter = new GrpcTraceExporter({ url, timeoutMillis: 2_000 });
  const result = await exported(exporter);
  assert.equal(result.error?.code, 3);
  assert.equal(classifyResult(result), 'invalid');
  await exporter.shutdown();
}

/** A status that the HTTP exporter itself retries leaves a message, and no code. */
async function pinsRetryableStatus() {
  const server = createServer((request, response) => {
    request.resume().on('end', () => response.writeHead(503).end());
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${server.address().port}/v1/traces`;
  const exporter = new OTLPTraceExporter({ url, timeoutMillis: 500 });
  const { error } = await exported(exporter);
  assert.equal(error.message, 'Export failed with retryable status');
  assert.equal(error.code, undefined);
  await exporter.shutdown();
  server.close();
  server.closeAllConnections();
}

/** The HTTP exporter puts the HTTP status on its error as a number. */
async function pinsStatusCodes() {
  let status = 200;
  const server = createServer((request, response) => {
    request.resume().on('end', () => response.writeHead(status).end('{}'));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${server.address().port}/v1/traces`;
  const expected = {
    200: 'success',
    400: 'invalid',
    413: 'invalid',
    422: 'invalid',
    401: 'failure',
    404: 'failure',
    500: 'failure',
  };
  for (const [code, classification] of Object.entries(expected)) {
    status = Number(code);
    const exporter = new OTLPTraceExporter({ url, timeoutMillis: 2_000 });
    const result = await exported(exporter);
    if (status !== 200) assert.equal(result.error?.code, status);
    assert.equal(classifyResult(result), classification, `HTTP ${code}`);
    await exporter.shutdown();
  }
  server.close();
  server.closeAllConnections();
  return Object.keys(expected).join(' ');
}

function exported(exporter) {
  return new Promise((resolve) => exporter.export([], resolve));
}
