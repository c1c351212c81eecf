import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CircuitBreaker } from '../../../src/breaker/circuit-breaker.ts';
import { consecutiveFailures } from '../../../src/breaker/trip-policies.ts';
import { ManualClock } from '../../../src/testing/manual-clock.ts';
import {
  arrangeExporter,
  arrangeOpen,
  arrangeScript,
  batchOf,
  listenToDiag,
  START,
  send,
  sendTimes,
} from './arrange.ts';

let log: ReturnType<typeof listenToDiag>;

beforeEach(() => {
  log = listenToDiag();
});

afterEach(() => {
  log.stop();
});

/** What was logged, by level. */
function logged() {
  const lines = (level: 'error' | 'warn' | 'info' | 'debug') => log[level].mock.calls.map(([line]) => line);
  return { error: lines('error'), warn: lines('warn'), info: lines('info'), debug: lines('debug') };
}

describe('what an exporter logs', () => {
  it('is nothing while its circuit is CLOSED', () => {
    const { exporter } = arrangeScript(['failure', 'throw', 'success']);
    sendTimes(exporter, 3);
    expect(logged()).toEqual({ error: [], warn: [], info: [], debug: [] });
  });

  it('is one warning when the circuit leaves CLOSED, and nothing for what is rejected or probed then', () => {
    const refused = Object.assign(new Error('connect 10.1.2.3'), { code: 'ECONNREFUSED' });
    const { exporter } = arrangeScript(new Array(6).fill(refused), {
      name: 'traces',
      probePolicy: ({ attempt }) => attempt === 2,
    });
    sendTimes(exporter, 10);
    expect(logged()).toEqual({
      error: [],
      warn: [
        'circuit "traces" is open since 22:13:20Z after 3 failures in a row, last ECONNREFUSED; exports are rejected until a probe gets through',
      ],
      info: [],
      debug: [],
    });
  });

  it('is one info when it comes back: after how long, and how many items were rejected in this outage', () => {
    const { exporter, clock } = arrangeOpen(['failure'], { probePolicy: ({ attempt }) => attempt === 2 });
    const outage = (): void => {
      send(exporter, batchOf(5));
      clock.advance(1_250);
      send(exporter);
    };
    outage();
    outage();
    expect(logged()).toMatchObject({
      warn: [expect.anything()],
      info: ['circuit "otlp" is closed again after 2.5 s; 10 items were rejected'],
    });
    exporter.breaker.forceOpen();
    send(exporter, batchOf(2));
    clock.advance(60_000);
    exporter.breaker.reset();
    expect(logged().warn).toHaveLength(2);
    expect(logged().info.slice(1)).toEqual([
      'circuit "otlp" is closed again after 60.0 s; 2 items were rejected',
    ]);
  });

  it('knows since when a breaker is open that it is given', () => {
    const clock = new ManualClock(START);
    const breaker = new CircuitBreaker({
      clock,
      tripPolicy: consecutiveFailures(1),
      probePolicy: ({ attempt }) => attempt === 2,
    });
    breaker.tryAcquire()?.fail();
    breaker.tryAcquire(7);
    clock.advance(3_000);
    // A probe that fails opens it anew: the outage began before.
    breaker.tryAcquire()?.fail();
    clock.advance(2_000);
    arrangeExporter({ breaker });
    breaker.tryAcquire(2);
    clock.advance(1_000);
    breaker.reset();
    expect(logged()).toMatchObject({
      warn: [],
      info: ['circuit "otlp" is closed again after 6.0 s; 2 items were rejected'],
    });
  });

  it('says that the circuit was opened by hand', () => {
    const { exporter } = arrangeScript([]);
    exporter.breaker.forceOpen();
    expect(logged().warn).toEqual([
      'circuit "otlp" is held open by hand since 22:13:20Z; exports are rejected until it is released',
    ]);
  });

  it('is logged whatever else listens, also when that throws', () => {
    const { exporter } = arrangeScript([], {
      onTransition: () => {
        throw new Error('listener broke');
      },
    });
    exporter.breaker.forceOpen();
    exporter.breaker.reset();
    expect(logged()).toMatchObject({ warn: [expect.anything()], info: [expect.anything()], error: [] });
  });

  it('goes on after the shutdown, for whoever shares the breaker', async () => {
    const breaker = new CircuitBreaker({ clock: new ManualClock(START) });
    const first = arrangeExporter({ breaker }).exporter;
    arrangeExporter({ breaker });
    await first.shutdown();
    breaker.forceOpen();
    breaker.reset();
    expect(logged()).toMatchObject({ warn: [expect.anything()], info: [expect.anything()] });
  });

  it('comes from one of several exporters of a breaker', () => {
    const breaker = new CircuitBreaker({ clock: new ManualClock(START) });
    for (const name of ['traces', 'logs', 'metrics']) arrangeExporter({ breaker, name });
    breaker.forceOpen();
    breaker.reset();
    expect(logged()).toMatchObject({ warn: [expect.anything()], info: [expect.anything()] });
  });

  it('comes from the exporter that made the breaker, where others share it', () => {
    const { exporter } = arrangeScript([]);
    arrangeExporter({ breaker: exporter.breaker });
    exporter.breaker.forceOpen();
    exporter.breaker.reset();
    expect(logged()).toMatchObject({ warn: [expect.anything()], info: [expect.anything()] });
  });

  it('is nothing with enabled: false, and another exporter of the breaker does it', () => {
    const breaker = new CircuitBreaker({ clock: new ManualClock(START) });
    arrangeExporter({ breaker, enabled: false });
    breaker.forceOpen();
    expect(logged().warn).toEqual([]);
    breaker.reset();
    arrangeExporter({ breaker });
    breaker.forceOpen();
    expect(logged()).toMatchObject({ warn: [expect.anything()], info: [] });
  });

  it('is nothing for a bare breaker', () => {
    const breaker = new CircuitBreaker();
    breaker.forceOpen();
    expect(logged()).toEqual({ error: [], warn: [], info: [], debug: [] });
  });

  it('goes to diag.error for what onError would hear of, where there is none', () => {
    const error = new Error('broken');
    const { exporter } = arrangeScript([], {
      onError: undefined,
      classify: () => {
        throw error;
      },
      onTransition: () => {
        throw error;
      },
    });
    send(exporter);
    exporter.breaker.forceOpen();
    expect(log.error.mock.calls).toEqual([
      ['exporter "otlp": classify threw, taken as "failure"', error],
      ['circuit "otlp": a transition listener threw', error],
    ]);
  });
});
