import { parseArgs } from 'node:util';
import { escapeText } from '../../internal/escape-text.ts';
import type { Files } from '../files.ts';
import { messageOf } from '../files.ts';
import type { Processes } from '../processes.ts';
import { otlpJsonOf } from './otlp-json.ts';
import type { FoundBatch, SpoolContents } from './read-spool.ts';
import { readSpool } from './read-spool.ts';

/** What the tool uses. */
export interface ToolSystem {
  readonly files: Files;
  readonly processes: Processes;
  /** Writes to the standard output; resolves when more may be written. */
  print(line: string): Promise<void>;
  /** Writes to the standard error output. */
  warn(line: string): void;
}

const USAGE = `Usage: otel-circuit-breaker-spool DIRECTORY [--export]

Lists the telemetry that disk stores keep in DIRECTORY. Changes nothing there.

  --export  writes it to the standard output as lines of OTLP JSON, oldest first:
            what the otlpjsonfile receiver of the OpenTelemetry Collector reads
  --help    shows this text`;

/** Runs the command line tool. @returns the exit code */
export async function runSpoolTool(args: readonly string[], system: ToolSystem): Promise<number> {
  let directory: string | undefined;
  let exporting = false;
  try {
    const options = { export: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } } as const;
    const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true });
    if (values.help) {
      await system.print(USAGE);
      return 0;
    }
    if (positionals.length !== 1) throw new Error('Give one directory.');
    [directory] = positionals;
    exporting = values.export ?? false;
  } catch (error) {
    system.warn(`${messageOf(error)}\n\n${USAGE}`);
    return 2;
  }
  try {
    const contents = await readSpool(directory as string, system.files);
    const unreadable = exporting ? await exportAll(contents, system) : await list(contents, system);
    for (const problem of contents.problems) system.warn(problem);
    if (contents.damaged > 0) system.warn(`${contents.damaged} damaged places`);
    if (unreadable > 0) system.warn(`${unreadable} batches cannot be read`);
    return contents.problems.length + contents.damaged + unreadable > 0 ? 1 : 0;
  } catch (error) {
    system.warn(messageOf(error));
    return 1;
  }
}

/** @returns the number of batches that cannot be read */
async function exportAll({ batches }: SpoolContents, { print }: ToolSystem): Promise<number> {
  let unreadable = 0;
  for (const batch of batches) {
    const decoded = await batch.read();
    if (decoded === undefined) unreadable++;
    else await print(JSON.stringify(otlpJsonOf(decoded)));
  }
  return unreadable;
}

async function list({ batches }: SpoolContents, { print, processes }: ToolSystem): Promise<number> {
  if (batches.length === 0) {
    await print('nothing is kept here');
    return 0;
  }
  const groups = new Map<string, FoundBatch[]>();
  for (const batch of batches) {
    const key = `${batch.folder}\n${batch.header.signal}`;
    groups.set(key, [...(groups.get(key) ?? []), batch]);
  }
  const rows: string[][] = [['EXPORTER', 'SIGNAL', 'BATCHES', 'ITEMS', 'BYTES', 'OLDEST', 'OWNER']];
  for (const group of groups.values()) {
    const [first] = group as [FoundBatch];
    const { signal, keptAt } = first.header;
    rows.push([
      escapeText(first.exporter, 60),
      signal,
      String(group.length),
      String(sum(group, ({ header }) => header.items)),
      String(sum(group, ({ bytes }) => bytes)),
      timeOf(keptAt),
      await ownerOf(first, processes),
    ]);
  }
  for (const line of aligned(rows)) await print(line);
  return 0;
}

async function ownerOf({ owner }: FoundBatch, processes: Processes): Promise<string> {
  if (owner === undefined) return 'none';
  const state = await processes.stateOf(owner, await processes.self());
  return `process ${owner.pid}${state === 'unknown' ? ', not of this machine or container' : `, ${state}`}`;
}

/** Columns of numbers are aligned at the right. */
function aligned(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, i) => Math.max(...rows.map((row) => row[i]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, i) => (i >= 2 && i <= 4 ? cell.padStart(widths[i] ?? 0) : cell.padEnd(widths[i] ?? 0)))
      .join('  ')
      .trimEnd(),
  );
}

/** A header can hold any number. */
function timeOf(millis: number): string {
  const time = new Date(millis);
  return Number.isNaN(time.getTime()) ? '?' : time.toISOString();
}

function sum(group: readonly FoundBatch[], of: (batch: FoundBatch) => number): number {
  return group.reduce((total, batch) => total + of(batch), 0);
}
