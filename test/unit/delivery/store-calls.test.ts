import { describe, expect, it } from 'vitest';
import { StoreCalls } from '../../../src/delivery/store-calls.ts';
import { CountingClock, settled } from './rig.ts';

function arrange() {
  const clock = new CountingClock();
  const problems: unknown[] = [];
  const heard: string[] = [];
  const calls = new StoreCalls(clock, (error) => void problems.push(error));
  const run = (call: () => unknown): void =>
    calls.run(
      call,
      (answer) => void heard.push(`done ${answer}`),
      (error) => void heard.push(`failed ${(error as Error).message}`),
      (answer) => void heard.push(`late ${answer}`),
    );
  return { clock, calls, problems, heard, run };
}

/** A promise that is settled from outside. */
function open() {
  let resolve: (value: string) => void = () => {};
  let reject: (error: Error) => void = () => {};
  const promise = new Promise<string>((done, failed) => {
    resolve = done;
    reject = failed;
  });
  return { promise, resolve, reject };
}

describe('a store that', () => {
  it('answers at once is heard within the call, and costs no timer', () => {
    const { clock, heard, run } = arrange();
    run(() => 'a');
    run(() => undefined);
    expect(heard).toEqual(['done a', 'done undefined']);
    expect(clock.most).toBe(0);
  });

  it('throws has failed within the call', () => {
    const { heard, run } = arrange();
    run(() => {
      throw new Error('disk');
    });
    expect(heard).toEqual(['failed disk']);
  });

  it('answers later is heard then, also where its promise is of another kind', async () => {
    const { heard, run } = arrange();
    const { promise, resolve } = open();
    run(() => promise);
    run(() => ({
      // biome-ignore lint/suspicious/noThenProperty: a promise of another realm
      then: (done: (value: string) => void) => void setImmediate(done, 'b'),
    }));
    await settled();
    resolve('a');
    await settled();
    expect(heard.sort()).toEqual(['done a', 'done b']);
  });

  it('rejects has failed', async () => {
    const { heard, run } = arrange();
    run(() => Promise.reject(new Error('disk')));
    await settled();
    expect(heard).toEqual(['failed disk']);
  });

  it('has not answered after 1 s has failed', async () => {
    const { clock, heard, run } = arrange();
    run(() => new Promise(() => {}));
    clock.advance(999);
    expect(heard).toEqual([]);
    clock.advance(1);
    expect(heard).toEqual(['failed the store gave no answer within 1000 ms']);
  });

  it('answers after that is heard as late, and what it rejects with then is not', async () => {
    const { clock, heard, run } = arrange();
    const [resolves, rejects] = [open(), open()];
    run(() => resolves.promise);
    run(() => rejects.promise);
    clock.advance(1_000);
    heard.length = 0;
    resolves.resolve('a');
    rejects.reject(new Error('disk'));
    await settled();
    expect(heard).toEqual(['late a']);
  });

  it('is unanswered is found by a look, where no timer fires', () => {
    const { clock, calls, heard, run } = arrange();
    clock.losesTimers = true;
    run(() => new Promise(() => {}));
    clock.advance(1_000);
    calls.look(1_000);
    calls.look(1_050);
    expect(heard).toHaveLength(1);
  });

  it('is unanswered when it is abandoned has failed at once, and the error says how long it had', async () => {
    const { clock, calls, heard, run } = arrange();
    const { promise, resolve } = open();
    run(() => promise);
    clock.advance(400);
    calls.abandon();
    expect(heard).toEqual(['failed the store gave no answer within 400 ms']);
    resolve('a');
    await settled();
    expect(heard).toHaveLength(2);
  });
});

it('a listener that throws where no caller is on the stack is reported', async () => {
  const { clock, calls, problems } = arrange();
  const throws = (): never => {
    throw new Error('mine');
  };
  calls.run(() => Promise.resolve(), throws, throws);
  calls.run(() => Promise.reject(new Error('disk')), throws, throws);
  calls.run(() => new Promise(() => {}), throws, throws);
  await settled();
  clock.advance(1_000);
  expect(problems).toEqual([new Error('mine'), new Error('mine'), new Error('mine')]);
});

it('a listener that throws within the call throws at its caller', () => {
  const { calls, problems } = arrange();
  const throws = (): never => {
    throw new Error('mine');
  };
  expect(() => calls.run(() => 'a', throws, throws)).toThrow('mine');
  expect(problems).toEqual([]);
});

it('no timer is left after the end, once all is answered', async () => {
  const { clock, calls, run } = arrange();
  const { promise, resolve } = open();
  run(() => promise);
  calls.end();
  expect(clock.pending.size).toBe(1);
  resolve('a');
  await settled();
  expect(clock.pending.size).toBe(0);
});
