import { constants } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { access, chmod, lstat, mkdir, open, readdir, rename, rmdir, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';

/** What a path leads to; a link is not followed. */
export interface FileStatus {
  readonly kind: 'file' | 'folder' | 'link' | 'other';
  /** The permission bits. */
  readonly mode: number;
  readonly uid: number;
  readonly size: number;
  /** When the content was changed last, in Unix milliseconds of the file system. */
  readonly modifiedMillis: number;
}

/**
 * All that the store does to files. Every function rejects with the system's error; `code` says which. No link is
 * followed in the last part of a path, except by `makeFolders`.
 */
export interface Files {
  /** The names in a folder. */
  list(folder: string): Promise<string[]>;
  /** `undefined`: there is nothing. */
  status(path: string): Promise<FileStatus | undefined>;
  /** Rejects if the folder cannot be written to. */
  checkWritable(folder: string): Promise<void>;
  /** Makes a folder that is not there yet, with mode 0700. */
  makeFolder(path: string): Promise<void>;
  /** Makes a folder and those above it, where they are not there yet, and makes them durable. */
  makeFolders(path: string): Promise<void>;
  setMode(path: string, mode: number): Promise<void>;
  /**
   * Appends to a file.
   *
   * @param create - makes the file, with mode 0600; rejects if it is there already
   * @param sync - resolves when the bytes are durable
   */
  append(path: string, bytes: Uint8Array, options: { create: boolean; sync: boolean }): Promise<void>;
  /** Sets the time of a file to the file system's own, and makes the file if it is not there. */
  touch(path: string): Promise<void>;
  /** Reads a part of a file; less, if the file ends before. */
  read(path: string, offset: number, length: number): Promise<Buffer>;
  truncate(path: string, length: number): Promise<void>;
  /** Renames a folder. */
  move(from: string, to: string): Promise<void>;
  remove(file: string): Promise<void>;
  /** Removes an empty folder. */
  removeFolder(path: string): Promise<void>;
  /** Makes durable which files are in a folder. */
  syncFolder(path: string): Promise<void>;
}

const FOLDER_MODE = 0o700;
const FILE_MODE = 0o600;
const { O_APPEND, O_CREAT, O_EXCL, O_RDONLY, O_RDWR, O_WRONLY } = constants;
// Windows has neither. Opening a pipe must not wait for its other end.
const SAFELY = (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);

/** The files of the system. */
export const systemFiles: Files = {
  list: (folder) => readdir(folder),

  async status(path) {
    try {
      const stats = await lstat(path);
      const kind = stats.isFile()
        ? 'file'
        : stats.isDirectory()
          ? 'folder'
          : stats.isSymbolicLink()
            ? 'link'
            : 'other';
      const { uid, size, mtimeMs } = stats;
      return { kind, mode: stats.mode & 0o777, uid, size, modifiedMillis: mtimeMs };
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return undefined;
      throw error;
    }
  },

  checkWritable: (folder) => access(folder, constants.W_OK | constants.X_OK),
  makeFolder: async (path) => void (await mkdir(path, { mode: FOLDER_MODE })),

  async makeFolders(path) {
    const first = await mkdir(path, { recursive: true, mode: FOLDER_MODE });
    if (first === undefined) return;
    const end = dirname(first);
    for (let folder = dirname(path); folder.length >= end.length; folder = dirname(folder)) {
      await systemFiles.syncFolder(folder);
      if (folder === end) return;
    }
  },

  setMode: (path, mode) => chmod(path, mode),

  append: (path, bytes, { create, sync }) =>
    withFile(path, O_WRONLY | O_APPEND | (create ? O_CREAT | O_EXCL : 0), async (file) => {
      await writeAll(file, bytes, null);
      if (sync) await file.datasync();
    }),

  touch: (path) => withFile(path, O_WRONLY | O_CREAT, (file) => writeAll(file, Buffer.from([0x0a]), 0)),

  read: (path, offset, length) =>
    withFile(path, O_RDONLY, async (file) => {
      const buffer = Buffer.allocUnsafe(length);
      let filled = 0;
      while (filled < length) {
        const { bytesRead } = await file.read(buffer, filled, length - filled, offset + filled);
        if (bytesRead === 0) break;
        filled += bytesRead;
      }
      return buffer.subarray(0, filled);
    }),

  truncate: (path, length) => withFile(path, O_RDWR, (file) => file.truncate(length)),
  move: (from, to) => rename(from, to),
  remove: (file) => unlink(file),
  removeFolder: (path) => rmdir(path),

  async syncFolder(path) {
    try {
      const folder = await open(path, O_RDONLY);
      try {
        await folder.sync();
      } finally {
        await folder.close();
      }
    } catch (error) {
      // Windows cannot, nor can some network file systems.
      if (process.platform !== 'win32' && codeOf(error) !== 'EINVAL') throw error;
    }
  },
};

/** The `code` of a system's error. */
export function codeOf(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | null | undefined)?.code;
  return typeof code === 'string' ? code : undefined;
}

/** The message of whatever was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

async function withFile<T>(path: string, flags: number, use: (file: FileHandle) => Promise<T>): Promise<T> {
  const file = await open(path, flags | SAFELY, FILE_MODE);
  try {
    return await use(file);
  } finally {
    await file.close();
  }
}

async function writeAll(file: FileHandle, bytes: Uint8Array, position: number | null): Promise<void> {
  let written = 0;
  while (written < bytes.length) {
    const { bytesWritten } = await file.write(
      bytes,
      written,
      bytes.length - written,
      position === null ? null : position + written,
    );
    written += bytesWritten;
  }
}
