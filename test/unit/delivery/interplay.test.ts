import type { ResourceMetrics } from '@opentelemetry/sdk-metrics';
import {
  AggregationTemporality,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import type { ReadableSpan } from '@opentelemetry/sdk-trace-base';
import { BasicTracerProvider, BatchSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { describe, expect, it } from 'vitest';
import type { ExporterLike, ExportResultLike } from '../../../src/index.ts';
import { CircuitBreakerExporter, consecutiveFailures } from '../../../src/index.ts';
import { ManualClock } from '../../../src/testing/index.ts';
import { balance, FAILURE, pass, Rig, recordWarnings, SUCCESS, settled, watch } from './rig.ts';

recordWarnings();

/** A circuit that opens at the third failure, as by default. */
const THREE = { tripPolicy: consecutiveFailures(3) };

describe('a handed-over batch whose export times out', () => {
  it('is kept once, and that was no failed redelivery', async () => {
    const rig = new Rig({ ...THREE, retention: { maxAttempts: 1, idleMillis: 0 } });
    rig.inner.does = 'hold';
    rig.export('A');
    rig.clock.advance(1_000);
    rig.inner.does = 'success';
    rig.export('B');
    rig.clock.advance(14_000);

    expect(rig.told['A']).toEqual([SUCCESS]);
    expect(rig.exporter.snapshot().exports).toMatchObject({ success: 1, failure: 1 });
    expect(rig.delivery).toMatchObject({
      kept: { batches: 1 },
      inFlight: { batches: 0 },
      lost: { batches: 0 },
    });
    await rig.exporter.redeliver();
    expect(rig.inner.names).toEqual(['A', 'B', 'A']);
    expect(rig.delivery).toMatchObject({ delivered: { batches: 2 }, kept: { batches: 0 } });
  });

  it('comes before what was kept after its hand-over', async () => {
    const rig = new Rig({ ...THREE, retention: { idleMillis: 0 } });
    rig.inner.does = 'hold';
    rig.export('A');
    rig.clock.advance(1_000);
    rig.inner.does = FAILURE;
    rig.export('B');
    rig.clock.advance(14_000);
    rig.inner.does = 'success';
    await rig.exporter.redeliver();

    expect(rig.inner.names).toEqual(['A', 'B', 'A', 'B']);
  });
});

/** A circuit that is HALF_OPEN with a probe; its caller waits for `waited` ms already. */
function probing(waited: number, options: ConstructorParameters<typeof Rig>[0] = {}): Rig {
  const rig = new Rig({ ...options, retention: { idleMillis: 0, ...options.retention } });
  rig.trip('A');
  rig.mayProbe = true;
  rig.inner.does = 'hold';
  rig.export('P');
  rig.mayProbe = false;
  rig.clock.advance(waited);
  return rig;
}

describe('a probe that is handed over', () => {
  it('is still the only probe, and closes the circuit when it gets through', () => {
    const rig = probing(1_000);

    expect(rig.told['P']).toEqual([SUCCESS]);
    rig.export('B');
    expect([rig.state, rig.inner.names, rig.delivery.inFlight.batches]).toEqual(['HALF_OPEN', ['A', 'P'], 1]);
    rig.inner.does = 'success';
    rig.inner.release();
    expect(rig.state).toBe('CLOSED');
    expect(rig.told['P']).toEqual([SUCCESS]);
    expect(rig.inner.names).toEqual(['A', 'P', 'A']);
  });

  it('opens it again when it fails, and is kept behind what came before it', async () => {
    const rig = probing(1_000);
    rig.inner.release(FAILURE);

    expect(rig.exporter.snapshot()).toMatchObject({ state: 'OPEN', failedProbes: 1 });
    rig.inner.does = 'success';
    rig.breaker.reset();
    await rig.exporter.redeliver();
    expect(rig.inner.names).toEqual(['A', 'P', 'A', 'P']);
    expect(rig.delivery).toMatchObject({ delivered: { batches: 2 }, lost: { batches: 0 } });
  });

  it('times out as a failed probe', () => {
    const rig = probing(15_000);

    expect(rig.exporter.snapshot()).toMatchObject({ state: 'OPEN', failedProbes: 1, probes: { failure: 1 } });
    expect(rig.delivery).toMatchObject({ kept: { batches: 2 }, inFlight: { batches: 0 } });
  });
});

describe.each([
  ['not yet handed over', 500],
  ['handed over', 1_000],
])('a probe in flight, %s', (_how, waited) => {
  it('at forceOpen(): its SUCCESS delivers it, and moves no state', () => {
    const rig = probing(waited);
    rig.breaker.forceOpen();
    rig.inner.release();

    expect(rig.exporter.snapshot()).toMatchObject({ state: 'OPEN', forced: 'OPEN' });
    expect(rig.told['P']).toEqual([SUCCESS]);
    expect(rig.delivery).toMatchObject({
      delivered: { batches: 1 },
      kept: { batches: 1 },
      redelivered: { batches: 0 },
    });
  });

  it('at reset(): its failure keeps it, and counts for no streak', () => {
    const rig = probing(waited);
    rig.breaker.reset();
    const { consecutiveFailures: streak } = rig.exporter.snapshot();
    rig.inner.release(FAILURE);

    expect(rig.exporter.snapshot()).toMatchObject({
      state: 'CLOSED',
      consecutiveFailures: streak,
      exports: { failure: 2 },
    });
    expect(rig.told['P']).toEqual([SUCCESS]);
    expect(rig.delivery).toMatchObject({ kept: { batches: 2 }, inFlight: { batches: 0 } });
  });

  it('at shutdown(): an answer within its time delivers it', async () => {
    const rig = probing(waited);
    const shutdown = watch(rig.exporter.shutdown());
    await pass(rig.clock, 300);
    for (let i = 0; i < 3 && rig.inner.held.length > 0; i++) {
      rig.inner.release();
      await settled();
    }
    await pass(rig.clock, 700);

    expect(shutdown.done).toBe(true);
    expect(rig.told['P']).toEqual([SUCCESS]);
    expect(rig.delivery).toMatchObject({
      delivered: { batches: 2 },
      lost: { batches: 0 },
      inFlight: { batches: 0 },
    });
  });

  it('at shutdown(): one that hangs takes no longer than its time, and no batch is in two accounts', async () => {
    const rig = probing(waited);
    const shutdown = watch(rig.exporter.shutdown());
    await pass(rig.clock, 1_000);

    expect(shutdown.done).toBe(true);
    expect(rig.told['P']).toHaveLength(1);
    await pass(rig.clock, 20_000, 1_000);
    expect(balance(rig.delivery)).toEqual([0, 0]);
    expect(rig.delivery).toMatchObject({
      lost: { batches: 2 },
      kept: { batches: 0 },
      inFlight: { batches: 0 },
    });
    expect(rig.clock.pending.size).toBe(0);
  });
});

it('three handed over, nothing answered, and the circuit opens: each is kept once, in its place', async () => {
  const rig = new Rig({ ...THREE, retention: { idleMillis: 0 } });
  rig.inner.does = 'hold';
  for (const name of ['A', 'B', 'C']) rig.export(name);
  rig.clock.advance(1_001);
  rig.export('D');
  rig.export('E');

  expect(rig.inner.names).toEqual(['A', 'B', 'C']);
  expect(rig.told).toEqual(Object.fromEntries(['A', 'B', 'C', 'D', 'E'].map((name) => [name, [SUCCESS]])));
  rig.clock.advance(13_999);
  expect(rig.state).toBe('OPEN');
  rig.export('F');
  expect(rig.delivery).toMatchObject({
    kept: { batches: 6 },
    inFlight: { batches: 0 },
    lost: { batches: 0 },
  });

  rig.inner.does = 'success';
  rig.breaker.reset();
  await rig.exporter.redeliver();
  expect(rig.inner.names.slice(3)).toEqual(['A', 'B', 'C', 'D', 'E', 'F']);
  expect(rig.delivery).toMatchObject({ delivered: { batches: 6 }, redelivered: { batches: 6 } });
});

it('room made for a hand-over evicts others; a fallback that calls back from there loses count of nothing', () => {
  const rig = new Rig({ ...THREE, fallback: true, retention: { maxItems: 2, idleMillis: 0 } });
  rig.keepAndClose('X', 'Y');
  rig.inner.does = 'hold';
  rig.fallback.onExport = ([name]) => {
    expect(balance(rig.delivery)).toEqual([0, 0]);
    if (name === 'X') rig.export('B');
  };
  rig.export('A');
  rig.clock.advance(1_000);

  expect(rig.told).toMatchObject({ A: [SUCCESS], X: [SUCCESS], Y: [SUCCESS] });
  expect(rig.fallback.names[0]).toBe('X');
  expect(rig.inner.names).toEqual(['A', 'B']);
  const { kept, inFlight, fallback } = rig.delivery;
  expect(kept.items + (rig.told['B']?.length ?? 0) + 1).toBeLessThanOrEqual(2);
  expect(kept.batches + inFlight.batches + fallback.batches).toBe(4);
  rig.clock.advance(1_000);
  expect(balance(rig.delivery)).toEqual([0, 0]);
  expect(rig.delivery.lost.batches).toBe(0);
});

it('redeliver() while something is handed over sends what is kept, once, and waits for no hand-over', async () => {
  const rig = new Rig({ ...THREE, retention: { idleMillis: 0 } });
  rig.keepAndClose('X', 'Y');
  rig.inner.does = 'hold';
  rig.export('A');
  rig.clock.advance(1_000);
  rig.inner.does = 'success';
  await rig.exporter.redeliver();

  expect(rig.inner.names).toEqual(['A', 'X', 'Y']);
  expect(rig.delivery).toMatchObject({
    delivered: { batches: 2 },
    inFlight: { batches: 1 },
    kept: { batches: 0 },
  });
  rig.inner.release();
  expect(rig.delivery).toMatchObject({ delivered: { batches: 3 }, redelivered: { batches: 2 } });
});

describe('forceFlush()', () => {
  it('called by a processor inside its own flush, from the callback of a batch, does not wait for itself', async () => {
    const rig = new Rig({ retention: {} });
    const flushes: ReturnType<typeof watch>[] = [];
    rig.inner.does = 'hold';
    rig.exporter.export(['A'], () => flushes.push(watch(rig.exporter.forceFlush())));
    rig.inner.release();
    await settled();
    expect(flushes).toMatchObject([{ done: true }]);

    // This one is handed over, and so waited for: as long as the exporter has patience.
    rig.exporter.export(['B'], () => flushes.push(watch(rig.exporter.forceFlush())));
    await pass(rig.clock, 100);
    expect(flushes[1]?.done).toBe(false);
    await pass(rig.clock, 500);
    expect(flushes[1]).toEqual({ done: true, rejected: undefined });
  });

  it('of a log processor after each batch at shutdown, with a collector that hangs, waits once', async () => {
    const rig = new Rig({ ...THREE, retention: {} });
    rig.export('quick');
    rig.inner.does = 'hold';
    const start = rig.clock.now();
    for (let i = 0; i < 10; i++) {
      const told = watch(new Promise((resolve) => rig.exporter.export([`batch ${i}`], resolve)));
      for (let step = 0; !told.done && step < 200; step++) await pass(rig.clock, 10, 10);
      const flushed = watch(rig.exporter.forceFlush());
      for (let step = 0; !flushed.done && step < 1_000; step++) await pass(rig.clock, 10, 10);
      expect([told.done, flushed.done]).toEqual([true, true]);
    }

    // 100 ms and the patience of 500 ms for the first, 100 ms for each of two, and nothing for the others.
    expect(rig.clock.now() - start).toBeLessThanOrEqual(2_000);
    const shutdown = watch(rig.exporter.shutdown());
    for (let step = 0; !shutdown.done && step < 600; step++) await pass(rig.clock, 10, 10);
    expect(rig.clock.now() - start).toBeLessThanOrEqual(3_000);
    expect(rig.delivery).toMatchObject({ delivered: { batches: 1 }, kept: { batches: 0 } });
    expect(balance(rig.delivery)).toEqual([0, 0]);
  });
});

/** An exporter that answers with SUCCESS after a while. */
function slow(clock: ManualClock, takesMillis: () => number) {
  const received: unknown[] = [];
  return {
    received,
    export(batch: readonly unknown[], answer: (result: ExportResultLike) => void): void {
      const copy = [...batch];
      clock.schedule(() => {
        received.push(...copy);
        answer(SUCCESS);
      }, takesMillis());
    },
    shutdown: async (): Promise<void> => {},
  };
}

it('a command-line tool that flushes its provider and exits loses nothing that a healthy backend takes 120 ms for', async () => {
  const clock = new ManualClock();
  const backend = slow(clock, () => 120);
  const exporter = new CircuitBreakerExporter<ReadableSpan[]>(backend, { clock, retention: {} });
  const provider = new BasicTracerProvider({ spanProcessors: [new BatchSpanProcessor(exporter)] });
  for (let run = 1; run <= 3; run++) {
    for (let i = 0; i < 10; i++) provider.getTracer('tool').startSpan('work').end();
    const flushed = watch(provider.forceFlush());
    await pass(clock, 119, 1);
    expect(flushed.done).toBe(false);
    await pass(clock, 1, 1);

    // Here it would call process.exit().
    expect(flushed).toEqual({ done: true, rejected: undefined });
    expect(backend.received).toHaveLength(10 * run);
  }
  await exporter.shutdown();
});

describe('a metric exporter', () => {
  it.each([
    ['cumulative', AggregationTemporality.CUMULATIVE],
    ['delta', AggregationTemporality.DELTA],
  ])(
    'may keep a batch by reference: its reader changes none that it has given (%s)',
    async (_name, temporality) => {
      const given: { batch: ResourceMetrics; text: string }[] = [];
      const inner = {
        export(batch: ResourceMetrics, answer: (result: ExportResultLike) => void) {
          given.push({ batch, text: JSON.stringify(batch) });
          answer(FAILURE);
        },
        forceFlush: async () => {},
        shutdown: async () => {},
        selectAggregationTemporality: () => temporality,
      };
      const exporter = new CircuitBreakerExporter(inner, {
        retention: { idleMillis: 0 },
        tripPolicy: consecutiveFailures(100),
      });
      const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 1e9 });
      const meter = new MeterProvider({ readers: [reader] }).getMeter('shop');
      const counter = meter.createCounter('orders');
      const durations = meter.createHistogram('durations');
      const up = meter.createUpDownCounter('open');
      meter.createObservableGauge('load').addCallback((result) => result.observe(given.length, { cpu: 1 }));
      for (let i = 0; i < 4; i++) {
        counter.add(i, { shop: 'north' });
        counter.add(1, { shop: `new ${i}` });
        durations.record(i, { shop: 'north' });
        up.add(-i, { shop: 'north' });
        await reader.forceFlush();
      }

      expect(exporter.snapshot().delivery.kept.batches).toBe(4);
      expect(given.map(({ batch }) => JSON.stringify(batch))).toEqual(given.map(({ text }) => text));
      await exporter.redeliver();
      expect(given.at(4)?.batch).toBe(given[0]?.batch);
      await exporter.shutdown();
    },
  );
});

/** Offers something each so many milliseconds, for a while, and lets what is in flight be answered. */
async function offer(
  exporter: ExporterLike<readonly number[]>,
  clock: ManualClock,
  everyMillis: number,
  forMillis: number,
): Promise<number> {
  let offered = 0;
  for (let at = 0; at < forMillis; at += everyMillis) {
    exporter.export([offered++], () => {});
    clock.advance(everyMillis);
  }
  await pass(clock, 30_000, 1_000);
  return offered;
}

it.each([20, 300])(
  'a span at a time with hundreds in flight, and answers of %d ms: all is delivered, once',
  async (takesMillis) => {
    const clock = new ManualClock();
    const backend = slow(clock, () => takesMillis);
    const exporter = new CircuitBreakerExporter<readonly number[]>(backend, { clock, retention: {} });
    const offered = await offer(exporter, clock, 1, 2_000);

    expect(backend.received).toHaveLength(offered);
    expect(exporter.snapshot()).toMatchObject({
      state: 'CLOSED',
      delivery: { delivered: { batches: offered }, lost: { batches: 0 }, redelivered: { batches: 0 } },
    });
  },
);

it('a span at a time, and a backend that was quick and is slow now: all is delivered, once', async () => {
  const clock = new ManualClock();
  const start = clock.now();
  const backend = slow(clock, () => (clock.now() - start < 500 ? 20 : 300));
  const exporter = new CircuitBreakerExporter<readonly number[]>(backend, { clock, retention: {} });
  const offered = await offer(exporter, clock, 1, 2_000);

  expect(backend.received).toHaveLength(offered);
  expect(exporter.snapshot().delivery).toMatchObject({
    delivered: { batches: offered },
    lost: { batches: 0 },
  });
});

/**
 * What a batch span processor with its defaults does with 2,000 spans/s: a queue of 2,048, batches of 512, one at a time.
 *
 * @returns how many of its spans the queue had room for
 */
async function process(
  exporter: ExporterLike<readonly number[]>,
  clock: ManualClock,
  forMillis: number,
): Promise<number> {
  const queue: number[] = [];
  let accepted = 0;
  let isBusy = false;
  const next = (): void => {
    if (isBusy || queue.length < 512) return;
    isBusy = true;
    exporter.export(queue.splice(0, 512), () => {
      isBusy = false;
      queueMicrotask(next);
    });
  };
  for (let n = 0; n < forMillis * 2; n++) {
    if (queue.length < 2_048) {
      queue.push(n);
      accepted++;
    }
    next();
    if (n % 2 === 1) clock.advance(1);
    if (n % 20 === 0) await settled();
  }
  await pass(clock, 60_000, 100);
  return accepted;
}

it('a processor at 2,000 spans/s with answers of 2 s: at least as much is delivered as by the bare exporter', async () => {
  const bareClock = new ManualClock();
  const bare = slow(bareClock, () => 2_000);
  await process(bare, bareClock, 20_000);
  const clock = new ManualClock();
  const backend = slow(clock, () => 2_000);
  const exporter = new CircuitBreakerExporter<readonly number[]>(backend, {
    clock,
    retention: { maxItems: 100_000 },
  });
  await process(exporter, clock, 20_000);

  expect(backend.received.length).toBeGreaterThanOrEqual(bare.received.length);
  expect(new Set(backend.received).size).toBe(backend.received.length);
  expect(exporter.snapshot()).toMatchObject({ state: 'CLOSED', delivery: { lost: { items: 0 } } });
});

it.each([800, 3_000])(
  'a slow but healthy backend at start, before any success, answers in %d ms: all is delivered',
  async (takesMillis) => {
    const clock = new ManualClock();
    const backend = slow(clock, () => takesMillis);
    const exporter = new CircuitBreakerExporter<readonly number[]>(backend, {
      clock,
      retention: { idleMillis: 1_000 },
    });
    const offered = await offer(exporter, clock, 250, 20_000);
    await exporter.redeliver();
    await pass(clock, 60_000, 1_000);

    expect([...new Set(backend.received)]).toHaveLength(offered);
    expect(backend.received).toHaveLength(offered);
    expect(exporter.snapshot()).toMatchObject({
      state: 'CLOSED',
      delivery: { lost: { batches: 0 }, kept: { batches: 0 } },
    });
  },
);

describe('an exporter with a time-out of 60 s of its own, and a healthy backend that takes 20 s', () => {
  it('has its late SUCCESS taken for a delivery: the batch is not sent again', async () => {
    const clock = new ManualClock();
    const backend = slow(clock, () => 20_000);
    const exporter = new CircuitBreakerExporter<readonly number[]>(backend, { clock, retention: {} });
    const told: ExportResultLike[] = [];
    exporter.export([1], (result) => told.push(result));
    clock.advance(16_000);
    expect(exporter.snapshot()).toMatchObject({
      exports: { failure: 1 },
      delivery: { kept: { batches: 1 } },
    });
    clock.advance(4_000);

    expect(told).toEqual([SUCCESS]);
    expect(exporter.snapshot()).toMatchObject({
      exports: { success: 0, failure: 1 },
      delivery: { kept: { batches: 0 }, delivered: { batches: 1 }, lost: { batches: 0 } },
    });
    await pass(clock, 600_000, 10_000);
    expect(backend.received).toEqual([1]);
  });

  it('is not sent the same for ever, and nothing is lost', async () => {
    const clock = new ManualClock();
    const backend = slow(clock, () => 20_000);
    const exporter = new CircuitBreakerExporter<readonly number[]>(backend, {
      clock,
      retention: {},
      random: () => 0.5,
    });
    let offered = 0;
    for (let at = 0; at < 300_000; at += 5_000) {
      exporter.export([offered++], () => {});
      await pass(clock, 5_000, 1_000);
    }
    await pass(clock, 3_600_000, 5_000);

    const sendings = Array.from(
      { length: offered },
      (_, n) => backend.received.filter((got) => got === n).length,
    );
    expect(Math.max(...sendings)).toBeLessThanOrEqual(2);
    expect(exporter.snapshot().delivery.lost.batches).toBe(0);
  }, 20_000);
});

describe('a caller that throws when it is told that its batch is kept', () => {
  it('does not keep a late answer from its batch', () => {
    const rig = new Rig({ exportTimeoutMillis: 1_000, retention: { handOverMillis: 0 } });
    rig.inner.does = 'hold';
    rig.exporter.export(['A'], () => {
      throw new Error('in the callback');
    });
    rig.clock.advance(1_000);
    expect(rig.delivery).toMatchObject({ kept: { batches: 1 }, inFlight: { batches: 0 } });
    rig.inner.release();
    expect(rig.delivery).toMatchObject({ kept: { batches: 0 }, delivered: { batches: 1 } });
  });
});

describe('room that is made for a hand-over', () => {
  it('may bring the answer to the very sending: the batch is delivered, and not kept', () => {
    const rig = new Rig({
      tripPolicy: consecutiveFailures(100),
      retention: { maxItems: 1, idleMillis: 0 },
      fallback: true,
    });
    rig.inner.does = FAILURE;
    rig.export('old');
    rig.inner.does = 'hold';
    rig.export('A');
    rig.fallback.onExport = () => rig.inner.release();
    rig.clock.advance(1_000);
    expect(rig.fallback.names).toEqual(['old']);
    expect(rig.delivery).toMatchObject({ delivered: { batches: 1 }, kept: { batches: 0 } });
    expect(rig.told['A']).toEqual([SUCCESS]);
    expect(balance(rig.delivery)).toEqual([0, 0]);
  });
});
