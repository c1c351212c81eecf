import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { expandSeen } from '../support/receiver/seen.ts';
import { startReceiver } from '../support/receiver-process.ts';
import { startService, temporaryDirectory, waitUntilEmpty } from './run-service.ts';

const run = promisify(execFile);
const TOOL = join(import.meta.dirname, '..', '..', 'src', 'disk', 'tool', 'main.ts');

interface Span {
  name: string;
  attributes: { key: string; value: { intValue?: number; stringValue?: string } }[];
}

it('as an operator tries it: kill -9 in an outage, a look with the tool, a new start, the collector comes back', async () => {
  using directory = temporaryDirectory();
  await using receiver = await startReceiver({ protocol: 'http' });
  await receiver.kill();
  const options = { directory: join(directory.path, 'telemetry'), url: receiver.endpoint('traces') };
  await using service = await startService({ ...options, firstSpan: 0, batchSize: 5, everyMillis: 50 });
  await service.waitForLine('accepted 50', { timeoutMillis: 60_000 });
  await service.kill('SIGKILL');
  const accepted = service.accepted();
  expect(service.refused()).toEqual([]);

  const listed = await run(process.execPath, [TOOL, options.directory]);
  const [head = '', row = ''] = listed.stdout.trimEnd().split('\n');
  expect(head.split(/\s+/)).toEqual(['EXPORTER', 'SIGNAL', 'BATCHES', 'ITEMS', 'BYTES', 'OLDEST', 'OWNER']);
  const [exporter, signal, batches, items] = row.split(/\s+/);
  expect([exporter, signal]).toEqual(['traces', 'spans']);
  expect(Number(items)).toBe(5 * Number(batches));
  expect(Number(items)).toBeGreaterThanOrEqual(accepted.length);
  expect(row).toMatch(new RegExp(`process ${service.pid}, dead$`));

  const exported = await run(process.execPath, [TOOL, options.directory, '--export']);
  const lines = exported.stdout.trimEnd().split('\n');
  const spans = lines.flatMap((line): Span[] => JSON.parse(line).resourceSpans[0].scopeSpans[0].spans);
  const numberOf = ({ attributes }: Span) => attributes.find(({ key }) => key === 'n')?.value.intValue;
  expect(spans.map(numberOf)).toEqual(expect.arrayContaining(accepted));
  expect(spans[0]).toMatchObject({
    name: 'numbered',
    attributes: expect.arrayContaining([{ key: 'route', value: { stringValue: '/things/:id' } }]),
  });

  await receiver.restart('healthy');
  await using next = await startService({ ...options, firstSpan: 1_000, batchSize: 0, everyMillis: 0 });
  await next.waitForLine('took over', { timeoutMillis: 30_000 });
  await waitUntilEmpty(options.directory, 60_000);
  const arrived = expandSeen((await receiver.stats()).seen);
  expect(accepted.filter((n) => !arrived.has(n))).toEqual([]);
  expect(await next.state()).toMatchObject({
    recovered: { items: spans.length },
    lost: { items: 0 },
    kept: { items: 0 },
  });
  expect((await run(process.execPath, [TOOL, options.directory])).stdout).toBe('nothing is kept here\n');
});

it('what shutdown() cannot deliver stays on disk, for whoever comes next', async () => {
  using directory = temporaryDirectory();
  await using receiver = await startReceiver({ protocol: 'http', mode: 'status:500' });
  const options = { directory: directory.path, url: receiver.endpoint('traces') };
  await using service = await startService({ ...options, firstSpan: 0, batchSize: 5, everyMillis: 50 });
  await service.waitForLine('accepted 50', { timeoutMillis: 60_000 });
  service.process.kill('SIGTERM');
  const line = await service.waitForLine('ended', { timeoutMillis: 30_000 });
  const ledger = JSON.parse(line.slice('ended '.length));
  // What came when the store was closed was refused.
  expect(ledger.lost.items).toBe(service.refused().length);
  expect(ledger.lostBy.ended).toBe(ledger.lost.items);
  expect(ledger.kept.items).toBeGreaterThan(0);
  expect((await run(process.execPath, [TOOL, directory.path])).stdout).toMatch(/ none$/m);
  await receiver.mode('healthy');
  await using next = await startService({ ...options, firstSpan: 1_000, batchSize: 0, everyMillis: 0 });
  await waitUntilEmpty(directory.path, 60_000);
  const arrived = expandSeen((await receiver.stats()).seen);
  expect(service.accepted().filter((n) => !arrived.has(n))).toEqual([]);
  expect((await next.state()).recovered.items).toBe(ledger.kept.items);
});

const strace = ['/usr/bin/strace', '/bin/strace'].find(existsSync);

it.skipIf(strace === undefined)('a backend that answers: exports touch no file', async () => {
  using directory = temporaryDirectory();
  await using receiver = await startReceiver({ protocol: 'http' });
  const spool = join(directory.path, 'telemetry');
  const log = join(directory.path, 'calls');
  const tracer = [strace ?? '', '--follow-forks', '--quiet=all', '--trace=file', `--output=${log}`];
  await using service = await startService(
    {
      directory: spool,
      url: receiver.endpoint('traces'),
      firstSpan: 0,
      batchSize: 5,
      everyMillis: 5,
      // However slow the tracer makes it.
      handOverMillis: 0,
    },
    tracer,
  );
  await service.waitForLine('accepted 5000', { timeoutMillis: 120_000 });
  await service.kill('SIGKILL');
  const calls = readFileSync(log, 'utf8')
    .split('\n')
    .filter((line) => line.includes(spool));
  // One look, when the exporter was made.
  expect(calls.length).toBeLessThan(15);
  expect(calls.filter((line) => line.includes('.spool'))).toEqual([]);
});
