import { setImmediate } from 'node:timers/promises';
import type { DiagLogger } from '@opentelemetry/api';
import { DiagLogLevel, diag } from '@opentelemetry/api';
import type { StoredBatch } from '../../../src/delivery/batch-store.ts';
import type { DiskTime } from '../../../src/disk/disk-time.ts';
import type { Files } from '../../../src/disk/files.ts';
import type { ProcessIdentity } from '../../../src/disk/folder-name.ts';
import type { Processes } from '../../../src/disk/processes.ts';
import type { SpoolOptions } from '../../../src/disk/spool.ts';
import { Spool } from '../../../src/disk/spool.ts';
import { SimulatedDisk, SimulatedProcess } from './simulated-disk.ts';

export const DIRECTORY = '/var/spool';

/** A time that stands still until it is told to go on. */
export class ManualTime implements DiskTime {
  millis = 1_700_000_000_000;
  readonly #timers = new Set<{ due: number; callback: () => void }>();

  get timers(): number {
    return this.#timers.size;
  }

  unixMillis(): number {
    return this.millis;
  }

  schedule(callback: () => void, delayMillis: number): () => void {
    const timer = { due: this.millis + delayMillis, callback };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  /** Goes on, and calls what is due. */
  advance(millis: number): void {
    const until = this.millis + millis;
    for (;;) {
      const [next] = [...this.#timers].filter(({ due }) => due <= until).sort((a, b) => a.due - b.due);
      if (next === undefined) break;
      this.#timers.delete(next);
      this.millis = next.due;
      next.callback();
    }
    this.millis = until;
  }
}

/** A machine: a disk, and processes that come and go. */
export class Machine {
  readonly disk = new SimulatedDisk();
  readonly services = new Set<Service>();
  #lastPid = 100;

  /** Starts a service. @param world - processes of another one cannot see each other */
  start(options: Partial<SpoolOptions & { pid: number; world: string }> = {}): Service {
    const { pid = ++this.#lastPid, world = 'a'.repeat(16), ...rest } = options;
    const service = new Service(this, { world, pid, startedAt: `${pid}0` }, rest);
    // Time goes on from process to process.
    for (const { time } of this.services)
      service.time.millis = Math.max(service.time.millis, time.millis + 1);
    this.services.add(service);
    return service;
  }

  stateOf(owner: ProcessIdentity, self: ProcessIdentity): 'alive' | 'dead' | 'unknown' {
    if (owner.world !== self.world || self.world === '' || owner.pid === self.pid) return 'unknown';
    for (const { identity, process } of this.services) {
      if (identity.pid === owner.pid && identity.startedAt === owner.startedAt && !process.isKilled)
        return 'alive';
    }
    return 'dead';
  }

  /** Lets time pass everywhere, a little at a time. */
  async pass(millis: number): Promise<void> {
    for (let passed = 0; passed < millis; passed += 5_000) {
      const step = Math.min(5_000, millis - passed);
      this.disk.nowMillis += step;
      for (const { process, time } of this.services) {
        if (!process.isKilled && process.stopped === undefined) time.advance(step);
      }
      await this.settle();
    }
  }

  /** Waits until no process does anything. */
  async settle(): Promise<void> {
    let before = -1;
    for (let quiet = 0; quiet < 3; ) {
      await setImmediate();
      let operations = 0;
      for (const { process } of this.services) operations += process.operations;
      quiet = operations === before ? quiet + 1 : 0;
      before = operations;
    }
  }

  /** Ends every process, and the power. */
  losePower(random: () => number): void {
    for (const { process } of this.services) process.kill();
    this.disk.losePower(random);
  }
}

/** A service with a spool. */
export class Service {
  readonly process = new SimulatedProcess();
  readonly time = new ManualTime();
  readonly spool: Spool;
  readonly files: Files;
  readonly identity: ProcessIdentity;
  /** All that was found, at the start and later. */
  readonly found: StoredBatch[] = [];
  /** The ids of what another process has taken over. */
  readonly taken: string[] = [];

  constructor(machine: Machine, identity: ProcessIdentity, options: Partial<SpoolOptions>) {
    this.identity = identity;
    const processes: Processes = {
      self: async () => identity,
      stateOf: async (owner, self) => machine.stateOf(owner, self),
    };
    this.files = machine.disk.filesOf(this.process);
    const { files } = this;
    this.spool = new Spool(
      {
        directory: DIRECTORY,
        maxBytes: 64 * 1024 * 1024,
        sync: 'batch',
        name: 'traces',
        onFound: (more) => this.found.push(...more),
        onTaken: (ids) => this.taken.push(...ids),
        ...options,
      },
      { files, processes, time: this.time, random: () => 0.5 },
    );
  }

  /** Opens the spool. @returns what was found; `undefined`: the process was killed */
  async open(): Promise<readonly StoredBatch[] | undefined> {
    const found = await this.unlessKilled(this.spool.open());
    if (found !== undefined) this.found.push(...found);
    return found;
  }

  /** @returns the ids that went to make room; `undefined`: the process was killed */
  put(n: number, size = 0, keptAt = this.time.millis): Promise<readonly string[] | undefined> {
    return this.unlessKilled(this.spool.put({ id: idOf(n), items: 1, keptAt }, batchOf(n, size)));
  }

  /** The number of the batch that is read. */
  async get(n: number): Promise<number | undefined> {
    return numberOf(await this.spool.get(idOf(n)));
  }

  delete(...numbers: number[]): Promise<unknown> {
    return this.unlessKilled(this.spool.delete(numbers.map(idOf)));
  }

  close(): Promise<unknown> {
    return this.unlessKilled(this.spool.close());
  }

  unlessKilled<T>(promise: Promise<T>): Promise<T | undefined> {
    return Promise.race([promise, this.process.whenKilled.then(() => undefined)]);
  }
}

export const idOf = (n: number): string => `batch-${n}`;

/** A batch with a number in it, and `size` bytes that cannot be compressed much. */
export function batchOf(n: number, size = 0): unknown[] {
  let state = n + 1;
  const filling = Array.from({ length: size }, () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return String.fromCharCode(33 + ((state >>> 16) % 90));
  }).join('');
  return [
    {
      hrTime: [1_700_000_000, n],
      hrTimeObserved: [1_700_000_000, n],
      attributes: { n, filling },
      droppedAttributesCount: 0,
      resource: { attributes: { 'service.name': 'shop' } },
      instrumentationScope: { name: 'test' },
    },
  ];
}

/** The number of a batch that was read. */
export function numberOf(batch: unknown): number | undefined {
  return (batch as { attributes: { n: number } }[] | undefined)?.[0]?.attributes.n;
}

/** What is written to `diag` from now on, a line each: `warn …`. */
export function collectDiag(): string[] {
  const lines: string[] = [];
  const at = (level: string) => (message: string) => lines.push(`${level} ${message}`);
  const logger = {
    error: at('error'),
    warn: at('warn'),
    info: at('info'),
    debug: at('debug'),
    verbose: at('verbose'),
  };
  diag.setLogger(logger as unknown as DiagLogger, {
    logLevel: DiagLogLevel.ALL,
    suppressOverrideMessage: true,
  });
  lines.length = 0;
  return lines;
}
