import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { ROOT, readPage } from './markdown.ts';

/** Blocks of README by a line that they hold, and the file that runs what they show. */
const SHOWN: readonly (readonly [line: string, file: string])[] = [
  ['const telemetry = createNodeHandler(exporter);', 'examples/node-service/app.mjs'],
  ['livenessProbe:', 'examples/kubernetes.yaml'],
  [
    "if (process.env['NEXT_RUNTIME'] !== 'nodejs') return;",
    'test/compat/snippets/sdk-2.12/instrumentation.ts',
  ],
  [
    'const processor = new BatchSpanProcessor(exporter);',
    'test/compat/snippets/sdk-2.12/serverless-handler.ts',
  ],
  ['core.setGlobalErrorHandler(quietGlobalErrorHandler());', 'examples/node-service/telemetry.mjs'],
];

/** Lines without what differs for the reader's sake: indentation, comments, the names that an import takes. */
function linesOf(text: string): string[] {
  return text
    .split('\n')
    .map((line) =>
      line
        .replace(/\s*(\/\/|#) .*$/, '')
        .replace(/^import \{.*\} from/, 'import from')
        .trim(),
    )
    .filter((line) => line !== '');
}

it.each(SHOWN)('shows in README what an example runs: %s', (line, file) => {
  const blocks = readPage('README.md').blocks.filter(({ code }) => linesOf(code).includes(line));
  expect(blocks).toHaveLength(1);
  const run = linesOf(readFileSync(`${ROOT}/${file}`, 'utf8'));
  expect(linesOf(blocks[0]?.code ?? '').filter((shown) => !run.includes(shown))).toEqual([]);
});
