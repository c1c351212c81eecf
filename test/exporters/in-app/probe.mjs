/**
 * One exporter in one situation, told to the parent as it goes: how it answers, what the breaker makes of that, and how
 * long `shutdown()` takes. The parent has the receiver, and puts it into the state that is asked for.
 *
 *     node probe.mjs <exporter> <signal> <situation> <options as JSON>
 */
import { setTimeout } from 'node:timers/promises';
import { afterCooldown, CircuitBreakerExporter } from 'otel-circuit-breaker';
import { batchOf } from './items.mjs';
import { make } from './make.mjs';
import { receiver, report } from './receiver.mjs';

const [name, signal, situation, options] = process.argv.slice(2);
const { url, parts, warm, exportTimeoutMillis, patienceMillis } = JSON.parse(options);
const RECOVERY_MILLIS = 30_000;

/** The first answer, as the exporter said it. */
let said;

const since = (began) => Math.round(performance.now() - began);

/** An exporter behind a breaker, and between the two something that listens. */
async function wrapped() {
  const inner = await make[name](url);
  const listening = {
    export(batch, answer) {
      const began = performance.now();
      return inner.export(batch, (result) => {
        // Azure's answers twice; the first one counts.
        said ??= { result, millis: since(began) };
        answer(result);
      });
    },
    forceFlush: () => inner.forceFlush?.(),
    shutdown: () => inner.shutdown(),
  };
  const probePolicy = afterCooldown(100);
  return new CircuitBreakerExporter(listening, { probePolicy, exportTimeoutMillis, onError: () => {} });
}

const send = (exporter) => new Promise((resolve) => exporter.export(batchOf[signal](), resolve));

/** Nothing is measured of an exporter that does not work, or that sends nothing. */
async function warmUp(exporter) {
  if (!warm) return;
  const before = await receiver('healthy');
  const { code, error } = await send(exporter);
  if (code !== 0) throw new Error(`the healthy receiver was refused: ${error?.stack}`);
  if ((await receiver('healthy')) === before) throw new Error('nothing arrived');
}

function told(error) {
  if (error === undefined) return undefined;
  const { name: kind, code, statusCode, message, cause } = error;
  return { name: kind, code: code ?? statusCode ?? cause?.code ?? null, message: String(message) };
}

/** The kind of result that is counted once more than before. */
function countedAs(before, after) {
  return Object.keys(after).find((kind) => after[kind] > before[kind]);
}

async function outage() {
  const exporter = await wrapped();
  await warmUp(exporter);
  await begin();
  const before = exporter.snapshot().exports;
  said = undefined;
  const began = performance.now();
  await send(exporter);
  const answerMillis = since(began);
  const answer = said;
  const snapshot = exporter.snapshot();
  const classification = countedAs(before, snapshot.exports);
  const last = { failure: 'lastFailure', invalid: 'lastInvalid', ignored: 'lastIgnored' }[classification];
  const seen = {
    answer: answer === undefined ? 'nothing' : answer.result.code === 0 ? 'SUCCESS' : 'FAILED',
    millis: answer?.millis ?? answerMillis,
    error: told(answer?.result.error),
    classification,
    cause: snapshot[last]?.cause ?? null,
  };
  for (let sent = 1; sent < 3; sent++) await send(exporter);
  seen.opened = exporter.snapshot().state !== 'CLOSED';
  await receiver('healthy');
  if (seen.opened) {
    const end = performance.now() + RECOVERY_MILLIS;
    while (exporter.snapshot().state !== 'CLOSED' && performance.now() < end) {
      await setTimeout(150);
      await send(exporter);
    }
    seen.closed = exporter.snapshot().state === 'CLOSED';
  }
  void exporter.shutdown();
  return seen;
}

/** Milliseconds to the end of `shutdown()` with an export under way; `null` if it does not end. */
async function shutdownMillis(exporter) {
  void Promise.resolve(exporter.export(batchOf[signal](), () => {})).catch(() => {});
  await setTimeout(50);
  const began = performance.now();
  const ended = exporter.shutdown().catch(() => {});
  return (await Promise.race([ended.then(() => true), setTimeout(patienceMillis, false)]))
    ? since(began)
    : null;
}

/** The receiver begins to fail; connections that it has closed are known to be closed. */
async function begin() {
  await receiver(situation);
  await setTimeout(100);
}

const measured = {
  outage,
  async shutdown() {
    const exporter = await wrapped();
    await warmUp(exporter);
    await begin();
    return { shutdownMillis: await shutdownMillis(exporter) };
  },
  async bareShutdown() {
    const exporter = await make[name](url);
    await warmUp(exporter);
    await begin();
    return { bareShutdownMillis: await shutdownMillis(exporter) };
  },
};

// What an exporter fails with beside its answers is none of ours.
process.on('unhandledRejection', (reason) => console.error('unhandled:', reason));
const seen = {};
for (const part of parts) Object.assign(seen, await measured[part]());
report(seen);
