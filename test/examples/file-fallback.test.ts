import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, inject, test } from 'vitest';
import { startNode } from '../support/child-process.ts';
import { deadPort } from '../support/dead-port.ts';
import { decodeBatch } from '../support/receiver/otlp-batch.ts';

test('file-fallback has every span in its file after SIGTERM without a collector, for its user alone', async () => {
  const cwd = join(inject('examplesFolder'), 'file-fallback');
  const file = join(cwd, 'spans.jsonl');
  await using dead = await deadPort();
  await using child = await startNode(join(cwd, 'main.ts'), [], {
    cwd,
    env: {
      PATH: process.env['PATH'],
      OTEL_EXPORTER_OTLP_ENDPOINT: dead.url,
      OTEL_EXPORTER_OTLP_TIMEOUT: '500',
      OTEL_BSP_SCHEDULE_DELAY: '100',
    },
  });
  await child.waitForLine('working', { timeoutMillis: 20_000 });
  // A few batches are kept by then.
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  child.process.kill('SIGTERM');
  const became = JSON.parse(await child.waitForLine('"made"', { timeoutMillis: 15_000 }));
  expect(await child.exited).toEqual({ code: 0, signal: null });

  const batches = readFileSync(file, 'utf8').trimEnd().split('\n');
  const spans = batches.map((json) => decodeBatch('traces', 'json', Buffer.from(json)).names['work'] ?? 0);
  expect(batches.length).toBeGreaterThan(1);
  expect(spans.reduce((sum, inBatch) => sum + inBatch)).toBe(became.made);
  expect(became).toMatchObject({ delivered: 0, fallback: became.made, lost: 0 });
  expect(statSync(file).mode & 0o077).toBe(0);
});
