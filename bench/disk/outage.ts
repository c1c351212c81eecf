import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { ReadableSpan } from '@opentelemetry/sdk-trace-base';
import type { BatchStore, ExporterLike } from 'otel-circuit-breaker';
import { CircuitBreakerExporter } from 'otel-circuit-breaker';
import { diskStore } from 'otel-circuit-breaker/disk';

/** A backend that can be switched off. */
class Backend implements ExporterLike<ReadableSpan[]> {
  isUp = false;

  export(_: ReadableSpan[], resultCallback: (result: { code: number; error?: Error }) => void): void {
    setImmediate(() => resultCallback(this.isUp ? { code: 0 } : { code: 1, error: new Error('503') }));
  }

  async shutdown(): Promise<void> {}
}

function accepted(exporter: CircuitBreakerExporter<ReadableSpan[]>, batch: ReadableSpan[]): Promise<void> {
  return new Promise((resolve) => exporter.export(batch, () => resolve()));
}

/**
 * How long the event loop is held up while a service makes spans in an outage.
 *
 * @returns milliseconds: the 99th percentile, and the longest
 */
export async function delayInOutage(
  store: BatchStore<ReadableSpan[]> | undefined,
  batches: readonly ReadableSpan[][],
  { seconds, spansPerSecond }: { seconds: number; spansPerSecond: number },
): Promise<{ p99: number; max: number }> {
  const exporter = new CircuitBreakerExporter(new Backend(), { retention: { store } });
  const [first = []] = batches;
  const pauseMillis = (first.length / spansPerSecond) * 1_000;
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  for (let i = 0; i * pauseMillis < seconds * 1_000; i++) {
    await Promise.all([
      accepted(exporter, batches[i % batches.length] ?? first),
      new Promise((resolve) => setTimeout(resolve, pauseMillis)),
    ]);
  }
  delay.disable();
  await exporter.shutdown();
  return { p99: delay.percentile(99) / 1e6 - 1, max: delay.max / 1e6 - 1 };
}

/** Delivers what an outage has left on disk, with a pace, and by hand. */
export async function drain(
  directory: string,
  batches: readonly ReadableSpan[][],
  count: number,
): Promise<{ liveBatches: number; byHandMillis: number }> {
  const backend = new Backend();
  const outage = async (): Promise<CircuitBreakerExporter<ReadableSpan[]>> => {
    backend.isUp = false;
    const exporter = new CircuitBreakerExporter(backend, {
      retention: { store: diskStore({ directory, maxBytes: 256 * 1024 * 1024 }), idleMillis: 0 },
    });
    for (let i = 0; i < count; i++) await accepted(exporter, batches[i % batches.length] ?? []);
    backend.isUp = true;
    exporter.breaker.reset();
    return exporter;
  };
  const paced = await outage();
  let liveBatches = 0;
  while (paced.snapshot().delivery.kept.batches > 0) {
    await accepted(paced, batches[0] ?? []);
    liveBatches++;
    // The redelivery that this one has earned.
    const { redelivered } = paced.snapshot().delivery;
    const before = redelivered.batches;
    while (paced.snapshot().delivery.redelivered.batches === before && liveBatches <= count * 2) {
      await new Promise((resolve) => setImmediate(resolve));
      if (paced.snapshot().delivery.kept.batches === 0) break;
    }
  }
  await paced.shutdown();
  const byHand = await outage();
  const began = performance.now();
  await byHand.redeliver();
  const byHandMillis = performance.now() - began;
  const { kept, lost } = byHand.snapshot().delivery;
  if (kept.batches + lost.batches > 0) throw new Error(`${kept.batches} batches kept, ${lost.batches} lost`);
  await byHand.shutdown();
  return { liveBatches, byHandMillis };
}
