import { AsyncLocalStorage } from 'node:async_hooks';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { context, createContextKey, ROOT_CONTEXT } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { isTracingSuppressed } from '@opentelemetry/core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CircuitBreakerExporter, systemClock } from '../../../src/index.ts';
import { FakeStore } from './fake-store.ts';
import type { Batch, RigOptions } from './rig.ts';
import { Backend, FAILURE, Rig, settled } from './rig.ts';

/** The stores of a server's requests. */
const requests = new AsyncLocalStorage<object>();

beforeEach(() => {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager());
});

afterEach(() => context.disable());

/** Of each batch that an exporter is given: the request that it is given it in, and whether tracing is suppressed. */
function watchContexts(backend: Backend): Record<string, [request: unknown, suppressed: boolean]> {
  const seen: Record<string, [unknown, boolean]> = {};
  backend.onExport = ([name]) => {
    seen[name ?? ''] = [requests.getStore(), isTracingSuppressed(context.active())];
  };
  return seen;
}

/** The contexts of what inner exporter and fallback are given; everything is offered within a request. */
function arrange(options: RigOptions, happens: (rig: Rig) => void | Promise<void>) {
  const rig = new Rig(options);
  const inner = watchContexts(rig.inner);
  const fallback = watchContexts(rig.fallback);
  return requests.run({ url: '/orders' }, async () => {
    await happens(rig);
    return { inner, fallback };
  });
}

const OWN_ACCORD = [undefined, true];

describe('what the exporter sends of its own accord is in no context of whoever gave the batch, and not traced', () => {
  it('a redelivery that a live batch pays for, while the live batch is in its own', async () => {
    const { inner } = await arrange({}, (rig) => {
      rig.keepAndClose('A');
      rig.export('live');
    });
    expect(inner['A']).toEqual(OWN_ACCORD);
    expect(inner['live']).toEqual([{ url: '/orders' }, false]);
  });

  it('a redelivery on call, and after the answer to another', async () => {
    const { inner } = await arrange({}, (rig) => {
      rig.keepAndClose('A', 'B');
      rig.inner.does = 'hold';
      void rig.exporter.redeliver();
      rig.inner.release();
    });
    expect(inner).toEqual({ A: OWN_ACCORD, B: OWN_ACCORD });
  });

  it('a redelivery from a store that answers later', async () => {
    const store = new FakeStore();
    const { inner } = await arrange({ retention: { store } }, async (rig) => {
      rig.keep('A');
      await store.answer();
      rig.breaker.reset();
      void rig.exporter.redeliver();
      await store.answer();
    });
    expect(inner).toEqual({ A: OWN_ACCORD });
  });

  it('a tick, by real timers', async () => {
    const { inner } = await arrange({ clock: systemClock, retention: { idleMillis: 5 } }, async (rig) => {
      rig.keepAndClose('A');
      await expect.poll(() => rig.inner.names).toEqual(['A']);
    });
    expect(inner).toEqual({ A: OWN_ACCORD });
  });

  it('the fallback: for a rejected batch, after a time-out, for what is evicted', async () => {
    const { fallback } = await arrange(
      {
        fallback: true,
        clock: systemClock,
        exportTimeoutMillis: 5,
        retention: { maxItems: 1, idleMillis: 0 },
      },
      async (rig) => {
        rig.inner.does = 'hang';
        rig.export('timed out', 2);
        await expect.poll(() => rig.fallback.names).toEqual(['timed out']);
        rig.keep('evicted', 'kept');
        rig.export('rejected', 2);
      },
    );
    expect(fallback).toEqual({ 'timed out': OWN_ACCORD, evicted: OWN_ACCORD, rejected: OWN_ACCORD });
  });

  it('the last drain of a shutdown', async () => {
    const { inner } = await arrange({}, async (rig) => {
      rig.trip('A');
      rig.inner.does = 'success';
      await rig.exporter.shutdown();
    });
    expect(inner['A']).toEqual(OWN_ACCORD);
  });
});

it('a store is called in no context of whoever gave the batch', async () => {
  const seen: unknown[] = [];
  const store = new FakeStore({ mode: 'at once' });
  for (const method of ['put', 'get', 'delete'] as const) {
    const call = store[method].bind(store) as (...args: unknown[]) => unknown;
    Object.assign(store, {
      [method]: (...args: unknown[]) => {
        seen.push([method, requests.getStore()]);
        return call(...args);
      },
    });
  }
  const rig = new Rig({ retention: { store } });
  await requests.run({}, async () => {
    rig.keepAndClose('A');
    await rig.exporter.redeliver();
  });
  expect(seen).toEqual([
    ['put', undefined],
    ['get', undefined],
    ['delete', undefined],
  ]);
});

it('the context of the SDK does not outlive its export', async () => {
  const key = createContextKey('of a request');
  const seen: unknown[] = [];
  const rig = new Rig({ clock: systemClock, retention: { idleMillis: 5 } });
  rig.inner.onExport = () => seen.push(context.active().getValue(key));
  context.with(ROOT_CONTEXT.setValue(key, 'span'), () => rig.keepAndClose('A'));
  await expect.poll(() => seen).toEqual([undefined]);
});

it('a request is not held through an outage: neither by what is kept, nor by timers, nor by what hangs', async () => {
  setFlagsFromString('--expose-gc');
  const collectGarbage = runInNewContext('gc') as () => void;
  const inner = new Backend();
  const exporter = new CircuitBreakerExporter<Batch>(inner, {
    fallback: new Backend(),
    retention: { handOverMillis: 1 },
  });
  inner.does = 'hang';
  const request = (name: string): WeakRef<object> => {
    const store = { headers: new Array(1_000).fill(name) };
    requests.run(store, () => exporter.export([name], () => {}));
    return new WeakRef(store);
  };
  const refs = [request('hangs'), request('hangs, too')];
  exporter.breaker.forceOpen();
  refs.push(request('kept'));
  await new Promise((resolve) => setTimeout(resolve, 20));
  for (let i = 0; i < 5; i++) {
    await settled();
    collectGarbage();
  }
  expect(exporter.snapshot().delivery).toMatchObject({ inFlight: { batches: 2 }, kept: { batches: 1 } });
  expect(refs.map((ref) => ref.deref())).toEqual([undefined, undefined, undefined]);
  // Ends its timers.
  for (const outcome of inner.held) outcome(FAILURE);
  await exporter.shutdown();
});
