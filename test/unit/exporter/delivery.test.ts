import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { CircuitBreaker } from '../../../src/breaker/circuit-breaker.ts';
import { CircuitBreakerExporter } from '../../../src/exporter/circuit-breaker-exporter.ts';
import { ScriptedExporter } from '../../../src/testing/scripted-exporter.ts';
import type { Batch } from './arrange.ts';
import {
  arrangeExporter,
  arrangeOpen,
  arrangeScript,
  batchOf,
  exporterThat,
  listenToDiag,
  send,
  sendTimes,
  settled,
  watch,
} from './arrange.ts';

/** What an exporter and its delivery have to tell each other; the rest of delivery has tests of its own. */

let log: ReturnType<typeof listenToDiag>;

beforeEach(() => {
  log = listenToDiag();
});

afterEach(() => {
  log.stop();
});

const poisoned = Object.assign(new Error('Bad Request'), { code: 400 });

describe('with retention, the caller', () => {
  it('of a failed batch is told SUCCESS, and the batch is kept', () => {
    const { exporter } = arrangeScript(['failure'], { retention: {} });
    expect(send(exporter, batchOf(2))).toEqual([{ code: 0 }]);
    expect(exporter.snapshot()).toMatchObject({
      exports: { failure: 1 },
      delivery: { kept: { batches: 1, items: 2 }, lost: { batches: 0 } },
    });
  });

  it('of a rejected batch is told SUCCESS, and the batch is kept', () => {
    const { exporter, inner } = arrangeScript([], { retention: {} });
    exporter.breaker.forceOpen();
    expect(send(exporter, batchOf(2))).toEqual([{ code: 0 }]);
    expect(inner.batches).toEqual([]);
    expect(exporter.snapshot()).toMatchObject({
      exports: { rejected: 1 },
      delivery: { kept: { batches: 1, items: 2 }, lost: { batches: 0 } },
    });
  });

  it('of an invalid batch is told so, and the batch is lost', () => {
    const { exporter } = arrangeScript([poisoned], { retention: {} });
    expect(send(exporter)).toEqual([{ code: 1, error: poisoned }]);
    expect(exporter.snapshot().delivery).toMatchObject({ kept: { batches: 0 }, lost: { batches: 1 } });
  });

  it('of a live batch is told before a kept one is sent again', () => {
    const { exporter, inner } = arrangeScript(['failure'], { retention: {} });
    send(exporter, ['kept']);
    let sentBefore = 0;
    exporter.export(['live'], () => {
      sentBefore = inner.batches.length;
    });
    expect(sentBefore).toBe(2);
    expect(inner.batches).toEqual([['kept'], ['live'], ['kept']]);
    expect(exporter.snapshot().delivery).toMatchObject({
      delivered: { batches: 2 },
      redelivered: { batches: 1 },
    });
  });

  it('may throw: the kept batch is sent again all the same', () => {
    const { exporter, inner } = arrangeScript(['failure'], { retention: {} });
    send(exporter, ['kept']);
    expect(() =>
      exporter.export(['live'], () => {
        throw new Error('of the caller');
      }),
    ).toThrow('of the caller');
    expect(inner.batches).toEqual([['kept'], ['live'], ['kept']]);
  });
});

describe('what is kept', () => {
  it('is judged by classify when it is sent again', () => {
    const { exporter } = arrangeScript(['failure', 'success', poisoned], { retention: {} });
    sendTimes(exporter, 2);
    expect(exporter.snapshot()).toMatchObject({
      exports: { invalid: 1 },
      delivery: { kept: { batches: 0 }, lost: { batches: 1 }, evicted: { invalid: 1 } },
    });
  });

  it('is sent by redeliver(), only while CLOSED', async () => {
    const { exporter, inner } = arrangeScript(['failure'], { retention: {} });
    send(exporter, ['kept']);
    exporter.breaker.forceOpen();
    await exporter.redeliver();
    expect(inner.batches).toHaveLength(1);
    exporter.breaker.reset();
    await exporter.redeliver();
    expect(inner.batches).toEqual([['kept'], ['kept']]);
    expect(exporter.snapshot().delivery).toMatchObject({ kept: { batches: 0 }, redelivered: { batches: 1 } });
  });

  it('is warned of when it is evicted for the first time, and for the first time after each opening, by the exporter’s name', () => {
    const { exporter } = arrangeScript(['failure', 'failure', 'failure', 'failure', 'failure'], {
      name: 'traces',
      retention: { maxItems: 1 },
      probePolicy: ({ attempt }) => attempt === 2,
    });
    const evictions = (): string[] =>
      log.warn.mock.calls
        .map(([line]) => String(line))
        .filter((line) => line.startsWith('exporter "traces": '));
    const seen: number[] = [];
    const look = (): void => {
      seen.push(evictions().length);
    };
    send(exporter);
    look();
    send(exporter);
    look();
    send(exporter);
    expect(exporter.breaker.state).toBe('OPEN');
    look();
    send(exporter);
    look();
    // The failed probe opens the circuit again, but it has not left CLOSED.
    send(exporter);
    expect(exporter.snapshot().failedProbes).toBe(1);
    send(exporter);
    look();
    expect(seen).toEqual([0, 1, 2, 2, 2]);
    expect(exporter.snapshot().delivery.evicted.full).toBe(5);
  });

  it('is not sent again on the strength of a success before the circuit opened', () => {
    const { exporter, inner } = arrangeScript(['failure', 'failure', 'failure', 'success', 'hold'], {
      retention: { pace: 5 },
      tripPolicy: {
        createDetector: () => ({ onSuccess: () => false, onFailure: () => false, reset: () => {} }),
      },
    });
    sendTimes(exporter, 4);
    expect(inner.held).toHaveLength(1);
    exporter.breaker.forceOpen();
    exporter.breaker.reset();
    inner.release();
    expect(inner.batches).toHaveLength(5);
    expect(exporter.snapshot().delivery).toMatchObject({ kept: { batches: 2 }, redelivered: { batches: 1 } });
  });
});

describe('shutdown() with retention', () => {
  it('gives what is kept a last chance, and then shuts the inner exporter down', async () => {
    const { exporter, inner } = arrangeScript(['failure'], { retention: {} });
    send(exporter, ['kept']);
    await exporter.shutdown();
    expect(inner.batches).toEqual([['kept'], ['kept']]);
    expect(inner.shutdowns).toBe(1);
    expect(exporter.snapshot().delivery).toMatchObject({ kept: { batches: 0 }, delivered: { batches: 1 } });
  });

  it('keeps nothing any more from its call on', async () => {
    const { exporter, inner } = arrangeScript(['hold'], { retention: {} });
    const answers = send(exporter);
    const shutdown = exporter.shutdown();
    inner.release({ code: 1, error: new Error('down') });
    expect(answers).toMatchObject([{ code: 1, error: { message: 'down' } }]);
    await shutdown;
    expect(exporter.snapshot().delivery).toMatchObject({ kept: { batches: 0 }, lost: { batches: 1 } });
  });

  it('is not joined by redeliver()', async () => {
    const { exporter, inner, clock } = arrangeScript(['failure', 'hold'], { retention: {} });
    send(exporter, ['kept']);
    const shutdown = watch(exporter.shutdown());
    const redelivery = watch(exporter.redeliver());
    await settled();
    expect(redelivery.state).toBe('resolved');
    expect(shutdown.state).toBe('pending');
    expect(inner.batches).toEqual([['kept'], ['kept']]);
    clock.advance(1_000);
    await settled();
    expect(shutdown.state).toBe('resolved');
  });
});

describe('shutdown() with a fallback', () => {
  function arrangeFallback(
    state: 'CLOSED' | 'OPEN',
    shutdown: () => Promise<void>,
    innerShutdown?: () => Promise<void>,
  ) {
    const fallbackShutdown = vi.fn(shutdown);
    const fallback = exporterThat(() => {}, { shutdown: fallbackShutdown });
    const inner = exporterThat(() => {}, innerShutdown === undefined ? {} : { shutdown: innerShutdown });
    const arranged = arrangeExporter({ fallback }, inner);
    if (state === 'OPEN') arranged.exporter.breaker.forceOpen();
    return { ...arranged, fallbackShutdown };
  }
  const hang = (): Promise<void> => new Promise(() => {});

  it.each(['CLOSED', 'OPEN'] as const)('while %s reaches it', async (state) => {
    const { exporter, fallbackShutdown } = arrangeFallback(state, async () => {});
    await exporter.shutdown();
    await exporter.shutdown();
    expect(fallbackShutdown).toHaveBeenCalledTimes(1);
  });

  it.each(['CLOSED', 'OPEN'] as const)(
    'while %s tells onError what it rejects with, and resolves',
    async (state) => {
      const { exporter, problems } = arrangeFallback(state, () =>
        Promise.reject(new Error('of the fallback')),
      );
      await expect(exporter.shutdown()).resolves.toBeUndefined();
      expect(problems).toEqual([
        ['exporter "otlp": shutdown() of what it wraps rejected', new Error('of the fallback')],
      ]);
    },
  );

  it('while CLOSED waits for it for as long as that takes', async () => {
    let end: () => void = () => {};
    const { exporter, clock } = arrangeFallback(
      'CLOSED',
      () =>
        new Promise<void>((resolve) => {
          end = resolve;
        }),
    );
    const seen = watch(exporter.shutdown());
    await settled();
    clock.advance(1e9);
    await settled();
    expect(seen.state).toBe('pending');
    end();
    await settled();
    expect(seen.state).toBe('resolved');
  });

  it('while OPEN reaches it also past an inner exporter that hangs, and takes shutdownTimeoutMillis at most', async () => {
    const { exporter, clock, fallbackShutdown } = arrangeFallback('OPEN', hang, hang);
    const seen = watch(exporter.shutdown());
    let passed = 0;
    for (; passed < 999; passed += 111) {
      clock.advance(111);
      await settled();
      expect(seen.state).toBe('pending');
    }
    expect(fallbackShutdown).toHaveBeenCalledTimes(1);
    clock.advance(1);
    await settled();
    expect(seen.state).toBe('resolved');
  });

  it('while CLOSED reaches it also past an inner exporter that hangs, after exportTimeoutMillis', async () => {
    const { exporter, clock, fallbackShutdown } = arrangeFallback('CLOSED', async () => {}, hang);
    const seen = watch(exporter.shutdown());
    clock.advance(14_999);
    await settled();
    expect(fallbackShutdown).not.toHaveBeenCalled();
    clock.advance(1);
    await settled();
    expect(fallbackShutdown).toHaveBeenCalledTimes(1);
    expect(seen.state).toBe('pending');
  });

  it('while CLOSED waits for the inner exporter first, without end where exportTimeoutMillis is 0', async () => {
    let end: () => void = () => {};
    const fallbackShutdown = vi.fn(async () => {});
    const inner = exporterThat(() => {}, {
      shutdown: () =>
        new Promise<void>((resolve) => {
          end = resolve;
        }),
    });
    const { exporter, clock } = arrangeExporter(
      { exportTimeoutMillis: 0, fallback: exporterThat(() => {}, { shutdown: fallbackShutdown }) },
      inner,
    );
    const seen = watch(exporter.shutdown());
    clock.advance(1e9);
    await settled();
    expect(fallbackShutdown).not.toHaveBeenCalled();
    end();
    await settled();
    expect(fallbackShutdown).toHaveBeenCalledTimes(1);
    expect(seen.state).toBe('resolved');
  });
});

describe('an exporter that was shut down', () => {
  it('is held on to no longer by the breaker that it shared', async () => {
    setFlagsFromString('--expose-gc');
    const gc = runInNewContext('gc') as () => void;
    const breaker = new CircuitBreaker();
    const ref = await (async () => {
      const exporter = new CircuitBreakerExporter(new ScriptedExporter<Batch>(), { breaker });
      await exporter.shutdown();
      return new WeakRef(exporter);
    })();
    for (let i = 0; i < 5; i++) {
      await settled();
      gc();
    }
    expect(ref.deref()).toBeUndefined();
    expect(breaker.state).toBe('CLOSED');
  });
});

describe('without retention', () => {
  it('nothing is kept, evicted or sent again', () => {
    const { exporter, inner } = arrangeOpen([], { probePolicy: () => true });
    sendTimes(exporter, 2);
    expect(inner.batches).toHaveLength(5);
    expect(exporter.snapshot().delivery).toMatchObject({
      kept: { batches: 0 },
      redelivered: { batches: 0 },
      evicted: { full: 0, expired: 0, attempts: 0, invalid: 0, shutdown: 0 },
    });
  });
});
