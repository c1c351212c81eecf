/**
 * Collectors as child processes of a test: started on free ports, killed, stopped and started again, and read back span
 * by span. Whatever way the test's process ends, no Collector and no temporary folder outlives it.
 */
import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { MakeConfig, Place } from './configs.ts';

const READY_TIMEOUT_MILLIS = 15_000;
const TERMINATE_TIMEOUT_MILLIS = 10_000;
const POLL_MILLIS = 25;
const START_TRIES = 3;

/** Below Linux's ephemeral range (32768 up): while a Collector is down, no outgoing connection can take its port. */
const PORT_RANGE = { from: 20_000, to: 32_000 } as const;

/** The process id follows it in a folder's name: whose owner was killed is removed by the next who makes one. */
const FOLDER_PREFIX = 'otel-circuit-breaker-collector-';

const folders = new Set<string>();
const children = new Set<ChildProcess>();
let guarded = false;

/** A folder under the system's temporary one, removed at exit at the latest. */
export function temporaryFolder(): string {
  guard();
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), `${FOLDER_PREFIX}${process.pid}-`));
  folders.add(folder);
  return folder;
}

/** Removes a folder of `temporaryFolder` before exit. */
export function removeFolder(folder: string): void {
  fs.rmSync(folder, { recursive: true, force: true });
  folders.delete(folder);
}

/**
 * Starts a program that ends with this process: with `setpriv` (Debian's util-linux) even when this process is killed,
 * else at exit and on SIGINT, SIGTERM and SIGHUP.
 */
export function spawnGuarded(program: string, args: readonly string[], logFile: string): ChildProcess {
  guard();
  const output = fs.openSync(logFile, 'a');
  const setpriv = '/usr/bin/setpriv';
  // It replaces itself with the program: the process id is the program's own.
  const [command, all] = fs.existsSync(setpriv)
    ? [setpriv, ['--pdeathsig', 'KILL', '--', program, ...args]]
    : [program, args];
  const child = spawn(command, all, { stdio: ['ignore', output, output] });
  fs.closeSync(output);
  children.add(child);
  child.once('exit', () => children.delete(child));
  child.once('error', () => children.delete(child));
  return child;
}

function guard(): void {
  if (guarded) return;
  guarded = true;
  removeOrphans();
  process.on('exit', () => {
    // SIGKILL also ends a process that SIGSTOP holds.
    for (const child of children) child.kill('SIGKILL');
    for (const folder of folders) fs.rmSync(folder, { recursive: true, force: true });
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, () => process.exit(128 + os.constants.signals[signal]));
  }
}

function removeOrphans(): void {
  for (const name of fs.readdirSync(os.tmpdir())) {
    const owner = name.startsWith(FOLDER_PREFIX)
      ? Number.parseInt(name.slice(FOLDER_PREFIX.length), 10)
      : Number.NaN;
    if (Number.isNaN(owner) || isAlive(owner)) continue;
    fs.rmSync(path.join(os.tmpdir(), name), { recursive: true, force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}

/** So many different ports of 127.0.0.1 that nobody listens on now. */
export async function freePorts(count: number): Promise<number[]> {
  const found = new Set<number>();
  while (found.size < count) {
    const port = PORT_RANGE.from + Math.floor(Math.random() * (PORT_RANGE.to - PORT_RANGE.from));
    if (await isFree(port)) found.add(port);
  }
  return [...found];
}

async function isFree(port: number): Promise<boolean> {
  return await new Promise((resolve) => {
    const server = net.createServer();
    server.once('error', () => resolve(false));
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => server.close(() => resolve(true)));
  });
}

/** A Collector that can be made to fail. Made by `startCollector`. */
export class CollectorProcess {
  readonly #binary: string;
  readonly #ports: Omit<Place, 'outputFile'>;
  readonly #folder: string;
  #makeConfig: MakeConfig;
  #child: ChildProcess | undefined;
  #ended: Promise<void> = Promise.resolve();
  #starts = 0;

  constructor(binary: string, makeConfig: MakeConfig, ports: Omit<Place, 'outputFile'>) {
    this.#binary = binary;
    this.#makeConfig = makeConfig;
    this.#ports = ports;
    this.#folder = temporaryFolder();
  }

  get httpPort(): number {
    return this.#ports.httpPort;
  }
  get grpcPort(): number {
    return this.#ports.grpcPort;
  }
  get sparePort(): number {
    return this.#ports.sparePort;
  }
  get pid(): number | undefined {
    return this.#child?.pid;
  }
  get running(): boolean {
    return this.#child !== undefined;
  }
  /** What `OTLPTraceExporter` (HTTP) takes as `url`. */
  get httpUrl(): string {
    return `http://127.0.0.1:${this.httpPort}/v1/traces`;
  }
  /** What `OTLPTraceExporter` (gRPC) takes as `url`. */
  get grpcUrl(): string {
    return `http://127.0.0.1:${this.grpcPort}`;
  }

  /**
   * Starts it on its ports and waits until `health_check` answers 200.
   *
   * @param makeConfig - another configuration from now on.
   * @throws Error with the end of its log, when it ends or does not get ready.
   */
  async start(makeConfig: MakeConfig = this.#makeConfig): Promise<void> {
    if (this.#child !== undefined) throw new Error('the Collector is running');
    this.#makeConfig = makeConfig;
    this.#starts += 1;
    // An output file for each start: a line that a SIGKILL tore stays the last of its file.
    const place: Place = { ...this.#ports, outputFile: this.#outputFile(this.#starts) };
    const configFile = path.join(this.#folder, 'config.yaml');
    fs.writeFileSync(configFile, JSON.stringify(makeConfig(place), undefined, 2));
    const child = spawnGuarded(this.#binary, ['--config', `file:${configFile}`], this.#logFile);
    this.#child = child;
    let failure: Error | undefined;
    this.#ended = new Promise((resolve) => {
      const end = (): void => {
        if (this.#child === child) this.#child = undefined;
        resolve();
      };
      child.once('exit', end);
      child.once('error', (error) => {
        failure = error;
        end();
      });
    });
    const deadline = Date.now() + READY_TIMEOUT_MILLIS;
    while (!(await this.#isHealthy())) {
      if (this.#child !== child)
        throw new Error(
          `the Collector ended before it was ready: ${failure?.message ?? this.log().slice(-2_000)}`,
        );
      if (Date.now() > deadline) {
        await this.kill();
        throw new Error(
          `the Collector was not ready in ${READY_TIMEOUT_MILLIS} ms: ${this.log().slice(-2_000)}`,
        );
      }
      await sleep(POLL_MILLIS);
    }
    // A Collector that was forgotten does not hold the test's process: it ends with it.
    child.unref();
  }

  /** SIGKILL: what it had in memory is gone. Resolves when the process is. */
  async kill(): Promise<void> {
    this.#child?.ref();
    this.#child?.kill('SIGKILL');
    await this.#ended;
  }

  /** SIGTERM, as an orderly restart does; SIGKILL if it takes too long. */
  async terminate(): Promise<void> {
    const child = this.#child;
    if (child === undefined) return;
    child.ref();
    child.kill('SIGTERM');
    child.kill('SIGCONT');
    const timer = setTimeout(() => child.kill('SIGKILL'), TERMINATE_TIMEOUT_MILLIS);
    await this.#ended;
    clearTimeout(timer);
  }

  /** SIGSTOP: connections are still accepted (by the kernel), nothing answers. */
  stop(): void {
    this.#child?.kill('SIGSTOP');
  }

  /** SIGCONT. */
  cont(): void {
    this.#child?.kill('SIGCONT');
  }

  /** An orderly end and a new start on the same ports. */
  async restart(makeConfig?: MakeConfig): Promise<void> {
    await this.terminate();
    await this.start(makeConfig);
  }

  /**
   * The attribute `n` of every span that the file exporter wrote, over all starts, in the order written: a span that
   * arrived twice is there twice.
   */
  spans(): number[] {
    const numbers: number[] = [];
    for (let start = 1; start <= this.#starts; start += 1) {
      const file = this.#outputFile(start);
      if (fs.existsSync(file)) numbers.push(...numbersOf(fs.readFileSync(file, 'utf8')));
    }
    return numbers;
  }

  /** Waits until each of these numbers has arrived. @returns those that have not when the time is over. */
  async missing(numbers: Iterable<number>, timeoutMillis = 5_000): Promise<number[]> {
    const wanted = [...numbers];
    const deadline = Date.now() + timeoutMillis;
    for (;;) {
      const arrived = new Set(this.spans());
      const absent = wanted.filter((number) => !arrived.has(number));
      if (absent.length === 0 || Date.now() >= deadline) return absent;
      await sleep(POLL_MILLIS);
    }
  }

  /** All that it wrote to stdout and stderr, over all starts. */
  log(): string {
    return fs.existsSync(this.#logFile) ? fs.readFileSync(this.#logFile, 'utf8') : '';
  }

  /** Ends it and removes its folder: its output cannot be read after that. */
  async dispose(): Promise<void> {
    await this.kill();
    removeFolder(this.#folder);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.dispose();
  }

  get #logFile(): string {
    return path.join(this.#folder, 'collector.log');
  }

  #outputFile(start: number): string {
    return path.join(this.#folder, `output-${start}.jsonl`);
  }

  async #isHealthy(): Promise<boolean> {
    try {
      const answer = await fetch(`http://127.0.0.1:${this.#ports.healthPort}/`, {
        headers: { connection: 'close' },
        signal: AbortSignal.timeout(1_000),
      });
      await answer.arrayBuffer();
      return answer.status === 200;
    } catch {
      return false;
    }
  }
}

/**
 * A running Collector on ports of its own choosing.
 *
 * @param binary - from `findCollector`.
 */
export async function startCollector(binary: string, makeConfig: MakeConfig): Promise<CollectorProcess> {
  for (let attempt = 1; ; attempt += 1) {
    const [httpPort, grpcPort, healthPort, sparePort] = (await freePorts(4)) as [
      number,
      number,
      number,
      number,
    ];
    const collector = new CollectorProcess(binary, makeConfig, { httpPort, grpcPort, healthPort, sparePort });
    try {
      await collector.start();
      return collector;
    } catch (error) {
      // Between our look and its start another process took a port.
      const portTaken = collector.log().includes('address already in use');
      await collector.dispose();
      if (!portTaken || attempt === START_TRIES) throw error;
    }
  }
}

interface OtlpTraces {
  readonly resourceSpans?: ReadonlyArray<{
    readonly scopeSpans?: ReadonlyArray<{
      readonly spans?: ReadonlyArray<{
        readonly attributes?: ReadonlyArray<{
          readonly key: string;
          readonly value: { readonly intValue?: string | number; readonly doubleValue?: number };
        }>;
      }>;
    }>;
  }>;
}

/**
 * The attribute `n` of every span in OTLP JSON lines. A last line without its end is not read: it is being written, or
 * a SIGKILL tore it and nobody was told that it arrived.
 */
export function numbersOf(lines: string): number[] {
  const numbers: number[] = [];
  for (const line of lines.slice(0, lines.lastIndexOf('\n') + 1).split('\n')) {
    if (line === '') continue;
    const traces = JSON.parse(line) as OtlpTraces;
    for (const resource of traces.resourceSpans ?? []) {
      for (const scope of resource.scopeSpans ?? []) {
        for (const span of scope.spans ?? []) {
          const value = span.attributes?.find((attribute) => attribute.key === 'n')?.value;
          if (value !== undefined) numbers.push(Number(value.intValue ?? value.doubleValue));
        }
      }
    }
  }
  return numbers;
}
