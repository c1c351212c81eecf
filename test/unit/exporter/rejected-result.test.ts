import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { CircuitBreaker } from '../../../src/breaker/circuit-breaker.ts';
import { describeOpenCircuit, RejectedResult } from '../../../src/exporter/rejected-result.ts';
import { ManualClock } from '../../../src/testing/manual-clock.ts';
import { arrangeOpen, START, settled } from './arrange.ts';

function arrangeBreaker(errors: readonly unknown[] = [], startMillis = START) {
  const breaker = new CircuitBreaker({
    name: 'logs',
    clock: new ManualClock(startMillis),
    probePolicy: () => true,
  });
  for (const error of errors) breaker.tryAcquire()?.fail(error);
  return breaker;
}

const refused = { code: 'ECONNREFUSED', message: 'connect ECONNREFUSED 10.1.2.3:4318' };

describe('describeOpenCircuit', () => {
  it.each([
    [
      'without a code',
      [1, 2, new Error('down')],
      'circuit "logs" is open since 22:13:20Z after 3 failures in a row',
    ],
    [
      'with a code',
      [1, 2, refused],
      'circuit "logs" is open since 22:13:20Z after 3 failures in a row, last ECONNREFUSED',
    ],
    [
      'with a number',
      [1, 2, { code: 503 }],
      'circuit "logs" is open since 22:13:20Z after 3 failures in a row, last 503',
    ],
    [
      'with no code but a message of the OTLP exporters',
      [1, 2, new Error('Request timed out')],
      'circuit "logs" is open since 22:13:20Z after 3 failures in a row, last timed out',
    ],
    [
      'with the number 0',
      [1, 2, { code: 0 }],
      'circuit "logs" is open since 22:13:20Z after 3 failures in a row, last 0',
    ],
  ])('says since when and after what, and of the last failure the code at most: %s', (_, errors, text) => {
    expect(describeOpenCircuit(arrangeBreaker(errors))).toBe(text);
  });

  it('speaks of one failure in the singular', () => {
    const breaker = new CircuitBreaker({
      clock: new ManualClock(START),
      tripPolicy: {
        createDetector: () => ({ onSuccess: () => false, onFailure: () => true, reset: () => {} }),
      },
    });
    breaker.tryAcquire()?.fail();
    expect(describeOpenCircuit(breaker)).toBe('circuit "otlp" is open since 22:13:20Z after 1 failure');
  });

  it('speaks of no failures where there were none in a row, and not of an earlier one', () => {
    const breaker = arrangeBreaker([1, 2, refused]);
    breaker.tryAcquire()?.succeed();
    const { text } = tripBySuccess();
    expect(text).toBe('circuit "otlp" is open since 22:13:20Z');

    function tripBySuccess() {
      const slow = new CircuitBreaker({
        clock: new ManualClock(START),
        tripPolicy: {
          createDetector: () => ({ onSuccess: () => true, onFailure: () => false, reset: () => {} }),
        },
      });
      slow.tryAcquire()?.fail(refused);
      slow.tryAcquire()?.succeed();
      return { text: describeOpenCircuit(slow) };
    }
  });

  it('says that a circuit is held open by hand', () => {
    const breaker = arrangeBreaker([1, 2]);
    breaker.forceOpen();
    expect(describeOpenCircuit(breaker)).toBe('circuit "logs" is held open by hand since 22:13:20Z');
  });

  it('gives the bare number where the clock says what is no date', () => {
    expect(describeOpenCircuit(arrangeBreaker([1, 2, 3], 1e300))).toBe(
      'circuit "logs" is open since 1e+300 after 3 failures in a row',
    );
  });

  it('gives no time where the circuit has closed meanwhile', () => {
    expect(describeOpenCircuit(arrangeBreaker())).toBe('circuit "logs" is open');
  });
});

describe('RejectedResult', () => {
  it('is one frozen FAILED with a CircuitOpenError, until it is forgotten', () => {
    const rejected = new RejectedResult(arrangeBreaker([1, 2, 3]));
    const result = rejected.get();
    expect(result).toMatchObject({ code: 1, error: { code: 'ERR_CIRCUIT_OPEN', circuit: 'logs' } });
    expect(Object.isFrozen(result)).toBe(true);
    expect(rejected.get()).toBe(result);
    rejected.forget();
    expect(rejected.get()).not.toBe(result);
    expect(rejected.get()).toEqual(result);
  });
});

describe('a rejected batch', () => {
  afterEach(() => {
    vi.doUnmock('../../../src/internal/errors.ts');
    vi.resetModules();
  });

  it('creates no error: one serves all of an outage', async () => {
    let created = 0;
    vi.resetModules();
    vi.doMock('../../../src/internal/errors.ts', async (importOriginal) => {
      const errors = await importOriginal<typeof import('../../../src/internal/errors.ts')>();
      return {
        ...errors,
        CircuitOpenError: class extends errors.CircuitOpenError {
          constructor(circuit: string, message?: string) {
            super(circuit, message);
            created++;
          }
        },
      };
    });
    const { CircuitBreakerExporter } = await import('../../../src/exporter/circuit-breaker-exporter.ts');
    const exporter = new CircuitBreakerExporter<string[]>({ export: () => {}, shutdown: async () => {} });
    exporter.breaker.forceOpen();
    expect(created).toBe(0);
    for (let i = 0; i < 100; i++) exporter.export([], () => {});
    expect(created).toBe(1);
  });

  it('is held on to by nothing', async () => {
    setFlagsFromString('--expose-gc');
    const gc = runInNewContext('gc') as () => void;
    const { exporter } = arrangeOpen();
    const refs = (() => {
      const batch = ['a rejected span'];
      const callback = () => {};
      exporter.export(batch, callback);
      return [new WeakRef(batch), new WeakRef(callback)];
    })();
    for (let i = 0; i < 5; i++) {
      await settled();
      gc();
    }
    expect(refs.map((ref) => ref.deref())).toEqual([undefined, undefined]);
    expect(exporter.snapshot().exports.rejected).toBe(1);
  });
});
