import { afterEach, describe, expect, it, vi } from 'vitest';
import type { RegisteredExporter } from '../../../src/adapters/registry.ts';
import { registerExporter, registeredExporters } from '../../../src/adapters/registry.ts';

const REGISTRY = Symbol.for('otel-circuit-breaker.exporters');
const globals = globalThis as unknown as Record<symbol, WeakRef<object>[] | undefined>;

afterEach(() => {
  delete globals[REGISTRY];
});

function exporterNamed(name: string): RegisteredExporter {
  return { snapshot: () => ({ name }) as ReturnType<RegisteredExporter['snapshot']> };
}

describe('the registry', () => {
  it('is empty at first', () => {
    expect(registeredExporters()).toEqual([]);
  });

  it('gives back what is registered, and lists it in order', () => {
    const first = exporterNamed('first');
    const second = exporterNamed('second');
    expect(registerExporter(first)).toBe(first);
    registerExporter(second);
    expect(registeredExporters()).toEqual([first, second]);
  });

  it('counts an exporter that is registered twice once', () => {
    const exporter = exporterNamed('traces');
    registerExporter(exporter);
    registerExporter(exporter);
    expect(registeredExporters()).toEqual([exporter]);
  });

  it('answers a new array each time', () => {
    registerExporter(exporterNamed('traces'));
    registeredExporters().pop();
    expect(registeredExporters()).toHaveLength(1);
  });

  it('is one array of weak references at a global symbol, which every copy of the package shares', async () => {
    const exporter = registerExporter(exporterNamed('traces'));
    const array = globals[REGISTRY];
    expect(array?.map((reference) => reference.deref())).toEqual([exporter]);

    vi.resetModules();
    const copy = await import('../../../src/adapters/registry.ts');
    expect(copy.registerExporter).not.toBe(registerExporter);
    expect(copy.registeredExporters()).toEqual([exporter]);
    copy.registerExporter(exporterNamed('logs'));
    expect(registeredExporters().map((each) => each.snapshot().name)).toEqual(['traces', 'logs']);
    expect(globals[REGISTRY]).toBe(array);
  });

  it('forgets an exporter that was collected', () => {
    const gone = { deref: () => undefined } as unknown as WeakRef<object>;
    const exporter = exporterNamed('traces');
    globals[REGISTRY] = [gone, new WeakRef(exporter)];
    expect(registeredExporters()).toEqual([exporter]);
    expect(globals[REGISTRY]).toHaveLength(1);
  });

  it.each([undefined, null, 1, {}, { snapshot: true }])('refuses %j', (value) => {
    expect(() => registerExporter(value as never)).toThrow(
      new TypeError(
        `registerExporter: exporter must be an object with snapshot(), got ${
          typeof value === 'object' && value !== null ? 'an object' : String(value)
        }`,
      ),
    );
  });
});
