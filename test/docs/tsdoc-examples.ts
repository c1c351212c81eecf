import { globSync, readFileSync } from 'node:fs';
import { ROOT } from './markdown.ts';

/** What stands behind an `@example` in the source. */
interface Example {
  /** file:line */
  readonly name: string;
  readonly code: string;
}

/** The fenced blocks behind `@example` in a source. */
function examplesOf(file: string): Example[] {
  const text = readFileSync(`${ROOT}/${file}`, 'utf8');
  const fenced = text.matchAll(/@example\n(?:\s*\*(?! *@).*\n)*?\s*\* ```ts\n((?:\s*\*.*\n)*?)\s*\* ```/g);
  return [...fenced].map((match) => ({
    name: `${file}:${text.slice(0, match.index).split('\n').length}`,
    code: (match[1] as string).replaceAll(/^\s*\* ?/gm, ''),
  }));
}

/** All of them. */
export function tsdocExamples(): Example[] {
  return globSync('src/**/*.ts', { cwd: ROOT }).flatMap(examplesOf);
}
