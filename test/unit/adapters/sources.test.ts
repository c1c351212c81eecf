import { describe, expect, it, vi } from 'vitest';
import { checkSources, gatherCircuits, tellOfSharedNames } from '../../../src/adapters/sources.ts';
import { CircuitBreaker } from '../../../src/breaker/circuit-breaker.ts';
import { circuitSnapshot, exporterSnapshot, sourceOf } from './snapshots.ts';

const names = (circuits: ReturnType<typeof gatherCircuits>) => circuits.map(({ name }) => name);

describe('gatherCircuits', () => {
  it('finds nothing where no source is', () => {
    expect(gatherCircuits('test', undefined)).toEqual([]);
    expect(gatherCircuits('test', [])).toEqual([]);
  });

  it('takes a snapshot, and anything with snapshot()', () => {
    const exporter = exporterSnapshot({ name: 'spans' });
    expect(gatherCircuits('test', circuitSnapshot({ name: 'plain' }))).toMatchObject([
      { name: 'plain', delivery: undefined },
    ]);
    expect(gatherCircuits('test', new CircuitBreaker({ name: 'bare' }))).toMatchObject([
      { name: 'bare', delivery: undefined },
    ]);
    expect(gatherCircuits('test', sourceOf(exporter))).toMatchObject([
      { name: 'spans', snapshot: exporter, delivery: exporter.delivery },
    ]);
  });

  it('calls snapshot() as a method of its source', () => {
    class Source {
      readonly #snapshot = circuitSnapshot({ name: 'own' });
      snapshot() {
        return this.#snapshot;
      }
    }
    expect(names(gatherCircuits('test', new Source()))).toEqual(['own']);
  });

  it('keeps the order of the sources', () => {
    const sources = ['b', 'c', 'a'].map((name) => circuitSnapshot({ name }));
    expect(names(gatherCircuits('test', sources))).toEqual(['b', 'c', 'a']);
  });

  it('takes the same source twice as one', () => {
    const exporter = sourceOf(exporterSnapshot());
    const snapshot = circuitSnapshot();
    expect(names(gatherCircuits('test', [exporter, exporter]))).toEqual(['otlp']);
    expect(names(gatherCircuits('test', [snapshot, snapshot]))).toEqual(['otlp']);
  });

  it('gives the second source of a name the name with #2, the third #3', () => {
    const named = (name: string) => circuitSnapshot({ name });
    expect(names(gatherCircuits('test', [named('a'), named('b'), named('a'), named('a')]))).toEqual([
      'a',
      'b',
      'a#2',
      'a#3',
    ]);
    expect(names(gatherCircuits('test', [named('a'), named('a'), named('a#2')]))).toEqual([
      'a',
      'a#2',
      'a#2#2',
    ]);
  });

  it.each<[string, unknown, string]>([
    ['null', null, 'null'],
    ['a number', 5, '5'],
    ['a string', 'otlp', '"otlp"'],
    ['an empty object', {}, 'an object'],
    ['a promise of a snapshot', Promise.resolve(circuitSnapshot()), 'a promise'],
    ['undefined in an array', [undefined], 'undefined'],
    ['an array in an array', [[circuitSnapshot()]], 'an array of 1'],
    ['an object whose snapshot is not a function', { snapshot: circuitSnapshot() }, 'an object'],
    ['a snapshot whose name is not a string', { name: 5, state: 'OPEN' }, 'an object'],
    ['a snapshot whose state is not a string', { name: 'otlp', state: 5 }, 'an object'],
    ['a snapshot without a name', { state: 'OPEN' }, 'an object'],
    ['a snapshot without a state', { name: 'otlp' }, 'an object'],
  ])('refuses %s', (_, source, shown) => {
    const message = `test: a source must be a snapshot, or have snapshot(), got ${shown}`;
    expect(() => gatherCircuits('test', source as never)).toThrow(new TypeError(message));
    expect(() => checkSources('test', source as never)).toThrow(new TypeError(message));
  });

  it.each<[string, unknown, string]>([
    ['nothing', undefined, 'undefined'],
    ['a promise', Promise.resolve(circuitSnapshot()), 'a promise'],
  ])('refuses a source whose snapshot() returns %s', (_, returned, shown) => {
    const source = { snapshot: () => returned };
    expect(() => gatherCircuits('test', source as never)).toThrow(
      new TypeError(`test: snapshot() of a source must return a snapshot, got ${shown}`),
    );
  });

  it('leaves no unhandled rejection where a promise that rejects stands for a source or a snapshot', async () => {
    const unhandled = vi.fn();
    process.on('unhandledRejection', unhandled);
    const rejecting = () => Promise.reject(new Error('no'));
    expect(() => gatherCircuits('test', rejecting() as never)).toThrow(TypeError);
    expect(() => gatherCircuits('test', { snapshot: rejecting } as never)).toThrow(TypeError);
    await new Promise((resolve) => setImmediate(resolve));
    process.off('unhandledRejection', unhandled);
    expect(unhandled).not.toHaveBeenCalled();
  });
});

describe('tellOfSharedNames', () => {
  it('tells once of each source whose name an earlier one has, also where the sources are new each time', () => {
    const tell = vi.fn();
    const told = new Set<string>();
    const sources = () => ['otlp', 'otlp', 'a', 'otlp'].map((name) => circuitSnapshot({ name }));
    for (let i = 0; i < 3; i++) tellOfSharedNames(gatherCircuits('test', sources()), told, tell);
    expect(tell.mock.calls).toEqual([
      ['more than one circuit breaker has the name "otlp"; one of them is shown as "otlp#2"'],
      ['more than one circuit breaker has the name "otlp"; one of them is shown as "otlp#3"'],
    ]);
  });
});

describe('checkSources', () => {
  it('takes no snapshot', () => {
    const source = {
      snapshot(): never {
        throw new Error('looked');
      },
    };
    expect(() => checkSources('test', source)).not.toThrow();
    expect(() => checkSources('test', undefined)).not.toThrow();
  });
});
