import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ReadableSpan } from '@opentelemetry/sdk-trace-base';
import { diskStore } from 'otel-circuit-breaker/disk';

/** Something that keeps batches. */
export interface Subject {
  readonly name: string;
  open(): Promise<void>;
  put(id: string, batch: ReadableSpan[]): Promise<void>;
  /** Reads the batch that is to be delivered next. */
  get(id: string): Promise<unknown>;
  delete(id: string): Promise<void>;
  close(): Promise<void>;
}

/** Keeps batches in memory, as retention does without a store. */
export function memorySubject(): Subject {
  const batches = new Map<string, ReadableSpan[]>();
  return {
    name: 'memory',
    async open() {},
    put: async (id, batch) => void batches.set(id, batch),
    get: async (id) => batches.get(id),
    delete: async (id) => void batches.delete(id),
    async close() {},
  };
}

export function diskSubject(directory: string, sync: 'batch' | 'none'): Subject {
  const store = diskStore<ReadableSpan[]>({ directory, sync, maxBytes: 256 * 1024 * 1024 });
  return {
    name: `diskStore, \`sync: '${sync}'\``,
    open: async () => void (await store.open({ name: 'traces', onFound() {} })),
    put: async (id, batch) => void (await store.put({ id, items: batch.length, keptAt: Date.now() }, batch)),
    get: async (id) => store.get(id),
    delete: async (id) => store.delete([id]),
    close: () => store.close(),
  };
}

const AZURE = '@azure/monitor-opentelemetry-exporter';
const AZURE_VERSION = '1.0.0-beta.47';
const INSTRUMENTATION_KEY = '00000000-0000-0000-0000-000000000000';

interface Persistence {
  push(envelopes: unknown[]): Promise<boolean>;
  shift(): Promise<unknown>;
  shutdown(): void;
}

/**
 * The persistence of Azure Monitor's exporter, by its internal classes: JSON files of its own envelopes, which a span is
 * turned into first. It deletes a file when it reads it, before it is sent.
 */
export function azureSubject(directory: string): Subject {
  const require = createRequire(join(installedAzure(), 'package.json'));
  const inside = join(require.resolve(`${AZURE}/package.json`), '..', 'dist', 'commonjs');
  const { FileSystemPersist } = require(
    join(inside, 'platform', 'nodejs', 'persist', 'fileSystemPersist.js'),
  ) as {
    FileSystemPersist: new (key: string, options: { storageDirectory: string }) => Persistence;
  };
  const { readableSpanToEnvelope } = require(join(inside, 'utils', 'spanUtils.js')) as {
    readableSpanToEnvelope(span: ReadableSpan, key: string): unknown;
  };
  let persistence: Persistence;
  return {
    name: `${AZURE} ${AZURE_VERSION}`,
    async open() {
      persistence = new FileSystemPersist(INSTRUMENTATION_KEY, { storageDirectory: directory });
    },
    async put(_, batch) {
      const stored = await persistence.push(
        batch.map((span) => readableSpanToEnvelope(span, INSTRUMENTATION_KEY)),
      );
      if (!stored) throw new Error('not stored');
    },
    get: () => persistence.shift(),
    async delete() {},
    close: async () => persistence.shutdown(),
  };
}

/** Installs it beside the repository: it is no development dependency. */
function installedAzure(): string {
  const folder = join(tmpdir(), `otel-circuit-breaker-bench-azure-${AZURE_VERSION}`);
  if (!existsSync(join(folder, 'node_modules', AZURE))) {
    mkdirSync(folder, { recursive: true });
    const args = ['install', '--prefix', folder, '--no-save', '--no-audit', '--no-fund', '--ignore-scripts'];
    execFileSync('npm', [...args, '--loglevel=error', `${AZURE}@${AZURE_VERSION}`], { stdio: 'inherit' });
  }
  return folder;
}
