import { setGlobalErrorHandler } from '@opentelemetry/core';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import type { SpanExporter } from '@opentelemetry/sdk-trace-base';
import { BasicTracerProvider, BatchSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { CircuitBreakerExporterOptions } from '../../src/index.ts';
import { anyTrip, CircuitBreakerExporter, consecutiveFailures, slowExportRate } from '../../src/index.ts';
import { startReceiver } from '../support/receiver-process.ts';
import { waitFor } from '../support/wait-for.ts';

/** What a user sets: the OTLP exporter's own time-out, and the options of the breaker. */
interface Setting {
  readonly timeoutMillis: number;
  readonly options: CircuitBreakerExporterOptions;
}

const DEFAULTS: Setting = { timeoutMillis: 10_000, options: {} };
/** The recipe of the README. */
const RECIPE: Setting = {
  timeoutMillis: 3_000,
  options: {
    exportTimeoutMillis: 4_000,
    tripPolicy: anyTrip(
      consecutiveFailures(3),
      slowExportRate({ slowerThanMillis: 2_000, window: { exports: 4 }, minimumExports: 2 }),
    ),
  },
};

/** Spans a second: fewer, and more, than fill a batch of 512 in the 5 s that the processor waits. */
const TRAFFIC = { quiet: 10, busy: 200 } as const;

/**
 * What README says, in seconds. Busy is quicker: after the first failure the batch processor exports two batches at a
 * time. With retention `shutdown()` has the last chance as well, and a CLOSED circuit then waits for what that sent.
 */
const PROMISED = {
  defaults: { detect: { quiet: 40, busy: 20 }, shutdown: 10, shutdownWithRetention: 20 },
  recipe: { detect: { quiet: 11, busy: 6 }, shutdown: 3, shutdownWithRetention: 4 },
};

beforeEach(() => setGlobalErrorHandler(() => {}));
afterEach(() => {
  vi.useRealTimers();
});

describe('a collector that accepts and never answers', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'Date'] });
  });

  it.for([
    ['defaults', DEFAULTS],
    ['recipe', RECIPE],
  ] as const)(
    'opens the circuit, and holds a shutdown up, for as long as README says: %s',
    async ([name, setting]) => {
      const detect = {
        quiet: await secondsToDetect(setting, TRAFFIC.quiet),
        busy: await secondsToDetect(setting, TRAFFIC.busy),
      };
      const shutdown = await worstShutdownSeconds(setting, detect);
      const retaining = { ...setting, options: { ...setting.options, retention: {} } };
      const shutdownWithRetention = await worstShutdownSeconds(retaining, detect);

      console.log(name, JSON.stringify({ detect, shutdown, shutdownWithRetention }));
      expect({ detect, shutdown, shutdownWithRetention }).toEqual(PROMISED[name]);
    },
  );
});

describe('the recipe with a real collector that hangs', () => {
  it('opens after two time-outs, and then shuts down within a second', async () => {
    await using receiver = await startReceiver({ protocol: 'http' });
    const otlp = new OTLPTraceExporter({
      url: receiver.endpoint('traces'),
      timeoutMillis: RECIPE.timeoutMillis,
    });
    const service = startService(otlp, RECIPE, 500, 100);
    await waitFor(async () => (await receiver.stats()).batches >= 4, { what: 'four exports to arrive' });

    await receiver.mode('hang');
    await waitFor(async () => (await receiver.stats()).unanswered.batches > 0, { what: 'an export to hang' });
    const hungAt = performance.now();
    await waitFor(() => service.exporter.breaker.state !== 'CLOSED', {
      what: 'the circuit to open',
      timeoutMillis: 20_000,
    });
    const detectMillis = performance.now() - hungAt;
    const shutdownMillis = await service.shutDown();

    console.log(`recipe, for real: ${Math.round(detectMillis)} ms, then ${Math.round(shutdownMillis)} ms`);
    expect(detectMillis).toBeGreaterThan(5_500);
    expect(detectMillis).toBeLessThan(8_000);
    expect(shutdownMillis).toBeLessThan(1_500);
  });

  it('holds a shutdown up for one time-out while the circuit is still CLOSED', async () => {
    await using receiver = await startReceiver({ protocol: 'http', mode: 'hang' });
    const otlp = new OTLPTraceExporter({
      url: receiver.endpoint('traces'),
      timeoutMillis: RECIPE.timeoutMillis,
    });
    const service = startService(otlp, RECIPE, 500, 100);
    await waitFor(async () => (await receiver.stats()).unanswered.batches > 0, { what: 'an export to hang' });

    const shutdownMillis = await service.shutDown();

    console.log(`recipe, for real, still CLOSED: ${Math.round(shutdownMillis)} ms`);
    expect(shutdownMillis).toBeGreaterThan(2_500);
    expect(shutdownMillis).toBeLessThan(4_500);
  });
});

/** Answers at once, and from some time on like an OTLP exporter whose collector hangs. */
class HangingExporter implements SpanExporter {
  hangs = false;
  firstHungAt: number | undefined;
  readonly #timeoutMillis: number;
  readonly #waiting = new Set<Promise<void>>();

  constructor(timeoutMillis: number) {
    this.#timeoutMillis = timeoutMillis;
  }

  export(_: unknown, resultCallback: Parameters<SpanExporter['export']>[1]): void {
    if (!this.hangs) {
      resultCallback({ code: 0 });
      return;
    }
    this.firstHungAt ??= Date.now();
    const waiting = new Promise<void>((resolve) => {
      setTimeout(() => {
        this.#waiting.delete(waiting);
        resultCallback({ code: 1, error: new Error('Request timed out') });
        resolve();
      }, this.#timeoutMillis);
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

/** A service with a real batch processor and the real breaker, which makes spans until it is shut down. */
function startService(inner: SpanExporter, { options }: Setting, spansASecond: number, delayMillis = 5_000) {
  const exporter = new CircuitBreakerExporter(inner, { random: () => 0.5, ...options });
  const processor = new BatchSpanProcessor(exporter, { scheduledDelayMillis: delayMillis });
  const tracer = new BasicTracerProvider({ spanProcessors: [processor] }).getTracer('service');
  const traffic = setInterval(() => tracer.startSpan('work').end(), 1_000 / spansASecond);
  return {
    exporter,
    /** The two lines of the docs. @returns milliseconds */
    async shutDown(): Promise<number> {
      clearInterval(traffic);
      const startedAt = Date.now();
      await processor.shutdown().catch(() => {});
      await exporter.shutdown();
      return Date.now() - startedAt;
    },
  };
}

/** Some healthy exports, and then the collector hangs; resolves when the first export does. */
async function startHung(setting: Setting, spansASecond: number) {
  const inner = new HangingExporter(setting.timeoutMillis);
  const service = startService(inner, setting, spansASecond);
  await vi.advanceTimersByTimeAsync(30_000);
  inner.hangs = true;
  while (inner.firstHungAt === undefined) await vi.advanceTimersByTimeAsync(100);
  return { ...service, hungAt: inner.firstHungAt };
}

/** From the first export that hangs to OPEN. */
async function secondsToDetect(setting: Setting, spansASecond: number): Promise<number> {
  const { exporter, hungAt, shutDown } = await startHung(setting, spansASecond);
  let openedAt: number | undefined;
  exporter.breaker.onTransition(() => {
    openedAt ??= Date.now();
  });
  while (openedAt === undefined) await vi.advanceTimersByTimeAsync(100);
  void shutDown();
  await vi.runAllTimersAsync();
  return (openedAt - hungAt) / 1_000;
}

/** The longest shutdown of those begun each half second from the first export that hangs until the circuit is open. */
async function worstShutdownSeconds(
  setting: Setting,
  detect: Readonly<Record<keyof typeof TRAFFIC, number>>,
): Promise<number> {
  let worstMillis = 0;
  for (const traffic of ['quiet', 'busy'] as const) {
    const untilMillis = (detect[traffic] + 5) * 1_000;
    for (let millis = 0; millis <= untilMillis; millis += 500) {
      const { shutDown } = await startHung(setting, TRAFFIC[traffic]);
      await vi.advanceTimersByTimeAsync(millis);
      const shutdown = shutDown();
      await vi.runAllTimersAsync();
      worstMillis = Math.max(worstMillis, await shutdown);
    }
  }
  return Math.round(worstMillis / 100) / 10;
}
