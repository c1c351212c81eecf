import { OTLPLogExporter as GrpcLogExporter } from '@opentelemetry/exporter-logs-otlp-grpc';
import { OTLPLogExporter as JsonLogExporter } from '@opentelemetry/exporter-logs-otlp-http';
import { OTLPLogExporter as ProtoLogExporter } from '@opentelemetry/exporter-logs-otlp-proto';
import { OTLPMetricExporter as GrpcMetricExporter } from '@opentelemetry/exporter-metrics-otlp-grpc';
import {
  AggregationTemporalityPreference,
  OTLPMetricExporter as JsonMetricExporter,
} from '@opentelemetry/exporter-metrics-otlp-http';
import { OTLPMetricExporter as ProtoMetricExporter } from '@opentelemetry/exporter-metrics-otlp-proto';
import { OTLPTraceExporter as GrpcTraceExporter } from '@opentelemetry/exporter-trace-otlp-grpc';
import { OTLPTraceExporter as JsonTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { OTLPTraceExporter as ProtoTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { CompressionAlgorithm } from '@opentelemetry/otlp-exporter-base';
import type { LogRecordExporter } from '@opentelemetry/sdk-logs';
import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace-base';
import type { ReceiverProcess } from './receiver-process.ts';

/** Time-out for exports that are to succeed, however busy the machine is. */
export const PATIENT = 10_000;
/** Time-out for exports that are to fail; too short for the exporters' first retry. */
export const IMPATIENT = 500;

/** An ExportResult, with the code that OTLP exporters put on their errors. */
export interface Result {
  code: number;
  error?: Error & { code?: number | string };
}

/** Exports once. */
export function exported(exporter: SpanExporter, spans: ReadableSpan[]): Promise<Result> {
  return new Promise((resolve) => exporter.export(spans, resolve));
}

/** Exports once with an exporter of its own. */
export async function send(
  protocol: Protocol,
  receiver: Pick<ReceiverProcess, 'endpoint'>,
  spans: ReadableSpan[],
  timeoutMillis = PATIENT,
): Promise<Result> {
  const exporter = protocol.traces(receiver.endpoint('traces'), timeoutMillis);
  try {
    return await exported(exporter, spans);
  } finally {
    await exporter.shutdown();
  }
}

/** A transport of OTLP: how the receiver is started for it, and its exporters. */
export interface Protocol {
  name: string;
  server: 'http' | 'grpc';
  success: string;
  invalid: number;
  traces(url: string, timeoutMillis: number): SpanExporter;
  logs(url: string): LogRecordExporter;
  metrics(url: string): JsonMetricExporter | ProtoMetricExporter | GrpcMetricExporter;
}

const temporalityPreference = AggregationTemporalityPreference.DELTA;
const gzip = { compression: CompressionAlgorithm.GZIP };

/** The three transports. */
export const protocols: Protocol[] = [
  {
    name: 'HTTP with JSON',
    server: 'http',
    success: '200',
    invalid: 400,
    traces: (url, timeoutMillis) => new JsonTraceExporter({ url, timeoutMillis }),
    logs: (url) => new JsonLogExporter({ url }),
    metrics: (url) => new JsonMetricExporter({ url, temporalityPreference }),
  },
  {
    name: 'HTTP with gzipped protobuf',
    server: 'http',
    success: '200',
    invalid: 400,
    traces: (url, timeoutMillis) => new ProtoTraceExporter({ url, timeoutMillis, ...gzip }),
    logs: (url) => new ProtoLogExporter({ url, ...gzip }),
    metrics: (url) => new ProtoMetricExporter({ url, temporalityPreference, ...gzip }),
  },
  {
    name: 'gRPC',
    server: 'grpc',
    success: '0',
    invalid: 3,
    traces: (url, timeoutMillis) => new GrpcTraceExporter({ url, timeoutMillis }),
    logs: (url) => new GrpcLogExporter({ url }),
    metrics: (url) => new GrpcMetricExporter({ url, temporalityPreference, ...gzip }),
  },
];
