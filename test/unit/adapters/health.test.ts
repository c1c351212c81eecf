import { afterEach, describe, expect, it, vi } from 'vitest';
import { renderHealth } from '../../../src/adapters/health.ts';
import { CircuitBreaker } from '../../../src/breaker/circuit-breaker.ts';
import type { CircuitSnapshot, FailureSummary } from '../../../src/breaker/snapshot.ts';
import { circuitSnapshot, deliverySnapshot, exporterSnapshot } from './snapshots.ts';

const now = Date.UTC(2026, 10, 23, 12, 0, 0);

const closed = circuitSnapshot({ name: 'closed' });
const degraded = circuitSnapshot({ name: 'degraded', consecutiveInvalid: 1 });
const halfOpen = circuitSnapshot({ name: 'half-open', state: 'HALF_OPEN', notClosedSince: 0 });
const open = circuitSnapshot({ name: 'open', state: 'OPEN', notClosedSince: 0 });

afterEach(() => {
  vi.useRealTimers();
});

function failureAt(at: number): FailureSummary {
  return { name: 'Error', code: null, cause: null, message: 'no', at };
}

describe('renderHealth', () => {
  it.each<[string, CircuitSnapshot, string, number]>([
    ['healthy while CLOSED', closed, 'healthy', 200],
    ['degraded while CLOSED with invalid results', degraded, 'degraded', 200],
    ['unhealthy while a probe is in flight', halfOpen, 'unhealthy', 503],
    ['unhealthy while OPEN', open, 'unhealthy', 503],
    ['unhealthy while OPEN with invalid results', { ...open, consecutiveInvalid: 2 }, 'unhealthy', 503],
  ])('is %s', (_, snapshot, status, httpStatus) => {
    const report = renderHealth(snapshot, { now });
    expect(report.body.status).toBe(status);
    expect(report.httpStatus).toBe(httpStatus);
  });

  it.each<[string, Partial<CircuitSnapshot>]>([
    ['a failure and nothing else', { consecutiveFailures: 1, lastFailure: failureAt(5) }],
    ['a failure after a success', { consecutiveFailures: 1, lastFailure: failureAt(5), lastSuccessAt: 4 }],
    ['a failed redelivery, which is in no streak', { lastFailure: failureAt(5), lastSuccessAt: 4 }],
    ['ignored and nothing else', { consecutiveIgnored: 1, lastIgnored: failureAt(5) }],
    ['ignored after a success', { consecutiveIgnored: 1, lastIgnored: failureAt(5), lastSuccessAt: 4 }],
    [
      'ignored after an older failure',
      { lastIgnored: failureAt(5), lastFailure: failureAt(3), lastSuccessAt: 4 },
    ],
    [
      'a failure in the same millisecond as a success, after it',
      { consecutiveFailures: 1, lastFailure: failureAt(5), lastSuccessAt: 5 },
    ],
    [
      'ignored in the same millisecond as a success, after it',
      { consecutiveIgnored: 1, lastIgnored: failureAt(5), lastSuccessAt: 5 },
    ],
  ])('is degraded while CLOSED where the last answer was %s', (_, given) => {
    expect(renderHealth(circuitSnapshot(given))).toMatchObject({
      httpStatus: 200,
      body: { status: 'degraded' },
    });
    expect(renderHealth(circuitSnapshot({ ...given, state: 'OPEN' })).body.status).toBe('unhealthy');
  });

  it.each<[string, Partial<CircuitSnapshot>]>([
    ['a success after a failure', { lastFailure: failureAt(5), lastSuccessAt: 6 }],
    ['a success after ignored', { lastIgnored: failureAt(5), lastSuccessAt: 6 }],
    ['a success after a failure in the same millisecond', { lastFailure: failureAt(5), lastSuccessAt: 5 }],
    ['a success after ignored in the same millisecond', { lastIgnored: failureAt(5), lastSuccessAt: 5 }],
    [
      'a redelivered batch that was refused, which is in no streak',
      { lastFailure: failureAt(4), lastInvalid: failureAt(6), lastSuccessAt: 5 },
    ],
  ])('is healthy while CLOSED where the last answer was %s', (_, given) => {
    expect(renderHealth(circuitSnapshot(given)).body.status).toBe('healthy');
  });

  it('answers openStatus when unhealthy only', () => {
    expect(renderHealth(open, { openStatus: 200 }).httpStatus).toBe(200);
    expect(renderHealth(open, { openStatus: 429 }).httpStatus).toBe(429);
    expect(renderHealth(degraded, { openStatus: 429 }).httpStatus).toBe(200);
  });

  it.each<[CircuitSnapshot[], string, string]>([
    [[closed, degraded, halfOpen, open], 'open', 'unhealthy'],
    [[open, halfOpen, degraded, closed], 'open', 'unhealthy'],
    [[closed, halfOpen, degraded], 'half-open', 'unhealthy'],
    [[closed, degraded], 'degraded', 'degraded'],
    [[closed, { ...closed, name: 'second' }], 'closed', 'healthy'],
    [[closed, open, { ...open, name: 'second' }], 'open', 'unhealthy'],
  ])('shows the worst of several, the first of equals (%#)', (snapshots, worst, status) => {
    const { body } = renderHealth(snapshots, { now });
    expect(body.circuit_breaker).toMatchObject({ name: worst });
    expect(body.status).toBe(status);
    expect(body.circuit_breakers?.map(({ name }) => name)).toEqual(snapshots.map(({ name }) => name));
  });

  it('lists the breakers only where there are several', () => {
    expect(renderHealth(closed).body).not.toHaveProperty('circuit_breakers');
    expect(renderHealth([closed]).body).not.toHaveProperty('circuit_breakers');
    expect(renderHealth([closed, open]).body.circuit_breakers).toHaveLength(2);
  });

  it('says that nothing is configured where there is no source', () => {
    const expected = {
      httpStatus: 200,
      body: {
        status: 'healthy',
        circuit_breaker: { state: 'N/A', reason: 'OTLP exporter not configured' },
        timestamp: '2026-11-23T12:00:00.000Z',
      },
    };
    expect(renderHealth(undefined, { now })).toStrictEqual(expected);
    expect(renderHealth([], { now })).toStrictEqual(expected);
  });

  it('shows everything of a breaker in snake case, with ISO times', () => {
    const at = (seconds: number) => now + seconds * 1_000;
    const snapshot = circuitSnapshot({
      name: 'collector',
      state: 'OPEN',
      forced: 'OPEN',
      since: at(2),
      notClosedSince: at(1),
      consecutiveFailures: 4,
      consecutiveInvalid: 1,
      failedProbes: 2,
      attemptsSinceOpened: 7,
      lastFailure: {
        name: 'Error',
        code: 'ECONNREFUSED',
        cause: 'connection refused',
        message: 'connect http://u:p@host',
        at: at(3),
      },
      lastInvalid: {
        name: 'OTLPExporterError',
        code: 400,
        cause: 'refused the payload',
        message: 'Bad Request',
        at: at(4),
      },
      lastIgnored: {
        name: 'Error',
        code: null,
        cause: 'local limit',
        message: 'Concurrent export limit reached',
        at: at(6),
      },
      lastSuccessAt: at(5),
      exports: { success: 1, failure: 2, invalid: 3, ignored: 4, rejected: 5 },
      items: { success: 10, failure: 20, invalid: 30, ignored: 40, rejected: 50 },
      probes: { success: 6, failure: 7 },
      notClosedMillis: 1_500,
    });
    expect(renderHealth(snapshot, { now }).body.circuit_breaker).toStrictEqual({
      name: 'collector',
      state: 'OPEN',
      forced: 'OPEN',
      since: '2026-11-23T12:00:02.000Z',
      not_closed_since: '2026-11-23T12:00:01.000Z',
      consecutive_failures: 4,
      consecutive_invalid: 1,
      failed_probes: 2,
      attempts_since_opened: 7,
      last_failure: {
        name: 'Error',
        code: 'ECONNREFUSED',
        cause: 'connection refused',
        at: '2026-11-23T12:00:03.000Z',
      },
      last_invalid: {
        name: 'OTLPExporterError',
        code: 400,
        cause: 'refused the payload',
        at: '2026-11-23T12:00:04.000Z',
      },
      last_ignored: { name: 'Error', code: null, cause: 'local limit', at: '2026-11-23T12:00:06.000Z' },
      last_success_at: '2026-11-23T12:00:05.000Z',
      exports: { success: 1, failure: 2, invalid: 3, ignored: 4, rejected: 5 },
      items: { success: 10, failure: 20, invalid: 30, ignored: 40, rejected: 50 },
      probes: { success: 6, failure: 7 },
      not_closed_seconds: 1.5,
      delivery: null,
    });
  });

  it('says null for what has never been', () => {
    expect(renderHealth(circuitSnapshot(), { now }).body.circuit_breaker).toMatchObject({
      forced: null,
      since: '1970-01-01T00:00:00.000Z',
      not_closed_since: null,
      last_failure: null,
      last_invalid: null,
      last_ignored: null,
      last_success_at: null,
    });
    expect(renderHealth(exporterSnapshot()).body.circuit_breaker).toMatchObject({
      delivery: { last_offered_at: null },
    });
  });

  it('shows the delivery of an exporter as one object, in snake case', () => {
    const amount = (batches: number) => ({ batches, items: batches * 100 });
    const lostBy = { ...deliverySnapshot().lostBy, rejected: 5, full: 6, ended: 7 };
    const evicted = { full: 1, expired: 2, attempts: 3, invalid: 4, shutdown: 5, unreadable: 6 };
    const snapshot = exporterSnapshot(
      { name: 'spans' },
      {
        offered: amount(1),
        delivered: amount(2),
        fallback: amount(3),
        lost: amount(4),
        kept: amount(5),
        inFlight: amount(6),
        recovered: amount(7),
        lastOfferedAt: now,
        redelivered: amount(8),
        evicted,
        lostBy,
      },
    );
    const { circuit_breaker } = renderHealth(snapshot).body;
    expect('delivery' in circuit_breaker && circuit_breaker.delivery).toStrictEqual({
      exporter: 'spans',
      offered: amount(1),
      delivered: amount(2),
      fallback: amount(3),
      lost: amount(4),
      kept: amount(5),
      in_flight: amount(6),
      recovered: amount(7),
      last_offered_at: '2026-11-23T12:00:00.000Z',
      redelivered: amount(8),
      evicted,
      lost_by: lostBy,
    });
  });

  it('shows messages only when asked', () => {
    const said = (message: string) => ({ ...failureAt(now), message });
    const snapshot = circuitSnapshot({
      lastFailure: said('secret-of-the-failure'),
      lastInvalid: said('secret-of-the-invalid'),
      lastIgnored: said('secret-of-the-ignored'),
    });
    expect(JSON.stringify(renderHealth(snapshot))).not.toContain('secret');
    expect(JSON.stringify(renderHealth(snapshot, { includeErrorMessages: false }))).not.toContain('secret');
    expect(renderHealth(snapshot, { includeErrorMessages: true }).body.circuit_breaker).toMatchObject({
      last_failure: { message: 'secret-of-the-failure' },
      last_invalid: { message: 'secret-of-the-invalid' },
      last_ignored: { message: 'secret-of-the-ignored' },
    });
  });

  it('names the second breaker of a name as the metrics do', () => {
    const { body } = renderHealth([circuitSnapshot(), circuitSnapshot()]);
    expect(body.circuit_breakers?.map(({ name }) => name)).toEqual(['otlp', 'otlp#2']);
  });

  it('takes the time itself where none is given', () => {
    vi.useFakeTimers({ now });
    expect(renderHealth(undefined).body.timestamp).toBe('2026-11-23T12:00:00.000Z');
    expect(renderHealth(undefined, { now: undefined }).body.timestamp).toBe('2026-11-23T12:00:00.000Z');
    expect(renderHealth(undefined, { now: 0 }).body.timestamp).toBe('1970-01-01T00:00:00.000Z');
  });

  it('gives a body of its own, safe to change', () => {
    const snapshot = exporterSnapshot();
    const { circuit_breaker: shown } = renderHealth(snapshot).body;
    if (shown.state === 'N/A' || shown.delivery === null) throw new Error('nothing is shown');
    shown.exports.success = 99;
    shown.delivery.kept.items = 99;
    shown.delivery.lost_by.full = 99;
    shown.delivery.evicted.full = 99;
    expect(snapshot).toStrictEqual(exporterSnapshot());
  });

  it('shows a real breaker through an outage', () => {
    const breaker = new CircuitBreaker({ name: 'collector', onError: () => {} });
    expect(renderHealth(breaker).body.status).toBe('healthy');
    breaker.tryAcquire()?.ignore();
    expect(renderHealth(breaker).body.status).toBe('degraded');
    breaker.tryAcquire()?.succeed();
    expect(renderHealth(breaker).body.status).toBe('healthy');
    for (let i = 0; i < 3; i++)
      breaker.tryAcquire()?.fail(Object.assign(new Error('no'), { code: 'ECONNREFUSED' }));
    expect(renderHealth(breaker)).toMatchObject({
      httpStatus: 503,
      body: {
        status: 'unhealthy',
        circuit_breaker: {
          state: 'OPEN',
          last_failure: { code: 'ECONNREFUSED', cause: 'connection refused' },
        },
      },
    });
    breaker.reset();
    breaker.tryAcquire()?.invalid();
    expect(renderHealth(breaker)).toMatchObject({ httpStatus: 200, body: { status: 'degraded' } });
  });

  it.each<[Record<string, unknown>, typeof TypeError | typeof RangeError, string]>([
    [
      { openStatus: '503' },
      TypeError,
      '"openStatus" must be an HTTP status from 200 to 599 with a body, got "503"',
    ],
    [{ openStatus: null }, TypeError, '"openStatus"'],
    [
      { openStatus: 199 },
      RangeError,
      '"openStatus" must be an HTTP status from 200 to 599 with a body, got 199',
    ],
    [{ openStatus: 600 }, RangeError, 'got 600'],
    [{ openStatus: 500.5 }, RangeError, 'got 500.5'],
    [{ openStatus: Number.NaN }, RangeError, 'got NaN'],
    [{ openStatus: 204 }, RangeError, 'got 204'],
    [{ openStatus: 304 }, RangeError, 'got 304'],
    [{ includeErrorMessages: 'yes' }, TypeError, '"includeErrorMessages" must be true or false, got "yes"'],
    [{ now: new Date() }, TypeError, '"now" must be a time in Unix milliseconds, got an object'],
    [{ now: Number.NaN }, RangeError, '"now" must be a time in Unix milliseconds, got NaN'],
    [{ now: 1e300 }, RangeError, 'got 1e+300'],
    [{ openstatus: 503 }, TypeError, 'unknown option "openstatus" (503); known options: openStatus,'],
  ])('refuses %j', (options, error, message) => {
    const attempt = () => renderHealth(undefined, options);
    expect(attempt).toThrow(error);
    expect(attempt).toThrow(`renderHealth: ${message.startsWith('unknown') ? '' : 'option '}`);
    expect(attempt).toThrow(message);
  });

  it.each([8.64e15, -8.64e15])('accepts the time %d, the farthest that a Date can be', (millis) => {
    expect(renderHealth(undefined, { now: millis }).body.timestamp).toBe(new Date(millis).toISOString());
  });

  it.each([200, 599])('accepts the openStatus %i', (openStatus) => {
    expect(renderHealth(open, { openStatus }).httpStatus).toBe(openStatus);
  });

  it('refuses anything that is not a source', () => {
    expect(() => renderHealth(5 as never)).toThrow(
      new TypeError('renderHealth: a source must be a snapshot, or have snapshot(), got 5'),
    );
  });
});
