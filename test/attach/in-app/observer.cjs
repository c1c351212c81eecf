/**
 * Preloaded by the matrix into every application, before anything else: answers questions by IPC, and tells when the
 * distribution's shutdown has ended. Knows the API's global and the library's registry, and imports nothing of either.
 */
'use strict';

const API = Symbol.for('opentelemetry.js.api.1');
const API_LOGS = Symbol.for('io.opentelemetry.js.api.logs');
const EXPORTERS = Symbol.for('otel-circuit-breaker.exporters');

const providers = new Set();
let open = 0;
let began = 0;

/** What is registered behind the proxies of the API. */
function registered() {
  const api = globalThis[API] ?? {};
  const all = [api.trace, api.metrics, api.logs, globalThis[API_LOGS]?.(1)];
  return all.map((provider) => provider?._delegate ?? provider).filter((provider) => provider?.shutdown);
}

/** Of all providers together: from the first call to the last end. */
function watchShutdown(provider) {
  if (providers.has(provider)) return;
  providers.add(provider);
  const { shutdown } = provider;
  provider.shutdown = async function (...args) {
    open += 1;
    began ||= Date.now();
    try {
      return await shutdown.apply(this, args);
    } finally {
      open -= 1;
      setImmediate(() => {
        if (open === 0) process.send?.({ event: 'shut down', at: Date.now(), millis: Date.now() - began });
        if (open === 0 && process.env.OBSERVER_EXITS) process.exit(0);
      });
    }
  };
}

function snapshots() {
  return (globalThis[EXPORTERS] ?? []).flatMap((reference) => {
    const { name, state, delivery } = reference.deref()?.snapshot() ?? {};
    return name === undefined ? [] : [{ name, state, delivery }];
  });
}

const answers = {
  look() {
    for (const provider of registered()) watchShutdown(provider);
    return { providers: providers.size, exporters: snapshots() };
  },
  /** A data point, and spans and log records with the numbers `first` to `last`. */
  emit({ first, last }) {
    const tracer = globalThis[API].trace.getTracer('matrix');
    const logs = globalThis[API].logs ?? globalThis[API_LOGS]?.(1);
    const logger = logs?.getLogger('matrix');
    globalThis[API].metrics?.getMeter('matrix').createCounter('matrix').add(1);
    for (let n = first; n <= last; n++) {
      tracer.startSpan('matrix', { attributes: { n } }).end();
      logger?.emit({ body: 'matrix', attributes: { n } });
    }
    return true;
  },
};

if (process.send) {
  process.on('message', ({ id, question, argument }) => {
    let reply;
    try {
      reply = { id, result: answers[question](argument) };
    } catch (error) {
      reply = { id, error: String(error?.stack ?? error) };
    }
    process.send(reply);
  });
  // The application decides how long it lives.
  process.channel.unref();
}
