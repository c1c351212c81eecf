import { diag } from '@opentelemetry/api';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { PROMETHEUS_CONTENT_TYPE, renderPrometheus } from '../../../src/adapters/prometheus.ts';
import { CircuitBreaker } from '../../../src/breaker/circuit-breaker.ts';
import type { CircuitSnapshot, FailureSummary } from '../../../src/breaker/snapshot.ts';
import { parseExposition } from './exposition.ts';
import { circuitSnapshot, deliverySnapshot, exporterSnapshot } from './snapshots.ts';

const P = 'otel_circuit_breaker_';

const failure: FailureSummary = {
  name: 'Error',
  code: 'ECONNREFUSED',
  cause: 'connection refused',
  message: 'connect http://user:password@host',
  at: 0,
};

/** The samples of a family, without the prefix. */
function samplesOf(family: string, text: string): Record<string, number> {
  const { samples } = parseExposition(text);
  const found = [...samples].filter(([series]) => series.startsWith(`${P}${family}{`));
  return Object.fromEntries(found.map(([series, value]) => [series.slice(P.length + family.length), value]));
}

afterEach(() => {
  diag.disable();
});

describe('renderPrometheus', () => {
  it('names its format', () => {
    expect(PROMETHEUS_CONTENT_TYPE).toBe('text/plain; version=0.0.4; charset=utf-8');
  });

  it.each([[undefined], [[]]])('says in one comment line that there is no source (%j)', (source) => {
    const text = renderPrometheus(source);
    expect(text).toMatch(/^# [^\n]*not configured[^\n]*\n$/);
    expect(text).not.toMatch(/^# (HELP|TYPE)/);
  });

  it('has all families, each with its type', () => {
    expect(
      Object.fromEntries(parseExposition(renderPrometheus(exporterSnapshot({ lastFailure: failure }))).types),
    ).toEqual({
      [`${P}state`]: 'gauge',
      [`${P}transitions_total`]: 'counter',
      [`${P}exports_total`]: 'counter',
      [`${P}items_total`]: 'counter',
      [`${P}probes_total`]: 'counter',
      [`${P}export_duration_seconds`]: 'histogram',
      [`${P}batch_items`]: 'histogram',
      [`${P}consecutive_failures`]: 'gauge',
      [`${P}consecutive_invalid`]: 'gauge',
      [`${P}not_closed_seconds_total`]: 'counter',
      [`${P}last_transition_timestamp_seconds`]: 'gauge',
      [`${P}last_failure_info`]: 'gauge',
      [`${P}offered_items_total`]: 'counter',
      [`${P}delivered_items_total`]: 'counter',
      [`${P}redelivered_items_total`]: 'counter',
      [`${P}fallback_items_total`]: 'counter',
      [`${P}lost_items_total`]: 'counter',
      [`${P}evicted_items_total`]: 'counter',
      [`${P}kept_items`]: 'gauge',
      [`${P}kept_batches`]: 'gauge',
    });
  });

  it('has no delivery families for a bare breaker', () => {
    const { types } = parseExposition(renderPrometheus(new CircuitBreaker()));
    expect(
      [...types.keys()].filter((name) => /kept|lost|offered|delivered|fallback|evicted/.test(name)),
    ).toEqual([]);
    expect(types.size).toBe(11);
  });

  it('has every series before anything happened', () => {
    const worn = new CircuitBreaker({ tripPolicy: { createDetector: alwaysTrip }, probePolicy: () => true });
    const fresh = parseExposition(renderPrometheus(worn)).samples;
    worn.tryAcquire()?.fail();
    worn.tryAcquire()?.fail();
    worn.tryAcquire()?.succeed();
    worn.tryAcquire()?.invalid();
    worn.tryAcquire()?.ignore();
    worn.forceOpen();
    worn.tryAcquire();
    worn.reset();
    const series = [...parseExposition(renderPrometheus(worn)).samples.keys()];
    expect(series.filter((each) => !each.includes('last_failure_info'))).toEqual([...fresh.keys()]);
    expect(fresh.get(`${P}state{name="otlp",state="closed"}`)).toBe(1);
  });

  it.each<[CircuitSnapshot['state'], string]>([
    ['CLOSED', 'closed'],
    ['OPEN', 'open'],
    ['HALF_OPEN', 'half_open'],
  ])('shows %s as 1, and the other states as 0', (state, label) => {
    expect(samplesOf('state', renderPrometheus(circuitSnapshot({ state })))).toEqual({
      '{name="otlp",state="closed"}': 0,
      '{name="otlp",state="open"}': 0,
      '{name="otlp",state="half_open"}': 0,
      [`{name="otlp",state="${label}"}`]: 1,
    });
  });

  it('shows the numbers of the snapshot', () => {
    const text = renderPrometheus(
      circuitSnapshot({
        since: 1_764_000_000_500,
        consecutiveFailures: 4,
        consecutiveInvalid: 5,
        exports: { success: 1, failure: 2, invalid: 3, ignored: 4, rejected: 5 },
        items: { success: 10, failure: 20, invalid: 30, ignored: 40, rejected: 50 },
        probes: { success: 6, failure: 7 },
        transitions: {
          'CLOSED->OPEN': 1,
          'OPEN->HALF_OPEN': 2,
          'HALF_OPEN->CLOSED': 3,
          'HALF_OPEN->OPEN': 4,
          'OPEN->CLOSED': 5,
        },
        notClosedMillis: 1_500,
      }),
    );
    expect(samplesOf('exports_total', text)).toEqual({
      '{name="otlp",result="success"}': 1,
      '{name="otlp",result="failure"}': 2,
      '{name="otlp",result="invalid"}': 3,
      '{name="otlp",result="ignored"}': 4,
      '{name="otlp",result="rejected"}': 5,
    });
    expect(samplesOf('items_total', text)).toEqual({
      '{name="otlp",result="success"}': 10,
      '{name="otlp",result="failure"}': 20,
      '{name="otlp",result="invalid"}': 30,
      '{name="otlp",result="ignored"}': 40,
      '{name="otlp",result="rejected"}': 50,
    });
    expect(samplesOf('probes_total', text)).toEqual({
      '{name="otlp",result="success"}': 6,
      '{name="otlp",result="failure"}': 7,
    });
    expect(samplesOf('transitions_total', text)).toEqual({
      '{name="otlp",from="closed",to="open"}': 1,
      '{name="otlp",from="open",to="half_open"}': 2,
      '{name="otlp",from="half_open",to="closed"}': 3,
      '{name="otlp",from="half_open",to="open"}': 4,
      '{name="otlp",from="open",to="closed"}': 5,
    });
    expect(samplesOf('consecutive_failures', text)).toEqual({ '{name="otlp"}': 4 });
    expect(samplesOf('consecutive_invalid', text)).toEqual({ '{name="otlp"}': 5 });
    expect(samplesOf('not_closed_seconds_total', text)).toEqual({ '{name="otlp"}': 1.5 });
    expect(samplesOf('last_transition_timestamp_seconds', text)).toEqual({
      '{name="otlp"}': 1_764_000_000.5,
    });
  });

  it('shows what became of the batches, in items', () => {
    const amount = (batches: number) => ({ batches, items: batches * 100 });
    const lostBy = {
      rejected: 1,
      failure: 2,
      invalid: 3,
      ignored: 4,
      full: 5,
      expired: 6,
      attempts: 7,
      shutdown: 8,
      unreadable: 9,
      fallback: 10,
      ended: 11,
    };
    const evicted = { full: 1, expired: 2, attempts: 3, invalid: 4, shutdown: 5, unreadable: 6 };
    const text = renderPrometheus(
      exporterSnapshot(
        { name: 'spans' },
        {
          offered: amount(1),
          delivered: amount(2),
          redelivered: amount(3),
          fallback: amount(4),
          lost: amount(5),
          kept: amount(6),
          evicted,
          lostBy,
        },
      ),
    );
    for (const [family, value] of Object.entries({
      offered_items_total: 100,
      delivered_items_total: 200,
      redelivered_items_total: 300,
      fallback_items_total: 400,
      kept_items: 600,
      kept_batches: 6,
    })) {
      expect(samplesOf(family, text)).toEqual({ '{name="spans"}': value });
    }
    const byReason = (reasons: object) =>
      Object.fromEntries(
        Object.entries(reasons).map(([reason, value]) => [`{name="spans",reason="${reason}"}`, value]),
      );
    expect(samplesOf('lost_items_total', text)).toEqual(byReason(lostBy));
    expect(samplesOf('evicted_items_total', text)).toEqual(byReason(evicted));
  });

  it('has every reason for a loss before anything is lost', () => {
    const samples = samplesOf('lost_items_total', renderPrometheus(exporterSnapshot()));
    expect(Object.keys(samples)).toHaveLength(Object.keys(deliverySnapshot().lostBy).length);
    expect(new Set(Object.values(samples))).toEqual(new Set([0]));
  });

  it('shows cause and code of the last failure, once there was one', () => {
    const infoOf = (lastFailure: FailureSummary | null) =>
      samplesOf('last_failure_info', renderPrometheus(circuitSnapshot({ lastFailure })));
    expect(infoOf(null)).toEqual({});
    expect(renderPrometheus(circuitSnapshot())).not.toContain('last_failure_info');
    expect(infoOf(failure)).toEqual({ '{name="otlp",cause="connection refused",code="ECONNREFUSED"}': 1 });
    expect(infoOf({ ...failure, code: 404, cause: 'no such endpoint' })).toEqual({
      '{name="otlp",cause="no such endpoint",code="404"}': 1,
    });
    expect(infoOf({ ...failure, code: null, cause: 'timed out' })).toEqual({
      '{name="otlp",cause="timed out",code=""}': 1,
    });
    expect(infoOf({ ...failure, code: null, cause: null })).toEqual({ '{name="otlp",cause="",code=""}': 1 });
  });

  it('stays short where a code is as long as a text', () => {
    const breaker = new CircuitBreaker();
    breaker.tryAcquire()?.fail(Object.assign(new Error('no'), { code: 'x'.repeat(1_000_000) }));
    expect(renderPrometheus(breaker).length).toBeLessThan(20_000);
  });

  it('makes histograms cumulative, with +Inf, sum and count', () => {
    const text = renderPrometheus(
      circuitSnapshot({
        exportDurations: { bounds: [0.005, 1], counts: [3, 2, 1], sum: 7.25, count: 6 },
        batchSizes: { bounds: [512], counts: [4, 2], sum: 3_000, count: 6 },
      }),
    );
    expect(samplesOf('export_duration_seconds_bucket', text)).toEqual({
      '{name="otlp",le="0.005"}': 3,
      '{name="otlp",le="1"}': 5,
      '{name="otlp",le="+Inf"}': 6,
    });
    expect(samplesOf('export_duration_seconds_sum', text)).toEqual({ '{name="otlp"}': 7.25 });
    expect(samplesOf('export_duration_seconds_count', text)).toEqual({ '{name="otlp"}': 6 });
    expect(samplesOf('batch_items_bucket', text)).toEqual({
      '{name="otlp",le="512"}': 4,
      '{name="otlp",le="+Inf"}': 6,
    });
    expect(samplesOf('batch_items_sum', text)).toEqual({ '{name="otlp"}': 3_000 });
    expect(samplesOf('batch_items_count', text)).toEqual({ '{name="otlp"}': 6 });
  });

  it('writes one HELP and TYPE a family for several breakers and exporters', () => {
    const text = renderPrometheus([
      exporterSnapshot({ name: 'spans' }),
      exporterSnapshot({ name: 'logs' }),
      circuitSnapshot({ name: 'audit' }),
    ]);
    expect(samplesOf('consecutive_failures', text)).toEqual({
      '{name="spans"}': 0,
      '{name="logs"}': 0,
      '{name="audit"}': 0,
    });
    expect(samplesOf('kept_items', text)).toEqual({ '{name="spans"}': 0, '{name="logs"}': 0 });
    expect(text.match(/^# TYPE otel_circuit_breaker_state /gm)).toHaveLength(1);
    expect(text.match(/^# HELP otel_circuit_breaker_state /gm)).toHaveLength(1);
  });

  it('shows two breakers of one name, the second with #2, and tells diag.error once', () => {
    const error = vi.fn();
    diag.setLogger({ error, warn: vi.fn(), info: vi.fn(), debug: vi.fn(), verbose: vi.fn() });
    const breakers = [new CircuitBreaker(), new CircuitBreaker()];
    for (let scrape = 0; scrape < 3; scrape++) {
      expect(samplesOf('consecutive_failures', renderPrometheus(breakers))).toEqual({
        '{name="otlp"}': 0,
        '{name="otlp#2"}': 0,
      });
    }
    expect(error.mock.calls).toEqual([
      [
        'renderPrometheus: more than one circuit breaker has the name "otlp"; one of them is shown as "otlp#2"',
      ],
    ]);
  });

  it('shows a source that is given twice once', () => {
    const breaker = new CircuitBreaker();
    expect(renderPrometheus([breaker, breaker])).toBe(renderPrometheus(breaker));
  });

  it('escapes backslashes, quotes and newlines in label values, and nothing else', () => {
    const text = renderPrometheus(exporterSnapshot({ name: 'C:\\new\n"größe" ☃ {x=1}' }));
    expect(samplesOf('kept_items', text)).toEqual({
      '{name="C:\\\\new\\n\\"größe\\" ☃ {x=1}"}': 0,
    });
  });

  it.each<[number, string]>([
    [Number.NaN, 'NaN'],
    [Number.POSITIVE_INFINITY, '+Inf'],
    [Number.NEGATIVE_INFINITY, '-Inf'],
    [1e21, '1e+21'],
    [2.5e-7, '2.5e-7'],
    [9_007_199_254_740_991, '9007199254740991'],
  ])('writes the number %d as %s', (consecutiveFailures, written) => {
    const lines = renderPrometheus(circuitSnapshot({ consecutiveFailures })).split('\n');
    expect(lines).toContain(`${P}consecutive_failures{name="otlp"} ${written}`);
  });

  it('refuses anything that is not a source', () => {
    expect(() => renderPrometheus(null as never)).toThrow(
      new TypeError('renderPrometheus: a source must be a snapshot, or have snapshot(), got null'),
    );
  });
});

function alwaysTrip() {
  return { onSuccess: () => false, onFailure: () => true, reset: () => {} };
}
