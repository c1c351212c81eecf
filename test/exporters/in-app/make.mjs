/**
 * How each exporter is made, aimed at `url`. Products that only set an official exporter up are asked for the one that
 * they have made.
 */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';

const AZURE_KEY = '00000000-0000-0000-0000-000000000000';

const azure = (name, more) => async (url) => {
  const exporters = await import('@azure/monitor-opentelemetry-exporter');
  const connectionString = `InstrumentationKey=${AZURE_KEY};IngestionEndpoint=${url}/;LiveEndpoint=${url}/`;
  const storageDirectory = mkdtempSync(join(tmpdir(), 'azure-'));
  return new exporters[name]({ connectionString, storageDirectory, ...more });
};

/** A key of our own, and no network: with a universe of its own, the library signs the tokens itself. */
async function googleOptions(url) {
  const { generateKeyPairSync } = await import('node:crypto');
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return {
    apiEndpoint: new URL(url).host,
    projectId: 'exporters',
    credentials: {
      type: 'service_account',
      client_email: 'nobody@exporters.invalid',
      private_key: privateKey.export({ type: 'pkcs8', format: 'pem' }),
      universe_domain: 'exporters.invalid',
    },
  };
}

/** The exporter that a processor or provider holds, however deep; some are made late. */
async function exporterIn(holder) {
  for (let look = 0; look < 50; look++) {
    const found = search(holder);
    if (found !== undefined) return found;
    await setTimeout(100);
  }
  throw new Error('no exporter found');
}

function search(holder) {
  const seen = new Set([holder]);
  for (const object of seen) {
    if (seen.size > 20_000) return undefined;
    if (object !== holder && isExporter(object)) return object;
    for (const value of Object.values(object))
      if (typeof value === 'object' && value !== null) seen.add(value);
  }
  return undefined;
}

/** A provider or processor has no `export`. */
function isExporter({ export: send, shutdown }) {
  return typeof send === 'function' && typeof shutdown === 'function';
}

/** The provider that a distribution has registered. */
function registeredProvider() {
  const { trace } = globalThis[Symbol.for('opentelemetry.js.api.1')];
  return trace.getDelegate?.() ?? trace;
}

export const make = {
  'otlp-json': async (url) => {
    const { OTLPTraceExporter } = await import('@opentelemetry/exporter-trace-otlp-http');
    return new OTLPTraceExporter({ url: `${url}/v1/traces` });
  },
  'otlp-proto': async (url) => {
    const { OTLPTraceExporter } = await import('@opentelemetry/exporter-trace-otlp-proto');
    return new OTLPTraceExporter({ url: `${url}/v1/traces` });
  },
  'otlp-grpc': async (url) => {
    const { OTLPTraceExporter } = await import('@opentelemetry/exporter-trace-otlp-grpc');
    return new OTLPTraceExporter({ url });
  },
  'otlp-logs': async (url) => {
    const { OTLPLogExporter } = await import('@opentelemetry/exporter-logs-otlp-http');
    return new OTLPLogExporter({ url: `${url}/v1/logs` });
  },
  'otlp-metrics': async (url) => {
    const { OTLPMetricExporter } = await import('@opentelemetry/exporter-metrics-otlp-http');
    return new OTLPMetricExporter({ url: `${url}/v1/metrics` });
  },
  zipkin: async (url) => {
    const { ZipkinExporter } = await import('@opentelemetry/exporter-zipkin');
    return new ZipkinExporter({ url: `${url}/api/v2/spans` });
  },
  jaeger: async (url) => {
    const { JaegerExporter } = await import('@opentelemetry/exporter-jaeger');
    return new JaegerExporter({ endpoint: `${url}/api/traces` });
  },
  'jaeger-udp': async (url) => {
    const { JaegerExporter } = await import('@opentelemetry/exporter-jaeger');
    return new JaegerExporter({ host: '127.0.0.1', port: Number(new URL(url).port) });
  },
  'azure-traces': azure('AzureMonitorTraceExporter', {}),
  'azure-logs': azure('AzureMonitorLogExporter', {}),
  'azure-metrics': azure('AzureMonitorMetricExporter', {}),
  'azure-no-storage': azure('AzureMonitorTraceExporter', { disableOfflineStorage: true }),
  'google-traces': async (url) => {
    const { TraceExporter } = await import('@google-cloud/opentelemetry-cloud-trace-exporter');
    return new TraceExporter(await googleOptions(url));
  },
  'google-metrics': async (url) => {
    const { MetricExporter } = await import('@google-cloud/opentelemetry-cloud-monitoring-exporter');
    return new MetricExporter(await googleOptions(url));
  },
  'vercel-json': async (url) => {
    const { OTLPHttpJsonTraceExporter } = await import('@vercel/otel');
    return new OTLPHttpJsonTraceExporter({ url: `${url}/v1/traces` });
  },
  'vercel-proto': async (url) => {
    const { OTLPHttpProtoTraceExporter } = await import('@vercel/otel');
    return new OTLPHttpProtoTraceExporter({ url: `${url}/v1/traces` });
  },
  langfuse: async (url) => {
    const { LangfuseSpanProcessor } = await import('@langfuse/otel');
    return exporterIn(new LangfuseSpanProcessor({ baseUrl: url, publicKey: 'pk', secretKey: 'sk' }));
  },
  phoenix: async (url) => {
    const { getDefaultSpanProcessor } = await import('@arizeai/phoenix-otel');
    return exporterIn(getDefaultSpanProcessor({ url, apiKey: 'key', batch: true }));
  },
  langsmith: async (url) => {
    process.env.LANGSMITH_TRACING = 'true';
    const { LangSmithOTLPTraceExporter } = await import('langsmith/experimental/otel/exporter');
    return new LangSmithOTLPTraceExporter({ url: `${url}/otel/v1/traces`, headers: { 'x-api-key': 'key' } });
  },
  posthog: async (url) => {
    const { PostHogTraceExporter } = await import('@posthog/ai/otel');
    return new PostHogTraceExporter({ projectToken: 'phc_key', host: url });
  },
  braintrust: async (url) => {
    const { BraintrustSpanProcessor } = await import('@braintrust/otel');
    return exporterIn(
      new BraintrustSpanProcessor({ apiKey: 'key', apiUrl: url, parent: 'project_name:exporters' }),
    );
  },
  logfire: async (url) => {
    const { configure } = await import('@pydantic/logfire-node');
    configure({ token: 'key', sendToLogfire: true, advanced: { baseUrl: url } });
    return exporterIn(registeredProvider());
  },
  elastic: async (url) => {
    process.env.OTEL_EXPORTER_OTLP_ENDPOINT = url;
    await import('@elastic/opentelemetry-node');
    return exporterIn(registeredProvider());
  },
  splunk: async (url) => {
    const { start } = await import('@splunk/otel');
    start({ endpoint: url, tracing: true, metrics: false, profiling: false });
    return exporterIn(registeredProvider());
  },
  traceloop: async (url) => {
    const { createSpanProcessor } = await import('@traceloop/node-server-sdk');
    return exporterIn(createSpanProcessor({ baseUrl: url, apiKey: 'key', disableBatch: false }));
  },
  honeycomb: async (url) => {
    const { configureHoneycombHttpProtoTraceExporter } = await import('@honeycombio/opentelemetry-node');
    return configureHoneycombHttpProtoTraceExporter({ apiKey: 'key', tracesEndpoint: `${url}/v1/traces` });
  },
};
