/**
 * Collectors as child processes of a test: started on free ports, killed, stopped and started again, and read back span
 * by span. Whatever way the test's process ends, no Collector and no temporary folder outlives it.
 */
import type { ChildProcess } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { MakeConfig, Place } from './configs.ts';
import { freePorts } from './free-ports.ts';
import { numbersOf } from './span-numbers.ts';
import { spawnGuarded } from './spawn-guarded.ts';
import { removeFolder, temporaryFolder } from './temporary-folder.ts';

const READY_TIMEOUT_MILLIS = 30_000;
const TERMINATE_TIMEOUT_MILLIS = 10_000;
const POLL_MILLIS = 25;
const START_TRIES = 3;

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
    let numbers: number[] = [];
    for (let start = 1; start <= this.#starts; start += 1) {
      const file = this.#outputFile(start);
      if (fs.existsSync(file)) numbers = numbers.concat(numbersOf(fs.readFileSync(file, 'utf8')));
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
