import { describe, expect, it } from 'vitest';
import { causeOf } from '../../../src/internal/causes.ts';
import {
  acquire,
  always,
  arrangeBreaker,
  arrangeHalfOpen,
  arrangeOpen,
  fail,
  never,
  START,
} from './arrange.ts';

const DURATION_BOUNDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
const SIZE_BOUNDS = [1, 4, 16, 64, 256, 512, 1024, 4096];

describe('snapshot()', () => {
  it('of a new breaker is this', () => {
    const { breaker } = arrangeBreaker();
    expect(breaker.snapshot()).toStrictEqual({
      name: 'otlp',
      state: 'CLOSED',
      forced: null,
      since: START,
      notClosedSince: null,
      consecutiveFailures: 0,
      consecutiveInvalid: 0,
      consecutiveIgnored: 0,
      failedProbes: 0,
      attemptsSinceOpened: 0,
      lastFailure: null,
      lastInvalid: null,
      lastIgnored: null,
      lastSuccessAt: null,
      exports: { success: 0, failure: 0, invalid: 0, ignored: 0, rejected: 0 },
      items: { success: 0, failure: 0, invalid: 0, ignored: 0, rejected: 0 },
      probes: { success: 0, failure: 0 },
      transitions: {
        'CLOSED->OPEN': 0,
        'OPEN->HALF_OPEN': 0,
        'HALF_OPEN->CLOSED': 0,
        'HALF_OPEN->OPEN': 0,
        'OPEN->CLOSED': 0,
      },
      exportDurations: { bounds: DURATION_BOUNDS, counts: new Array(13).fill(0), sum: 0, count: 0 },
      batchSizes: { bounds: SIZE_BOUNDS, counts: new Array(9).fill(0), sum: 0, count: 0 },
      notClosedMillis: 0,
    });
  });

  it('survives JSON.stringify as it is, after failures of every kind', () => {
    const { breaker } = arrangeOpen({ probePolicy: always });
    acquire(breaker).fail({ message: 'x', code: 10n, self: breaker });
    acquire(breaker).invalid(Symbol('refused'));
    expect(JSON.parse(JSON.stringify(breaker.snapshot()))).toEqual(breaker.snapshot());
  });

  it('is fresh: what is done to one changes neither the breaker nor the next', () => {
    const { breaker } = arrangeOpen({ probePolicy: always });
    acquire(breaker).invalid(new Error('refused'));
    acquire(breaker).succeed();
    const first = breaker.snapshot();
    const untouched = structuredClone(first);
    for (const part of Object.values(first)) {
      if (typeof part !== 'object' || part === null) continue;
      for (const [key, value] of Object.entries(part)) {
        if (Array.isArray(value)) value.length = 0;
        else (part as Record<string, unknown>)[key] = -1;
      }
    }
    expect(breaker.snapshot()).toEqual(untouched);
  });

  it('changes nothing by being read, and neither does the state', () => {
    const { breaker, clock, transitions } = arrangeHalfOpen({ probeTimeoutMillis: 10 });
    clock.advance(1_000);
    expect(breaker.snapshot()).toEqual(breaker.snapshot());
    expect(breaker.state).toBe('HALF_OPEN');
    expect(transitions).toEqual([]);
    expect(breaker.snapshot()).toMatchObject({ attemptsSinceOpened: 1, probes: { failure: 0 } });
  });

  it('says since when the circuit is in its state, and since when it is not CLOSED, which probes do not move', () => {
    const { breaker, clock } = arrangeBreaker({ probePolicy: always });
    const seen: unknown[] = [];
    const look = (): void => {
      const { state, since, notClosedSince } = breaker.snapshot();
      seen.push([state, since - START, notClosedSince === null ? null : notClosedSince - START]);
      clock.advance(10);
    };
    look();
    fail(breaker, 3);
    look();
    const probe = acquire(breaker);
    look();
    probe.fail();
    look();
    const second = acquire(breaker);
    look();
    second.succeed();
    look();
    expect(seen).toEqual([
      ['CLOSED', 0, null],
      ['OPEN', 10, 10],
      ['HALF_OPEN', 20, 10],
      ['OPEN', 30, 10],
      ['HALF_OPEN', 40, 10],
      ['CLOSED', 50, null],
    ]);
    expect(breaker.snapshot().notClosedMillis).toBe(40);
  });

  it('adds up the time not CLOSED over all outages, now included', () => {
    const { breaker, clock } = arrangeBreaker({ probePolicy: always });
    breaker.forceOpen();
    clock.advance(100);
    breaker.reset();
    clock.advance(1_000);
    expect(breaker.snapshot().notClosedMillis).toBe(100);
    fail(breaker, 3);
    clock.advance(20);
    acquire(breaker);
    clock.advance(5);
    expect(breaker.snapshot().notClosedMillis).toBe(125);
  });

  it('counts failures in a row, probes included, until a success or an invalid result', () => {
    const { breaker } = arrangeBreaker({ probePolicy: always });
    fail(breaker, 5);
    expect(breaker.snapshot().consecutiveFailures).toBe(5);
    acquire(breaker).invalid();
    expect(breaker.snapshot().consecutiveFailures).toBe(0);
    fail(breaker, 1);
    acquire(breaker).succeed();
    expect(breaker.snapshot().consecutiveFailures).toBe(0);
  });

  it('counts invalid results since the last success, failures and ignored ones between them notwithstanding', () => {
    const { breaker } = arrangeBreaker();
    acquire(breaker).invalid();
    fail(breaker, 1);
    acquire(breaker).ignore();
    acquire(breaker).invalid();
    expect(breaker.snapshot().consecutiveInvalid).toBe(2);
    acquire(breaker).succeed();
    expect(breaker.snapshot().consecutiveInvalid).toBe(0);
  });

  it('counts ignored results since the last success, whatever else comes between them', () => {
    const { breaker } = arrangeBreaker();
    acquire(breaker).ignore();
    fail(breaker, 1);
    acquire(breaker).invalid();
    acquire(breaker).ignore();
    expect(breaker.snapshot().consecutiveIgnored).toBe(2);
    acquire(breaker).succeed();
    expect(breaker.snapshot().consecutiveIgnored).toBe(0);
  });

  it('shows times and durations in whole milliseconds', () => {
    let now = 0.25;
    const { breaker } = arrangeBreaker({ clock: { now: () => now, schedule: () => () => {} } });
    now = 10.75;
    breaker.forceOpen();
    now = 21.5;
    expect(breaker.snapshot()).toMatchObject({ since: 11, notClosedSince: 11, notClosedMillis: 11 });
  });

  it('counts failed probes since the circuit left CLOSED, and attempts since it last opened; 0 while CLOSED', () => {
    const { breaker } = arrangeOpen({ probePolicy: ({ attempt }) => attempt === 2 });
    const seen: unknown[] = [];
    const look = (): void => {
      const { failedProbes, attemptsSinceOpened } = breaker.snapshot();
      seen.push([failedProbes, attemptsSinceOpened]);
    };
    look();
    breaker.tryAcquire();
    look();
    const probe = acquire(breaker);
    look();
    probe.fail();
    look();
    breaker.tryAcquire();
    const second = acquire(breaker);
    look();
    second.succeed();
    look();
    fail(breaker, 3);
    look();
    expect(seen).toEqual([
      [0, 0],
      [0, 1],
      [0, 2],
      [1, 0],
      [1, 2],
      [0, 0],
      [0, 0],
    ]);
  });

  it('takes an invalid probe for a successful probe and an invalid export, and not for the last success', () => {
    const { breaker, probe } = arrangeHalfOpen();
    probe.invalid();
    expect(breaker.snapshot()).toMatchObject({
      probes: { success: 1, failure: 0 },
      exports: { success: 0, invalid: 1 },
      lastSuccessAt: null,
    });
  });

  it('counts how often each transition happened, whoever caused it', () => {
    const { breaker } = arrangeBreaker({ probePolicy: always });
    fail(breaker, 3);
    fail(breaker, 2);
    acquire(breaker).succeed();
    breaker.forceOpen();
    breaker.reset();
    expect(breaker.snapshot().transitions).toEqual({
      'CLOSED->OPEN': 2,
      'OPEN->HALF_OPEN': 3,
      'HALF_OPEN->CLOSED': 1,
      'HALF_OPEN->OPEN': 2,
      'OPEN->CLOSED': 1,
    });
  });

  it('counts batches and items by what they came to', () => {
    const { breaker } = arrangeBreaker({ probePolicy: never });
    acquire(breaker, 2).succeed();
    acquire(breaker, 3).invalid();
    acquire(breaker, 5).ignore();
    for (const items of [7, 11, 13]) acquire(breaker, items).fail();
    breaker.tryAcquire(17);
    breaker.tryAcquire(19);
    expect(breaker.snapshot()).toMatchObject({
      exports: { success: 1, invalid: 1, ignored: 1, failure: 3, rejected: 2 },
      items: { success: 2, invalid: 3, ignored: 5, failure: 31, rejected: 36 },
    });
  });

  it('puts durations and sizes on a bound into the bucket below it, and what is above all into the last', () => {
    const { breaker, clock } = arrangeBreaker();
    for (const [seconds, items] of [
      [0, 0],
      [0.005, 1],
      [0.006, 2],
      [30, 4096],
      [30.001, 4097],
    ] as const) {
      const permit = acquire(breaker, items);
      clock.advance(seconds * 1_000);
      permit.succeed();
    }
    const { exportDurations, batchSizes } = breaker.snapshot();
    expect(exportDurations.counts).toEqual([2, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1]);
    expect(exportDurations.sum).toBeCloseTo(60.012);
    expect(batchSizes).toEqual({
      bounds: SIZE_BOUNDS,
      counts: [2, 1, 0, 0, 0, 0, 0, 1, 1],
      sum: 8196,
      count: 5,
    });
  });

  it('measures every export that was answered, whatever it came to, and none that was rejected', () => {
    const { breaker, clock } = arrangeBreaker({ probePolicy: never });
    const permits = [acquire(breaker), acquire(breaker), acquire(breaker), acquire(breaker)];
    clock.advance(250);
    permits[0]?.succeed();
    permits[1]?.invalid();
    permits[2]?.ignore();
    permits[3]?.fail();
    breaker.forceOpen();
    breaker.tryAcquire(100);
    expect(breaker.snapshot()).toMatchObject({
      exportDurations: { sum: 1, count: 4 },
      batchSizes: { sum: 4, count: 4 },
    });
  });
});

describe('the last failure, the last invalid and the last ignored result', () => {
  it.each([
    ['an error', new TypeError('bad'), { name: 'TypeError', code: null, message: 'bad' }],
    [
      'an error with a code',
      Object.assign(new Error('refused'), { code: 'ECONNREFUSED' }),
      { name: 'Error', code: 'ECONNREFUSED', message: 'refused' },
    ],
    [
      'an error with a number as code',
      Object.assign(new Error('busy'), { code: 503 }),
      { name: 'Error', code: 503, message: 'busy' },
    ],
    [
      'an error with a code that JSON has no number for',
      Object.assign(new Error('odd'), { code: Number.NaN }),
      { name: 'Error', code: null, message: 'odd' },
    ],
    [
      'an error with a code that is neither',
      Object.assign(new Error('odd'), { code: {} }),
      { name: 'Error', code: null, message: 'odd' },
    ],
    [
      'a DOMException, whose number stands for its name',
      new DOMException('late', 'TimeoutError'),
      { name: 'TimeoutError', code: null, message: 'late' },
    ],
    [
      'an object that is like one',
      { message: 'like', name: 7 },
      { name: 'Error', code: null, message: 'like' },
    ],
    ['an object with no message', { name: 'Odd' }, { name: 'Odd', code: null, message: '' }],
    [
      'an error whose name and code are long texts',
      { name: 'n'.repeat(101), code: 'c'.repeat(101), message: 'm'.repeat(101) },
      { name: 'n'.repeat(100), code: 'c'.repeat(100), message: 'm'.repeat(101) },
    ],
    ['a string', 'gone', { name: 'Error', code: null, message: 'gone' }],
    ['a symbol', Symbol('gone'), { name: 'Error', code: null, message: 'Symbol(gone)' }],
    ['null', null, { name: 'Error', code: null, message: 'null' }],
    ['nothing', undefined, { name: 'Error', code: null, message: '' }],
  ])('are shown for %s', (_, error, summary) => {
    const { breaker, clock } = arrangeBreaker();
    clock.advance(5);
    acquire(breaker).fail(error);
    clock.advance(5);
    acquire(breaker).invalid(error);
    clock.advance(5);
    acquire(breaker).ignore(error);
    const { lastFailure, lastInvalid, lastIgnored } = breaker.snapshot();
    const cause = causeOf(error);
    expect(lastFailure).toStrictEqual({ ...summary, cause, at: START + 5 });
    expect(lastInvalid).toStrictEqual({ ...summary, cause, at: START + 10 });
    expect(lastIgnored).toStrictEqual({ ...summary, cause, at: START + 15 });
  });

  it('stay when a success follows, which is remembered apart', () => {
    const { breaker, clock } = arrangeBreaker();
    acquire(breaker).fail(new Error('down'));
    clock.advance(5);
    acquire(breaker).succeed();
    clock.advance(5);
    acquire(breaker).ignore();
    expect(breaker.snapshot()).toMatchObject({
      lastFailure: { message: 'down', at: START },
      lastInvalid: null,
      lastIgnored: { message: '', at: START + 10 },
      lastSuccessAt: START + 5,
    });
  });
});
