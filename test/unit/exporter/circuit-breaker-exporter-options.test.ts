import { describe, expect, it, vi } from 'vitest';
import { systemClock } from '../../../src/breaker/clock.ts';
import { consecutiveFailures } from '../../../src/breaker/trip-policies.ts';
import { CircuitBreakerExporter } from '../../../src/exporter/circuit-breaker-exporter.ts';
import { ScriptedExporter } from '../../../src/testing/scripted-exporter.ts';
import { arrangeOpen, exporterThat, send } from './arrange.ts';

const FIRST =
  'CircuitBreakerExporter: the first argument must be an exporter with export() and shutdown(), got';
const FALLBACK =
  'CircuitBreakerExporter: option "fallback" must be an exporter with export() and shutdown(), got';

describe('bad input', () => {
  const optionNames =
    'enabled, exportTimeoutMillis, shutdownTimeoutMillis, closedShutdownTimeoutMillis, classify, reportRejectedAs, onLoss, retention, fallback, name, onError, tripPolicy, probePolicy, successThreshold, clock, random, onTransition';
  const known = `known options: ${optionNames}`;
  const knownOfRetention =
    'known options: maxItems, maxBytes, maxAgeMillis, maxAttempts, pace, idleMillis, handOverMillis, store';

  it.each<[unknown, typeof TypeError | typeof RangeError, string]>([
    [null, TypeError, 'options must be an object, got null'],
    [5, TypeError, 'options must be an object, got 5'],
    [{ enabled: 'true' }, TypeError, 'option "enabled" must be true or false, got "true"'],
    [
      { exportTimeoutMillis: -1 },
      RangeError,
      'option "exportTimeoutMillis" must be a finite number of at least 0, got -1',
    ],
    [
      { exportTimeoutMillis: Number.POSITIVE_INFINITY },
      RangeError,
      'option "exportTimeoutMillis" must be a finite number of at least 0, got Infinity',
    ],
    [
      { exportTimeoutMillis: '15s' },
      TypeError,
      'option "exportTimeoutMillis" must be a finite number of at least 0, got "15s"',
    ],
    [
      { shutdownTimeoutMillis: Number.NaN },
      RangeError,
      'option "shutdownTimeoutMillis" must be a finite number of at least 0, got NaN',
    ],
    [
      { shutdownTimeoutMillis: null },
      TypeError,
      'option "shutdownTimeoutMillis" must be a finite number of at least 0, got null',
    ],
    [{ classify: 'otlp' }, TypeError, 'option "classify" must be a function, got "otlp"'],
    [
      { reportRejectedAs: 'ok' },
      TypeError,
      'option "reportRejectedAs" must be one of "failure", "success", got "ok"',
    ],
    [
      { closedShutdownTimeoutMillis: -1 },
      RangeError,
      'option "closedShutdownTimeoutMillis" must be a finite number of at least 0, got -1',
    ],
    [{ onLoss: 'log' }, TypeError, 'option "onLoss" must be a function, got "log"'],
    [{ breaker: 5 }, TypeError, `unknown option "breaker" (5); ${known}`],
    [
      { retention: { store: {} } },
      TypeError,
      'option "retention": option "store" must be an object with open(), put(), get(), delete(), close(), got an object',
    ],
    [{ retention: true }, TypeError, 'option "retention": options must be an object, got true'],
    [
      { retention: { maxItems: 0 } },
      RangeError,
      'option "retention": option "maxItems" must be a positive integer, got 0',
    ],
    [
      { retention: { maxItem: 5 } },
      TypeError,
      `option "retention": unknown option "maxItem" (5); ${knownOfRetention}`,
    ],
    [{ name: '' }, TypeError, 'option "name" must be a non-empty string, got ""'],
    [{ onError: {} }, TypeError, 'option "onError" must be a function, got an object'],
    [{ exportTimeoutMilis: 5 }, TypeError, `unknown option "exportTimeoutMilis" (5); ${known}`],
    [{ probeTimeoutMillis: 5 }, TypeError, `unknown option "probeTimeoutMillis" (5); ${known}`],
  ])('%o is refused at construction, before anything is sent', (options, errorClass, message) => {
    const inner = new ScriptedExporter();
    expect(() => new CircuitBreakerExporter(inner, options as never)).toThrow(
      new errorClass(`CircuitBreakerExporter: ${message}`),
    );
    expect(inner.batches).toEqual([]);
  });

  it.each<[unknown, typeof TypeError | typeof RangeError, string]>([
    [{ successThreshold: 0 }, RangeError, 'option "successThreshold" must be a positive integer, got 0'],
    [
      { tripPolicy: () => {} },
      TypeError,
      'option "tripPolicy" must be an object with createDetector(), got function tripPolicy',
    ],
    [{ probePolicy: null }, TypeError, 'option "probePolicy" must be a function, got null'],
    [{ clock: 5 }, TypeError, 'option "clock" must be an object with now(), schedule(), got 5'],
    [{ random: 4 }, TypeError, 'option "random" must be a function, got 4'],
    [{ onTransition: 'log' }, TypeError, 'option "onTransition" must be a function, got "log"'],
  ])('%o is refused as the breaker refuses it', (options, errorClass, message) => {
    expect(() => new CircuitBreakerExporter(new ScriptedExporter(), options as never)).toThrow(
      new errorClass(`CircuitBreaker: ${message}`),
    );
  });

  it.each([
    [undefined, 'undefined without export and shutdown'],
    [null, 'null without export and shutdown'],
    ['console', '"console" without export and shutdown'],
    [{}, 'an object without export and shutdown'],
    [{ export() {} }, 'an object without shutdown'],
    [{ shutdown() {} }, 'an object without export'],
    [{ export: true, shutdown() {} }, 'an object without export'],
  ])('%o is no exporter, and is told what is missing', (value, got) => {
    expect(() => new CircuitBreakerExporter(value as never)).toThrow(new TypeError(`${FIRST} ${got}`));
    if (value === undefined) return;
    expect(() => new CircuitBreakerExporter(new ScriptedExporter(), { fallback: value as never })).toThrow(
      new TypeError(`${FALLBACK} ${got}`),
    );
  });

  it.each(['x', 0, false])('is named also where it is %o and unknown', (value) => {
    expect(() => new CircuitBreakerExporter(new ScriptedExporter(), { unheardOf: value } as never)).toThrow(
      TypeError,
    );
  });
});

describe('options', () => {
  it('may be absent, or undefined one by one, and an exporter needs no forceFlush', () => {
    const inner = exporterThat(() => {});
    const absent = new CircuitBreakerExporter(inner).snapshot();
    const names =
      'enabled exportTimeoutMillis shutdownTimeoutMillis closedShutdownTimeoutMillis onLoss classify reportRejectedAs retention fallback name onError tripPolicy probePolicy successThreshold clock random onTransition unheardOf';
    const options = Object.fromEntries(names.split(' ').map((name) => [name, undefined]));
    const exporter = new CircuitBreakerExporter(inner, options);
    expect(exporter.snapshot()).toEqual({ ...absent, since: expect.any(Number) });
    expect(exporter.breaker.clock).toBe(systemClock);
    expect(absent).toMatchObject({ name: 'otlp', forced: null, delivery: { exporter: 'otlp' } });
  });

  it('of the breaker go to the breaker', () => {
    const onTransition = vi.fn();
    const { exporter, clock } = arrangeOpen(['success', 'success'], {
      name: 'traces',
      successThreshold: 2,
      probePolicy: () => true,
      onTransition,
    });
    expect(exporter.breaker.name).toBe('traces');
    expect(exporter.breaker.clock).toBe(clock);
    send(exporter);
    expect(exporter.breaker.state).toBe('HALF_OPEN');
    send(exporter);
    expect(exporter.breaker.state).toBe('CLOSED');
    expect(onTransition).toHaveBeenCalledTimes(3);
  });

  it('may be inherited, or getters of a class', () => {
    class Settings {
      get name() {
        return 'traces';
      }
      get successThreshold() {
        return 2;
      }
      get exportTimeoutMillis() {
        return -1;
      }
    }
    expect(() => new CircuitBreakerExporter(new ScriptedExporter(), new Settings())).toThrow(
      'option "exportTimeoutMillis"',
    );
    const options = Object.create({ name: 'traces', tripPolicy: consecutiveFailures(1) });
    const exporter = new CircuitBreakerExporter(new ScriptedExporter(['failure']), options);
    exporter.export([], () => {});
    expect(exporter.snapshot()).toMatchObject({ name: 'traces', state: 'OPEN' });
  });

  it('go to the breaker: tripPolicy and random', () => {
    const drawn: number[] = [];
    const { exporter } = arrangeOpen([], {
      tripPolicy: {
        createDetector: () => ({ onSuccess: () => false, onFailure: () => true, reset: () => {} }),
      },
      random: () => 0.125,
      probePolicy: ({ random }) => {
        drawn.push(random);
        return false;
      },
    });
    expect(exporter.snapshot().exports).toMatchObject({ failure: 1, rejected: 2 });
    expect(drawn).toEqual([0.125, 0.125]);
  });

  it.each([
    [0, 30_000],
    [15_000, 30_000],
    [30_000, 30_000],
    [45_000, 45_000],
  ])(
    'an exportTimeoutMillis of %i makes the breaker wait for a probe that is never settled for %i ms',
    (exportTimeoutMillis, millis) => {
      const { exporter, clock } = arrangeOpen([], { exportTimeoutMillis, probePolicy: () => true });
      // Past the exporter: a permit of the breaker's own, which no deadline ends.
      expect(exporter.breaker.tryAcquire()?.probe).toBe(true);
      clock.advance(millis - 1);
      expect(exporter.breaker.tryAcquire()).toBeUndefined();
      clock.advance(1);
      expect(exporter.breaker.tryAcquire()?.probe).toBe(true);
    },
  );
});
