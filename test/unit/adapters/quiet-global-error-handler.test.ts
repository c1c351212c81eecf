import { diag } from '@opentelemetry/api';
import { globalErrorHandler, loggingErrorHandler, setGlobalErrorHandler } from '@opentelemetry/core';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { logTransitions, quietGlobalErrorHandler } from '../../../src/adapters/logging.ts';
import { CircuitBreaker } from '../../../src/breaker/circuit-breaker.ts';
import { CircuitOpenError } from '../../../src/internal/errors.ts';

const open = () => new CircuitOpenError('otlp', 'circuit "otlp" is open since 12:03:10Z, last ECONNREFUSED');
const silent = { warn() {}, info() {}, debug() {} };
const failure = (code: string | number): Error => Object.assign(new Error('failed'), { code });
const other = new Error('other');
const another = new Error('another');

/** What the handler passes on of an error. */
function passedOn(error: unknown): unknown[] {
  const next = vi.fn();
  quietGlobalErrorHandler(next)(error);
  return next.mock.calls.map(([passed]) => passed);
}

/** The string that core's own handler makes of an error. */
function flattened(error: unknown): string {
  const log = vi.fn();
  diag.setLogger({ error: log, warn: vi.fn(), info: vi.fn(), debug: vi.fn(), verbose: vi.fn() });
  loggingErrorHandler()(error as Error);
  diag.disable();
  expect(log).toHaveBeenCalledOnce();
  return log.mock.calls[0]?.[0];
}

function defaultLines(error: unknown): unknown[][] {
  const log = vi.fn();
  diag.setLogger({ error: log, warn: vi.fn(), info: vi.fn(), debug: vi.fn(), verbose: vi.fn() });
  quietGlobalErrorHandler()(error);
  return log.mock.calls;
}

afterEach(() => {
  diag.disable();
  setGlobalErrorHandler(loggingErrorHandler());
});

describe('quietGlobalErrorHandler', () => {
  it.each<[string, () => unknown]>([
    ['the error of an open circuit', open],
    [
      'an error of the other module format',
      () => Object.assign(new Error('open'), { code: 'ERR_CIRCUIT_OPEN' }),
    ],
    ['an array of them', () => [open(), open()]],
    ['an array in an array', () => [[open()], open()]],
    ['an AggregateError of them', () => new AggregateError([open(), open()], 'all failed')],
    ['an AggregateError in an array', () => [new AggregateError([open()])]],
    ['the string that core makes of one', () => flattened(open())],
    ['the string that core makes of an array of them', () => flattened([open(), open()])],
    [
      'the error that a metric reader makes of one',
      () => new Error(`PeriodicExportingMetricReader: metrics export failed (error ${open()})`),
    ],
    [
      'the string that core makes of that',
      () => flattened(new Error(`PeriodicExportingMetricReader: metrics export failed (error ${open()})`)),
    ],
  ])('swallows %s', (_, make) => {
    expect(passedOn(make())).toEqual([]);
  });

  it.each<[string, unknown]>([
    ['another error', other],
    ['an error that only mentions the code', new Error('ERR_CIRCUIT_OPEN')],
    [
      'the error that a metric reader makes of another',
      new Error('PeriodicExportingMetricReader: metrics export failed (error Error: CircuitOpenError: )'),
    ],
    ['an array of others', [other, another]],
    ['an AggregateError of others', new AggregateError([other])],
    ['an empty array', []],
    ['an empty AggregateError', new AggregateError([])],
    ['a string', 'ERR_CIRCUIT_OPEN'],
    ['a string with both braces and code', '{ERR_CIRCUIT_OPEN}'],
    ['JSON of another error', '{"code":"ECONNREFUSED","message":"not ERR_CIRCUIT_OPEN"}'],
    ['JSON that mentions the error', '{"message":"CircuitOpenError: x"}'],
    ['JSON without anything', '{}'],
    ['JSON of an array with the code in it', '["ERR_CIRCUIT_OPEN"]'],
    ['the string that core makes of a mixed array', flattened([open(), other])],
    ['JSON with other keys than indexes', '{"x1":"CircuitOpenError: x","1x":"CircuitOpenError: x"}'],
    [
      'the string that core makes of an array of many, the last of which is another',
      flattened([...Array.from({ length: 10 }, open), other]),
    ],
    ['undefined', undefined],
    ['null', null],
    ['a number', 5],
  ])('passes on %s, as it is', (_, error) => {
    const [passed, ...more] = passedOn(error);
    expect(passed).toBe(error);
    expect(more).toEqual([]);
  });

  it('passes on the rest of a mixed array', () => {
    expect(passedOn([open(), other, open(), another])).toEqual([[other, another]]);
    expect(passedOn([other, [open(), another]])).toEqual([[other, [another]]]);
  });

  it('passes on the rest of a mixed AggregateError, with its message', () => {
    const [passed] = passedOn(new AggregateError([open(), other], 'two failed'));
    expect(passed).toBeInstanceOf(AggregateError);
    expect(passed).toMatchObject({ message: 'two failed', errors: [other] });
  });

  it('does not hang on an array that contains itself', () => {
    const cycle: unknown[] = [open()];
    cycle.push(cycle);
    expect(passedOn(cycle)).toHaveLength(1);
  });

  it('makes one diag.error line of the others by default', () => {
    const refused = Object.assign(new Error('connect\n  refused'), { code: 'ECONNREFUSED' });
    expect(defaultLines(refused)).toEqual([['Error: connect refused [ECONNREFUSED]']]);
    expect(defaultLines('text')).toEqual([['text']]);
    expect(defaultLines([other, open(), 'text'])).toEqual([['Error: other; text']]);
    expect(defaultLines(new AggregateError([other, another], 'two failed'))).toEqual([
      ['AggregateError: two failed; Error: other; Error: another'],
    ]);
    expect(defaultLines({ code: 14 })).toEqual([['Error:  [14]']]);
    expect(defaultLines(null)).toEqual([['null']]);
    expect(defaultLines(open())).toEqual([]);
  });

  it('swallows the error of a failed probe once, where logTransitions has told of its code last', () => {
    const breaker = new CircuitBreaker({ probePolicy: () => true });
    const unsubscribe = logTransitions(breaker, silent);
    const codes = ['ECONNREFUSED', 'ECONNREFUSED', 'ECONNREFUSED', 'ECONNREFUSED', 401, 401, 'ECONNREFUSED'];
    const failures = codes.map((code) => failure(code));
    for (const each of failures) breaker.tryAcquire()?.fail(each);
    const passed = failures.flatMap((each) => passedOn(each)) as { code: unknown }[];
    expect(passed.map(({ code }) => code)).toEqual([...codes.slice(0, 3), 401, 'ECONNREFUSED']);
    expect(passedOn([failures[3], other])).toEqual([[failures[3], other]]);
    unsubscribe();
    breaker.tryAcquire()?.fail(other);
    expect(passedOn(other)).toEqual([other]);
  });

  it('passes on the error of a failed probe that has no code: its cause may be another', () => {
    const breaker = new CircuitBreaker({ probePolicy: () => true });
    const unsubscribe = logTransitions(breaker, silent);
    const timedOut = Array.from({ length: 4 }, () => new Error('Request timed out'));
    const revoked = new Error('API key revoked');
    for (const each of [...timedOut, revoked]) breaker.tryAcquire()?.fail(each);
    expect([...timedOut, revoked].flatMap(passedOn)).toEqual([...timedOut, revoked]);
    unsubscribe();
  });

  it('passes on another error with the code of a failed probe', () => {
    const breaker = new CircuitBreaker({ probePolicy: () => true });
    const unsubscribe = logTransitions(breaker, silent);
    for (let i = 0; i < 4; i++) breaker.tryAcquire()?.fail(failure('ECONNREFUSED'));
    const elsewhere = failure('ECONNREFUSED');
    expect(passedOn(elsewhere)).toEqual([elsewhere]);
    unsubscribe();
  });

  it.each<[string, (breaker: CircuitBreaker, unsubscribe: () => void) => void]>([
    ['the circuit has closed', (breaker) => breaker.tryAcquire()?.succeed()],
    ['nobody listens any more', (_, unsubscribe) => unsubscribe()],
  ])('passes on the error of a failed probe once %s', (_, end) => {
    const breaker = new CircuitBreaker({ probePolicy: () => true });
    const unsubscribe = logTransitions(breaker, silent);
    const failures = Array.from({ length: 4 }, () => failure('ECONNREFUSED'));
    for (const each of failures) breaker.tryAcquire()?.fail(each);
    end(breaker, unsubscribe);
    expect(passedOn(failures[3])).toEqual([failures[3]]);
    unsubscribe();
  });

  // Quadratic work would take minutes.
  it('takes a time that is linear in what it is given', { timeout: 20_000 }, () => {
    const blanks = new Error(`a${' \n'.repeat(500_000)}b`);
    expect(defaultLines(blanks)).toEqual([['Error: a b']]);
    const page = new Error(`<html>${'x'.repeat(1_000_000)}`);
    expect(String(defaultLines(page)[0]?.[0]).length).toBeLessThan(1_100);
    const tree: unknown[] = [];
    tree.push(...Array.from({ length: 20 }, () => tree), open());
    passedOn(tree);
    passedOn(`{"x":"${'CircuitOpenError: '.repeat(50_000)}"`);
  });

  it.each<[string, () => unknown]>([
    [
      'throws',
      () => {
        throw new Error('disk full');
      },
    ],
    ['rejects', () => Promise.reject(new Error('disk full'))],
  ])('lets a next that %s harm nothing, and tells diag.error', async (_, next) => {
    const error = vi.fn();
    diag.setLogger({ error, warn: vi.fn(), info: vi.fn(), debug: vi.fn(), verbose: vi.fn() });
    quietGlobalErrorHandler(next as never)(other);
    await vi.waitFor(() =>
      expect(error).toHaveBeenCalledExactlyOnceWith(
        'quietGlobalErrorHandler: next threw',
        new Error('disk full'),
      ),
    );
  });

  it("does its work as core's global error handler", () => {
    const next = vi.fn();
    setGlobalErrorHandler(quietGlobalErrorHandler(next));
    globalErrorHandler(open());
    globalErrorHandler(other);
    expect(next.mock.calls).toEqual([[other]]);
  });

  it.each([[null], ['log'], [5]])('refuses %j as next', (next) => {
    expect(() => quietGlobalErrorHandler(next as never)).toThrow(TypeError);
    expect(() => quietGlobalErrorHandler(next as never)).toThrow(
      `quietGlobalErrorHandler: next must be a function, got ${JSON.stringify(next)}`,
    );
  });
});
