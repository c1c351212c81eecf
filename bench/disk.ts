/**
 * What the disk store costs: put, get, delete and recovery, beside memory and the persistence of another vendor's exporter;
 * what an outage does to the event loop; how long what was kept takes to be delivered.
 *
 *     npm run bench:disk -- [--batches 60] [--mebibytes 64] [--seconds 20] [--without-azure] [--folder docs]
 *
 * Writes its section of `BENCHMARKS.md`. Files go to the temporary directory, or to `--directory`.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ProtobufTraceSerializer } from '@opentelemetry/otlp-transformer';
import { diskStore } from 'otel-circuit-breaker/disk';
import { makeBatches } from './disk/batches.ts';
import { measureEncoding } from './disk/encoding.ts';
import type { Costs } from './disk/measure.ts';
import { measureSubject, sizeOf } from './disk/measure.ts';
import { delayInOutage, drain } from './disk/outage.ts';
import type { Subject } from './disk/subjects.ts';
import { azureSubject, diskSubject, memorySubject } from './disk/subjects.ts';
import { writeSection } from './support/document.ts';
import { figure, markdownTable, median } from './support/table.ts';

const { values: options } = parseArgs({
  options: {
    // Azure's persistence takes no more than 50 MB.
    batches: { type: 'string', default: '60' },
    mebibytes: { type: 'string', default: '64' },
    seconds: { type: 'string', default: '20' },
    'without-azure': { type: 'boolean', default: false },
    directory: { type: 'string', default: tmpdir() },
    folder: { type: 'string' },
  },
});
const SPANS_A_BATCH = 512;
const SPANS_PER_SECOND = 2_000;
const OUTAGE_ROUNDS = 4;
const count = Number(options.batches);
const batches = makeBatches(32, SPANS_A_BATCH);
const root = mkdtempSync(join(options.directory, 'otel-circuit-breaker-bench-disk-'));
const folder = (name: string): string => join(root, name);

try {
  const otlpBytes = ProtobufTraceSerializer.serializeRequest(batches[0] ?? [])?.length ?? 0;
  const subjects: [Subject, string | undefined][] = [
    [memorySubject(), undefined],
    [diskSubject(folder('none'), 'none'), folder('none')],
    [diskSubject(folder('batch'), 'batch'), folder('batch')],
  ];
  if (!options['without-azure']) subjects.push([azureSubject(folder('azure')), folder('azure')]);
  const costs: Costs[] = [];
  for (const [subject, directory] of subjects)
    costs.push(await measureSubject(subject, batches, count, directory));

  const body = `Batches of ${SPANS_A_BATCH} spans of the real SDK, twelve attributes each, links, exceptions: ${figure(otlpBytes / 1_000)} kB of
OTLP protobuf. Medians of ${figure(count)} batches, one after the other.

${markdownTable(
  [
    '',
    'put, ms',
    'MB/s of OTLP',
    'CPU, ms',
    'longest hold of the event loop, ms',
    'get, ms',
    'delete, ms',
    'kB on disk',
  ],
  costs.map((each) => [
    each.name,
    each.put,
    otlpBytes / 1_000 / each.put,
    each.putCpu,
    each.putHold,
    each.get,
    each.delete,
    each.bytesOnDisk / 1_000,
  ]),
)}

${await encoding()}

${await recovery()}

${await outage()}

${await draining()}`;
  const path = writeSection('bench:disk', 'What the disk store costs', body, { folder: options.folder });
  console.log(`\n${body}\n\nwritten to ${path}`);
} finally {
  rmSync(root, { recursive: true, force: true });
}

/** A batch is encoded in pieces, so that the event loop has its turn between them. */
async function encoding(): Promise<string> {
  const { total, longestHold } = await measureEncoding(batches, count);
  const p99 = longestHold.sort((a, b) => a - b)[Math.floor(longestHold.length * 0.99)] ?? Number.NaN;
  return `Encoding a batch, compression included: ${figure(median(total))} ms until it is done; the event loop is held for at most
**${figure(median(longestHold))} ms** at a time (median of the batches; 99th percentile ${figure(p99)} ms).`;
}

/** How long a new process takes to list what an earlier one left. */
async function recovery(): Promise<string> {
  const directory = folder('recovery');
  const limit = Number(options.mebibytes) * 1024 * 1024;
  const first = diskSubject(directory, 'none');
  await first.open();
  let kept = 0;
  for (let checked = 0; checked < limit; kept++) {
    await first.put(`r-${kept}`, batches[kept % batches.length] ?? []);
    if (kept % 32 === 0) checked = sizeOf(directory);
  }
  await first.close();
  const store = diskStore({ directory, maxBytes: limit * 2 });
  const began = performance.now();
  const found = await store.open({ name: 'traces', onFound() {} });
  const millis = performance.now() - began;
  if (found.length !== kept) throw new Error(`${kept} batches kept, ${found.length} found`);
  await store.close();
  return `Recovery of ${options.mebibytes} MiB, ${figure(found.length)} batches: **${figure(millis)} ms** until they are listed.`;
}

async function outage(): Promise<string> {
  const load = { seconds: Number(options.seconds) / OUTAGE_ROUNDS, spansPerSecond: SPANS_PER_SECOND };
  const inMemory = { p99: [] as number[], max: [] as number[] };
  const onDisk = { p99: [] as number[], max: [] as number[] };
  for (let round = 0; round < OUTAGE_ROUNDS; round++) {
    for (const [seen, store] of [
      [inMemory, undefined],
      [onDisk, diskStore<(typeof batches)[number]>({ directory: folder(`outage-${round}`) })],
    ] as const) {
      const { p99, max } = await delayInOutage(store, batches, load);
      seen.p99.push(p99);
      seen.max.push(max);
    }
  }
  const above = median(onDisk.p99) - median(inMemory.p99);
  return `An outage at ${figure(SPANS_PER_SECOND)} spans/s, ${options.seconds} s in ${OUTAGE_ROUNDS} interleaved rounds: how late the event loop is.

${markdownTable(
  ['retention in', '99th percentile, ms', 'longest, ms'],
  [
    ['memory', median(inMemory.p99), Math.max(...inMemory.max)],
    ["diskStore, `sync: 'batch'`", median(onDisk.p99), Math.max(...onDisk.max)],
  ],
)}

The disk store adds **${above.toFixed(1)} ms** to the 99th percentile.`;
}

async function draining(): Promise<string> {
  // An hour at 100 spans/s: a batch every five seconds.
  const kept = Math.min(720, count * 2);
  const { liveBatches, byHandMillis } = await drain(folder('drain'), makeBatches(8, 500), kept);
  return `What an outage of ${figure(kept / 12)} minutes at 100 spans/s leaves (${figure(kept)} batches) is delivered with \`pace: 1\` when ${figure(liveBatches)} live
batches have got through: ${figure((liveBatches * 5) / 60)} minutes later. \`redeliver()\` has read, sent and deleted it in ${figure(byHandMillis / 1_000)} s, with a
backend that answers at once.`;
}
