import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { logTransitions } from '../../../src/adapters/logging.ts';
import { CircuitBreaker } from '../../../src/breaker/circuit-breaker.ts';
import { arrangeOpen, arrangeScript, batchOf, listenToDiag, send, sendTimes } from './arrange.ts';

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
    const { exporter } = arrangeScript(['failure', { code: 1 }, 'success']);
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
        'circuit "traces" opened after 3 failures in a row, last ECONNREFUSED (connection refused); only probes are sent until one succeeds',
      ],
      info: [],
      debug: [],
    });
  });

  it('is one info when it comes back: after how long, how many items were lost meanwhile, and how many are kept', () => {
    const { exporter, clock } = arrangeOpen(['failure'], { probePolicy: ({ attempt }) => attempt === 2 });
    const outage = (): void => {
      send(exporter, batchOf(5));
      clock.advance(1_250);
      send(exporter);
    };
    outage();
    outage();
    // Ten were rejected, one failed as a probe, and three opened the circuit.
    expect(logged()).toMatchObject({
      warn: [expect.anything()],
      info: ['circuit "otlp" closed again after 2.5 s; 14 items were lost meanwhile, 0 are kept'],
    });
    exporter.breaker.forceOpen();
    send(exporter, batchOf(2));
    clock.advance(60_000);
    exporter.breaker.reset();
    expect(logged().warn).toHaveLength(2);
    expect(logged().info.slice(1)).toEqual([
      'circuit "otlp" was closed by hand after 60 s; 2 items were lost meanwhile, 0 are kept',
    ]);
  });

  it('counts what the failures have lost that opened the circuit, and nothing from before the last success', () => {
    const { exporter } = arrangeScript(['failure', 'success', 'failure', 'failure', 'failure', 'success'], {
      probePolicy: ({ attempt }) => attempt === 2,
    });
    sendTimes(exporter, 7);
    // Of seven, the first was lost before the outage, three opened the circuit, and one was rejected.
    expect(logged().info).toEqual([
      'circuit "otlp" closed again after 0 s; 4 items were lost meanwhile, 0 are kept',
    ]);
  });

  it('counts nothing twice where the circuit opens again at once', () => {
    const { exporter } = arrangeScript(
      [...new Array(3).fill('failure'), 'success', ...new Array(3).fill('failure'), 'success'],
      {
        probePolicy: () => true,
      },
    );
    sendTimes(exporter, 8);
    expect(logged().info).toEqual(
      new Array(2).fill('circuit "otlp" closed again after 0 s; 3 items were lost meanwhile, 0 are kept'),
    );
  });

  it('counts what is kept with retention', () => {
    const { exporter } = arrangeScript([], { retention: {} });
    exporter.breaker.forceOpen();
    send(exporter, batchOf(2));
    exporter.breaker.reset();
    expect(logged().info).toEqual([
      'circuit "otlp" was closed by hand after 0 s; 0 items were lost meanwhile, 2 are kept',
    ]);
  });

  it('says that the circuit was opened by hand', () => {
    const { exporter } = arrangeScript([]);
    exporter.breaker.forceOpen();
    expect(logged().warn).toEqual([
      'circuit "otlp" was opened by hand; nothing is sent until somebody closes it',
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

  it('is nothing while logTransitions listens to its breaker, and comes again when that has stopped', () => {
    const { exporter } = arrangeScript([]);
    const logger = { warn: vi.fn(), info: vi.fn(), debug: vi.fn() };
    const stop = logTransitions(exporter, logger);
    exporter.breaker.forceOpen();
    exporter.breaker.reset();
    expect(logged()).toMatchObject({ warn: [], info: [] });
    expect([logger.warn, logger.info].map(({ mock }) => mock.calls.length)).toEqual([1, 1]);
    stop();
    exporter.breaker.forceOpen();
    exporter.breaker.reset();
    expect(logged()).toMatchObject({ warn: [expect.anything()], info: [expect.anything()] });
  });

  it('is nothing with enabled: false', () => {
    const { exporter } = arrangeScript([], { enabled: false });
    exporter.breaker.forceOpen();
    exporter.breaker.reset();
    expect(logged()).toMatchObject({ warn: [], info: [] });
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
      ['exporter "otlp": classify() threw, taken as "failure"', error],
      ['circuit "otlp": a transition listener failed', error],
    ]);
  });
});
