import { AsyncLocalStorage } from 'node:async_hooks';
import { context, createContextKey, ROOT_CONTEXT } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { isTracingSuppressed } from '@opentelemetry/core';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { runDetached, withTracingSuppressed } from '../../../src/delivery/suppress-tracing.ts';

const REGISTERED_API = Symbol.for('opentelemetry.js.api.1');

interface Api {
  version: string;
}

function registeredApi(): Api {
  return (globalThis as unknown as Record<symbol, Api>)[REGISTERED_API] as Api;
}

beforeEach(() => {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager());
});

afterEach(() => {
  context.disable();
  vi.unstubAllGlobals();
  vi.resetModules();
});

describe('withTracingSuppressed', () => {
  it('suppresses as the SDK does, while it runs and no longer', () => {
    let suppressed = false;
    withTracingSuppressed(() => {
      suppressed = isTracingSuppressed(context.active());
    });
    expect(suppressed).toBe(true);
    expect(isTracingSuppressed(context.active())).toBe(false);
  });

  it('takes nothing of the context in which it is called', () => {
    const key = createContextKey('of the batch');
    let seen: unknown = 'not run';
    context.with(ROOT_CONTEXT.setValue(key, 'span'), () => {
      withTracingSuppressed(() => {
        seen = context.active().getValue(key);
      });
    });
    expect(seen).toBeUndefined();
  });

  it("leaves the application's AsyncLocalStorage", () => {
    const storage = new AsyncLocalStorage<string>();
    let seen: unknown = 'not run';
    storage.run('a request', () => {
      withTracingSuppressed(() => {
        seen = storage.getStore();
      });
      expect(storage.getStore()).toBe('a request');
    });
    expect(seen).toBeUndefined();
  });

  it('suppresses where the API that registered is older than its own copy', () => {
    const api = registeredApi();
    const { version } = api;
    const manager = (api as unknown as { context: AsyncLocalStorageContextManager }).context;
    let suppressed = false;
    api.version = '1.3.0';
    try {
      withTracingSuppressed(() => {
        // What the instrumentations of the application see, with the copy of the API that registered.
        suppressed = isTracingSuppressed(manager.active());
        // This copy gets a no-op.
        expect(isTracingSuppressed(context.active())).toBe(false);
      });
    } finally {
      api.version = version;
    }
    expect(suppressed).toBe(true);
  });

  it('runs without a context manager, and without any API', () => {
    const run = vi.fn();
    context.disable();
    withTracingSuppressed(run);
    const api = registeredApi();
    delete (globalThis as unknown as Record<symbol, unknown>)[REGISTERED_API];
    try {
      withTracingSuppressed(run);
    } finally {
      (globalThis as unknown as Record<symbol, unknown>)[REGISTERED_API] = api;
    }
    expect(run).toHaveBeenCalledTimes(2);
  });

  it('runs at once, and lets through what is thrown', () => {
    expect(() =>
      withTracingSuppressed(() => {
        throw new Error('thrown inside');
      }),
    ).toThrow('thrown inside');
  });
});

describe('runDetached', () => {
  it('runs timers outside the storages of the caller', async () => {
    const storage = new AsyncLocalStorage<string>();
    const seen = await storage.run('a request', () => {
      return new Promise((resolve) => {
        runDetached(() => setTimeout(() => resolve(storage.getStore()), 0));
      });
    });
    expect(seen).toBeUndefined();
  });

  it('runs at once, and lets through what is thrown', () => {
    expect(() =>
      runDetached(() => {
        throw new Error('thrown inside');
      }),
    ).toThrow('thrown inside');
  });

  it.each([
    ['no process', undefined],
    ['a process without getBuiltinModule', {}],
    ['no such built-in', { getBuiltinModule: () => undefined }],
    ['no snapshots', { getBuiltinModule: () => ({ AsyncLocalStorage: {} }) }],
    [
      'a platform that refuses',
      {
        getBuiltinModule: () => {
          throw new Error('not here');
        },
      },
    ],
  ])('runs as it is where there is %s', async (_, process) => {
    vi.resetModules();
    vi.stubGlobal('process', process);
    const fresh = await import('../../../src/delivery/suppress-tracing.ts');
    const run = vi.fn();
    fresh.runDetached(run);
    expect(run).toHaveBeenCalledOnce();
  });
});
