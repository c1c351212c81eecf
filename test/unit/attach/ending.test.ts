import type { EventEmitter } from 'node:events';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

type Ending = typeof import('../../../src/attach/ending.ts');

const SIGNAL_EXIT = Symbol.for('signal-exit emitter');
const globals = globalThis as unknown as Record<symbol, unknown>;
const emitter: EventEmitter = process;
const before = {
  newListener: emitter.listeners('newListener'),
  removeListener: emitter.listeners('removeListener'),
};
let ending: Ending;

beforeEach(async () => {
  process.removeAllListeners('SIGTERM');
  vi.resetModules();
  ending = await import('../../../src/attach/ending.ts');
});

afterEach(() => {
  for (const event of ['newListener', 'removeListener'] as const) {
    for (const listener of emitter.listeners(event)) {
      if (!before[event].includes(listener)) emitter.removeListener(event, listener as () => void);
    }
  }
  process.removeAllListeners('SIGTERM');
  delete globals[SIGNAL_EXIT];
  vi.restoreAllMocks();
});

const nextTick = () => new Promise<void>((resolve) => process.nextTick(resolve));
const listeners = () => process.listenerCount('SIGTERM');
const receive = () => process.emit('SIGTERM', 'SIGTERM');

// A vitest worker is a thread or a process; signals are told apart by `isMainThread`.
vi.mock('node:worker_threads', async (original) => ({
  ...(await original<typeof import('node:worker_threads')>()),
  isMainThread: true,
}));

describe('watchSignals', () => {
  it('adds no listener where nobody listens', () => {
    ending.watchSignals();
    expect(listeners()).toBe(0);
    expect(ending.isEnding()).toBe(false);
  });

  it('notices the signal, before the application does, where somebody listens already', () => {
    let seen: boolean | undefined;
    process.on('SIGTERM', () => {
      seen = ending.isEnding();
    });
    ending.watchSignals();
    receive();
    expect(seen).toBe(true);
  });

  it('notices the signal where somebody listens later', async () => {
    ending.watchSignals();
    process.on('SIGTERM', () => {});
    await nextTick();
    expect(listeners()).toBe(2);
    receive();
    expect(ending.isEnding()).toBe(true);
  });

  it('goes with the last other listener, so that the signal ends the process again', async () => {
    ending.watchSignals();
    const listener = () => {};
    process.on('SIGTERM', listener);
    await nextTick();
    process.off('SIGTERM', listener);
    expect(listeners()).toBe(0);
  });

  it('goes while a listener that is called once is called', async () => {
    ending.watchSignals();
    const counts: number[] = [];
    process.once('SIGTERM', () => counts.push(listeners()));
    await nextTick();
    receive();
    expect(counts).toEqual([0]);
    expect(ending.isEnding()).toBe(true);
  });

  it('does not count those of signal-exit, which ends the process where nobody else listens', async () => {
    globals[SIGNAL_EXIT] = { count: 1 };
    process.on('SIGTERM', () => {});
    ending.watchSignals();
    expect(listeners()).toBe(1);
    process.on('SIGTERM', () => {});
    await nextTick();
    expect(listeners()).toBe(3);
  });

  it('takes a process that is still there after a minute for one that goes on', () => {
    process.on('SIGTERM', () => {});
    ending.watchSignals();
    const now = vi.spyOn(performance, 'now').mockReturnValue(1_000);
    receive();
    now.mockReturnValue(60_999);
    expect(ending.isEnding()).toBe(true);
    now.mockReturnValue(61_000);
    expect(ending.isEnding()).toBe(false);
  });
});
