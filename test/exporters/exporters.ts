import type { Mode, Protocol } from './receiver.ts';

/** An exporter that is tried. */
export interface Exporter {
  /** For people; unique. */
  readonly title: string;
  /** Key in `in-app/make.mjs`. */
  readonly make: string;
  /** Folder in `apps`. */
  readonly app: string;
  /** Whose version is shown. */
  readonly packageName: string;
  readonly signal: 'traces' | 'logs' | 'metrics';
  readonly protocol: Protocol;
  /** Where it comes from, if the product has none of its own. */
  readonly uses?: string;
  /** False: the backend has never been there. */
  readonly warm?: boolean;
  /** A distribution starts once. */
  readonly onePerProcess?: boolean;
  /** @defaultValue all of them */
  readonly situations?: readonly Mode[];
}

/** In which an exporter is tried. */
export const SITUATIONS: readonly Mode[] = ['nobody listens', '503', '400', '401', 'hang'];

const traces = { signal: 'traces', protocol: 'http' } as const;
const azure = {
  app: 'azure',
  packageName: '@azure/monitor-opentelemetry-exporter',
  // It makes https of http.
  protocol: 'https',
} as const;
const googleMetrics = {
  make: 'google-metrics',
  app: 'google',
  packageName: '@google-cloud/opentelemetry-cloud-monitoring-exporter',
  signal: 'metrics',
  protocol: 'https',
} as const;

/** A product that sets an official exporter up. */
function setUp(title: string, make: string, packageName: string, uses: string, app = make): Exporter {
  return { ...traces, title, make, app, packageName, uses };
}

const HTTP_JSON = 'the official OTLP/HTTP JSON exporter';
const HTTP_PROTO = 'the official OTLP/HTTP protobuf exporter';

export const exporters: readonly Exporter[] = [
  {
    ...traces,
    title: 'OTLP/HTTP JSON, traces',
    make: 'otlp-json',
    app: 'otlp',
    packageName: '@opentelemetry/exporter-trace-otlp-http',
  },
  {
    ...traces,
    title: 'OTLP/HTTP protobuf, traces',
    make: 'otlp-proto',
    app: 'otlp',
    packageName: '@opentelemetry/exporter-trace-otlp-proto',
  },
  {
    ...traces,
    title: 'OTLP/gRPC, traces',
    make: 'otlp-grpc',
    app: 'otlp',
    packageName: '@opentelemetry/exporter-trace-otlp-grpc',
    protocol: 'grpc',
  },
  {
    title: 'OTLP/HTTP JSON, logs',
    make: 'otlp-logs',
    app: 'otlp',
    packageName: '@opentelemetry/exporter-logs-otlp-http',
    signal: 'logs',
    protocol: 'http',
  },
  {
    title: 'OTLP/HTTP JSON, metrics',
    make: 'otlp-metrics',
    app: 'otlp',
    packageName: '@opentelemetry/exporter-metrics-otlp-http',
    signal: 'metrics',
    protocol: 'http',
  },
  {
    ...traces,
    title: 'Zipkin',
    make: 'zipkin',
    app: 'zipkin',
    packageName: '@opentelemetry/exporter-zipkin',
  },
  {
    ...traces,
    title: 'Jaeger over HTTP',
    make: 'jaeger',
    app: 'jaeger',
    packageName: '@opentelemetry/exporter-jaeger',
  },
  {
    ...traces,
    title: 'Jaeger over UDP',
    make: 'jaeger-udp',
    app: 'jaeger',
    packageName: '@opentelemetry/exporter-jaeger',
    protocol: 'udp',
    situations: ['nobody listens'],
  },
  {
    ...traces,
    title: 'Google Cloud Trace',
    make: 'google-traces',
    app: 'google',
    packageName: '@google-cloud/opentelemetry-cloud-trace-exporter',
    protocol: 'grpcs',
  },
  { ...googleMetrics, title: 'Google Cloud Monitoring' },
  { ...googleMetrics, title: 'Google Cloud Monitoring, down from the start', warm: false },
  { ...azure, title: 'Azure Monitor, traces', make: 'azure-traces', signal: 'traces' },
  { ...azure, title: 'Azure Monitor, logs', make: 'azure-logs', signal: 'logs' },
  { ...azure, title: 'Azure Monitor, metrics', make: 'azure-metrics', signal: 'metrics' },
  {
    ...azure,
    title: 'Azure Monitor, traces, `disableOfflineStorage`',
    make: 'azure-no-storage',
    signal: 'traces',
  },
  {
    ...traces,
    title: 'Vercel `OTLPHttpJsonTraceExporter`',
    make: 'vercel-json',
    app: 'vercel',
    packageName: '@vercel/otel',
  },
  {
    ...traces,
    title: 'Vercel `OTLPHttpProtoTraceExporter`',
    make: 'vercel-proto',
    app: 'vercel',
    packageName: '@vercel/otel',
  },
  setUp('Langfuse', 'langfuse', '@langfuse/otel', HTTP_JSON),
  setUp('Arize Phoenix', 'phoenix', '@arizeai/phoenix-otel', HTTP_PROTO),
  setUp('LangSmith', 'langsmith', 'langsmith', `a subclass of ${HTTP_PROTO}`),
  setUp('PostHog', 'posthog', '@posthog/ai', `a subclass of ${HTTP_JSON}`),
  setUp('Braintrust', 'braintrust', '@braintrust/otel', `${HTTP_JSON}, made at the first export`),
  { ...setUp('Pydantic Logfire', 'logfire', '@pydantic/logfire-node', HTTP_PROTO), onePerProcess: true },
  setUp('Traceloop', 'traceloop', '@traceloop/node-server-sdk', HTTP_PROTO),
  {
    ...setUp('Elastic EDOT', 'elastic', '@elastic/opentelemetry-node', HTTP_PROTO, 'edot'),
    onePerProcess: true,
  },
  { ...setUp('Splunk', 'splunk', '@splunk/otel', HTTP_PROTO), onePerProcess: true },
  setUp('Honeycomb', 'honeycomb', '@honeycombio/opentelemetry-node', HTTP_PROTO),
];
