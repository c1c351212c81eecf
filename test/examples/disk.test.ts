import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, inject, test } from 'vitest';
import { startNode } from '../support/child-process.ts';
import { deadPort } from '../support/dead-port.ts';
import { startReceiver } from '../support/receiver-process.ts';
import { waitFor } from '../support/wait-for.ts';

test('disk keeps its spans through kill -9 and SIGTERM, shows them, and delivers them when it is started again', async () => {
  const cwd = join(inject('examplesFolder'), 'disk');
  const main = join(cwd, 'main.ts');
  await using dead = await deadPort();
  const environment = (url: string) => ({
    PATH: process.env['PATH'],
    OTEL_EXPORTER_OTLP_ENDPOINT: url,
    OTEL_EXPORTER_OTLP_TIMEOUT: '500',
    OTEL_BSP_SCHEDULE_DELAY: '100',
  });
  for (const signal of ['SIGKILL', 'SIGTERM'] as const) {
    await using service = await startNode(main, [], { cwd, env: environment(dead.url) });
    await service.waitForLine(/kept [1-9]\d\d/, { timeoutMillis: 30_000 });
    await service.kill(signal);
  }
  const tool = join(cwd, 'node_modules', '.bin', 'otel-circuit-breaker-spool');
  const listed = spawnSync(tool, [join(cwd, 'telemetry')], { encoding: 'utf8' });
  expect(listed).toMatchObject({ status: 0, stderr: '' });
  // A row for each folder: of the process that was killed, and of the other one.
  const rows = listed.stdout.matchAll(/^traces +spans +\d+ +(\d+)/gm);
  const items = [...rows].reduce((sum, [, count]) => sum + Number(count), 0);
  expect(items).toBeGreaterThan(100);
  const exported = spawnSync(tool, [join(cwd, 'telemetry'), '--export'], { encoding: 'utf8' });
  expect(exported.stdout.match(/"name":"work"/g)).toHaveLength(items);

  await using receiver = await startReceiver({ protocol: 'http' });
  await using service = await startNode(main, [], { cwd, env: environment(receiver.url) });
  // After a random wait of up to 30 s.
  await waitFor(async () => ((await receiver.stats()).names['work'] ?? 0) > items, {
    what: 'the spans of both processes to arrive',
    timeoutMillis: 60_000,
  });
  await service.waitForLine(`recovered ${items}`, { timeoutMillis: 60_000 });
  await waitFor(() => readdirSync(join(cwd, 'telemetry')).length === 0, {
    what: 'nothing to be kept',
    timeoutMillis: 60_000,
  });
  await service.kill('SIGTERM');
}, 150_000);
