import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DeliverySnapshot } from '../../src/delivery/delivery-snapshot.ts';
import type { Child } from '../support/child-process.ts';
import { startChild } from '../support/child-process.ts';
import { waitFor } from '../support/wait-for.ts';
import type { ServiceOptions } from './service-options.ts';
import { OPTIONS_VARIABLE } from './service-options.ts';

const SERVICE = join(import.meta.dirname, 'service.ts');
const CLUSTER = join(import.meta.dirname, 'cluster.ts');

/** Whether the long form is to run. */
export const isLong = process.env['DISK_LONG'] === '1';

/** A running service. */
export interface RunningService extends Child {
  /** The numbers of the spans that it has been told were accepted. */
  accepted(): number[];
  refused(): number[];
  /** Its ledger now. */
  state(): Promise<DeliverySnapshot>;
  /** The lines that it has logged. */
  logs(): string[];
}

/** Starts a service. @param before - a program to start it with, and its arguments */
export function startService(
  options: ServiceOptions,
  before: readonly string[] = [],
): Promise<RunningService> {
  return start([...before, process.execPath, SERVICE], options);
}

/** Starts services in a cluster, which kills one after the other until it says `rolled`. */
export function startCluster(
  options: ServiceOptions,
  { workers, kills, everyMillis }: { workers: number; kills: number; everyMillis: number },
): Promise<RunningService> {
  return start([process.execPath, CLUSTER, ...[workers, kills, everyMillis].map(String)], options);
}

async function start(
  [command = '', ...args]: readonly string[],
  options: ServiceOptions,
): Promise<RunningService> {
  const env = { ...process.env, NODE_OPTIONS: '', [OPTIONS_VARIABLE]: JSON.stringify(options) };
  const child = await startChild(command, args, { env, ownGroup: true });
  await child.waitForLine('ready', { timeoutMillis: 60_000 });
  const numbers = (word: string): number[] =>
    child.lines.flatMap((line) => {
      const match = new RegExp(`^${word} (\\d+) (\\d+)$`).exec(line);
      if (match === null) return [];
      const [first, last] = [Number(match[1]), Number(match[2])];
      return Array.from({ length: last - first + 1 }, (_, i) => first + i);
    });
  return Object.assign(child, {
    accepted: () => numbers('accepted'),
    refused: () => numbers('refused'),
    logs: () => child.lines.filter((line) => line.startsWith('log ')).map((line) => line.slice(4)),
    async state() {
      const from = child.lines.length;
      child.process.kill('SIGUSR2');
      const line = await child.waitForLine('state {', { from, timeoutMillis: 30_000 });
      return JSON.parse(line.slice('state '.length)) as DeliverySnapshot;
    },
  });
}

/** A directory that is gone in the end. */
export function temporaryDirectory(): Disposable & { readonly path: string } {
  const path = mkdtempSync(join(tmpdir(), 'otel-circuit-breaker-disk-'));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

/** Waits until nothing is kept in a directory. */
export function waitUntilEmpty(directory: string, timeoutMillis: number): Promise<unknown> {
  return waitFor(() => readdirSync(directory).length === 0, {
    what: `nothing to be kept in ${directory}, which has ${readdirSync(directory).length} folders`,
    timeoutMillis,
    intervalMillis: 50,
  });
}

/** A random number of milliseconds. */
export function between(least: number, most: number): number {
  return least + Math.random() * (most - least);
}

export function pause(millis: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, millis));
}
