// Next.js calls this once when the server starts.
export async function register(): Promise<void> {
  if (process.env['NEXT_RUNTIME'] !== 'nodejs') return;
  const { NodeSDK } = await import('@opentelemetry/sdk-node');
  const { OTLPTraceExporter } = await import('@opentelemetry/exporter-trace-otlp-http');
  const { CircuitBreakerExporter } = await import('otel-circuit-breaker');

  const sdk = new NodeSDK({
    serviceName: 'shop',
    traceExporter: new CircuitBreakerExporter(new OTLPTraceExporter()),
    // Left out, NodeSDK makes OTLP exporters of its own for these, and nothing guards those.
    metricReaders: [],
    logRecordProcessors: [],
  });
  sdk.start();
}
