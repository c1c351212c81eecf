import { afterEach, describe, expect, it, vi } from 'vitest';
import { CircuitBreaker } from '../../../src/breaker/circuit-breaker.ts';
import { systemClock } from '../../../src/breaker/clock.ts';
import { acquire, arrangeBreaker, fail } from './arrange.ts';

afterEach(() => {
  vi.restoreAllMocks();
});

describe('bad input', () => {
  const detector = { onSuccess: () => false, onFailure: () => false, reset: () => {} };

  it.each<[unknown, typeof TypeError | typeof RangeError, string]>([
    [null, TypeError, 'CircuitBreaker: options must be an object, got null'],
    ['otlp', TypeError, 'CircuitBreaker: options must be an object, got "otlp"'],
    [[], TypeError, 'CircuitBreaker: options must be an object, got an array of 0'],
    [{ name: '' }, TypeError, 'CircuitBreaker: option "name" must be a non-empty string, got ""'],
    [{ name: 5 }, TypeError, 'CircuitBreaker: option "name" must be a non-empty string, got 5'],
    [{ name: null }, TypeError, 'CircuitBreaker: option "name" must be a non-empty string, got null'],
    [
      { tripPolicy: 3 },
      TypeError,
      'CircuitBreaker: option "tripPolicy" must be an object with createDetector(), got 3',
    ],
    [
      { tripPolicy: {} },
      TypeError,
      'CircuitBreaker: option "tripPolicy" must be an object with createDetector(), got an object',
    ],
    [
      { tripPolicy: null },
      TypeError,
      'CircuitBreaker: option "tripPolicy" must be an object with createDetector(), got null',
    ],
    [
      { tripPolicy: { createDetector: () => ({ ...detector, reset: undefined }) } },
      TypeError,
      'CircuitBreaker: the result of createDetector() must be an object with onSuccess(), onFailure(), reset(), got an object',
    ],
    [
      { tripPolicy: { createDetector: () => undefined } },
      TypeError,
      'CircuitBreaker: the result of createDetector() must be an object with onSuccess(), onFailure(), reset(), got undefined',
    ],
    [
      { probePolicy: {} },
      TypeError,
      'CircuitBreaker: option "probePolicy" must be a function, got an object',
    ],
    [
      { successThreshold: 0 },
      RangeError,
      'CircuitBreaker: option "successThreshold" must be a positive integer, got 0',
    ],
    [
      { successThreshold: 1.5 },
      RangeError,
      'CircuitBreaker: option "successThreshold" must be a positive integer, got 1.5',
    ],
    [
      { successThreshold: '2' },
      TypeError,
      'CircuitBreaker: option "successThreshold" must be a positive integer, got "2"',
    ],
    [
      { successThreshold: 2n },
      TypeError,
      'CircuitBreaker: option "successThreshold" must be a positive integer, got 2n',
    ],
    [
      { clock: Date },
      TypeError,
      'CircuitBreaker: option "clock" must be an object with now(), schedule(), got function Date',
    ],
    [
      { clock: { now: () => 0 } },
      TypeError,
      'CircuitBreaker: option "clock" must be an object with now(), schedule(), got an object',
    ],
    [
      { clock: { now: () => 0, schedule: () => () => {}, unixMillis: 5 } },
      TypeError,
      'CircuitBreaker: option "clock".unixMillis must be a function, got 5',
    ],
    [{ random: 0.5 }, TypeError, 'CircuitBreaker: option "random" must be a function, got 0.5'],
    [{ onTransition: true }, TypeError, 'CircuitBreaker: option "onTransition" must be a function, got true'],
    [{ onError: 'log' }, TypeError, 'CircuitBreaker: option "onError" must be a function, got "log"'],
    [
      { probeTimeoutMillis: 0 },
      RangeError,
      'CircuitBreaker: option "probeTimeoutMillis" must be a finite number above 0, got 0',
    ],
    [
      { probeTimeoutMillis: Infinity },
      RangeError,
      'CircuitBreaker: option "probeTimeoutMillis" must be a finite number above 0, got Infinity',
    ],
    [
      { probeTimeoutMillis: '1s' },
      TypeError,
      'CircuitBreaker: option "probeTimeoutMillis" must be a finite number above 0, got "1s"',
    ],
    [
      { sucessThreshold: 2 },
      TypeError,
      'CircuitBreaker: unknown option "sucessThreshold" (2); known options: name, tripPolicy, probePolicy, successThreshold, clock, random, onTransition, onError, probeTimeoutMillis',
    ],
  ])('%o is refused at construction', (options, errorClass, message) => {
    expect(() => new CircuitBreaker(options as never)).toThrow(new errorClass(message));
  });

  it.each([
    [-1, RangeError, 'CircuitBreaker.tryAcquire: items must be an integer of at least 0, got -1'],
    [1.5, RangeError, 'CircuitBreaker.tryAcquire: items must be an integer of at least 0, got 1.5'],
    [Number.NaN, RangeError, 'CircuitBreaker.tryAcquire: items must be an integer of at least 0, got NaN'],
    ['3', TypeError, 'CircuitBreaker.tryAcquire: items must be an integer of at least 0, got "3"'],
    [null, TypeError, 'CircuitBreaker.tryAcquire: items must be an integer of at least 0, got null'],
  ])('tryAcquire(%o) is refused, and counts as nothing', (items, errorClass, message) => {
    const { breaker } = arrangeBreaker();
    breaker.forceOpen();
    expect(() => breaker.tryAcquire(items as never)).toThrow(new errorClass(message));
    expect(breaker.snapshot().exports.rejected).toBe(0);
  });
});

describe('options', () => {
  it('may be absent, or undefined one by one', () => {
    const names = [
      'name',
      'tripPolicy',
      'probePolicy',
      'successThreshold',
      'clock',
      'random',
      'onTransition',
      'onError',
      'probeTimeoutMillis',
      'unheardOf',
    ];
    const breaker = new CircuitBreaker(Object.fromEntries(names.map((name) => [name, undefined])));
    expect(breaker.name).toBe('otlp');
    expect(breaker.clock).toBe(systemClock);
    expect(new CircuitBreaker().name).toBe('otlp');
  });

  it('are what the breaker shows of them', () => {
    const { breaker, clock } = arrangeBreaker({ name: 'logs' });
    expect(breaker.name).toBe('logs');
    expect(breaker.clock).toBe(clock);
    expect(breaker.snapshot().name).toBe('logs');
  });

  it('default to Math.random, drawn at the opening', () => {
    const drawn: number[] = [];
    const breaker = new CircuitBreaker({
      random: undefined,
      probePolicy: ({ random }) => {
        drawn.push(random);
        return false;
      },
    });
    fail(breaker, 3);
    breaker.tryAcquire();
    expect(drawn).toHaveLength(1);
    expect(drawn[0]).toBeGreaterThanOrEqual(0);
    expect(drawn[0]).toBeLessThan(1);
  });

  it('default to console.error for what nobody else hears', () => {
    const consoleError = vi.spyOn(console, 'error').mockImplementation(() => {});
    const error = new Error('listener broke');
    const breaker = new CircuitBreaker({
      onTransition: () => {
        throw error;
      },
    });
    breaker.forceOpen();
    expect(consoleError.mock.calls).toEqual([['circuit "otlp": a transition listener failed', error]]);
  });

  it('default to a probe at the 10th attempt, not before a second has passed', () => {
    const { breaker, clock } = arrangeBreaker();
    fail(breaker, 3);
    for (let i = 1; i <= 18; i++) expect(breaker.tryAcquire()).toBeUndefined();
    clock.advance(1_000);
    expect(breaker.tryAcquire()).toBeUndefined();
    expect(acquire(breaker).probe).toBe(true);
  });
});
