import { describe, expect, it } from 'vitest';
import { checkSources, gatherCircuits, refuseDuplicateNames } from '../../../src/adapters/sources.ts';
import { CircuitBreaker } from '../../../src/breaker/circuit-breaker.ts';
import { circuitSnapshot, exporterSnapshot, sourceOf } from './snapshots.ts';

const names = (circuits: ReturnType<typeof gatherCircuits>) =>
  circuits.map(({ snapshot, deliveries }) => [snapshot.name, deliveries.map(({ exporter }) => exporter)]);

describe('gatherCircuits', () => {
  it('finds nothing where no source is', () => {
    expect(gatherCircuits('test', undefined)).toEqual([]);
    expect(gatherCircuits('test', [])).toEqual([]);
  });

  it('takes a snapshot, and anything with snapshot()', () => {
    expect(names(gatherCircuits('test', circuitSnapshot({ name: 'plain' })))).toEqual([['plain', []]]);
    expect(names(gatherCircuits('test', new CircuitBreaker({ name: 'bare' })))).toEqual([['bare', []]]);
    expect(names(gatherCircuits('test', sourceOf(exporterSnapshot('spans'))))).toEqual([['otlp', ['spans']]]);
  });

  it('calls snapshot() as a method of its source', () => {
    class Source {
      readonly #snapshot = circuitSnapshot({ name: 'own' });
      snapshot() {
        return this.#snapshot;
      }
    }
    expect(names(gatherCircuits('test', new Source()))).toEqual([['own', []]]);
  });

  it('unites exporters that share a breaker, in the order of the sources', () => {
    const shared = {};
    const circuits = gatherCircuits('test', [
      sourceOf(exporterSnapshot('spans'), shared),
      sourceOf(exporterSnapshot('other', { name: 'other' }), {}),
      sourceOf(exporterSnapshot('logs'), shared),
    ]);
    expect(names(circuits)).toEqual([
      ['otlp', ['spans', 'logs']],
      ['other', ['other']],
    ]);
  });

  it('unites an exporter and its own breaker, whichever comes first', () => {
    const breaker = new CircuitBreaker();
    const exporter = sourceOf(exporterSnapshot('spans'), breaker);
    expect(names(gatherCircuits('test', [exporter, breaker]))).toEqual([['otlp', ['spans']]]);
    expect(names(gatherCircuits('test', [breaker, exporter]))).toEqual([['otlp', ['spans']]]);
  });

  it('takes the same source twice as one', () => {
    const exporter = sourceOf(exporterSnapshot('spans'), {});
    expect(names(gatherCircuits('test', [exporter, exporter]))).toEqual([['otlp', ['spans']]]);
  });

  it('never unites plain snapshots', () => {
    expect(gatherCircuits('test', [circuitSnapshot(), circuitSnapshot()])).toHaveLength(2);
    const snapshot = circuitSnapshot();
    expect(gatherCircuits('test', [snapshot, snapshot])).toHaveLength(2);
  });

  it('does not let a disabled exporter hide what its breaker does', () => {
    const shared = {};
    const disabled = sourceOf(exporterSnapshot('off', { forced: 'CLOSED' }), shared);
    const enabled = sourceOf(exporterSnapshot('on', { state: 'OPEN' }), shared);
    for (const sources of [
      [disabled, enabled],
      [enabled, disabled],
    ]) {
      expect(gatherCircuits('test', sources)[0]?.snapshot).toMatchObject({ state: 'OPEN', forced: null });
    }
  });

  it.each<[string, unknown, string]>([
    ['null', null, 'null'],
    ['a number', 5, '5'],
    ['a string', 'otlp', '"otlp"'],
    ['an empty object', {}, 'an object'],
    ['a promise of a snapshot', Promise.resolve(circuitSnapshot()), 'an object'],
    ['undefined in an array', [undefined], 'undefined'],
    ['an array in an array', [[circuitSnapshot()]], 'an array of 1'],
    ['an object whose snapshot is no function', { snapshot: circuitSnapshot() }, 'an object'],
    ['a snapshot whose name is no string', { name: 5, state: 'OPEN' }, 'an object'],
    ['a snapshot whose state is no string', { name: 'otlp', state: 5 }, 'an object'],
    ['a snapshot without a name', { state: 'OPEN' }, 'an object'],
    ['a snapshot without a state', { name: 'otlp' }, 'an object'],
  ])('refuses %s', (_, source, shown) => {
    const message = `test: a source must be a snapshot, or have snapshot(), got ${shown}`;
    expect(() => gatherCircuits('test', source as never)).toThrow(new TypeError(message));
    expect(() => checkSources('test', source as never)).toThrow(new TypeError(message));
  });

  it.each<[string, unknown, string]>([
    ['nothing', undefined, 'undefined'],
    ['a promise', Promise.resolve(circuitSnapshot()), 'an object'],
  ])('refuses a source whose snapshot() returns %s', (_, returned, shown) => {
    const source = { snapshot: () => returned };
    expect(() => gatherCircuits('test', source as never)).toThrow(
      new TypeError(`test: snapshot() of a source must return a snapshot, got ${shown}`),
    );
  });
});

describe('checkSources', () => {
  it('looks at no snapshot', () => {
    const source = {
      snapshot(): never {
        throw new Error('looked');
      },
    };
    expect(() => checkSources('test', source)).not.toThrow();
    expect(() => checkSources('test', undefined)).not.toThrow();
  });
});

describe('refuseDuplicateNames', () => {
  it('accepts one name on two breakers for two exporters', () => {
    const circuits = gatherCircuits('test', [
      sourceOf(exporterSnapshot('spans', { name: 'a' })),
      sourceOf(exporterSnapshot('spans', { name: 'b' })),
    ]);
    expect(() => refuseDuplicateNames('test', circuits)).not.toThrow();
  });

  it('names the breaker that is there twice', () => {
    const circuits = gatherCircuits('test', [circuitSnapshot({ name: 'a' }), circuitSnapshot({ name: 'a' })]);
    expect(() => refuseDuplicateNames('test', circuits)).toThrow(
      new TypeError('test: two breakers have the name "a"'),
    );
  });

  it('names the exporter that is there twice, and its breaker', () => {
    const shared = {};
    const circuits = gatherCircuits('test', [
      sourceOf(exporterSnapshot('spans'), shared),
      sourceOf(exporterSnapshot('spans'), shared),
    ]);
    expect(() => refuseDuplicateNames('test', circuits)).toThrow(
      new TypeError('test: two exporters on the breaker "otlp" have the name "spans"'),
    );
  });
});
