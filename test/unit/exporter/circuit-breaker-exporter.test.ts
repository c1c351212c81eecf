import type { LogRecordExporter } from '@opentelemetry/sdk-logs';
import { InMemoryLogRecordExporter } from '@opentelemetry/sdk-logs';
import type { PushMetricExporter } from '@opentelemetry/sdk-metrics';
import { AggregationTemporality, InMemoryMetricExporter, InstrumentType } from '@opentelemetry/sdk-metrics';
import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace-base';
import { InMemorySpanExporter } from '@opentelemetry/sdk-trace-base';
import { describe, expect, expectTypeOf, it, vi } from 'vitest';
import { CircuitBreaker } from '../../../src/breaker/circuit-breaker.ts';
import type { ExportResultLike } from '../../../src/delivery/exporter-contract.ts';
import { CircuitBreakerExporter } from '../../../src/exporter/circuit-breaker-exporter.ts';
import { CircuitOpenError, ExporterShutdownError, ExportTimeoutError } from '../../../src/internal/errors.ts';
import { ManualClock } from '../../../src/testing/manual-clock.ts';
import { ScriptedExporter } from '../../../src/testing/scripted-exporter.ts';
import type { Batch } from './arrange.ts';
import {
  arrangeExporter,
  arrangeOpen,
  arrangeScript,
  batchOf,
  exporterThat,
  START,
  send,
  sendTimes,
  settled,
} from './arrange.ts';

describe('an export while CLOSED', () => {
  it('goes to the inner exporter, the same batch, and its result comes back, the same object', () => {
    const result = { code: 0 };
    const { exporter, inner } = arrangeScript([result]);
    const batch = batchOf(3);
    const answers = send(exporter, batch);
    expect(inner.batches).toEqual([batch]);
    expect(inner.batches[0]).toBe(batch);
    expect(answers).toHaveLength(1);
    expect(answers[0]).toBe(result);
    expect(exporter.snapshot()).toMatchObject({
      state: 'CLOSED',
      exports: { success: 1 },
      items: { success: 3 },
      delivery: {
        offered: { batches: 1, items: 3 },
        delivered: { batches: 1, items: 3 },
        lost: { batches: 0 },
        inFlight: { batches: 0, items: 0 },
      },
    });
  });

  it('calls the inner exporter as a method of its own', () => {
    class Inner {
      readonly #batches: Batch[] = [];
      export(batch: Batch, callback: (result: ExportResultLike) => void): void {
        this.#batches.push(batch);
        callback({ code: 0 });
      }
      async shutdown(): Promise<void> {
        this.#batches.length = 0;
      }
    }
    const { exporter } = arrangeExporter({}, new Inner());
    expect(send(exporter)).toEqual([{ code: 0 }]);
  });

  it('that fails answers its caller with the same result, and is lost', () => {
    const result = { code: 1, error: new Error('down') };
    const { exporter } = arrangeScript([result]);
    const answers = send(exporter, batchOf(2));
    expect(answers).toHaveLength(1);
    expect(answers[0]).toBe(result);
    expect(exporter.snapshot()).toMatchObject({
      exports: { failure: 1 },
      consecutiveFailures: 1,
      lastFailure: { message: 'down' },
      delivery: { lost: { batches: 1, items: 2 }, delivered: { batches: 0 } },
    });
  });

  it('is in flight until it is answered', () => {
    const { exporter, inner } = arrangeScript(['hold']);
    const answers = send(exporter, batchOf(2));
    expect(answers).toEqual([]);
    expect(exporter.snapshot()).toMatchObject({
      exports: { success: 0 },
      delivery: { offered: { batches: 1, items: 2 }, inFlight: { batches: 1, items: 2 } },
    });
    inner.release();
    expect(answers).toEqual([{ code: 0 }]);
    expect(exporter.snapshot().delivery).toMatchObject({
      inFlight: { batches: 0 },
      delivered: { batches: 1 },
    });
  });

  it('does not wait for another that is in flight', () => {
    const { exporter, inner } = arrangeScript(['hold', 'hold']);
    const [first, second] = [send(exporter), send(exporter)];
    expect(inner.batches).toHaveLength(2);
    inner.held[1]?.({ code: 1, error: new Error('second') });
    inner.held[0]?.({ code: 0 });
    expect(first).toEqual([{ code: 0 }]);
    expect(second).toMatchObject([{ code: 1 }]);
  });

  it('opens the circuit at the third failure, and its caller is told after the state has changed', () => {
    const { exporter } = arrangeScript(['failure', new Error('down'), { code: 1 }]);
    const states: string[] = [];
    for (let i = 0; i < 3; i++) exporter.export([], () => states.push(exporter.breaker.state));
    expect(states).toEqual(['CLOSED', 'CLOSED', 'OPEN']);
  });
});

describe('an export while OPEN', () => {
  it('is rejected at once, without touching the inner exporter', () => {
    const { exporter, inner } = arrangeOpen();
    const answers = send(exporter, batchOf(4));
    expect(inner.batches).toHaveLength(3);
    expect(answers).toHaveLength(1);
    expect(answers[0]?.code).toBe(1);
    expect(answers[0]?.error).toBeInstanceOf(CircuitOpenError);
    expect(exporter.snapshot()).toMatchObject({
      state: 'OPEN',
      exports: { rejected: 1, failure: 3 },
      items: { rejected: 4 },
      delivery: { lost: { batches: 4, items: 7 }, inFlight: { batches: 0 } },
    });
  });

  it('is the probe when the probe policy says so, and closes the circuit when it succeeds', () => {
    const { exporter, inner } = arrangeOpen(['hold'], { probePolicy: ({ attempt }) => attempt === 2 });
    const rejected = send(exporter);
    const probe = send(exporter, ['the probe']);
    const meanwhile = send(exporter);
    expect(inner.batches.slice(3)).toEqual([['the probe']]);
    expect(exporter.breaker.state).toBe('HALF_OPEN');
    expect([rejected[0]?.code, probe, meanwhile[0]?.code]).toEqual([1, [], 1]);
    inner.release();
    expect(probe).toEqual([{ code: 0 }]);
    expect(exporter.snapshot()).toMatchObject({
      state: 'CLOSED',
      probes: { success: 1 },
      exports: { rejected: 2 },
    });
    expect(send(exporter)).toEqual([{ code: 0 }]);
  });

  it('opens the circuit again when it is a probe that fails, whose caller is told why', () => {
    const error = new Error('still down');
    const { exporter } = arrangeOpen([error], { probePolicy: ({ failedProbes }) => failedProbes === 0 });
    expect(send(exporter)[0]?.error).toBe(error);
    expect(exporter.breaker.state).toBe('OPEN');
    expect(send(exporter)[0]?.error).toBeInstanceOf(CircuitOpenError);
    expect(exporter.snapshot()).toMatchObject({ failedProbes: 1, probes: { failure: 1 } });
  });

  it('lets one of several exports of one tick be the probe', () => {
    const { exporter, inner } = arrangeOpen(['hold'], { probePolicy: () => true });
    const all = sendTimes(exporter, 5);
    expect(inner.batches).toHaveLength(4);
    expect(all.map((answers) => answers.length)).toEqual([0, 1, 1, 1, 1]);
  });

  it('gets one shared frozen result for as long as the circuit stays open, probes included', () => {
    const { exporter, clock } = arrangeOpen(['failure'], { probePolicy: ({ attempt }) => attempt === 3 });
    const [first, second, probe, third] = sendTimes(exporter, 4).map(([answer]) => answer);
    clock.advance(60_000);
    const [fourth] = send(exporter);
    expect(probe?.error).not.toBeInstanceOf(CircuitOpenError);
    expect(new Set([first, second, third, fourth]).size).toBe(1);
    expect(Object.isFrozen(first)).toBe(true);
    expect(first).toMatchObject({ code: 1, error: { code: 'ERR_CIRCUIT_OPEN' } });
  });

  it('gets a new one in the next outage, which says when that began', () => {
    const { exporter, inner, clock } = arrangeOpen([], { name: 'traces' });
    const [first] = send(exporter);
    exporter.breaker.reset();
    clock.advance(3_600_000);
    const refused = Object.assign(new Error('connect 10.0.0.1'), { code: 'ECONNREFUSED' });
    for (let i = 0; i < 3; i++) {
      exporter.export([], () => {});
      expect(inner.batches).toHaveLength(4 + i);
    }
    exporter.breaker.forceOpen();
    const [forced] = send(exporter);
    exporter.breaker.reset();
    failWith(refused);
    const [second] = send(exporter);
    expect(first?.error?.message).toBe('circuit "traces" is open since 22:13:20Z after 3 failures in a row');
    expect(forced?.error?.message).toBe('circuit "traces" is held open by hand since 23:13:20Z');
    expect(second?.error?.message).toBe(
      'circuit "traces" is open since 23:13:20Z after 3 failures in a row, last ECONNREFUSED',
    );
    expect(second?.error).toMatchObject({ circuit: 'traces' });

    function failWith(error: Error): void {
      const exportBatch = vi
        .spyOn(inner, 'export')
        .mockImplementation((_, callback) => callback({ code: 1, error }));
      sendTimes(exporter, 3);
      exportBatch.mockRestore();
    }
  });

  it('is told SUCCESS with reportRejectedAs "success", and counted as rejected and lost all the same', () => {
    const { exporter, inner } = arrangeOpen([], { reportRejectedAs: 'success' });
    const answers = send(exporter, batchOf(4));
    expect(answers).toEqual([{ code: 0 }]);
    expect(inner.batches).toHaveLength(3);
    expect(exporter.snapshot()).toMatchObject({
      exports: { rejected: 1 },
      items: { rejected: 4 },
      delivery: { lost: { batches: 4, items: 7 }, delivered: { batches: 0 } },
    });
  });
});

describe('every FAILED that reaches the caller carries an Error', () => {
  const message = 'exporter "otlp" answered FAILED and gave no error';

  it.each([
    [{ code: 1 }],
    [{ code: 1, error: undefined }],
    [{ code: 1, error: null }],
    [{ code: 1, error: 'text' }],
    [{ code: 1, error: {} }],
    [{ code: 7 }],
    [(() => 'no result at all') as never],
    [{} as never],
  ])('in a new result, where the inner gave none: %o', (result) => {
    const { exporter } = arrangeScript([result as unknown as ExportResultLike]);
    const answers = send(exporter);
    expect(answers).toEqual([{ code: 1, error: new Error(message) }]);
    expect(answers[0]).not.toBe(result);
    expect(answers[0]?.error).toBeInstanceOf(Error);
    expect(exporter.snapshot()).toMatchObject({ exports: { failure: 1 }, lastFailure: { message } });
  });

  it('in the same result, where it is an object with a message', () => {
    const result = { code: 1, error: { message: 'like an error' } as Error };
    const { exporter } = arrangeScript([result]);
    expect(send(exporter)[0]).toBe(result);
  });

  it('also where classify takes it for something else', () => {
    for (const classification of ['success', 'invalid', 'ignored'] as const) {
      const { exporter } = arrangeScript([{ code: 1 }], { classify: () => classification });
      expect(send(exporter)).toEqual([{ code: 1, error: new Error(message) }]);
    }
  });
});

describe('a result', () => {
  it('is judged by its code alone: 0 is SUCCESS, with whatever error', () => {
    const result = { code: 0, error: new Error('but') };
    const { exporter } = arrangeScript([result]);
    expect(send(exporter)[0]).toBe(result);
    expect(exporter.snapshot()).toMatchObject({
      exports: { success: 1 },
      delivery: { delivered: { batches: 1 } },
    });
  });

  it.each([undefined, null])('that is %s is a failure, and no question to classify', (result) => {
    const classify = vi.fn(() => 'success' as const);
    const { exporter } = arrangeExporter(
      { classify },
      exporterThat((callback) => callback(result)),
    );
    expect(send(exporter)).toEqual([
      { code: 1, error: new Error('exporter "otlp" answered without a result') },
    ]);
    expect(classify).not.toHaveBeenCalled();
    expect(exporter.snapshot().exports).toMatchObject({ failure: 1, success: 0 });
  });
});

describe('the inner exporter may', () => {
  it('throw before it has sent anything: invalid for the batch and the numbers, unasked, and ignored by the state machine', () => {
    const classify = vi.fn(() => 'failure' as const);
    const onFailure = vi.fn(() => true);
    const onSuccess = vi.fn(() => true);
    const { exporter } = arrangeScript(['failure', 'throw', 'throw'], {
      classify,
      tripPolicy: { createDetector: () => ({ onSuccess, onFailure: () => false, reset: () => {} }) },
    });
    send(exporter);
    classify.mockClear();
    const answers = sendTimes(exporter, 2);
    expect(answers).toEqual(new Array(2).fill([{ code: 1, error: new Error('scripted throw') }]));
    expect([classify, onFailure, onSuccess].map(({ mock }) => mock.calls.length)).toEqual([0, 0, 0]);
    expect(exporter.snapshot()).toMatchObject({
      state: 'CLOSED',
      exports: { failure: 1, invalid: 2, success: 0 },
      consecutiveFailures: 1,
      consecutiveInvalid: 2,
      lastInvalid: { message: 'scripted throw' },
      delivery: { lostBy: { failure: 1, invalid: 2 } },
    });
  });

  it('throw as a probe: its place is free again', () => {
    const { exporter, inner } = arrangeOpen(['throw', 'success'], { probePolicy: () => true });
    expect(send(exporter)).toMatchObject([{ code: 1, error: { message: 'scripted throw' } }]);
    expect(exporter.snapshot()).toMatchObject({
      state: 'HALF_OPEN',
      failedProbes: 0,
      probes: { success: 0, failure: 0 },
    });
    expect(send(exporter)).toEqual([{ code: 0 }]);
    expect(exporter.breaker.state).toBe('CLOSED');
    expect(inner.batches).toHaveLength(5);
  });

  it('throw what is no error: its caller is told in words', () => {
    const { exporter } = arrangeExporter(
      {},
      exporterThat(() => {
        throw 'connection lost';
      }),
    );
    expect(send(exporter)).toEqual([
      { code: 1, error: new Error('exporter "otlp" threw "connection lost"') },
    ]);
  });

  it('reject: a failure, whose caller gets what it rejected with', async () => {
    const classify = vi.fn(() => 'success' as const);
    const error = new Error('rejected');
    const { exporter } = arrangeExporter(
      { classify },
      exporterThat(async () => {
        throw error;
      }),
    );
    const answers = send(exporter);
    await settled();
    expect(answers).toEqual([{ code: 1, error }]);
    expect(classify).not.toHaveBeenCalled();
    expect(exporter.snapshot().exports.failure).toBe(1);
  });

  it('answer twice: the first counts, for the caller and for the circuit', () => {
    const { exporter, problems } = arrangeScript(['twice']);
    expect(send(exporter)).toEqual([{ code: 0 }]);
    expect(exporter.snapshot().exports).toMatchObject({ success: 1, failure: 0 });
    expect(problems).toEqual([]);
  });

  it('throw after its answer: onError hears of it, the caller does not', () => {
    const error = new Error('afterwards');
    const { exporter, problems } = arrangeExporter(
      {},
      exporterThat((callback) => {
        callback({ code: 0 });
        throw error;
      }),
    );
    expect(send(exporter)).toEqual([{ code: 0 }]);
    expect(exporter.snapshot().exports).toMatchObject({ success: 1, failure: 0 });
    expect(problems).toEqual([['exporter "otlp" threw after it had answered', error]]);
  });

  it('never answer: a failure after exportTimeoutMillis, 15 s by default', () => {
    const classify = vi.fn(() => 'success' as const);
    const { exporter, clock } = arrangeScript(['hang'], { classify });
    const answers = send(exporter, batchOf(2));
    clock.advance(14_999);
    expect(answers).toEqual([]);
    clock.advance(1);
    expect(answers).toEqual([
      { code: 1, error: new ExportTimeoutError('exporter "otlp" gave no answer within 15000 ms') },
    ]);
    expect(classify).not.toHaveBeenCalled();
    expect(exporter.snapshot()).toMatchObject({
      exports: { failure: 1 },
      lastFailure: { code: 'ERR_EXPORT_TIMEOUT', at: START + 15_000 },
      exportDurations: { sum: 15, count: 1 },
      delivery: { lost: { batches: 1, items: 2 }, inFlight: { batches: 0 } },
    });
  });

  it('answer after its time: that moves no state, policy, streak or total, and is told to no one', () => {
    const { exporter, inner, clock } = arrangeScript(['hold', 'hold'], { exportTimeoutMillis: 50 });
    const answers = sendTimes(exporter, 2);
    clock.advance(50);
    const before = exporter.snapshot();
    inner.release();
    inner.release({ code: 1, error: new Error('late') });
    expect(answers.map((each) => each.length)).toEqual([1, 1]);
    expect(exporter.snapshot()).toEqual(before);
  });

  it('hang where no timer ever fires: the offers find it', () => {
    const clock = { millis: 0, now: () => clock.millis, schedule: () => () => {} };
    const { exporter } = arrangeScript(['hang'], { clock, exportTimeoutMillis: 1_000 });
    const answers = send(exporter);
    for (const [millis, told] of [
      [999, 0],
      [1_000, 0],
      [1_049, 0],
      [1_050, 1],
    ] as const) {
      clock.millis = millis;
      send(exporter);
      expect(answers).toHaveLength(told);
    }
    expect(exporter.snapshot().lastFailure).toMatchObject({ code: 'ERR_EXPORT_TIMEOUT' });
  });

  it('hang where no timer ever fires: a flush finds it, and a snapshot changes nothing', () => {
    const clock = { millis: 0, now: () => clock.millis, schedule: () => () => {} };
    const { exporter } = arrangeScript(['hang'], { clock, exportTimeoutMillis: 1_000 });
    const answers = send(exporter);
    for (const millis of [1_000, 1_050]) {
      clock.millis = millis;
      for (let i = 0; i < 3; i++) void [exporter.snapshot(), exporter.breaker.state];
      expect(answers).toEqual([]);
      void exporter.forceFlush();
    }
    expect(answers).toMatchObject([{ code: 1, error: { code: 'ERR_EXPORT_TIMEOUT' } }]);
  });

  it('answer in time while our own process was blocked: its time-out is the backend’s only', () => {
    const { exporter, inner, clock } = arrangeScript(['hold', 'success']);
    const answers = send(exporter);
    const schedule = vi.spyOn(clock, 'schedule').mockImplementation(() => () => {});
    // Twenty seconds in which nothing ran; what runs first is an export, and then the socket is read.
    vi.spyOn(clock, 'now').mockReturnValue(START + 20_000);
    send(exporter);
    expect(schedule).toHaveBeenCalledWith(expect.any(Function), 0, undefined);
    inner.release();
    expect(answers).toEqual([{ code: 0 }]);
    expect(exporter.snapshot().exports).toMatchObject({ success: 2, failure: 0 });
  });

  it('hang while others answer at once: its time is over all the same', () => {
    const { exporter, clock } = arrangeScript(['hang', 'hang', 'success']);
    const [first, second, third] = sendTimes(exporter, 3);
    expect(third).toEqual([{ code: 0 }]);
    clock.advance(15_000);
    expect([first, second]).toMatchObject([[{ code: 1 }], [{ code: 1 }]]);
  });

  it('take for ever with an exportTimeoutMillis of 0', () => {
    const { exporter, inner, clock } = arrangeScript(['hold'], { exportTimeoutMillis: 0 });
    const answers = send(exporter);
    clock.advance(1e12);
    expect(answers).toEqual([]);
    inner.release();
    expect(answers).toEqual([{ code: 0 }]);
  });

  it('hang as a probe: the circuit opens again, and the next attempt is attempt 1', () => {
    const { exporter, clock } = arrangeOpen(['hang'], { probePolicy: () => true, exportTimeoutMillis: 50 });
    const answers = send(exporter);
    expect(exporter.breaker.state).toBe('HALF_OPEN');
    clock.advance(50);
    expect(answers).toMatchObject([{ error: { code: 'ERR_EXPORT_TIMEOUT' } }]);
    expect(exporter.snapshot()).toMatchObject({ state: 'OPEN', attemptsSinceOpened: 0, failedProbes: 1 });
  });

  it('answer after the shutdown: its caller is told, and it is counted', async () => {
    const { exporter, inner } = arrangeScript(['hold']);
    const answers = send(exporter);
    await exporter.shutdown();
    inner.release();
    expect(answers).toEqual([{ code: 0 }]);
    expect(exporter.snapshot()).toMatchObject({
      exports: { success: 1 },
      delivery: { delivered: { batches: 1 } },
    });
  });

  it('never answer after the shutdown: its caller is told when its time is over', async () => {
    const { exporter, clock } = arrangeScript(['hang'], { exportTimeoutMillis: 50 });
    const answers = send(exporter);
    await exporter.shutdown();
    clock.advance(50);
    expect(answers).toMatchObject([{ code: 1, error: { code: 'ERR_EXPORT_TIMEOUT' } }]);
  });

  it('export through the wrapper itself, while it exports', () => {
    const { exporter } = arrangeExporter(
      {},
      exporterThat((callback, batch) => {
        if (batch.length > 0) send(exporter, batch.slice(1));
        callback({ code: 0 });
      }),
    );
    expect(send(exporter, batchOf(3))).toEqual([{ code: 0 }]);
    expect(exporter.snapshot()).toMatchObject({ exports: { success: 4 }, items: { success: 6 } });
  });
});

describe('a callback that throws', () => {
  const error = new Error('of the caller');

  function throwing() {
    const callback = vi.fn((_: ExportResultLike) => {
      throw error;
    });
    return callback;
  }

  it('where the answer comes at once, throws through export, once, and is no exporter failure', () => {
    const { exporter, problems } = arrangeScript(['success']);
    const callback = throwing();
    expect(() => exporter.export([], callback)).toThrow(error);
    expect(callback).toHaveBeenCalledTimes(1);
    expect(exporter.snapshot()).toMatchObject({
      exports: { success: 1, failure: 0 },
      delivery: { delivered: { batches: 1 } },
    });
    expect(problems).toEqual([]);
  });

  it('where the answer comes later, throws through the inner exporter, once, and is no exporter failure', () => {
    const { exporter, inner, clock, problems } = arrangeScript(['hold']);
    const callback = throwing();
    exporter.export([], callback);
    expect(() => inner.release()).toThrow(error);
    clock.advance(1e9);
    expect(callback).toHaveBeenCalledTimes(1);
    expect(exporter.snapshot().exports).toMatchObject({ success: 1, failure: 0 });
    expect(problems).toEqual([]);
  });

  it('is not called again by an inner exporter that takes the throw for its own failure', () => {
    const { exporter } = arrangeExporter(
      {},
      exporterThat((callback) => {
        try {
          callback({ code: 0 });
        } catch (thrown) {
          callback({ code: 1, error: thrown as Error });
          throw thrown;
        }
      }),
    );
    const callback = throwing();
    expect(() => exporter.export([], callback)).toThrow(error);
    expect(callback).toHaveBeenCalledTimes(1);
    expect(exporter.snapshot().exports).toMatchObject({ success: 1, failure: 0 });
  });

  it('throws through export where the batch was rejected, which is counted all the same', () => {
    const { exporter } = arrangeOpen();
    const callback = throwing();
    expect(() => exporter.export([], callback)).toThrow(error);
    expect(callback).toHaveBeenCalledTimes(1);
    expect(exporter.snapshot().exports.rejected).toBe(1);
  });

  it('throws through export after the shutdown', async () => {
    const { exporter } = arrangeScript([]);
    await exporter.shutdown();
    const callback = throwing();
    expect(() => exporter.export([], callback)).toThrow(error);
    expect(callback).toHaveBeenCalledTimes(1);
  });

  it('where the export timed out, goes to onError', () => {
    const { exporter, clock, problems } = arrangeScript(['hang']);
    const callback = throwing();
    exporter.export([], callback);
    clock.advance(15_000);
    expect(callback).toHaveBeenCalledTimes(1);
    expect(problems).toEqual([['exporter "otlp": a result callback threw', error]]);
  });

  it('of a probe leaves the circuit as the result has it', () => {
    const { exporter } = arrangeOpen([], { probePolicy: () => true });
    expect(() => exporter.export([], throwing())).toThrow(error);
    expect(exporter.breaker.state).toBe('CLOSED');
  });
});

describe('listeners', () => {
  it('may export when the circuit opens: they are rejected', () => {
    const { exporter, inner } = arrangeScript(['failure', 'failure', 'failure'], {
      probePolicy: () => false,
    });
    const nested: ExportResultLike[] = [];
    exporter.breaker.onTransition(() => exporter.export(['nested'], (result) => nested.push(result)));
    const answers = sendTimes(exporter, 3);
    expect(inner.batches).toHaveLength(3);
    expect(nested).toMatchObject([{ code: 1, error: { code: 'ERR_CIRCUIT_OPEN' } }]);
    expect(answers.map(([answer]) => answer?.error?.message)).toEqual(new Array(3).fill('scripted failure'));
  });

  it('may reset when the circuit opens: the next export goes through', () => {
    const { exporter, inner } = arrangeScript(['failure', 'failure', 'failure'], {
      onTransition: ({ to }) => {
        if (to === 'OPEN') exporter.breaker.reset();
      },
    });
    sendTimes(exporter, 3);
    expect(send(exporter)).toEqual([{ code: 0 }]);
    expect(inner.batches).toHaveLength(4);
    expect(exporter.snapshot().transitions).toMatchObject({ 'CLOSED->OPEN': 1, 'OPEN->CLOSED': 1 });
  });

  it('that throw harm neither the circuit nor the export', () => {
    const error = new Error('listener broke');
    const { exporter, problems } = arrangeScript(['failure', 'failure', 'failure'], {
      onTransition: () => {
        throw error;
      },
    });
    const answers = sendTimes(exporter, 3);
    expect(answers.map((each) => each.length)).toEqual([1, 1, 1]);
    expect(exporter.breaker.state).toBe('OPEN');
    expect(problems).toEqual([['circuit "otlp": a transition listener failed', error]]);
  });
});

describe('classify', () => {
  it.each([
    ['success', { success: 1 }, { delivered: { batches: 1, items: 2 }, lost: { batches: 0 } }],
    ['failure', { failure: 1 }, { delivered: { batches: 0 }, lost: { batches: 1, items: 2 } }],
    ['invalid', { invalid: 1 }, { delivered: { batches: 0 }, lost: { batches: 1, items: 2 } }],
    ['ignored', { ignored: 1 }, { delivered: { batches: 0 }, lost: { batches: 1, items: 2 } }],
  ] as const)(
    'decides that a FAILED is %j, and its caller gets it as it is',
    (classification, exports, delivery) => {
      const result = { code: 1, error: new Error('failed') };
      const classify = vi.fn(() => classification);
      const { exporter } = arrangeScript([result], { classify });
      const answers = send(exporter, batchOf(2));
      expect(classify.mock.calls).toEqual([[result, { durationMillis: 0, items: 2 }]]);
      expect(answers).toHaveLength(1);
      expect(answers[0]).toBe(result);
      expect(exporter.snapshot()).toMatchObject({ exports, delivery });
    },
  );

  it('decides that a SUCCESS is a failure, which is delivered all the same', () => {
    const { exporter } = arrangeScript([], { classify: () => 'failure' });
    expect(sendTimes(exporter, 3)).toEqual([[{ code: 0 }], [{ code: 0 }], [{ code: 0 }]]);
    expect(exporter.snapshot()).toMatchObject({
      state: 'OPEN',
      exports: { failure: 3 },
      delivery: { delivered: { batches: 3 } },
    });
  });

  it('is asked about the result, how long the export took, and how many items it had', () => {
    const result = { code: 1, error: new Error('down') };
    const classify = vi.fn((_: ExportResultLike) => 'failure' as const);
    const { exporter, inner, clock } = arrangeScript(['hold'], { classify });
    send(exporter, batchOf(3));
    clock.advance(1_234);
    inner.release(result);
    expect(classify.mock.calls).toEqual([[result, { durationMillis: 1_234, items: 3 }]]);
    expect(classify.mock.calls[0]?.[0]).toBe(result);
  });

  it.each([
    [
      'throws',
      () => {
        throw new Error('broken');
      },
      'exporter "otlp": classify() threw, taken as "failure"',
      new Error('broken'),
    ],
    [
      'returns anything else',
      () => 'rejected',
      'exporter "otlp": classify() returned "rejected", expected "success", "failure", "invalid" or "ignored"; taken as "failure"',
      'rejected',
    ],
    [
      'returns nothing',
      () => undefined,
      'exporter "otlp": classify() returned undefined, expected "success", "failure", "invalid" or "ignored"; taken as "failure"',
      undefined,
    ],
  ])('that %s counts as "failure", and onError hears of it', (_, classify, message, error) => {
    const { exporter, problems } = arrangeScript([], { classify: classify as () => 'failure' });
    expect(send(exporter)).toEqual([{ code: 0 }]);
    expect(exporter.snapshot().exports).toMatchObject({ failure: 1, success: 0 });
    expect(problems).toEqual([[message, error]]);
  });

  it('that returns a promise counts as "failure", and harms nothing when that rejects', async () => {
    const unhandled = vi.fn();
    process.on('unhandledRejection', unhandled);
    const { exporter, problems } = arrangeScript([], {
      classify: (async () => {
        throw new Error('broken');
      }) as unknown as () => 'failure',
    });
    send(exporter);
    await settled();
    process.off('unhandledRejection', unhandled);
    expect(unhandled).not.toHaveBeenCalled();
    expect(exporter.snapshot().exports).toMatchObject({ failure: 1 });
    expect(problems).toHaveLength(1);
  });

  it('is by default that of OTLP: a poisoned batch does not open the circuit, a busy exporter neither', () => {
    const poisoned = Object.assign(new Error('Bad Request'), { code: 400 });
    const busy = new Error('Concurrent export limit reached');
    const { exporter } = arrangeScript([poisoned, busy, poisoned, busy, poisoned, busy]);
    sendTimes(exporter, 6);
    expect(exporter.snapshot()).toMatchObject({
      state: 'CLOSED',
      exports: { invalid: 3, ignored: 3 },
      consecutiveInvalid: 3,
      lastInvalid: { code: 400 },
      lastFailure: null,
    });
  });
});

describe('the items of a batch', () => {
  it('are the data points of a ResourceMetrics, in all numbers', () => {
    const inner = new ScriptedExporter<object>();
    const exporter = new CircuitBreakerExporter<object>(inner);
    exporter.export({ scopeMetrics: [{ metrics: [{ dataPoints: [1, 2] }, { dataPoints: [3] }] }] }, () => {});
    exporter.export({ anything: 'else' }, () => {});
    expect(exporter.snapshot()).toMatchObject({
      items: { success: 4 },
      batchSizes: { sum: 4, count: 2 },
      delivery: { offered: { batches: 2, items: 4 } },
    });
  });
});

describe('exporters of every kind', () => {
  it('are wrapped by a class that is one of their kind', () => {
    const spans = new CircuitBreakerExporter(new InMemorySpanExporter());
    const logs = new CircuitBreakerExporter(new InMemoryLogRecordExporter());
    const metrics = new CircuitBreakerExporter(new InMemoryMetricExporter(AggregationTemporality.DELTA));
    expectTypeOf(spans).toExtend<SpanExporter>();
    expectTypeOf(spans).toEqualTypeOf<CircuitBreakerExporter<ReadableSpan[]>>();
    expectTypeOf(logs).toExtend<LogRecordExporter>();
    expectTypeOf(metrics).toExtend<PushMetricExporter>();
    expect([spans, logs, metrics].map(({ breaker }) => breaker instanceof CircuitBreaker)).toEqual([
      true,
      true,
      true,
    ]);
  });

  it('keep their temporality: a delta exporter stays delta', () => {
    const inner = new InMemoryMetricExporter(AggregationTemporality.DELTA);
    const exporter: PushMetricExporter = new CircuitBreakerExporter(inner);
    expect(exporter.selectAggregationTemporality?.(InstrumentType.COUNTER)).toBe(
      AggregationTemporality.DELTA,
    );
  });

  it.each(['selectAggregationTemporality', 'selectAggregation'] as const)(
    'have %s exactly when the inner exporter has it, and it is called as its method',
    (selector) => {
      const inner = {
        ...exporterThat(() => {}),
        answer: 'delta',
        [selector](this: { answer: string }, type: string) {
          return `${this.answer} for ${type}`;
        },
      };
      const { exporter } = arrangeExporter({}, inner);
      const bound = exporter[selector]?.bind({});
      expect(bound?.('counter')).toBe('delta for counter');
      const other = selector === 'selectAggregation' ? 'selectAggregationTemporality' : 'selectAggregation';
      expect(other in exporter).toBe(false);
      expect(exporter[other]).toBeUndefined();
    },
  );

  it.each([undefined, 5])('have no selector where that of the inner exporter is %s', (selectAggregation) => {
    const { exporter } = arrangeExporter({}, { ...exporterThat(() => {}), selectAggregation });
    expect('selectAggregation' in exporter).toBe(false);
  });
});

describe('enabled: false', () => {
  it('sends every call to the inner exporter as it is, and counts nothing', async () => {
    const { exporter, inner, clock } = arrangeScript(['failure', { code: 1 }, 'failure', 'failure', 'hang'], {
      enabled: false,
    });
    const batch = batchOf(3);
    const callback = vi.fn();
    const exportBatch = vi.spyOn(inner, 'export');
    exporter.export(batch, callback);
    expect(exportBatch.mock.calls[0]?.[0]).toBe(batch);
    expect(exportBatch.mock.calls[0]?.[1]).toBe(callback);
    expect(send(exporter)).toEqual([{ code: 1 }]);
    sendTimes(exporter, 3);
    clock.advance(1e9);
    await exporter.forceFlush();
    await exporter.shutdown();
    await exporter.shutdown();
    send(exporter);
    expect(inner).toMatchObject({ flushes: 1, shutdowns: 2 });
    expect(inner.batches).toHaveLength(6);
    expect(exporter.snapshot()).toMatchObject({
      state: 'CLOSED',
      forced: 'CLOSED',
      exports: { success: 0, failure: 0, rejected: 0 },
      batchSizes: { count: 0 },
      delivery: { offered: { batches: 0 }, inFlight: { batches: 0 } },
    });
  });

  it('lets through what the inner exporter throws, and what it rejects with', async () => {
    const inner = exporterThat(
      () => {
        throw new Error('thrown');
      },
      {
        forceFlush: () => Promise.reject(new Error('not flushed')),
        shutdown: () => Promise.reject(new Error('not shut down')),
      },
    );
    const { exporter, problems } = arrangeExporter({ enabled: false }, inner);
    expect(() => send(exporter)).toThrow('thrown');
    await expect(exporter.forceFlush()).rejects.toThrow('not flushed');
    await expect(exporter.shutdown()).rejects.toThrow('not shut down');
    expect(problems).toEqual([]);
  });

  it('resolves forceFlush where the inner exporter has none', async () => {
    const { exporter } = arrangeExporter(
      { enabled: false },
      exporterThat(() => {}),
    );
    await expect(exporter.forceFlush()).resolves.toBeUndefined();
  });
});

describe('times', () => {
  const arrangeClocks = (inner: ScriptedExporter<Batch>) => {
    const clock = new ManualClock(5_000);
    const unix = { offset: START - 5_000 };
    const exporter = new CircuitBreakerExporter<Batch>(inner, {
      clock: {
        now: () => clock.now(),
        unixMillis: () => clock.now() + unix.offset,
        schedule: (callback, millis) => clock.schedule(callback, millis),
      },
      probePolicy: () => false,
    });
    return { clock, unix, exporter };
  };

  it('are shown in Unix milliseconds, and measured by a clock that nobody sets', () => {
    const inner = new ScriptedExporter<Batch>(['success', 'failure', 'failure', 'failure']);
    const { clock, exporter } = arrangeClocks(inner);
    const ats: number[] = [];
    exporter.breaker.onTransition(({ at }) => ats.push(at));
    send(exporter);
    clock.advance(1_000);
    sendTimes(exporter, 3);
    clock.advance(1_000);
    const [rejected] = send(exporter);
    expect(ats).toEqual([START + 1_000]);
    expect(exporter.snapshot()).toMatchObject({
      since: START + 1_000,
      notClosedSince: START + 1_000,
      lastSuccessAt: START,
      lastFailure: { at: START + 1_000 },
      notClosedMillis: 1_000,
      delivery: { lastOfferedAt: START + 2_000 },
    });
    expect(rejected?.error?.message).toContain('since 22:13:21Z');
  });

  it('that somebody sets time out no young export, and an old one in its time', () => {
    const { clock, unix, exporter } = arrangeClocks(new ScriptedExporter<Batch>(['hang']));
    const answers = send(exporter);
    unix.offset += 3_600_000;
    clock.advance(14_999);
    send(exporter);
    expect(answers).toEqual([]);
    unix.offset -= 7_200_000;
    clock.advance(1);
    expect(answers).toMatchObject([{ error: { code: 'ERR_EXPORT_TIMEOUT' } }]);
    expect(exporter.snapshot()).toMatchObject({
      exportDurations: { sum: 15 },
      lastFailure: { at: START + 15_000 - 3_600_000 },
    });
  });
});

describe('the errors that callers get', () => {
  it('never hold the text of another error', async () => {
    const secret = 'https://user:password@collector.internal';
    const inner = new ScriptedExporter<Batch>([
      Object.assign(new Error(secret), { code: 'EAI_AGAIN', data: secret }),
      { code: 1, error: secret as never },
      new Error(secret),
    ]);
    const { exporter, clock } = arrangeExporter({ probePolicy: () => false }, inner);
    sendTimes(exporter, 3);
    const [rejected] = send(exporter);
    exporter.breaker.reset();
    vi.spyOn(inner, 'export').mockImplementation(() => {});
    const timedOut = send(exporter);
    clock.advance(15_000);
    await exporter.shutdown();
    const [shutDown] = send(exporter);
    const errors = [rejected?.error, timedOut[0]?.error, shutDown?.error];
    expect(errors.map((error) => error?.name)).toEqual([
      'CircuitOpenError',
      'ExportTimeoutError',
      'ExporterShutdownError',
    ]);
    for (const error of errors) {
      const properties = Object.getOwnPropertyNames(error).map((key) => String((error as never)[key]));
      expect(properties.join('\n')).not.toContain('password');
    }
  });

  it('are one new ExporterShutdownError after the shutdown', async () => {
    const { exporter, inner } = arrangeScript([]);
    await exporter.shutdown();
    const answers = send(exporter, batchOf(2));
    expect(answers).toMatchObject([{ code: 1, error: { code: 'ERR_EXPORTER_SHUTDOWN' } }]);
    expect(answers[0]?.error).toBeInstanceOf(ExporterShutdownError);
    expect(inner.batches).toEqual([]);
  });
});
