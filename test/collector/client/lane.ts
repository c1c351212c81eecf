/** One exporter as a user builds it, everything at its default: OTLP exporter, circuit breaker, batch processor, provider. */
import { pathToFileURL } from 'node:url';
import type { BasicTracerProvider, ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace-base';
import type { CircuitBreakerExporterOptions } from 'otel-circuit-breaker';
import { CircuitBreakerExporter } from 'otel-circuit-breaker';
import { renderHealth } from 'otel-circuit-breaker/health';
import { renderPrometheus } from 'otel-circuit-breaker/prometheus';
import type { ClientConfig, LaneConfig, LaneReport, Protocol, Transition } from './messages.ts';

const EXPORTERS: Readonly<Record<Protocol, string>> = {
  json: '@opentelemetry/exporter-trace-otlp-http',
  protobuf: '@opentelemetry/exporter-trace-otlp-proto',
  grpc: '@opentelemetry/exporter-trace-otlp-grpc',
};

/** By this name 2.12 has it too, with other types. */
const LINE_3_PACKAGE: string = '@opentelemetry/sdk-trace';

interface SpanExporterConstructor {
  new (options: { url: string }): SpanExporter;
}

export class Lane {
  readonly #config: LaneConfig;
  readonly #exporter: CircuitBreakerExporter<ReadableSpan[]>;
  readonly #provider: Pick<BasicTracerProvider, 'getTracer' | 'forceFlush' | 'shutdown'>;
  readonly #transitions: Transition[] = [];
  #made = 0;

  static async make(client: ClientConfig, config: LaneConfig): Promise<Lane> {
    const { OTLPTraceExporter } = (await import(EXPORTERS[client.protocol])) as {
      OTLPTraceExporter: SpanExporterConstructor;
    };
    const inner = new OTLPTraceExporter({ url: client.url });
    const exporter = new CircuitBreakerExporter<ReadableSpan[]>(inner, {
      name: `${client.protocol}-${config.lane}`,
      ...(await delivery(config)),
    });
    return new Lane(config, exporter, await makeProvider(client, exporter));
  }

  constructor(
    config: LaneConfig,
    exporter: CircuitBreakerExporter<ReadableSpan[]>,
    provider: Pick<BasicTracerProvider, 'getTracer' | 'forceFlush' | 'shutdown'>,
  ) {
    this.#config = config;
    this.#exporter = exporter;
    this.#provider = provider;
    exporter.breaker.onTransition(({ from, to, at }) => this.#transitions.push({ from, to, at }));
  }

  makeSpans(count: number, padding = 0): void {
    const tracer = this.#provider.getTracer('collector-test');
    for (let made = 0; made < count; made += 1) {
      const n = this.#config.first + this.#made;
      this.#made += 1;
      const attributes = padding === 0 ? { n } : { n, padding: 'x'.repeat(padding) };
      tracer.startSpan('numbered', { attributes }).end();
    }
  }

  async flush(): Promise<void> {
    // It rejects with whatever failed: the report tells that better.
    await this.#provider.forceFlush().catch(() => {});
  }

  async shutdown(): Promise<void> {
    await this.#provider.shutdown().catch(() => {});
    await this.#exporter.shutdown();
  }

  report(): LaneReport {
    return {
      ...this.#config,
      made: this.#made,
      snapshot: this.#exporter.snapshot(),
      health: renderHealth(this.#exporter),
      openHealth: renderHealth(this.#exporter, { includeErrorMessages: true }),
      prometheus: renderPrometheus(this.#exporter),
      transitions: this.#transitions,
    };
  }
}

async function delivery({
  lane,
  file,
}: LaneConfig): Promise<Pick<CircuitBreakerExporterOptions<ReadableSpan[]>, 'retention' | 'fallback'>> {
  if (lane === 'retention') return { retention: {} };
  if (lane === 'none') return {};
  if (file === undefined) throw new Error('the lane "file" needs a file');
  // The one of test/support, copied beside us.
  const example = (await import(pathToFileURL(`${import.meta.dirname}/file-span-exporter.ts`).href)) as {
    FileSpanExporter: new (path: string) => SpanExporter;
  };
  return { fallback: new example.FileSpanExporter(file) };
}

async function makeProvider(
  { sdk }: ClientConfig,
  exporter: SpanExporter,
): Promise<Pick<BasicTracerProvider, 'getTracer' | 'forceFlush' | 'shutdown'>> {
  if (sdk === '2.12') {
    const { BasicTracerProvider, BatchSpanProcessor } = await import('@opentelemetry/sdk-trace-base');
    return new BasicTracerProvider({ spanProcessors: [new BatchSpanProcessor(exporter)] });
  }
  // Of 3.x, whose types are not those that this file is checked with.
  const { TracerProvider, BatchSpanProcessor } = (await import(LINE_3_PACKAGE)) as unknown as {
    TracerProvider: typeof BasicTracerProvider;
    BatchSpanProcessor: new (
      options: object,
    ) => NonNullable<
      NonNullable<ConstructorParameters<typeof BasicTracerProvider>[0]>['spanProcessors']
    >[number];
  };
  return new TracerProvider({ spanProcessors: [new BatchSpanProcessor({ exporter })] });
}
