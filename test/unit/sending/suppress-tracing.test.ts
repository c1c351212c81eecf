import { context, createContextKey, ROOT_CONTEXT } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { isTracingSuppressed } from '@opentelemetry/core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { withTracingSuppressed } from '../../../src/sending/suppress-tracing.ts';

beforeEach(() => {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager());
});

afterEach(() => {
  context.disable();
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

  it('takes nothing with it of the context in which it is called', () => {
    const key = createContextKey('of the batch');
    let seen: unknown = 'not run';
    context.with(ROOT_CONTEXT.setValue(key, 'span'), () => {
      withTracingSuppressed(() => {
        seen = context.active().getValue(key);
      });
    });
    expect(seen).toBeUndefined();
  });

  it('runs at once, and lets through what is thrown', () => {
    expect(() =>
      withTracingSuppressed(() => {
        throw new Error('thrown inside');
      }),
    ).toThrow('thrown inside');
  });
});
