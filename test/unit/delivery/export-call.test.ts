import { describe, expect, it } from 'vitest';
import type { TimedPermit } from '../../../src/breaker/breaker-internals.ts';
import { Deadlines } from '../../../src/delivery/deadlines.ts';
import type { AnswerKind } from '../../../src/delivery/export-call.ts';
import { ExportCall } from '../../../src/delivery/export-call.ts';
import type { ExportResultLike } from '../../../src/delivery/exporter-contract.ts';
import { ExportTimeoutError } from '../../../src/internal/errors.ts';
import { CountingClock, settled } from './rig.ts';

type Callback = (result?: ExportResultLike | null) => void;

const TIMEOUT = 100;

/** A call of an exporter that does as told; its caller does `tell`. */
function arrange(exportBatch: (callback: Callback) => unknown, tell: () => void = () => {}) {
  const clock = new CountingClock();
  const heard: { result: ExportResultLike; kind: AnswerKind }[] = [];
  const late: unknown[] = [];
  const problems: [message: string, error: unknown][] = [];
  const batches: string[] = [];
  const unanswered = new Deadlines<ExportCall<string>>(
    clock,
    () => TIMEOUT,
    (call) => call.expire(TIMEOUT),
  );
  const call = new ExportCall<string>(
    {
      exporter: {
        export(batch, callback) {
          batches.push(batch);
          return exportBatch(callback as Callback) as undefined;
        },
        shutdown: async () => {},
      },
      who: 'exporter "otlp"',
      unanswered,
      onError: (message, error) => void problems.push([message, error]),
      answered(answered, result, kind) {
        expect(answered).toBe(call);
        heard.push({ result, kind });
        answered.tellCaller(result);
      },
      deliveredLate: (answered) => void late.push(answered),
    },
    'batch',
    1,
    { startedAt: 0 } as TimedPermit,
    tell,
    undefined,
  );
  return { clock, call, heard, late, problems, batches, unanswered };
}

/** A call that has been started, and what answers it. */
function arrangeHeld(tell?: () => void) {
  let callback: Callback = () => {};
  const arranged = arrange((given) => {
    callback = given;
  }, tell);
  arranged.call.start();
  return { ...arranged, answer: (result?: ExportResultLike | null) => callback(result) };
}

describe('a call has one answer', () => {
  it('that comes at once: the same object', () => {
    const result = { code: 0 };
    const { call, heard, batches } = arrange((callback) => callback(result));
    call.start();
    expect(batches).toEqual(['batch']);
    expect(heard).toEqual([{ result, kind: 'result' }]);
    expect(heard[0]?.result).toBe(result);
    expect(call.isConcluded).toBe(true);
  });

  it('the first, if the exporter gives several, throws and rejects', async () => {
    const { call, heard, problems, clock } = arrange((callback) => {
      callback({ code: 1 });
      callback({ code: 0 });
      setImmediate(callback, { code: 0 });
      return Promise.reject(new Error('and rejects'));
    });
    call.start();
    clock.advance(1_000);
    await settled();
    expect(heard).toEqual([{ result: { code: 1 }, kind: 'result' }]);
    expect(problems).toEqual([['exporter "otlp" rejected after it had answered', new Error('and rejects')]]);
  });

  it.each([undefined, null])('that is a failure if there is no result: %s', (result) => {
    const { call, heard } = arrange((callback) => callback(result));
    call.start();
    expect(heard).toEqual([
      {
        result: { code: 1, error: new Error('exporter "otlp" answered without a result') },
        kind: 'no result',
      },
    ]);
  });

  it('that is what the exporter threw: nothing was sent', () => {
    const error = new TypeError('thrown');
    const { call, heard, problems } = arrange(() => {
      throw error;
    });
    call.start();
    expect(heard).toEqual([{ result: { code: 1, error }, kind: 'unsent' }]);
    expect(heard[0]?.result.error).toBe(error);
    expect(problems).toEqual([]);
  });

  it('that tells in words what the exporter threw, if that is no error', () => {
    const { call, heard } = arrange(() => {
      throw 'connection lost';
    });
    call.start();
    expect(heard[0]?.result.error).toEqual(new Error('exporter "otlp" threw "connection lost"'));
  });

  it('and onError hears of what the exporter throws after it', () => {
    const error = new Error('afterwards');
    const { call, heard, problems } = arrange((callback) => {
      callback({ code: 0 });
      throw error;
    });
    call.start();
    expect(heard).toHaveLength(1);
    expect(problems).toEqual([['exporter "otlp" threw after it had answered', error]]);
  });

  it.each([
    ['an error', new Error('rejected'), new Error('rejected')],
    ['no error', 'text', new Error('exporter "otlp" rejected with "text"')],
  ])('that is what the promise of the exporter rejects with: %s', async (_, reason, error) => {
    const { call, heard, clock } = arrange(() => Promise.reject(reason));
    call.start();
    await settled();
    expect(heard).toEqual([{ result: { code: 1, error }, kind: 'no result' }]);
    clock.advance(1_000);
    expect(heard).toHaveLength(1);
  });

  it('that is what a promise of another kind rejects with', async () => {
    const { call, heard } = arrange(() => ({
      // biome-ignore lint/suspicious/noThenProperty: a promise of another realm
      then: (_: unknown, reject: (error: Error) => void) => reject(new Error('of a thenable')),
    }));
    call.start();
    await settled();
    expect(heard).toMatchObject([{ result: { error: { message: 'of a thenable' } }, kind: 'no result' }]);
  });

  it.each([Promise.resolve({ code: 0 }), true, 'text', null, {}])(
    'and not what the exporter returns: %o',
    async (returned) => {
      const { call, heard, clock, problems } = arrange(() => returned);
      call.start();
      await settled();
      expect(heard).toEqual([]);
      clock.advance(TIMEOUT);
      expect(heard).toMatchObject([{ kind: 'timeout' }]);
      expect(problems).toEqual([]);
    },
  );
});

describe('the time-out', () => {
  it('is a failure, from when the export began', () => {
    const { clock, heard } = arrangeHeld();
    clock.advance(TIMEOUT - 1);
    expect(heard).toEqual([]);
    clock.advance(1);
    const error = new ExportTimeoutError('exporter "otlp" gave no answer within 100 ms');
    expect(heard).toEqual([{ result: { code: 1, error }, kind: 'timeout' }]);
  });

  it('is over with the answer', () => {
    const { clock, call, heard, unanswered, answer } = arrangeHeld();
    clock.advance(TIMEOUT - 1);
    expect([call.isConcluded, unanswered.isEmpty]).toEqual([false, false]);
    answer({ code: 0 });
    expect([call.isConcluded, unanswered.isEmpty]).toEqual([true, true]);
    clock.advance(1_000);
    call.expire(1);
    expect(heard).toHaveLength(1);
  });

  it('costs a call that is answered at once nothing', () => {
    const { clock, call } = arrange((callback) => callback({ code: 0 }));
    call.start();
    expect(clock.most).toBe(0);
  });

  it('is no answer to what comes later: the first SUCCESS is heard as late, once, and nothing else', () => {
    const delivered = arrangeHeld();
    const failed = arrangeHeld();
    for (const { clock } of [delivered, failed]) clock.advance(TIMEOUT);
    for (let i = 0; i < 2; i++) delivered.answer({ code: 0 });
    for (const result of [{ code: 1 }, { code: 0 }, undefined]) failed.answer(result);
    expect(delivered.late).toEqual([delivered.call]);
    expect(failed.late).toEqual([]);
    for (const { heard } of [delivered, failed]) expect(heard).toHaveLength(1);
  });
});

describe('what a caller throws when it is told', () => {
  const error = new Error('thrown by the caller');
  const tell = (): never => {
    throw error;
  };

  it('is thrown by the call that it is told in', () => {
    const { call, heard, problems } = arrange((callback) => callback({ code: 0 }), tell);
    expect(() => call.start()).toThrow(error);
    expect(heard).toHaveLength(1);
    expect(problems).toEqual([]);
  });

  it('is thrown by the call also where the exporter itself threw', () => {
    const { call, heard, problems } = arrange(() => {
      throw new Error('of the exporter');
    }, tell);
    expect(() => call.start()).toThrow(error);
    expect(heard).toHaveLength(1);
    expect(problems).toEqual([]);
  });

  it('is thrown by the call also where it is undefined', () => {
    const { call, problems } = arrange(
      (callback) => callback({ code: 0 }),
      () => {
        throw undefined;
      },
    );
    let thrown: unknown = 'nothing';
    try {
      call.start();
    } catch (caught) {
      thrown = caught;
    }
    expect(thrown).toBeUndefined();
    expect(problems).toEqual([]);
  });

  it('passes through the exporter, which may swallow it, and is not its failure', () => {
    const caught: unknown[] = [];
    const { call, heard, problems } = arrange((callback) => {
      try {
        callback({ code: 0 });
      } catch (thrown) {
        caught.push(thrown);
        callback({ code: 1 });
      }
    }, tell);
    expect(() => call.start()).not.toThrow();
    expect(caught).toEqual([error]);
    expect(heard).toEqual([{ result: { code: 0 }, kind: 'result' }]);
    expect(problems).toEqual([]);
  });

  it('is told apart from what the exporter throws upon it', () => {
    const other = new Error('of the exporter');
    const { call, problems } = arrange((callback) => {
      try {
        callback({ code: 0 });
      } catch {
        throw other;
      }
    }, tell);
    expect(() => call.start()).not.toThrow();
    expect(problems).toEqual([['exporter "otlp" threw after it had answered', other]]);
  });

  it('is thrown at the exporter that answers later, once', () => {
    const { answer, heard } = arrangeHeld(tell);
    expect(() => answer({ code: 0 })).toThrow(error);
    expect(() => answer({ code: 0 })).not.toThrow();
    expect(heard).toHaveLength(1);
  });

  it('goes to onError where no caller is on the stack: at a time-out, a rejection, an early answer', async () => {
    const timedOut = arrangeHeld(tell);
    timedOut.clock.advance(TIMEOUT);
    const rejected = arrange(() => Promise.reject(new Error('rejected')), tell);
    rejected.call.start();
    await settled();
    const early = arrangeHeld(tell);
    early.call.tellCallerAlone({ code: 0 });
    for (const { problems } of [timedOut, rejected, early])
      expect(problems).toEqual([['exporter "otlp": a result callback threw', error]]);
  });

  it('goes to onError where an async exporter lets it through', async () => {
    const { call, heard, problems } = arrange(async (callback) => callback({ code: 0 }), tell);
    call.start();
    await settled();
    expect(heard).toHaveLength(1);
    expect(problems).toEqual([['exporter "otlp" rejected after it had answered', error]]);
  });
});

describe('the caller', () => {
  it('is told once', () => {
    let told = 0;
    const { call, answer } = arrangeHeld(() => void told++);
    call.tellCallerAlone({ code: 0 });
    answer({ code: 1 });
    call.tellCaller({ code: 1 });
    expect(told).toBe(1);
    expect(call.takeCallback()).toBeUndefined();
  });

  it('is told by whoever takes over the duty', () => {
    let told = 0;
    const { call, answer } = arrangeHeld(() => void told++);
    const callback = call.takeCallback();
    answer({ code: 1 });
    expect(told).toBe(0);
    callback?.({ code: 1 });
    expect(told).toBe(1);
  });
});
