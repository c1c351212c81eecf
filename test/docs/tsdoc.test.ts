import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { globSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Checkout } from './library.ts';
import { installLibrary } from './library.ts';
import { ROOT } from './markdown.ts';
import { tsdocExamples } from './tsdoc-examples.ts';

/** Examples that are compiled, in code.test.ts, but not run, and why. */
const NOT_RUN: Readonly<Record<string, string>> = {};

const examples = tsdocExamples();

describe('TSDoc examples', () => {
  let checkout: Checkout;

  beforeAll(async () => {
    checkout = await installLibrary();
  });
  afterAll(() => checkout?.remove());

  it('are all found', () => {
    const files = globSync('src/**/*.ts', { cwd: ROOT });
    const tags = files.flatMap((file) => readFileSync(`${ROOT}/${file}`, 'utf8').match(/@example/g) ?? []);
    expect(examples.length).toBeGreaterThan(10);
    expect(examples).toHaveLength(tags.length);
    expect(Object.keys(NOT_RUN).filter((name) => !examples.some((each) => each.name === name))).toEqual([]);
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
