import { cpSync, mkdirSync, readFileSync, statSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startNode } from '../support/child-process.ts';
import { deadPort } from '../support/dead-port.ts';
import { decodeBatch } from '../support/receiver/otlp-batch.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const EXAMPLE = join(ROOT, 'examples', 'file-fallback');

/**
 * Runs the example with no collector until SIGTERM, from a copy whose dependencies are those of this checkout.
 *
 * @param folder - an empty folder that somebody else removes
 * @returns what was wrong
 */
export async function checkFileFallbackExample(folder: string): Promise<readonly string[]> {
  const copy = join(folder, 'file-fallback');
  const modules = join(copy, 'node_modules');
  cpSync(EXAMPLE, copy, { recursive: true, filter: (path) => !path.includes('node_modules') });
  mkdirSync(modules, { recursive: true });
  symlinkSync(join(ROOT, 'node_modules', '@opentelemetry'), join(modules, '@opentelemetry'));
  symlinkSync(ROOT, join(modules, 'otel-circuit-breaker'));
  const file = join(folder, 'example.jsonl');
  await using dead = await deadPort();
  await using child = await startNode(join(copy, 'main.ts'), [], {
    cwd: copy,
    env: {
      PATH: process.env['PATH'],
      OTEL_EXPORTER_OTLP_ENDPOINT: dead.url,
      OTEL_EXPORTER_OTLP_TIMEOUT: '500',
      OTEL_BSP_SCHEDULE_DELAY: '100',
      SPANS_FILE: file,
    },
  });
  await child.waitForLine('working', { timeoutMillis: 20_000 });
  // A few batches are kept by then.
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  child.process.kill('SIGTERM');
  const line = await child.waitForLine('"made"', { timeoutMillis: 15_000 });
  const { code } = await child.exited;
  const { made, ...became } = JSON.parse(line) as Record<string, number>;

  const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
  const inFile = lines.reduce(
    (sum, json) => sum + (decodeBatch('traces', 'json', Buffer.from(json)).names['work'] ?? 0),
    0,
  );
  return [
    ...(code === 0 ? [] : [`it ended with ${code}: ${child.errorLines.join('\n')}`]),
    ...(made === inFile && inFile > 0
      ? []
      : [`${made} spans made, ${inFile} in the file, ${JSON.stringify(became)}`]),
    ...((statSync(file).mode & 0o077) === 0 ? [] : ['others may read the file']),
  ];
}
