import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { globSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compile } from './compiler.ts';
import type { Checkout } from './library.ts';
import { installLibrary } from './library.ts';
import { ROOT } from './markdown.ts';

/** Examples that are compiled, but not run, and why. */
const NOT_RUN: Readonly<Record<string, string>> = {};

interface Example {
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

const files = globSync('src/**/*.ts', { cwd: ROOT });
const examples = files.flatMap(examplesOf);

describe('TSDoc examples', () => {
  let checkout: Checkout;

  beforeAll(async () => {
    checkout = await installLibrary();
  });
  afterAll(() => checkout?.remove());

  it('are all found', () => {
    const tags = files.flatMap((file) => readFileSync(`${ROOT}/${file}`, 'utf8').match(/@example/g) ?? []);
    expect(examples.length).toBeGreaterThan(10);
    expect(examples).toHaveLength(tags.length);
    expect(Object.keys(NOT_RUN).filter((name) => !examples.some((each) => each.name === name))).toEqual([]);
  });

  it('compile', () => {
    const snippets = examples.map(({ name, code }) => [
      `${name.replaceAll(/[/.:]/g, '-')}.mts`,
      `${code}\nexport {};`,
    ]);
    expect(compile(Object.fromEntries(snippets))).toEqual([]);
  });

  it.each(examples.filter(({ name }) => !(name in NOT_RUN)))('run: $name', async ({ name, code }) => {
    const file = join(checkout.folder, `${name.replaceAll(/[/.:]/g, '-')}.mts`);
    // A server that listens would keep its process alive: what it shows has happened by then.
    writeFileSync(file, `${code}\nsetTimeout(() => process.exit(), 300).unref();\n`);
    const child = spawn(process.execPath, [file], { cwd: checkout.folder, timeout: 20_000 });
    let output = '';
    child.stdout.on('data', (chunk) => {
      output += chunk;
    });
    child.stderr.on('data', (chunk) => {
      output += chunk;
    });
    const [status] = await once(child, 'close');
    expect({ status, output }).toEqual({ status: 0, output: expect.any(String) });
    // `console.log(x); // text` promises its output.
    for (const [, promised = ''] of code.matchAll(/console\.log\(.*\); \/\/ (.*?)(?: …)?$/gm)) {
      expect(output).toContain(promised.replace(/,$/, ''));
    }
  });
});
