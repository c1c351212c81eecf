import { spawnSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { ROOT } from './markdown.ts';

// Types are `npm run typecheck`'s to check.
it('has an API reference without warnings', () => {
  const program = `${ROOT}/node_modules/typedoc/bin/typedoc`;
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [program, '--emit', 'none', '--skipErrorChecking'],
    {
      cwd: ROOT,
      encoding: 'utf8',
    },
  );
  expect({ status, output: stdout + stderr }).toEqual({ status: 0, output: expect.any(String) });
});
