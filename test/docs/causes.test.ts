import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { causeOf } from '../../src/internal/causes.ts';
import { ROOT, tableBetween } from './markdown.ts';

it('the guide explains every cause, in the words that the library uses', () => {
  const source = readFileSync(`${ROOT}/src/internal/causes.ts`, 'utf8');
  const inSource = [...source.matchAll(/^ {4}\[\s*'([^']+)',/gm)].map((match) => match[1]);
  expect(inSource).toContain(causeOf({ code: 'ECONNREFUSED' }));
  const inGuide = tableBetween('docs/TELEMETRY.md', 'causes').map(([cause = '']) => cause.slice(1, -1));
  expect([...inGuide].sort()).toEqual([...inSource].sort());
});

it('the signs that the guide names mean what it says', () => {
  for (const [cause = '', meaning = ''] of tableBetween('docs/TELEMETRY.md', 'causes')) {
    const codes = [...meaning.matchAll(/`([A-Z_]{5,})`/g)].map((match) => match[1]);
    // "an other 4xx" names no number; the statuses behind `retryable status` are those that it hides.
    const statuses =
      cause === '`retryable status`' ? [] : (meaning.match(/(?<!gRPC [^.;]*)\b[1-5]\d\d\b/g) ?? []);
    const signs = [...codes, ...statuses.map(Number)];
    for (const code of signs) expect(causeOf({ code }), String(code)).toBe(cause.slice(1, -1));
  }
});
