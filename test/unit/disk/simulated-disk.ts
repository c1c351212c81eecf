import { posix } from 'node:path';
import type { FileStatus, Files } from '../../../src/disk/files.ts';

/** A change of a file that no sync has made durable. */
type Write = { readonly offset: number; readonly bytes: Buffer } | { readonly length: number };

interface FileNode {
  readonly kind: 'file';
  readonly uid: number;
  mode: number;
  modifiedMillis: number;
  data: Buffer;
  durable: Buffer;
  pending: Write[];
}

type EntryChange =
  | { readonly added: string; readonly node: Node }
  | { readonly removed: string }
  | { readonly from: string; readonly to: string };

interface FolderNode {
  readonly kind: 'folder';
  readonly uid: number;
  mode: number;
  modifiedMillis: number;
  entries: Map<string, Node>;
  durable: Map<string, Node>;
  pending: EntryChange[];
}

interface LinkNode {
  readonly kind: 'link' | 'other';
  readonly uid: number;
  mode: number;
  modifiedMillis: number;
}

type Node = FileNode | FolderNode | LinkNode;

/** What becomes of one operation. */
export type Fate =
  | 'done'
  /** The process ends before the operation, in the middle of it, or behind it. */
  | { readonly killed: 'before' | 'halfway' | 'after' }
  /** It fails with this code; a write has been done by half. */
  | { readonly fails: string };

/** One operation, as the judge of fates sees it. */
export interface Operation {
  readonly name: keyof Files | 'open' | 'sync';
  readonly path: string;
  /** The number of operations before it. */
  readonly index: number;
}

export type Judge = (operation: Operation) => Fate;

/** Answers numbers in [0, 1), the same for the same seed. */
export function seeded(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/**
 * A disk in memory that can lose power. Then every write and every change of a folder that was not made durable may be
 * there, or not, or by half, in any combination.
 */
export class SimulatedDisk {
  /** The time of the file system. */
  nowMillis = 1_000_000;
  readonly root: FolderNode = this.#newFolder();

  /** The files as one process sees them. */
  filesOf(process: SimulatedProcess): Files {
    return simulatedFiles(this, process);
  }

  /** Forgets what is not durable, as `random` decides. */
  losePower(random: () => number): void {
    this.#settle(this.root, random);
  }

  /** All files, by path. */
  contents(folder: FolderNode = this.root, path = '/'): Map<string, Buffer> {
    const found = new Map<string, Buffer>();
    for (const [name, node] of folder.entries) {
      const below = posix.join(path, name);
      if (node.kind === 'file') found.set(below, node.data);
      else if (node.kind === 'folder')
        for (const [file, data] of this.contents(node, below)) found.set(file, data);
    }
    return found;
  }

  /** The names in a folder. */
  names(path: string): string[] {
    return [...this.folder(path).entries.keys()];
  }

  /** Puts something into a folder that is no file of ours. */
  plant(path: string, node: Partial<LinkNode> | Partial<FolderNode>): void {
    const planted = { ...this.#newFolder(), ...node } as Node;
    this.parent(path).entries.set(posix.basename(path), planted);
  }

  node(path: string): Node | undefined {
    let node: Node | undefined = this.root;
    for (const name of posix
      .normalize(path)
      .split('/')
      .filter((part) => part !== '' && part !== '.')) {
      if (node?.kind !== 'folder') {
        if (node !== undefined) throw systemError('ENOTDIR', path);
        return undefined;
      }
      node = node.entries.get(name);
    }
    return node;
  }

  folder(path: string): FolderNode {
    const node = this.node(path);
    if (node === undefined) throw systemError('ENOENT', path);
    if (node.kind !== 'folder') throw systemError('ENOTDIR', path);
    return node;
  }

  parent(path: string): FolderNode {
    return this.folder(posix.dirname(path));
  }

  file(path: string): FileNode {
    const node = this.node(path);
    if (node === undefined) throw systemError('ENOENT', path);
    if (node.kind === 'link') throw systemError('ELOOP', path);
    if (node.kind !== 'file') throw systemError('EISDIR', path);
    return node;
  }

  change(folder: FolderNode, change: EntryChange): void {
    apply(folder.entries, change);
    folder.pending.push(change);
    folder.modifiedMillis = this.nowMillis;
  }

  write(file: FileNode, write: Write): void {
    file.data = written(file.data, write);
    file.pending.push(write);
    file.modifiedMillis = this.nowMillis;
  }

  makeFile(path: string): FileNode {
    const file: FileNode = {
      kind: 'file',
      uid: process.geteuid?.() ?? 0,
      mode: 0o600,
      modifiedMillis: this.nowMillis,
      data: Buffer.alloc(0),
      durable: Buffer.alloc(0),
      pending: [],
    };
    this.change(this.parent(path), { added: posix.basename(path), node: file });
    return file;
  }

  makeFolder(path: string): void {
    if (this.node(path) !== undefined) throw systemError('EEXIST', path);
    this.change(this.parent(path), { added: posix.basename(path), node: this.#newFolder() });
  }

  #newFolder(): FolderNode {
    return {
      kind: 'folder',
      uid: process.geteuid?.() ?? 0,
      mode: 0o700,
      modifiedMillis: this.nowMillis,
      entries: new Map(),
      durable: new Map(),
      pending: [],
    };
  }

  #settle(node: Node, random: () => number): void {
    if (node.kind === 'file') {
      let data = node.durable;
      for (const write of node.pending) {
        const fate = random();
        if (fate < 0.4) data = written(data, write);
        else if (fate < 0.7 && 'bytes' in write) {
          const bytes = write.bytes.subarray(0, Math.floor(random() * write.bytes.length));
          data = written(data, { offset: write.offset, bytes });
        }
      }
      node.data = node.durable = data;
      node.pending = [];
    } else if (node.kind === 'folder') {
      for (const change of node.pending) if (random() < 0.5) apply(node.durable, change);
      node.entries = new Map(node.durable);
      node.pending = [];
      for (const below of node.entries.values()) this.#settle(below, random);
    }
  }
}

/** A process that uses the disk. When it is killed, none of its operations ever ends. */
export class SimulatedProcess {
  judge: Judge = () => 'done';
  /** Calls for operations wait for as long as this is set. */
  stopped: Promise<void> | undefined;
  readonly whenKilled: Promise<void>;
  #operations = 0;
  #isKilled = false;
  #tellKilled = (): void => {};

  constructor() {
    this.whenKilled = new Promise((resolve) => {
      this.#tellKilled = resolve;
    });
  }

  get isKilled(): boolean {
    return this.#isKilled;
  }

  get operations(): number {
    return this.#operations;
  }

  kill(): void {
    this.#isKilled = true;
    this.#tellKilled();
  }

  /**
   * Does an operation, or what its judge leaves of it.
   *
   * @param half - does it by half
   */
  async operate<T>(
    name: Operation['name'],
    path: string,
    whole: () => T,
    half: () => void = () => {},
  ): Promise<T> {
    await null;
    while (this.stopped !== undefined) await this.stopped;
    if (this.#isKilled) return never();
    const fate = this.judge({ name, path, index: this.#operations++ });
    if (fate === 'done') return whole();
    if ('fails' in fate) {
      half();
      throw systemError(fate.fails, path);
    }
    this.kill();
    if (fate.killed === 'halfway') half();
    if (fate.killed === 'after') whole();
    return never();
  }
}

function simulatedFiles(disk: SimulatedDisk, process: SimulatedProcess): Files {
  return {
    list: (path) => process.operate('list', path, () => [...disk.folder(path).entries.keys()]),

    status: (path) =>
      process.operate('status', path, (): FileStatus | undefined => {
        const node = disk.node(path);
        if (node === undefined) return undefined;
        const { kind, mode, uid, modifiedMillis } = node;
        return { kind, mode, uid, modifiedMillis, size: node.kind === 'file' ? node.data.length : 0 };
      }),

    checkWritable: (path) => process.operate('checkWritable', path, () => void disk.folder(path)),
    makeFolder: (path) => process.operate('makeFolder', path, () => disk.makeFolder(path)),

    makeFolders: (path) =>
      process.operate('makeFolders', path, () => {
        const parts = path.split('/').filter((part) => part !== '');
        for (let i = 1; i <= parts.length; i++) {
          const below = `/${parts.slice(0, i).join('/')}`;
          const node = disk.node(below);
          if (node === undefined) disk.makeFolder(below);
          else if (node.kind !== 'folder') throw systemError('EEXIST', below);
          makeDurable(disk.parent(below));
        }
      }),

    setMode: (path, mode) =>
      process.operate('setMode', path, () => {
        const node = disk.node(path);
        if (node === undefined) throw systemError('ENOENT', path);
        node.mode = mode;
      }),

    async append(path, bytes, { create, sync }) {
      // The file may be renamed, or removed, between opening and writing.
      const file = await process.operate('open', path, () => {
        if (create && disk.node(path) !== undefined) throw systemError('EEXIST', path);
        return create ? disk.makeFile(path) : disk.file(path);
      });
      const write = (length: number) => () =>
        disk.write(file, { offset: file.data.length, bytes: Buffer.from(bytes.subarray(0, length)) });
      await process.operate('append', path, write(bytes.length), write(Math.floor(bytes.length / 2)));
      if (sync) {
        await process.operate('sync', path, () => {
          file.durable = file.data;
          file.pending = [];
        });
      }
    },

    touch: (path) =>
      process.operate('touch', path, () => {
        const file = disk.node(path) === undefined ? disk.makeFile(path) : disk.file(path);
        disk.write(file, { offset: 0, bytes: Buffer.from('\n') });
      }),

    read: (path, offset, length) =>
      process.operate('read', path, () =>
        Buffer.from(disk.file(path).data.subarray(offset, offset + length)),
      ),

    truncate: (path, length) =>
      process.operate('truncate', path, () => disk.write(disk.file(path), { length })),

    move: (from, to) =>
      process.operate('move', from, () => {
        if (disk.node(from) === undefined) throw systemError('ENOENT', from);
        disk.change(disk.parent(from), { from: posix.basename(from), to: posix.basename(to) });
      }),

    remove: (path) =>
      process.operate('remove', path, () => {
        disk.file(path);
        disk.change(disk.parent(path), { removed: posix.basename(path) });
      }),

    removeFolder: (path) =>
      process.operate('removeFolder', path, () => {
        if (disk.folder(path).entries.size > 0) throw systemError('ENOTEMPTY', path);
        disk.change(disk.parent(path), { removed: posix.basename(path) });
      }),

    syncFolder: (path) => process.operate('syncFolder', path, () => makeDurable(disk.folder(path))),
  };
}

function makeDurable(folder: FolderNode): void {
  folder.durable = new Map(folder.entries);
  folder.pending = [];
}

function apply(entries: Map<string, Node>, change: EntryChange): void {
  if ('added' in change) {
    entries.set(change.added, change.node);
  } else if ('removed' in change) {
    entries.delete(change.removed);
  } else {
    const node = entries.get(change.from);
    if (node === undefined) return;
    entries.delete(change.from);
    entries.set(change.to, node);
  }
}

function written(data: Buffer, write: Write): Buffer {
  if ('length' in write) return Buffer.from(data.subarray(0, write.length));
  const end = write.offset + write.bytes.length;
  // A hole is full of zeros.
  const result = Buffer.alloc(Math.max(data.length, end));
  data.copy(result);
  write.bytes.copy(result, write.offset);
  return result;
}

function systemError(code: string, path: string): Error {
  return Object.assign(new Error(`${code}: ${path}`), { code });
}

function never(): Promise<never> {
  return new Promise(() => {});
}
