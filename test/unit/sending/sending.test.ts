import { describe, expect, it } from 'vitest';
import { ExportTimeoutError } from '../../../src/internal/errors.ts';
import { Deadlines } from '../../../src/sending/deadlines.ts';
import type { ExporterLike, ExportResultLike } from '../../../src/sending/exporter-contract.ts';
import { Sending } from '../../../src/sending/sending.ts';
import { ManualClock } from '../../../src/testing/manual-clock.ts';

type Callback = (result?: ExportResultLike | null) => void;

const TIMEOUT = 100;

/** A sending to an exporter that does as told; `tell` is what hears of the answer. */
function arrangeSending(exportBatch: (callback: Callback) => unknown, tell: () => void = () => {}) {
  const clock = new ManualClock();
  const heard: { result: ExportResultLike; given: boolean }[] = [];
  const problems: [message: string, error: unknown][] = [];
  const deadlines = new Deadlines(clock, TIMEOUT);
  const batches: string[] = [];
  const exporter: ExporterLike<string> = {
    export(batch, callback) {
      batches.push(batch);
      return exportBatch(callback as Callback) as undefined;
    },
    shutdown: async () => {},
  };
  const sending = new Sending<string, undefined>(
    {
      exporter,
      who: 'exporter "otlp"',
      deadlines,
      onError: (message, error) => {
        problems.push([message, error]);
      },
      settled(told, result, given) {
        expect(told).toBe(sending);
        heard.push({ result, given });
        tell();
      },
    },
    'batch',
    1,
    clock.now(),
    undefined,
    undefined,
  );
  return { clock, sending, heard, problems, batches };
}

/** Lets all that is settled be seen. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('a sending', () => {
  it('is told of an answer that comes at once, the same object', () => {
    const result = { code: 0 };
    const { sending, heard, batches } = arrangeSending((callback) => callback(result));
    sending.start();
    expect(batches).toEqual(['batch']);
    expect(heard).toEqual([{ result, given: true }]);
    expect(heard[0]?.result).toBe(result);
  });

  it('is told of one answer, where the exporter gives several, at once or later', async () => {
    let callback: Callback = () => {};
    const { sending, heard, problems, clock } = arrangeSending((given) => {
      callback = given;
      callback({ code: 1 });
      callback({ code: 0 });
      throw new Error('and throws');
    });
    sending.start();
    callback({ code: 0 });
    clock.advance(1_000);
    await settled();
    expect(heard).toEqual([{ result: { code: 1 }, given: true }]);
    expect(problems).toEqual([['exporter "otlp" threw after it had answered', new Error('and throws')]]);
  });

  it.each([undefined, null])('has failed unasked where it is answered with %s', (result) => {
    const { sending, heard } = arrangeSending((callback) => callback(result));
    sending.start();
    expect(heard).toEqual([
      { result: { code: 1, error: new Error('exporter "otlp" answered without a result') }, given: false },
    ]);
  });

  it('has failed with what the exporter throws', () => {
    const error = new TypeError('thrown');
    const { sending, heard, problems } = arrangeSending(() => {
      throw error;
    });
    sending.start();
    expect(heard).toEqual([{ result: { code: 1, error }, given: false }]);
    expect(heard[0]?.result.error).toBe(error);
    expect(problems).toEqual([]);
  });

  it.each(['text', undefined, null, 5, {}])(
    'has failed with an error of its own where the exporter throws %o',
    (thrown) => {
      const { sending, heard } = arrangeSending(() => {
        throw thrown;
      });
      sending.start();
      expect(heard).toEqual([
        { result: { code: 1, error: new Error('exporter "otlp" threw what is no error') }, given: false },
      ]);
    },
  );

  it('has failed with what the promise rejects with that the exporter returns', async () => {
    const error = new Error('rejected');
    const { sending, heard, clock } = arrangeSending(() => Promise.reject(error));
    sending.start();
    await settled();
    expect(heard).toEqual([{ result: { code: 1, error }, given: false }]);
    clock.advance(1_000);
    expect(heard).toHaveLength(1);
  });

  it('has failed with an error of its own where the promise rejects with none', async () => {
    const { sending, heard } = arrangeSending(() => Promise.reject('text'));
    sending.start();
    await settled();
    expect(heard).toEqual([
      {
        result: { code: 1, error: new Error('exporter "otlp" rejected with what is no error') },
        given: false,
      },
    ]);
  });

  it('takes no promise that resolves for an answer', async () => {
    const { sending, heard, clock } = arrangeSending(() => Promise.resolve({ code: 0 }));
    sending.start();
    await settled();
    expect(heard).toEqual([]);
    clock.advance(TIMEOUT);
    expect(heard).toMatchObject([{ result: { code: 1 }, given: false }]);
  });

  it('takes a thenable for a promise', async () => {
    const { sending, heard } = arrangeSending(() => ({
      // biome-ignore lint/suspicious/noThenProperty: that is what this is about
      then(_: unknown, reject: (error: Error) => void) {
        reject(new Error('of a thenable'));
      },
    }));
    sending.start();
    await settled();
    expect(heard).toEqual([{ result: { code: 1, error: new Error('of a thenable') }, given: false }]);
  });

  it('takes a thenable that throws for one that rejects', async () => {
    const { sending, heard } = arrangeSending(() => ({
      // biome-ignore lint/suspicious/noThenProperty: that is what this is about
      get then() {
        throw new Error('of a getter');
      },
    }));
    sending.start();
    await settled();
    expect(heard).toEqual([{ result: { code: 1, error: new Error('of a getter') }, given: false }]);
  });

  it.each([true, 5, 'text', null, {}, () => {}])(
    'does not care for %o, which the exporter returns',
    async (returned) => {
      const { sending, heard, clock, problems } = arrangeSending(() => returned);
      sending.start();
      await settled();
      expect(heard).toEqual([]);
      clock.advance(TIMEOUT);
      expect(heard).toHaveLength(1);
      expect(problems).toEqual([]);
    },
  );

  it('tells onError of a promise that rejects after the answer', async () => {
    const error = new Error('too late');
    const { sending, heard, problems } = arrangeSending((callback) => {
      callback({ code: 0 });
      return Promise.reject(error);
    });
    sending.start();
    await settled();
    expect(heard).toEqual([{ result: { code: 0 }, given: true }]);
    expect(problems).toEqual([['exporter "otlp" rejected after it had answered', error]]);
  });

  it('has failed when its time is over, and drops a later answer', () => {
    let callback: Callback = () => {};
    const { sending, heard, clock } = arrangeSending((given) => {
      callback = given;
    });
    sending.start();
    clock.advance(TIMEOUT - 1);
    expect(heard).toEqual([]);
    clock.advance(1);
    const error = new ExportTimeoutError('exporter "otlp" gave no answer within 100 ms');
    expect(heard).toEqual([{ result: { code: 1, error }, given: false }]);
    callback({ code: 0 });
    expect(heard).toHaveLength(1);
  });

  it('is timed no longer once it is answered', () => {
    let callback: Callback = () => {};
    const { sending, heard, clock } = arrangeSending((given) => {
      callback = given;
    });
    sending.start();
    clock.advance(TIMEOUT - 1);
    expect(sending.waiting).toBe(true);
    callback({ code: 0 });
    expect(sending.waiting).toBe(false);
    clock.advance(1_000);
    sending.expire(1);
    expect(heard).toEqual([{ result: { code: 0 }, given: true }]);
  });
});

describe('whoever is told, and throws,', () => {
  const error = new Error('thrown by the caller');
  const tell = (): void => {
    throw error;
  };

  it('is heard by who started the sending, once, where the answer comes at once', () => {
    const { sending, heard, problems } = arrangeSending((callback) => callback({ code: 0 }), tell);
    expect(() => sending.start()).toThrow(error);
    expect(heard).toHaveLength(1);
    expect(problems).toEqual([]);
  });

  it('is heard by the exporter first, which may swallow it', () => {
    const caught: unknown[] = [];
    const { sending, heard, problems } = arrangeSending((callback) => {
      try {
        callback({ code: 0 });
      } catch (thrown) {
        caught.push(thrown);
        callback({ code: 1 });
      }
    }, tell);
    expect(() => sending.start()).not.toThrow();
    expect(caught).toEqual([error]);
    expect(heard).toHaveLength(1);
    expect(problems).toEqual([]);
  });

  it('is told apart from an exporter that throws something else upon it', () => {
    const other = new Error('of the exporter');
    const { sending, problems } = arrangeSending((callback) => {
      try {
        callback({ code: 0 });
      } catch {
        throw other;
      }
    }, tell);
    expect(() => sending.start()).not.toThrow();
    expect(problems).toEqual([['exporter "otlp" threw after it had answered', other]]);
  });

  it('is heard where undefined is what it throws', () => {
    const { sending, problems } = arrangeSending(
      (callback) => callback({ code: 0 }),
      () => {
        throw undefined;
      },
    );
    let thrown: unknown = 'nothing';
    try {
      sending.start();
    } catch (caught) {
      thrown = caught;
    }
    expect(thrown).toBeUndefined();
    expect(problems).toEqual([]);
  });

  it('is heard where the exporter itself threw', () => {
    const { sending, heard, problems } = arrangeSending(() => {
      throw new Error('of the exporter');
    }, tell);
    expect(() => sending.start()).toThrow(error);
    expect(heard).toHaveLength(1);
    expect(problems).toEqual([]);
  });

  it('is heard by the exporter that answers later', () => {
    let callback: Callback = () => {};
    const { sending, heard } = arrangeSending((given) => {
      callback = given;
    }, tell);
    sending.start();
    expect(() => callback({ code: 0 })).toThrow(error);
    expect(() => callback({ code: 0 })).not.toThrow();
    expect(heard).toHaveLength(1);
  });

  it('goes to onError where nobody is there: at a time-out', () => {
    const { sending, clock, heard, problems } = arrangeSending(() => {}, tell);
    sending.start();
    expect(() => clock.advance(TIMEOUT)).not.toThrow();
    expect(heard).toHaveLength(1);
    expect(problems).toEqual([['exporter "otlp": a result callback threw', error]]);
  });

  it('goes to onError where nobody is there: at a rejection', async () => {
    const { sending, heard, problems } = arrangeSending(() => Promise.reject(new Error('rejected')), tell);
    sending.start();
    await settled();
    expect(heard).toHaveLength(1);
    expect(problems).toEqual([['exporter "otlp": a result callback threw', error]]);
  });

  it('goes to onError where an async exporter lets it through', async () => {
    const { sending, heard, problems } = arrangeSending(async (callback) => callback({ code: 0 }), tell);
    sending.start();
    await settled();
    expect(heard).toHaveLength(1);
    expect(problems).toEqual([['exporter "otlp" rejected after it had answered', error]]);
  });
});
