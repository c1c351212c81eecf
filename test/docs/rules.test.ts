import { globSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ROOT, readPage } from './markdown.ts';

/** The rules in their order, such as `S3`. */
const rules = readPage('docs/internals/rules.md').prose.flatMap((line) => {
  const [, rule] = /^- \*\*([A-Z]\d+)\*\* \S/.exec(line) ?? [];
  return rule === undefined ? [] : [rule];
});

describe('the rules', () => {
  it('are numbered from 1 in each group, and no group has the letter of another', () => {
    const groups = [...new Set(rules.map((rule) => rule.charAt(0)))];
    const expected = groups.flatMap((letter) => {
      const { length } = rules.filter((rule) => rule.startsWith(letter));
      return Array.from({ length }, (_, index) => `${letter}${index + 1}`);
    });
    expect(rules.length).toBeGreaterThan(100);
    expect(rules).toEqual(expected);
  });

  it('are there wherever a test or a document names one', () => {
    const files = globSync(['{src,test}/**/*.ts', 'docs/{guide,internals,reference}/*.md', '*.md'], {
      cwd: ROOT,
    });
    const named = files.flatMap((file) => {
      const text = readFileSync(`${ROOT}/${file}`, 'utf8');
      return [...text.matchAll(/\brules? ([A-Z]\d+)\b/g)].map(([, rule]) => ({ file, rule }));
    });
    expect(named.filter(({ rule }) => !rules.includes(rule as string))).toEqual([]);
    expect(named.length).toBeGreaterThan(0);
  });
});
