import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { ReadableSpan } from '@opentelemetry/sdk-trace-base';
import { median } from '../support/table.ts';
import type { Subject } from './subjects.ts';

/** What one subject costs, for each batch. */
export interface Costs {
  readonly name: string;
  /** Milliseconds until it is answered, the median. */
  readonly put: number;
  /** Milliseconds of CPU, of all threads. */
  readonly putCpu: number;
  /** The longest that the event loop was held up, in milliseconds. */
  readonly putHold: number;
  readonly get: number;
  readonly delete: number;
  readonly bytesOnDisk: number;
}

/** Puts batches, reads them all, and deletes them. */
export async function measureSubject(
  subject: Subject,
  batches: readonly ReadableSpan[][],
  count: number,
  directory: string | undefined,
): Promise<Costs> {
  await subject.open();
  const batchOf = (i: number): ReadableSpan[] => batches[i % batches.length] ?? [];
  // Compiled, and the first files made.
  for (let i = 0; i < 20; i++) await subject.put(`warm-${i}`, batchOf(i));
  for (let i = 0; i < 20; i++) {
    await subject.get(`warm-${i}`);
    await subject.delete(`warm-${i}`);
  }
  const delay = monitorEventLoopDelay({ resolution: 1 });
  const cpu = process.cpuUsage();
  delay.enable();
  const put = await timed(count, (i) => subject.put(`b-${i}`, batchOf(i)));
  delay.disable();
  const { user, system } = process.cpuUsage(cpu);
  const bytesOnDisk = directory === undefined ? 0 : sizeOf(directory) / count;
  const get = await timed(count, (i) => subject.get(`b-${i}`));
  const deletion = await timed(count, (i) => subject.delete(`b-${i}`));
  await subject.close();
  return {
    name: subject.name,
    put,
    putCpu: (user + system) / 1_000 / count,
    // The monitor wakes up each millisecond.
    putHold: Math.max(0, delay.max / 1e6 - 1),
    get,
    delete: deletion,
    bytesOnDisk,
  };
}

async function timed(count: number, work: (i: number) => Promise<unknown>): Promise<number> {
  const millis: number[] = [];
  for (let i = 0; i < count; i++) {
    const began = performance.now();
    await work(i);
    millis.push(performance.now() - began);
  }
  return median(millis);
}

/** The size of all files in a directory and below. */
export function sizeOf(directory: string): number {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0);
}
