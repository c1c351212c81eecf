import { setGlobalErrorHandler } from '@opentelemetry/core';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import type { ReadableSpan, SpanExporter, SpanProcessor } from '@opentelemetry/sdk-trace-base';
import { BasicTracerProvider, BatchSpanProcessor, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { CircuitBreakerExporterOptions } from '../../src/index.ts';
import { CircuitBreakerExporter } from '../../src/index.ts';
import { startReceiver } from '../support/receiver-process.ts';
import { waitFor } from '../support/wait-for.ts';

/** The time-out of the OTLP exporters. */
const TIMEOUT_MILLIS = 10_000;
const RETENTION: CircuitBreakerExporterOptions<ReadableSpan[]> = { retention: {} };
const PLAIN: CircuitBreakerExporterOptions<ReadableSpan[]> = {};

/** Spans a second: fewer, and more, than fill a batch of 512 in the 5 s that the processor waits. */
const TRAFFIC = { quiet: 10, busy: 200 } as const;

beforeEach(() => setGlobalErrorHandler(() => {}));
afterEach(() => {
  vi.useRealTimers();
});

const fakeTimers = (): void => {
  vi.useFakeTimers({
    toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'Date', 'performance'],
  });
};

/** Takes its time like an OTLP exporter, and knows what has arrived. */
class SlowExporter implements SpanExporter {
  /** How long an answer takes; one above the time-out is a failure then. */
  latencyMillis = 5;
  readonly arrived = new Set<ReadableSpan>();
  firstHungAt: number | undefined;
  readonly #timeoutMillis: number;
  readonly #waiting = new Set<Promise<void>>();

  constructor(timeoutMillis = TIMEOUT_MILLIS) {
    this.#timeoutMillis = timeoutMillis;
  }

  export(spans: ReadableSpan[], resultCallback: Parameters<SpanExporter['export']>[1]): void {
    const hangs = this.latencyMillis > this.#timeoutMillis;
    if (hangs) this.firstHungAt ??= Date.now();
    const waiting = new Promise<void>((resolve) => {
      setTimeout(
        () => {
          this.#waiting.delete(waiting);
          if (!hangs) for (const span of spans) this.arrived.add(span);
          resultCallback(hangs ? { code: 1, error: new Error('Request timed out') } : { code: 0 });
          resolve();
        },
        Math.min(this.latencyMillis, this.#timeoutMillis),
      );
    });
    this.#waiting.add(waiting);
  }

  async forceFlush(): Promise<void> {
    await Promise.all(this.#waiting);
  }

  /** Waits for what is under way, as the OTLP exporters do. */
  shutdown(): Promise<void> {
    return this.forceFlush();
  }
}

interface Service {
  /** Spans made so far. */
  readonly made: () => number;
  /** Ends the traffic, and the service by the two lines of the docs. @returns milliseconds */
  shutDown(): Promise<number>;
}

/** A service that makes so many spans a second until it is shut down. */
function startService(processor: SpanProcessor, exporter: SpanExporter, spansASecond: number): Service {
  const tracer = new BasicTracerProvider({ spanProcessors: [processor] }).getTracer('service');
  let made = 0;
  const perTick = Math.max(1, spansASecond / 1_000);
  const traffic = setInterval(
    () => {
      for (let i = 0; i < perTick; i++) {
        made++;
        tracer.startSpan('work').end();
      }
    },
    Math.max(1, 1_000 / spansASecond),
  );
  return {
    made: () => made,
    async shutDown() {
      clearInterval(traffic);
      const startedAt = Date.now();
      await processor.shutdown().catch(() => {});
      await exporter.shutdown();
      return Date.now() - startedAt;
    },
  };
}

describe('a collector that accepts and never answers, everything at its default', () => {
  beforeEach(fakeTimers);

  /** Some healthy exports, and then the collector hangs; resolves when the first export does. */
  async function startHung(options: CircuitBreakerExporterOptions<ReadableSpan[]>, spansASecond: number) {
    const inner = new SlowExporter();
    const exporter = new CircuitBreakerExporter<ReadableSpan[]>(inner, { random: () => 0.5, ...options });
    const service = startService(new BatchSpanProcessor(exporter), exporter, spansASecond);
    await vi.advanceTimersByTimeAsync(30_000);
    inner.latencyMillis = Number.POSITIVE_INFINITY;
    while (inner.firstHungAt === undefined) await vi.advanceTimersByTimeAsync(100);
    return { ...service, exporter, hungAt: inner.firstHungAt };
  }

  /** From the first export that hangs to OPEN. */
  async function secondsToDetect(
    options: CircuitBreakerExporterOptions<ReadableSpan[]>,
    spansASecond: number,
  ): Promise<number> {
    const { exporter, hungAt, shutDown } = await startHung(options, spansASecond);
    let openedAt: number | undefined;
    exporter.breaker.onTransition(() => {
      openedAt ??= Date.now();
    });
    while (openedAt === undefined) await vi.advanceTimersByTimeAsync(100);
    void shutDown();
    await vi.runAllTimersAsync();
    return (openedAt - hungAt) / 1_000;
  }

  /** The longest shutdown of those begun each second from the first export that hangs until the circuit is open. */
  async function worstShutdownMillis(
    options: CircuitBreakerExporterOptions<ReadableSpan[]>,
    spansASecond: number,
    untilSeconds: number,
  ): Promise<number> {
    let worst = 0;
    for (let seconds = 0; seconds <= untilSeconds; seconds++) {
      const { shutDown } = await startHung(options, spansASecond);
      await vi.advanceTimersByTimeAsync(1_000 * seconds);
      const shutdown = shutDown();
      await vi.runAllTimersAsync();
      worst = Math.max(worst, await shutdown);
    }
    return worst;
  }

  it.for([
    ['quiet', 40, 20],
    ['busy', 20, 15],
  ] as const)(
    'opens the circuit sooner with retention, for the processor is not held up: a %s service',
    async ([traffic, plain, retention]) => {
      expect(await secondsToDetect(PLAIN, TRAFFIC[traffic])).toBeLessThanOrEqual(plain);
      expect(await secondsToDetect(RETENTION, TRAFFIC[traffic])).toBeLessThanOrEqual(retention + 1);
    },
  );

  it.for(['quiet', 'busy'] as const)(
    'holds a shutdown up for 1.5 s at most with retention, whenever it comes: a %s service',
    async (traffic) => {
      expect(await worstShutdownMillis(RETENTION, TRAFFIC[traffic], 25)).toBeLessThanOrEqual(1_500);
    },
  );

  it('holds a shutdown up no longer than the bare exporter does, without retention', async () => {
    // The last flush of the processor, which is not ours, and then our own.
    expect(await worstShutdownMillis(PLAIN, TRAFFIC.busy, 25)).toBeLessThanOrEqual(TIMEOUT_MILLIS + 500);
  });
});

describe('a slow but healthy backend: as much is delivered as by the bare exporter, or more', () => {
  beforeEach(fakeTimers);

  interface Slow {
    readonly processor: (exporter: SpanExporter) => SpanProcessor;
    readonly spansASecond: number;
    readonly latencyMillis: number;
    readonly timeoutMillis?: number;
    readonly options?: CircuitBreakerExporterOptions<ReadableSpan[]>;
  }

  /** How many of the spans made in 20 s have arrived, 60 s later and after the shutdown. */
  async function deliver(slow: Slow, wrapped: boolean) {
    const inner = new SlowExporter(slow.timeoutMillis);
    inner.latencyMillis = slow.latencyMillis;
    const exporter = wrapped
      ? new CircuitBreakerExporter<ReadableSpan[]>(inner, { retention: {}, ...slow.options })
      : inner;
    const service = startService(slow.processor(exporter), exporter, slow.spansASecond);
    await vi.advanceTimersByTimeAsync(20_000);
    const shutdown = service.shutDown();
    await vi.advanceTimersByTimeAsync(60_000);
    await shutdown;
    const snapshot = exporter instanceof CircuitBreakerExporter ? exporter.snapshot() : undefined;
    return { arrived: inner.arrived.size, made: service.made(), snapshot };
  }

  const batch = (exporter: SpanExporter): SpanProcessor => new BatchSpanProcessor(exporter);
  const simple = (exporter: SpanExporter): SpanProcessor => new SimpleSpanProcessor(exporter);

  it.for<[string, Slow]>([
    [
      'a batch processor at 2,000 spans/s, answers of 2 s',
      { processor: batch, spansASecond: 2_000, latencyMillis: 2_000 },
    ],
    [
      'a batch processor at 200 spans/s, answers of 4 s from the start',
      { processor: batch, spansASecond: 200, latencyMillis: 4_000 },
    ],
    [
      'a simple processor with hundreds in flight, answers of 300 ms',
      { processor: simple, spansASecond: 1_000, latencyMillis: 300 },
    ],
    ['a simple processor, answers of 20 ms', { processor: simple, spansASecond: 1_000, latencyMillis: 20 }],
  ])('%s', async ([, slow]) => {
    const bare = await deliver(slow, false);
    const wrapped = await deliver(slow, true);
    expect(wrapped.made).toBe(bare.made);
    expect(wrapped.arrived).toBeGreaterThanOrEqual(bare.arrived);
  });

  describe('an exporter with a time-out of 60 s, answers of 20 s', () => {
    async function run(options: CircuitBreakerExporterOptions<ReadableSpan[]>) {
      const inner = new SlowExporter(60_000);
      inner.latencyMillis = 20_000;
      const sent = vi.spyOn(inner, 'export');
      const exporter = new CircuitBreakerExporter<ReadableSpan[]>(inner, { ...RETENTION, ...options });
      const service = startService(batch(exporter), exporter, 20);
      await vi.advanceTimersByTimeAsync(300_000);
      const { delivery, state } = exporter.snapshot();
      const firstSpans = sent.mock.calls.map(([spans]) => spans[0]);
      const sentAgain = firstSpans.length - new Set(firstSpans).size;
      void service.shutDown();
      await vi.runAllTimersAsync();
      return { ...delivery, state, sentAgain, sendings: firstSpans.length };
    }

    it('by default what is late is delivered, and not sent again', async () => {
      const { delivered, lost, sentAgain } = await run({});
      expect(delivered.batches).toBeGreaterThan(5);
      expect(lost.items).toBe(0);
      expect(sentAgain).toBe(0);
    });

    it('with an exportTimeoutMillis above that it is a healthy backend', async () => {
      const { state, lost, kept, sendings, offered } = await run({ exportTimeoutMillis: 65_000 });
      expect(state).toBe('CLOSED');
      expect(lost.items).toBe(0);
      // With three unanswered, some are kept for a while.
      expect(kept.batches).toBeLessThanOrEqual(2);
      expect(sendings).toBeLessThanOrEqual(offered.batches);
    });
  });
});

describe('with a real collector', () => {
  it('that hangs, the circuit opens, and a shutdown takes a fraction of its time-out, before and after', async () => {
    await using receiver = await startReceiver({ protocol: 'http' });
    for (const until of ['CLOSED', 'OPEN']) {
      await receiver.mode('healthy');
      const otlp = new OTLPTraceExporter({
        url: receiver.endpoint('traces'),
        timeoutMillis: until === 'OPEN' ? 2_000 : 10_000,
      });
      const exporter = new CircuitBreakerExporter<ReadableSpan[]>(otlp, RETENTION);
      const processor = new BatchSpanProcessor(exporter, { scheduledDelayMillis: 100 });
      const service = startService(processor, exporter, 500);
      await waitFor(() => exporter.snapshot().exports.success >= 4, { what: 'four exports to arrive' });
      await receiver.mode('hang');
      await waitFor(() => exporter.snapshot().delivery.inFlight.batches > 0, { what: 'an export to hang' });
      if (until === 'OPEN')
        await waitFor(() => exporter.breaker.state !== 'CLOSED', { what: 'the circuit to open' });
      expect(await service.shutDown()).toBeLessThan(4_000);
    }
  });

  it('120 ms away, a tool that flushes the provider and exits loses nothing', async () => {
    await using receiver = await startReceiver({ protocol: 'http', mode: 'latency:120' });
    const otlp = new OTLPTraceExporter({ url: receiver.endpoint('traces') });
    const exporter = new CircuitBreakerExporter<ReadableSpan[]>(otlp, RETENTION);
    const provider = new BasicTracerProvider({ spanProcessors: [new BatchSpanProcessor(exporter)] });
    const tracer = provider.getTracer('tool');
    for (let n = 1; n <= 1_500; n++) tracer.startSpan('work', { attributes: { n } }).end();

    await provider.forceFlush();

    // What process.exit() would leave behind is lost. Not even bare, the processor waits for the batch that it began
    // itself when the 512th span ended: that one comes in at about the same time.
    const { seen } = await receiver.stats();
    expect([[[1, 1_500, 1]], [[513, 1_500, 1]]]).toContainEqual(seen);
    expect(exporter.snapshot().delivery.kept.items).toBe(0);

    await exporter.forceFlush();
    expect(await receiver.stats()).toMatchObject({ seen: [[1, 1_500, 1]] });
    expect(exporter.snapshot().delivery).toMatchObject({ inFlight: { items: 0 }, kept: { items: 0 } });
    await provider.shutdown();
  });
});
