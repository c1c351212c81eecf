import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { allPages, ROOT } from './markdown.ts';

const lint = (...files: readonly string[]) => {
  const program = `${ROOT}/node_modules/markdownlint-cli2/markdownlint-cli2-bin.mjs`;
  const config = ['--config', `${ROOT}/.markdownlint-cli2.jsonc`];
  const { status, stderr } = spawnSync(process.execPath, [program, ...config, ...files], {
    cwd: ROOT,
    encoding: 'utf8',
  });
  return { status, stderr };
};

it('has README and docs that markdownlint accepts', () => {
  expect(lint(...allPages().map(({ file }) => file))).toEqual({ status: 0, stderr: '' });
});

it('has a markdownlint that does complain', () => {
  const folder = mkdtempSync(join(tmpdir(), 'docs-'));
  try {
    writeFileSync(join(folder, 'bad.md'), '# One\n\n### Three\n');
    expect(lint(join(folder, 'bad.md'))).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('MD001'),
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
});
