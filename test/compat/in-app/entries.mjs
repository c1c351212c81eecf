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
  const exportsNothing = entry === 'otel-circuit-breaker/attach';
  assert.equal(names.length === 0, exportsNothing, `${entry} exports ${names.join(', ')}`);
  assert.deepEqual(Object.keys(required).sort(), names, `${entry} exports the same both ways`);
  exportsOf[entry] = names;
}

const esm = await import('otel-circuit-breaker');
const cjs = require('otel-circuit-breaker');
assert.notEqual(esm.CircuitBreaker, cjs.CircuitBreaker, 'there are two copies');
await sharesRegistry(esm, cjs);

console.log(JSON.stringify({ versions: versions(), exportsOf }));

/** What one copy registers, the other one finds. */
async function sharesRegistry(...copies) {
  const inner = { export: (_batch, resultCallback) => resultCallback({ code: 0 }), shutdown: async () => {} };
  const esmRegistry = await import('otel-circuit-breaker/registry');
  const cjsRegistry = require('otel-circuit-breaker/registry');
  for (const { CircuitBreakerExporter } of copies) {
    const exporter = new CircuitBreakerExporter(inner);
    cjsRegistry.registerExporter(exporter);
    assert.ok(esmRegistry.registeredExporters().includes(exporter), 'there is one registry');
  }
}
