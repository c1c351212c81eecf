import { globSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { circuitFamilies, deliveryFamilies } from '../../src/adapters/families.ts';
import type { ExporterSnapshot, ExportResultLike } from '../../src/index.ts';
import * as library from '../../src/index.ts';
import { CircuitBreakerExporter, classifyResult } from '../../src/index.ts';
import { causeOf } from '../../src/internal/causes.ts';
import { ScriptedExporter } from '../../src/testing/scripted-exporter.ts';
import { ROOT, tableBetween } from './markdown.ts';

/** A cell without its backticks. */
const plain = (cell = ''): string => cell.replaceAll('`', '');

function snapshot(): ExporterSnapshot {
  return new CircuitBreakerExporter(new ScriptedExporter()).snapshot();
}

describe('the reference of metrics', () => {
  const families = [...circuitFamilies, ...deliveryFamilies];
  const rows = tableBetween('docs/reference/metrics.md', 'metrics').map((row) => row.map(plain));

  it('has every family of both kinds', () => {
    expect(rows.map(([prometheus, otel]) => [prometheus, otel])).toEqual(
      families.map(({ prometheus = '', otel = '' }) => [prometheus, otel]),
    );
  });

  it('has their kinds', () => {
    expect(rows.map(([, , kind = '']) => kind.split(', ')[0])).toEqual(families.map(({ kind }) => kind));
  });

  it('has their units, as OpenTelemetry writes them', () => {
    for (const [index, { prometheus, unit }] of families.entries()) {
      const [, shown = ''] = rows[index]?.[2]?.split(', ') ?? [];
      expect([prometheus, shown]).toEqual([prometheus, unit]);
    }
  });

  it('has their labels', () => {
    const seen = {
      ...snapshot(),
      lastFailure: { name: 'Error', code: null, cause: null, message: '', at: 0 },
    };
    const labels = [
      ...circuitFamilies.map(({ read }) => read(seen)),
      ...deliveryFamilies.map(({ read }) => read(seen.delivery)),
    ].map(([first]) => Object.keys(first?.labels ?? {}).join(', '));
    expect(rows.map(([, , , shown]) => shown)).toEqual(labels);
  });

  it('has every reason', () => {
    const { lostBy, evicted } = snapshot().delivery;
    const reasons = tableBetween('docs/reference/metrics.md', 'reasons').map((row) => row.map(plain));
    const marked = (column: number) =>
      reasons.filter((row) => row[column] === 'yes').map(([reason]) => reason);
    expect(marked(1)).toEqual(Object.keys(lostBy));
    expect(marked(2).sort()).toEqual(Object.keys(evicted).sort());
  });
});

describe('the reference of the environment', () => {
  it('has every variable that is read, and no other', () => {
    const sources = globSync('src/{adapters,attach}/*.ts', { cwd: ROOT });
    const read = sources.flatMap((file) => {
      const text = readFileSync(`${ROOT}/${file}`, 'utf8');
      return [...text.matchAll(/'((?:APP_)?OTEL_[A-Z_]+)'/g)].map(([, variable]) => variable as string);
    });
    const shown = tableBetween('docs/reference/environment.md', 'environment').flatMap(([cell]) =>
      plain(cell).split(', '),
    );
    expect(shown.length).toBeGreaterThan(10);
    expect([...new Set(read)].sort()).toEqual(shown.sort());
  });
});

describe('the reference of errors', () => {
  it('has every error that the library exports, with its code', () => {
    const errors = Object.entries(library).filter(([name]) => name.endsWith('Error'));
    const codes = errors.map(([name, Constructor]) => {
      const { code } = new (Constructor as new (text: string) => Error & { code: string })('x');
      return [name, code];
    });
    const shown = tableBetween('docs/reference/errors.md', 'errors').map((row) => row.slice(0, 2).map(plain));
    expect(shown.sort()).toEqual(codes.sort());
  });
});

describe('the reference of causes', () => {
  it.each(tableBetween('docs/reference/causes.md', 'classification').map((row) => row.map(plain)))(
    'says what %s is',
    (error = '', cause, classification) => {
      const parsed = JSON.parse(error) as Error;
      expect(causeOf(parsed)).toBe(cause);
      expect(classifyResult({ code: 1, error: parsed } satisfies ExportResultLike)).toBe(classification);
    },
  );
});

describe('the reference of policies', () => {
  it('has every policy that the library exports', () => {
    const shown = ['trip-policies', 'probe-policies'].flatMap((name) =>
      tableBetween('docs/reference/policies.md', name).map(([cell]) => plain(cell).replace(/\(.*/, '')),
    );
    const others = ['CircuitBreaker', 'CircuitBreakerExporter', 'classifyResult', 'systemClock'];
    const exported = Object.keys(library).filter((name) => !others.includes(name) && !name.endsWith('Error'));
    expect(shown.sort()).toEqual(exported.sort());
  });
});
