/** Honeycomb's SDK is given an exporter, or a span processor with one, and makes some spans. */
import { createRequire } from 'node:module';
import { setTimeout } from 'node:timers/promises';
import { HoneycombSDK } from '@honeycombio/opentelemetry-node';
import { trace } from '@opentelemetry/api';
import { CircuitBreakerExporter } from 'otel-circuit-breaker';
import { make } from './make.mjs';
import { receiver, report } from './receiver.mjs';

const [url, given] = process.argv.slice(2);
const exporter = new CircuitBreakerExporter(await make.honeycomb(url));
const sdkRequire = createRequire(import.meta.resolve('@honeycombio/opentelemetry-node'));
const { BatchSpanProcessor } = sdkRequire('@opentelemetry/sdk-trace-base');
const sdk = new HoneycombSDK({
  apiKey: 'key',
  serviceName: 'exporters',
  tracesEndpoint: `${url}/v1/traces`,
  ...(given === 'exporter'
    ? { traceExporter: exporter }
    : { spanProcessors: [new BatchSpanProcessor(exporter)] }),
});
sdk.start();
trace.getTracer('exporters').startSpan('request').end();
await receiver('healthy');
await Promise.race([sdk.shutdown().catch(() => {}), setTimeout(5_000)]);
const requests = await receiver('healthy');
report({ requests, offered: exporter.snapshot().delivery.offered.items, state: exporter.breaker.state });
