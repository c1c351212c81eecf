/**
 * Loads every entry of the package both ways, in one process: `node entries.mjs <entry> <entry> …`
 * Prints what it found as one line of JSON.
 */
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { versions } from './versions.mjs';

const require = createRequire(import.meta.url);
const entries = process.argv.slice(2);
const exportsOf = {};
for (const entry of entries) {
  const imported = await import(entry);
  const required = require(entry);
  const names = Object.keys(imported)
    .filter((name) => name !== 'default' && name !== 'module.exports' && name !== '__esModule')
    .sort();
  assert.ok(names.length > 0, `${entry} exports something`);
  assert.deepEqual(Object.keys(required).sort(), names, `${entry} exports the same both ways`);
  exportsOf[entry] = names;
}

const esm = await import('otel-circuit-breaker');
const cjs = require('otel-circuit-breaker');
assert.notEqual(esm.CircuitBreaker, cjs.CircuitBreaker, 'there are two copies');
await sharesBreaker(esm, cjs);
await sharesBreaker(cjs, esm);

console.log(JSON.stringify({ versions: versions(), exportsOf }));

/** A breaker made by one copy rules over an exporter made by the other. */
async function sharesBreaker(ofBreaker, ofExporter) {
  const breaker = new ofBreaker.CircuitBreaker({
    name: 'shared',
    tripPolicy: ofBreaker.consecutiveFailures(1),
    probePolicy: ofBreaker.everyNthAttempt(2),
  });
  let answer = { code: 1, error: new Error('down') };
  let calls = 0;
  const inner = {
    export(_batch, resultCallback) {
      calls += 1;
      resultCallback(answer);
    },
    shutdown: async () => {},
  };
  const exporter = new ofExporter.CircuitBreakerExporter(inner, { breaker });
  const exported = () => new Promise((resolve) => exporter.export([1], resolve));

  assert.equal((await exported()).error.message, 'down');
  assert.equal(breaker.state, 'OPEN');
  assert.equal((await exported()).error.code, 'ERR_CIRCUIT_OPEN');
  assert.equal(calls, 1, 'a rejected batch does not reach the inner exporter');
  answer = { code: 0 };
  assert.equal((await exported()).code, 0);
  assert.equal(breaker.state, 'CLOSED');
  assert.deepEqual(breaker.snapshot().probes, { success: 1, failure: 0 });
  await exporter.shutdown();
}
