import { describe, expect, it } from 'vitest';
import { PROMETHEUS_CONTENT_TYPE, renderPrometheus } from '../../../src/adapters/prometheus.ts';
import { CircuitBreaker } from '../../../src/breaker/circuit-breaker.ts';
import type { CircuitSnapshot } from '../../../src/breaker/snapshot.ts';
import { parseExposition } from './exposition.ts';
import { circuitSnapshot, deliverySnapshot, exporterSnapshot, sourceOf } from './snapshots.ts';

const P = 'otel_circuit_breaker_';

/** The samples of a family, without the prefix. */
function samplesOf(family: string, text: string): Record<string, number> {
  const { samples } = parseExposition(text);
  const found = [...samples].filter(([series]) => series.startsWith(`${P}${family}{`));
  return Object.fromEntries(found.map(([series, value]) => [series.slice(P.length + family.length), value]));
}

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
    expect(Object.fromEntries(parseExposition(renderPrometheus(exporterSnapshot('spans'))).types)).toEqual({
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
    const fresh = parseExposition(renderPrometheus(new CircuitBreaker())).samples;
    const worn = new CircuitBreaker({ tripPolicy: { createDetector: alwaysTrip }, probePolicy: () => true });
    worn.tryAcquire()?.fail(new Error('no'));
    worn.tryAcquire()?.fail(new Error('no'));
    worn.tryAcquire()?.succeed();
    worn.tryAcquire()?.invalid();
    worn.tryAcquire()?.ignore();
    worn.forceOpen();
    worn.tryAcquire();
    worn.reset();
    expect([...parseExposition(renderPrometheus(worn)).samples.keys()]).toEqual([...fresh.keys()]);
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

  it('shows what became of the batches, in items, by exporter', () => {
    const amount = (batches: number) => ({ batches, items: batches * 100 });
    const text = renderPrometheus({
      ...circuitSnapshot({ name: 'collector' }),
      delivery: deliverySnapshot({
        exporter: 'spans',
        offered: amount(1),
        delivered: amount(2),
        redelivered: amount(3),
        fallback: amount(4),
        lost: amount(5),
        kept: amount(6),
        evicted: { full: 1, expired: 2, attempts: 3, invalid: 4, shutdown: 5 },
      }),
    });
    const labels = 'name="collector",exporter="spans"';
    for (const [family, value] of Object.entries({
      offered_items_total: 100,
      delivered_items_total: 200,
      redelivered_items_total: 300,
      fallback_items_total: 400,
      lost_items_total: 500,
      kept_items: 600,
      kept_batches: 6,
    })) {
      expect(samplesOf(family, text)).toEqual({ [`{${labels}}`]: value });
    }
    expect(samplesOf('evicted_items_total', text)).toEqual({
      [`{${labels},reason="full"}`]: 1,
      [`{${labels},reason="expired"}`]: 2,
      [`{${labels},reason="attempts"}`]: 3,
      [`{${labels},reason="invalid"}`]: 4,
      [`{${labels},reason="shutdown"}`]: 5,
    });
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
    const shared = {};
    const text = renderPrometheus([
      sourceOf(exporterSnapshot('spans', { name: 'collector' }), shared),
      sourceOf(exporterSnapshot('logs', { name: 'collector' }), shared),
      circuitSnapshot({ name: 'audit' }),
    ]);
    expect(samplesOf('consecutive_failures', text)).toEqual({ '{name="collector"}': 0, '{name="audit"}': 0 });
    expect(samplesOf('kept_items', text)).toEqual({
      '{name="collector",exporter="spans"}': 0,
      '{name="collector",exporter="logs"}': 0,
    });
    expect(text.match(/^# TYPE otel_circuit_breaker_state /gm)).toHaveLength(1);
    expect(text.match(/^# HELP otel_circuit_breaker_state /gm)).toHaveLength(1);
  });

  it('escapes backslashes, quotes and newlines in label values, and nothing else', () => {
    const text = renderPrometheus(exporterSnapshot('a"b', { name: 'C:\\new\n"größe" ☃ {x=1}' }));
    expect(samplesOf('kept_items', text)).toEqual({
      '{name="C:\\\\new\\n\\"größe\\" ☃ {x=1}",exporter="a\\"b"}': 0,
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

  it('is named by what it refuses', () => {
    const shared = {};
    const twice = [sourceOf(exporterSnapshot('spans'), shared), sourceOf(exporterSnapshot('spans'), shared)];
    expect(() => renderPrometheus([new CircuitBreaker(), new CircuitBreaker()])).toThrow(
      new TypeError('renderPrometheus: two breakers have the name "otlp"'),
    );
    expect(() => renderPrometheus(twice)).toThrow(
      new TypeError('renderPrometheus: two exporters on the breaker "otlp" have the name "spans"'),
    );
    expect(() => renderPrometheus(null as never)).toThrow(
      new TypeError('renderPrometheus: a source must be a snapshot, or have snapshot(), got null'),
    );
  });
});

function alwaysTrip() {
  return { onSuccess: () => false, onFailure: () => true, reset: () => {} };
}
