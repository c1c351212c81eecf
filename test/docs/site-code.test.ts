import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Checkout } from './library.ts';
import { installLibrary } from './library.ts';
import { sitePages } from './markdown.ts';

/** What may stand behind the language of a block that is compiled and not run. */
const NOT_RUN: Readonly<Record<string, string>> = {
  'other-package': 'needs a package that the repository does not have',
  framework: 'is called by a framework',
};

const blocks = sitePages()
  .flatMap((page) => page.blocks)
  .filter(({ language }) => ['ts', 'js', 'mjs'].includes(language));

describe('code on the site', () => {
  let checkout: Checkout;

  beforeAll(async () => {
    checkout = await installLibrary();
  });
  afterAll(() => checkout?.remove());

  it('is run, or says why it is not', () => {
    expect(blocks.length).toBeGreaterThan(20);
    const unknown = blocks.filter(({ marker }) => marker !== '' && !(marker in NOT_RUN));
    expect(unknown.map(({ file, line, marker }) => `${file}:${line}: ${marker}`)).toEqual([]);
  });

  it.each(blocks.filter(({ marker }) => marker === ''))('runs: $file:$line', async ({ file, line, code }) => {
    const script = join(checkout.folder, `${file.replaceAll(/[/.]/g, '-')}-${line}.mts`);
    // Servers and processors would keep the process alive: what they show has happened by then.
    writeFileSync(script, `${code}\nsetTimeout(() => process.exit(), 300).unref();\n`);
    const child = spawn(process.execPath, [script], { cwd: checkout.folder, timeout: 20_000 });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk) => {
        output += chunk;
      });
    }
    const [status] = await once(child, 'close');
    expect({ status, output }).toEqual({ status: 0, output: expect.any(String) });
    // `console.log(x); // text` promises its output.
    for (const [, promised = ''] of code.matchAll(/console\.log\(.*\); \/\/ (.*)$/gm)) {
      expect(output).toContain(promised);
    }
  });
});
