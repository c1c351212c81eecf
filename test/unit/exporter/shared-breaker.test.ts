import { afterEach, describe, expect, it, vi } from 'vitest';
import { CircuitBreaker } from '../../../src/breaker/circuit-breaker.ts';
import { ManualClock } from '../../../src/testing/manual-clock.ts';
import { ScriptedExporter } from '../../../src/testing/scripted-exporter.ts';
import type { Batch } from './arrange.ts';
import { arrangeExporter, batchOf, exporterThat, listenToDiag, START, send, sendTimes } from './arrange.ts';

afterEach(() => {
  vi.resetModules();
});

/** What a second copy of the package, of the other module format perhaps, would make. */
async function breakerOfAnotherCopy() {
  vi.resetModules();
  const copy = await import('../../../src/breaker/circuit-breaker.ts');
  expect(copy.CircuitBreaker).not.toBe(CircuitBreaker);
  return copy.CircuitBreaker;
}

function arrangeShared(
  options: ConstructorParameters<typeof CircuitBreaker>[0] = {},
  Breaker = CircuitBreaker,
) {
  const clock = new ManualClock(START);
  const breaker = new Breaker({ name: 'collector', clock, probePolicy: () => false, ...options });
  const traces = new ScriptedExporter<Batch>(['failure', 'failure', 'failure', 'failure']);
  const logs = new ScriptedExporter<Batch>();
  return {
    breaker,
    clock,
    inner: { traces, logs },
    traces: arrangeExporter({ breaker, name: 'traces' }, traces),
    logs: arrangeExporter({ breaker, name: 'logs' }, logs),
  };
}

describe.each([
  ['of this copy', async () => CircuitBreaker],
  ['of another copy of the module', breakerOfAnotherCopy],
])('a breaker %s that exporters share', (_, breakerClass) => {
  it('is the breaker of each', async () => {
    const { breaker, traces, logs } = arrangeShared({}, await breakerClass());
    expect(traces.exporter.breaker).toBe(breaker);
    expect(logs.exporter.breaker).toBe(breaker);
  });

  it('rejects the exports of all once those of one have opened it', async () => {
    const { traces, logs, inner } = arrangeShared({}, await breakerClass());
    sendTimes(traces.exporter, 3);
    const answers = send(logs.exporter, batchOf(4));
    expect(answers).toMatchObject([
      {
        code: 1,
        error: { message: 'circuit "collector" is open since 22:13:20Z after 3 failures in a row' },
      },
    ]);
    expect(inner.logs.batches).toEqual([]);
    expect(logs.exporter.snapshot()).toMatchObject({
      name: 'collector',
      exports: { failure: 3, rejected: 1 },
      delivery: { exporter: 'logs', offered: { batches: 1, items: 4 }, lost: { batches: 1, items: 4 } },
    });
    expect(traces.exporter.snapshot().delivery).toMatchObject({
      exporter: 'traces',
      offered: { batches: 3 },
    });
  });

  it('closes for all with the probe of one, and their next outage has a result of its own', async () => {
    let mayProbe = true;
    const { breaker, traces, logs } = arrangeShared({ probePolicy: () => mayProbe }, await breakerClass());
    mayProbe = false;
    sendTimes(traces.exporter, 3);
    const [before] = send(traces.exporter);
    mayProbe = true;
    expect(send(logs.exporter)).toEqual([{ code: 0 }]);
    expect(breaker.state).toBe('CLOSED');
    breaker.forceOpen();
    expect(send(traces.exporter)[0]).not.toBe(before);
  });

  it('times exports with its own clock', async () => {
    const { clock, breaker } = arrangeShared({}, await breakerClass());
    const { exporter } = arrangeExporter(
      { breaker, exportTimeoutMillis: 50 },
      exporterThat(() => {}),
    );
    const answers = send(exporter);
    clock.advance(50);
    expect(answers).toMatchObject([{ code: 1, error: { code: 'ERR_EXPORT_TIMEOUT' } }]);
  });

  it('is logged of once', async () => {
    const log = listenToDiag();
    try {
      const { breaker } = arrangeShared({}, await breakerClass());
      breaker.forceOpen();
      breaker.reset();
      expect(log.warn).toHaveBeenCalledTimes(1);
      expect(log.info).toHaveBeenCalledTimes(1);
    } finally {
      log.stop();
    }
  });

  it('lives on when one of them is shut down', async () => {
    const { breaker, traces, logs, inner } = arrangeShared({}, await breakerClass());
    await traces.exporter.shutdown();
    expect(send(logs.exporter)).toEqual([{ code: 0 }]);
    expect(inner.logs.shutdowns).toBe(0);
    expect(breaker.state).toBe('CLOSED');
  });
});

describe('beside a shared breaker', () => {
  it('the name is the breaker’s by default', () => {
    const breaker = new CircuitBreaker({ name: 'collector' });
    const { exporter } = arrangeExporter({ breaker });
    expect(exporter.snapshot()).toMatchObject({ name: 'collector', delivery: { exporter: 'collector' } });
  });

  it('onError is the exporter’s own: it hears of its classifier, and not of the breaker’s policies', () => {
    const ofBreaker = vi.fn();
    const breaker = new CircuitBreaker({
      onError: ofBreaker,
      probePolicy: () => {
        throw new Error('policy');
      },
    });
    const { exporter, problems } = arrangeExporter({
      breaker,
      classify: () => {
        throw new Error('classifier');
      },
    });
    sendTimes(exporter, 4);
    expect(problems.map(([, error]) => error)).toEqual(new Array(4).fill(new Error('classifier')));
    expect(ofBreaker.mock.calls.map(([, error]) => error)).toEqual([new Error('policy')]);
  });

  it.each([
    ['tripPolicy', 3],
    ['probePolicy', () => true],
    ['successThreshold', 2],
    ['clock', new ManualClock()],
    ['random', Math.random],
    ['onTransition', () => {}],
  ])('no option %s may stand, which is the breaker’s', (key, value) => {
    const breaker = new CircuitBreaker();
    expect(() => arrangeExporter({ breaker, [key]: value })).toThrow(TypeError);
    expect(() => arrangeExporter({ breaker, [key]: value })).toThrow(
      new RegExp(`^CircuitBreakerExporter: option "${key}" \\(.*\\) cannot stand beside "breaker"`),
    );
  });

  it('those may stand that are undefined', () => {
    const breaker = new CircuitBreaker();
    expect(() =>
      arrangeExporter({ breaker, clock: undefined, random: undefined, tripPolicy: undefined }),
    ).not.toThrow();
  });
});
