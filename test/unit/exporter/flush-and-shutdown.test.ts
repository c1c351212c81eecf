import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { CircuitBreakerExporter } from '../../../src/exporter/circuit-breaker-exporter.ts';
import type { CircuitBreakerExporterOptions } from '../../../src/exporter/circuit-breaker-exporter-options.ts';
import { ExportTimeoutError } from '../../../src/internal/errors.ts';
import { ScriptedExporter } from '../../../src/testing/scripted-exporter.ts';
import { CountingClock } from '../delivery/rig.ts';
import type { Batch } from './arrange.ts';
import {
  arrangeExporter,
  arrangeOpen,
  arrangeScript,
  batchOf,
  exporterThat,
  START,
  send,
  sendTimes,
  settled,
  watch,
} from './arrange.ts';

const unhandled = vi.fn();

beforeEach(() => {
  unhandled.mockClear();
  process.on('unhandledRejection', unhandled);
});

afterEach(async () => {
  await settled();
  process.off('unhandledRejection', unhandled);
  expect(unhandled.mock.calls).toEqual([]);
});

/** An inner exporter whose `shutdown()` and `forceFlush()` end when they are told to. */
function arrangeSlow(
  options: CircuitBreakerExporterOptions<Batch> = {},
  state: 'CLOSED' | 'OPEN' | 'HALF_OPEN' = 'CLOSED',
) {
  const ends: { resolve: () => void; reject: (error: unknown) => void }[] = [];
  const slow = vi.fn(
    () =>
      new Promise<void>((resolve, reject) => {
        ends.push({ resolve, reject });
      }),
  );
  const inner = exporterThat(() => {}, { shutdown: slow, forceFlush: slow });
  const arranged = arrangeExporter({ probePolicy: () => true, ...options }, inner);
  const { breaker } = arranged.exporter;
  if (state !== 'CLOSED') for (let i = 0; i < 3; i++) breaker.tryAcquire()?.fail();
  if (state === 'HALF_OPEN') send(arranged.exporter);
  expect(breaker.state).toBe(state);
  return { ...arranged, slow, ends };
}

describe('shutdown()', () => {
  it.each(['CLOSED', 'OPEN', 'HALF_OPEN'] as const)(
    'while %s shuts the inner exporter down once, and returns the same promise again',
    async (state) => {
      const { exporter, slow, ends } = arrangeSlow({}, state);
      const first = exporter.shutdown();
      expect(exporter.shutdown()).toBe(first);
      expect(slow).toHaveBeenCalledTimes(1);
      ends[0]?.resolve();
      await first;
      expect(exporter.shutdown()).toBe(first);
      expect(slow).toHaveBeenCalledTimes(1);
    },
  );

  it('resolves with nothing, whatever the inner exporter resolves with', async () => {
    const inner = exporterThat(() => {}, { shutdown: async () => 'done' as never });
    expect(await arrangeExporter({}, inner).exporter.shutdown()).toBeUndefined();
  });

  it.each([
    ['closedShutdownTimeoutMillis, 5 s by default,', {}, 5_000],
    ['a closedShutdownTimeoutMillis', { closedShutdownTimeoutMillis: 70 }, 70],
  ])('while CLOSED, before any success, gives the inner exporter %s', async (_, options, millis) => {
    const { exporter, clock } = arrangeSlow(options);
    const seen = watch(exporter.shutdown());
    clock.advance(millis - 1);
    await settled();
    expect(seen.state).toBe('pending');
    clock.advance(1);
    await settled();
    expect(seen.state).toBe('resolved');
  });

  it('while CLOSED gives the inner exporter its patience, and again from each answer on', async () => {
    const ends = vi.fn(() => new Promise<void>(() => {}));
    const { exporter, inner, clock } = arrangeExporter(
      {},
      Object.assign(new ScriptedExporter<Batch>(['success', 'hold', 'hold']), { shutdown: ends }),
    );
    sendTimes(exporter, 3);
    const seen = watch(exporter.shutdown());
    for (const millis of [400, 400]) {
      clock.advance(millis);
      await settled();
      inner.release();
    }
    clock.advance(499);
    await settled();
    expect(seen.state).toBe('pending');
    // The answers of 400 and of 800 ms are usual from now on.
    clock.advance(2_700);
    await settled();
    expect(seen.state).toBe('pending');
    clock.advance(1);
    await settled();
    expect(seen.state).toBe('resolved');
  });

  it.each([
    ['OPEN', undefined, 1_000],
    ['HALF_OPEN', undefined, 1_000],
    ['OPEN', 70, 70],
    ['HALF_OPEN', 70, 70],
    ['OPEN', 0, 0],
  ] as const)(
    'while %s, with a shutdownTimeoutMillis of %s, takes %i ms at most',
    async (state, shutdownTimeoutMillis, millis) => {
      const { exporter, clock, problems } = arrangeSlow({ shutdownTimeoutMillis }, state);
      const seen = watch(exporter.shutdown());
      if (millis > 0) {
        clock.advance(millis - 1);
        await settled();
        expect(seen.state).toBe('pending');
      }
      clock.advance(millis > 0 ? 1 : 0);
      await settled();
      expect(seen.state).toBe('resolved');
      expect(problems).toEqual([]);
    },
  );

  it.each(['OPEN', 'HALF_OPEN'] as const)(
    'while %s resolves as soon as the inner exporter does',
    async (state) => {
      const { exporter, ends } = arrangeSlow({}, state);
      const seen = watch(exporter.shutdown());
      ends[0]?.resolve();
      await settled();
      expect(seen.state).toBe('resolved');
    },
  );

  it('while CLOSED rejects with what the inner exporter rejects with', async () => {
    const { exporter, ends, problems } = arrangeSlow();
    const error = new Error('not shut down');
    const seen = watch(exporter.shutdown());
    ends[0]?.reject(error);
    await settled();
    expect(seen).toEqual({ state: 'rejected', error });
    expect(problems).toEqual([]);
  });

  it.each(['OPEN', 'HALF_OPEN'] as const)(
    'while %s tells onError what the inner exporter rejects with, and resolves',
    async (state) => {
      const { exporter, ends, problems } = arrangeSlow({}, state);
      const error = new Error('not shut down');
      const seen = watch(exporter.shutdown());
      ends[0]?.reject(error);
      await settled();
      expect(seen.state).toBe('resolved');
      expect(problems).toEqual([
        ['exporter "otlp": shutdown() of an exporter that it wraps rejected', error],
      ]);
    },
  );

  it('while OPEN tells onError also of a rejection after its time', async () => {
    const { exporter, clock, ends, problems } = arrangeSlow({}, 'OPEN');
    const seen = watch(exporter.shutdown());
    clock.advance(1_000);
    await settled();
    ends[0]?.reject(new Error('too late'));
    await settled();
    expect(seen.state).toBe('resolved');
    expect(problems).toEqual([
      ['exporter "otlp": shutdown() of an exporter that it wraps rejected', new Error('too late')],
    ]);
  });

  it('takes an inner exporter that throws for one that rejects', async () => {
    const error = new Error('thrown');
    const inner = exporterThat(() => {}, {
      shutdown: () => {
        throw error;
      },
    });
    const closed = arrangeExporter({}, inner);
    await expect(closed.exporter.shutdown()).rejects.toBe(error);
    const open = arrangeExporter({}, inner);
    open.exporter.breaker.forceOpen();
    await open.exporter.shutdown();
    expect(open.problems).toEqual([
      ['exporter "otlp": shutdown() of an exporter that it wraps rejected', error],
    ]);
  });

  it('takes shutdownTimeoutMillis from its call, when the circuit leaves CLOSED meanwhile', async () => {
    const { exporter, clock } = arrangeSlow();
    const seen = watch(exporter.shutdown());
    clock.advance(300);
    exporter.breaker.forceOpen();
    clock.advance(699);
    await settled();
    expect(seen.state).toBe('pending');
    clock.advance(1);
    await settled();
    expect(seen.state).toBe('resolved');
  });

  it('is over at once, when the circuit leaves CLOSED after more than that', async () => {
    const { exporter, clock } = arrangeSlow();
    const seen = watch(exporter.shutdown());
    clock.advance(3_000);
    await settled();
    expect(seen.state).toBe('pending');
    exporter.breaker.forceOpen();
    await settled();
    expect(seen.state).toBe('resolved');
  });

  it('takes no longer, when the circuit closes meanwhile', async () => {
    const { exporter, clock } = arrangeSlow({}, 'OPEN');
    const seen = watch(exporter.shutdown());
    exporter.breaker.reset();
    clock.advance(1_000);
    await settled();
    expect(seen.state).toBe('resolved');
  });

  it('passes on what the inner exporter rejects with, when the circuit has left CLOSED meanwhile', async () => {
    const { exporter, ends } = arrangeSlow();
    const error = new Error('not shut down');
    const seen = watch(exporter.shutdown());
    exporter.breaker.forceOpen();
    ends[0]?.reject(error);
    await settled();
    expect(seen).toEqual({ state: 'rejected', error });
  });

  it('tells onError what the inner exporter rejects with after its time, though CLOSED', async () => {
    const { exporter, clock, ends, problems } = arrangeSlow();
    const seen = watch(exporter.shutdown());
    clock.advance(5_000);
    await settled();
    ends[0]?.reject(new Error('too late'));
    await settled();
    expect(seen.state).toBe('resolved');
    expect(problems).toEqual([
      ['exporter "otlp": shutdown() of an exporter that it wraps rejected', new Error('too late')],
    ]);
  });

  it('is waited for by no one forever: a fallback that is slow leaves no rejection of the inner exporter unhandled', async () => {
    const error = new Error('not shut down');
    let resolve: () => void = () => {};
    const fallback = exporterThat(() => {}, {
      shutdown: () =>
        new Promise<void>((done) => {
          resolve = done;
        }),
    });
    const inner = exporterThat(() => {}, { shutdown: () => Promise.reject(error) });
    const { exporter } = arrangeExporter({ fallback }, inner);
    const seen = watch(exporter.shutdown());
    await settled();
    await settled();
    resolve();
    await settled();
    expect(unhandled).not.toHaveBeenCalled();
    expect(seen).toEqual({ state: 'rejected', error });
  });

  it.each(['CLOSED', 'OPEN'] as const)('while %s leaves no timer behind', async (state) => {
    const clock = new CountingClock();
    const { exporter } = arrangeExporter({ clock }, new ScriptedExporter<Batch>(['hold']));
    send(exporter);
    if (state === 'OPEN') exporter.breaker.forceOpen();
    await exporter.shutdown();
    // One for the export that hangs, until it is over.
    expect(clock.pending.size).toBe(1);
    clock.advance(15_000);
    expect(clock.pending.size).toBe(0);
  });
});

describe('an export after shutdown()', () => {
  it.each(['CLOSED', 'OPEN', 'HALF_OPEN'] as const)(
    'while %s is FAILED with ExporterShutdownError, and not in exports',
    async (state) => {
      const { exporter } = arrangeSlow({}, state);
      void exporter.shutdown();
      const before = exporter.snapshot();
      const answers = send(exporter, batchOf(3));
      expect(answers).toMatchObject([
        {
          code: 1,
          error: {
            name: 'ExporterShutdownError',
            code: 'ERR_EXPORTER_SHUTDOWN',
            message: 'exporter "otlp" has been shut down',
          },
        },
      ]);
      const { delivery, ...breaker } = exporter.snapshot();
      const { delivery: deliveryBefore, ...breakerBefore } = before;
      expect(breaker).toEqual(breakerBefore);
      expect(delivery).toEqual({
        ...deliveryBefore,
        lastOfferedAt: START,
        lostBy: { ...deliveryBefore.lostBy, ended: 3 },
        offered: { batches: deliveryBefore.offered.batches + 1, items: deliveryBefore.offered.items + 3 },
        lost: { batches: deliveryBefore.lost.batches + 1, items: deliveryBefore.lost.items + 3 },
      });
    },
  );

  it('goes neither to the inner exporter nor to the fallback', async () => {
    const fallback = exporterThat(vi.fn());
    const fallbackExport = vi.spyOn(fallback, 'export');
    const { exporter, inner } = arrangeScript([], { fallback });
    await exporter.shutdown();
    expect(send(exporter)).toMatchObject([{ code: 1 }]);
    expect(inner.batches).toEqual([]);
    expect(fallbackExport).not.toHaveBeenCalled();
  });

  it('is FAILED also with reportRejectedAs "success"', async () => {
    const { exporter } = arrangeOpen([], { reportRejectedAs: 'success' });
    await exporter.shutdown();
    expect(send(exporter)).toMatchObject([{ code: 1, error: { code: 'ERR_EXPORTER_SHUTDOWN' } }]);
  });
});

describe('redeliver()', () => {
  it('resolves where nothing is kept, also after shutdown()', async () => {
    const { exporter, inner } = arrangeScript([]);
    await expect(exporter.redeliver()).resolves.toBeUndefined();
    await exporter.shutdown();
    await expect(exporter.redeliver()).resolves.toBeUndefined();
    expect(inner.batches).toEqual([]);
  });

  it('does not join a shutdown() that is under way', async () => {
    const { exporter, ends } = arrangeSlow({ retention: {} });
    const shutdown = exporter.shutdown();
    const seen = watch(exporter.redeliver());
    await settled();
    expect(seen.state).toBe('resolved');
    ends[0]?.resolve();
    await shutdown;
  });
});

describe('forceFlush()', () => {
  it('goes to the inner exporter, in every state', async () => {
    const { exporter, inner } = arrangeScript([]);
    await exporter.forceFlush();
    exporter.breaker.forceOpen();
    await exporter.forceFlush();
    expect(inner.flushes).toBe(2);
  });

  it('waits for the inner exporter', async () => {
    const { exporter, ends } = arrangeSlow();
    const seen = watch(exporter.forceFlush());
    await settled();
    expect(seen.state).toBe('pending');
    ends[0]?.resolve();
    await settled();
    expect(seen.state).toBe('resolved');
  });

  it('resolves where the inner exporter has none', async () => {
    const { exporter, problems } = arrangeExporter(
      {},
      exporterThat(() => {}),
    );
    await expect(exporter.forceFlush()).resolves.toBeUndefined();
    expect(problems).toEqual([]);
  });

  it.each([
    ['rejects', () => Promise.reject(new Error('not flushed'))],
    [
      'throws',
      () => {
        throw new Error('not flushed');
      },
    ],
  ])('never rejects: that the inner exporter %s goes to onError', async (_, forceFlush) => {
    const { exporter, problems } = arrangeExporter(
      {},
      exporterThat(() => {}, { forceFlush }),
    );
    await expect(exporter.forceFlush()).resolves.toBeUndefined();
    expect(problems).toEqual([
      ['exporter "otlp": forceFlush() of an exporter that it wraps rejected', new Error('not flushed')],
    ]);
  });

  it.each([
    ['closedShutdownTimeoutMillis before the first success', {}, 0, 5_000],
    ['its patience after that', {}, 1, 500],
    ['closedShutdownTimeoutMillis at most', { closedShutdownTimeoutMillis: 70 }, 1, 70],
  ])('gives up one that hangs after %s, which goes to onError', async (_, options, successes, millis) => {
    const inner = Object.assign(new ScriptedExporter<Batch>(), {
      forceFlush: () => new Promise<void>(() => {}),
    });
    const { exporter, clock, problems } = arrangeExporter(options, inner);
    sendTimes(exporter, successes);
    const seen = watch(exporter.forceFlush());
    clock.advance(millis - 1);
    await settled();
    expect(seen.state).toBe('pending');
    clock.advance(1);
    await settled();
    expect(seen.state).toBe('resolved');
    expect(problems).toEqual([
      [
        'exporter "otlp": forceFlush() of the inner exporter was given up',
        new ExportTimeoutError(
          'forceFlush() of the inner exporter of exporter "otlp" was not answered in time',
        ),
      ],
    ]);
  });

  it('is waited for from each answer on', async () => {
    const { exporter, inner, clock } = arrangeExporter(
      {},
      Object.assign(new ScriptedExporter<Batch>(['success', 'hold']), {
        forceFlush: () => new Promise<void>(() => {}),
      }),
    );
    sendTimes(exporter, 2);
    const seen = watch(exporter.forceFlush());
    clock.advance(400);
    inner.release();
    clock.advance(1_599);
    await settled();
    expect(seen.state).toBe('pending');
    clock.advance(1);
    await settled();
    expect(seen.state).toBe('resolved');
  });

  it.each([
    ['OPEN', (exporter: CircuitBreakerExporter<Batch>) => exporter.breaker.forceOpen()],
    [
      'CLOSED, and the last answer was a failure',
      (exporter: CircuitBreakerExporter<Batch>) => send(exporter),
    ],
  ])('waits for nothing of the inner exporter while %s', async (_, happens) => {
    const forceFlush = vi.fn(() => new Promise<void>(() => {}));
    const inner = Object.assign(new ScriptedExporter<Batch>(['failure']), { forceFlush });
    const { exporter, problems } = arrangeExporter({}, inner);
    happens(exporter);
    const seen = watch(exporter.forceFlush());
    await settled();
    expect(seen.state).toBe('resolved');
    expect(forceFlush).toHaveBeenCalledTimes(1);
    expect(problems).toEqual([]);
  });

  it('waits no longer when the circuit opens', async () => {
    const { exporter } = arrangeSlow();
    const seen = watch(exporter.forceFlush());
    await settled();
    expect(seen.state).toBe('pending');
    exporter.breaker.forceOpen();
    await settled();
    expect(seen.state).toBe('resolved');
  });

  it('waits for what was handed over before its call, and not for what is later', async () => {
    const { exporter, inner, clock } = arrangeScript(['hold', 'hold'], {
      retention: {},
      exportTimeoutMillis: 0,
    });
    send(exporter, ['before']);
    clock.advance(1_000);
    const seen = watch(exporter.forceFlush());
    send(exporter, ['later']);
    clock.advance(1_000);
    await settled();
    expect(exporter.snapshot().delivery.inFlight.batches).toBe(2);
    expect(seen.state).toBe('pending');
    inner.release();
    await settled();
    expect(seen.state).toBe('resolved');
  });

  it.each([
    ['SUCCESS', { code: 0 }],
    ['a failure', { code: 1, error: new Error('down') }],
    ['invalid', { code: 1, error: Object.assign(new Error('Bad Request'), { code: 400 }) }],
  ])('is over for what was handed over when that is answered: %s', async (_, result) => {
    const { exporter, inner, clock } = arrangeScript(['hold', 'hold'], { retention: {} });
    sendTimes(exporter, 2);
    clock.advance(1_000);
    const seen = watch(exporter.forceFlush());
    inner.release();
    await settled();
    expect(seen.state).toBe('pending');
    inner.release(result);
    await settled();
    expect(seen.state).toBe('resolved');
  });

  it('waits for nothing once one was given up, until something is answered', async () => {
    const inner = Object.assign(new ScriptedExporter<Batch>(['success', 'hold']), {
      forceFlush: vi.fn(() => new Promise<void>(() => {})),
    });
    const { exporter, clock, problems } = arrangeExporter({}, inner);
    sendTimes(exporter, 2);
    const first = watch(exporter.forceFlush());
    await settled();
    clock.advance(500);
    await settled();
    expect(first.state).toBe('resolved');
    for (let i = 0; i < 3; i++) {
      const later = watch(exporter.forceFlush());
      await settled();
      expect(later.state).toBe('resolved');
    }
    inner.release();
    const after = watch(exporter.forceFlush());
    await settled();
    expect(after.state).toBe('pending');
    expect(problems).toHaveLength(1);
  });

  it('keeps the process alive while it waits', async () => {
    const clock = new CountingClock();
    const inner = exporterThat(() => {}, { forceFlush: () => settled() });
    const { exporter } = arrangeExporter({ clock }, inner);
    const flushed = exporter.forceFlush();
    expect([...clock.pending]).toEqual([{ keepAlive: true }]);
    await flushed;
    expect(clock.pending.size).toBe(0);
  });

  it('reaches the fallback, too, and each without the other', async () => {
    const flushed = vi.fn(async () => {});
    const fallback = exporterThat(() => {}, { forceFlush: flushed });
    const inner = exporterThat(() => {}, { forceFlush: () => Promise.reject(new Error('not flushed')) });
    const { exporter } = arrangeExporter({ fallback }, inner);
    await exporter.forceFlush();
    expect(flushed).toHaveBeenCalledTimes(1);
  });

  it('counts as nothing', async () => {
    const { exporter } = arrangeScript([]);
    const before = exporter.snapshot();
    await exporter.forceFlush();
    expect(exporter.snapshot()).toEqual(before);
  });
});

describe('the timers of an exporter', () => {
  it('belong to the clock: nothing else is ever scheduled', async () => {
    const setTimeoutSpy = vi.spyOn(globalThis, 'setTimeout');
    const setIntervalSpy = vi.spyOn(globalThis, 'setInterval');
    try {
      const { exporter, clock } = arrangeOpen(['hang'], { probePolicy: () => true });
      send(exporter);
      clock.advance(15_000);
      await exporter.forceFlush();
      await exporter.shutdown();
      expect(setTimeoutSpy).not.toHaveBeenCalled();
      expect(setIntervalSpy).not.toHaveBeenCalled();
    } finally {
      setTimeoutSpy.mockRestore();
      setIntervalSpy.mockRestore();
    }
  });

  it('are one for all exports in flight', () => {
    const schedule = vi.fn(() => () => {});
    const { exporter } = arrangeExporter(
      { clock: { now: () => 0, schedule } },
      exporterThat(() => {}),
    );
    for (let i = 0; i < 100; i++) send(exporter);
    expect(schedule).toHaveBeenCalledTimes(1);
  });

  it('are none for exports that are answered at once', () => {
    const clock = new CountingClock();
    const { exporter } = arrangeScript([], { clock, retention: {} });
    sendTimes(exporter, 100);
    expect(clock.most).toBe(0);
  });

  it('keep no process alive', () => {
    const clock = new CountingClock();
    const { exporter } = arrangeOpen(['hang', 'hang', 'hang'], {
      clock,
      retention: {},
      probePolicy: () => true,
    });
    send(exporter);
    exporter.breaker.reset();
    sendTimes(exporter, 2);
    exporter.breaker.forceOpen();
    send(exporter);
    expect(clock.pending.size).toBeGreaterThan(2);
    expect([...clock.pending].filter(({ keepAlive }) => keepAlive)).toEqual([]);
  });
});

describe('a flush of the fallback that was given up', () => {
  it('takes no patience from the inner exporter', async () => {
    const hangs = () => new Promise<void>(() => {});
    const fallback = exporterThat(() => {}, { forceFlush: hangs });
    const { exporter, clock, ends } = arrangeSlow({ fallback, exportTimeoutMillis: 1_000 });
    const first = watch(exporter.forceFlush());
    ends[0]?.resolve();
    await settled();
    clock.advance(1_000);
    await settled();
    expect(first.state).toBe('resolved');
    const second = watch(exporter.forceFlush());
    await settled();
    expect(second.state).toBe('pending');
    ends[1]?.resolve();
    await settled();
    expect(second.state).toBe('resolved');
  });
});
