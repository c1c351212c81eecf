import { ExportResultCode } from '@opentelemetry/core';
import type { SpanExporter } from '@opentelemetry/sdk-trace-base';
import { BatchSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { describe, expect, it } from 'vitest';
import type { ExportResultLike } from '../../../src/delivery/exporter-contract.ts';
import { CircuitBreakerExporter } from '../../../src/exporter/circuit-breaker-exporter.ts';
import type { ScriptedStep } from '../../../src/testing/scripted-exporter.ts';
import { ScriptedExporter } from '../../../src/testing/scripted-exporter.ts';

/** What an exporter answers to one batch after the other. */
function play(exporter: ScriptedExporter<string>, ...batches: string[]): ExportResultLike[][] {
  return batches.map((batch) => {
    const answers: ExportResultLike[] = [];
    exporter.export(batch, (result) => answers.push(result));
    return answers;
  });
}

describe('ScriptedExporter', () => {
  it('answers from its script, and after it with SUCCESS', () => {
    const error = new TypeError('told so');
    const result = { code: 7 };
    const exporter = new ScriptedExporter<string>(['success', 'failure', error, result]);
    expect(play(exporter, 'a', 'b', 'c', 'd', 'e')).toEqual([
      [{ code: ExportResultCode.SUCCESS }],
      [{ code: ExportResultCode.FAILED, error: new Error('scripted failure') }],
      [{ code: ExportResultCode.FAILED, error }],
      [result],
      [{ code: ExportResultCode.SUCCESS }],
    ]);
  });

  it('refuses a word that is none of its outcomes', () => {
    expect(() => new ScriptedExporter(['success', 'fail' as never])).toThrow(
      new TypeError(
        'ScriptedExporter: an outcome must be one of "success", "failure", "throw", "hang", "hold", "twice", got "fail"',
      ),
    );
  });

  it('gives the very result and the very error of its script', () => {
    const error = new Error('told so');
    const result = { code: 0 };
    const [[failed] = [], [given] = []] = play(new ScriptedExporter<string>([error, result]), 'a', 'b');
    expect(failed?.error).toBe(error);
    expect(given).toBe(result);
  });

  it('throws, hangs and answers twice where its script says so', () => {
    const exporter = new ScriptedExporter<string>(['throw', 'hang', 'twice']);
    expect(() => play(exporter, 'a')).toThrow('scripted throw');
    expect(play(exporter, 'b', 'c')).toEqual([
      [],
      [{ code: 0 }, { code: 1, error: new Error('scripted second answer') }],
    ]);
    expect(exporter.held).toEqual([]);
  });

  it('throws before anything is sent, which counts as invalid', () => {
    const exporter = new CircuitBreakerExporter(new ScriptedExporter<string>(['throw']));
    exporter.export('a', () => {});
    expect(exporter.snapshot()).toMatchObject({
      exports: { invalid: 1, failure: 0 },
      consecutiveFailures: 0,
    });
  });

  it('asks a function about the batch and its number, from 1', () => {
    const asked: unknown[] = [];
    const step: ScriptedStep<string> = (batch, number) => {
      asked.push([batch, number]);
      return batch === 'bad' ? 'failure' : 'success';
    };
    const answers = play(new ScriptedExporter<string>(['success', step, step]), 'good', 'bad', 'good');
    expect(asked).toEqual([
      ['bad', 2],
      ['good', 3],
    ]);
    expect(answers.map(([answer]) => answer?.code)).toEqual([0, 1, 0]);
  });

  it('keeps what it was given, in order, whatever it answered', () => {
    const exporter = new ScriptedExporter<string>(['failure', 'hang', 'throw']);
    play(exporter, 'a', 'b');
    expect(() => play(exporter, 'c')).toThrow();
    play(exporter, 'd');
    expect(exporter.batches).toEqual(['a', 'b', 'c', 'd']);
  });

  it('holds callbacks, and answers the oldest when it is released', () => {
    const exporter = new ScriptedExporter<string>(['hold', 'hold', 'hold']);
    const [first, second, third] = play(exporter, 'a', 'b', 'c');
    expect(exporter.held).toHaveLength(3);
    exporter.release();
    expect([first, second, third]).toEqual([[{ code: 0 }], [], []]);
    const result = { code: 1, error: new Error('late') };
    exporter.release(result);
    expect(second?.[0]).toBe(result);
    expect(third).toEqual([]);
    expect(exporter.held).toHaveLength(1);
  });

  it('has nothing to release where nothing is held', () => {
    const exporter = new ScriptedExporter<string>(['hold']);
    play(exporter, 'a');
    exporter.release();
    expect(() => exporter.release()).toThrow(new Error('ScriptedExporter.release: no export is held'));
  });

  it('plays the script that it was made with', () => {
    const script: ScriptedStep<string>[] = ['failure'];
    const exporter = new ScriptedExporter<string>(script);
    script[0] = 'success';
    expect(play(exporter, 'a')[0]?.[0]?.code).toBe(1);
  });

  it('counts shutdowns and flushes', async () => {
    const exporter = new ScriptedExporter();
    expect([exporter.shutdowns, exporter.flushes]).toEqual([0, 0]);
    await exporter.forceFlush();
    await exporter.shutdown();
    await exporter.shutdown();
    expect([exporter.shutdowns, exporter.flushes]).toEqual([2, 1]);
  });

  it('is a SpanExporter', async () => {
    const exporter: SpanExporter = new ScriptedExporter();
    await new BatchSpanProcessor(exporter).shutdown();
    expect((exporter as ScriptedExporter).shutdowns).toBe(1);
  });
});
