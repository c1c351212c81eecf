import { join } from 'node:path';
import type { DiskTime } from './disk-time.ts';
import type { FileStatus, Files } from './files.ts';
import { codeOf } from './files.ts';
import type { FolderName, ProcessIdentity } from './folder-name.ts';
import { escapeName, newFolderName, parseFolderName } from './folder-name.ts';
import type { Processes } from './processes.ts';

/** A folder whose owner has not touched it for so long is free to take, if nothing else is known of the owner. */
const DEAD_AFTER_MILLIS = 60_000;
/** The file in each folder that its owner touches. */
export const HEARTBEAT_FILE = 'alive';
const FOLDER_MODE = 0o700;
const OTHERS_MAY_WRITE = 0o022;

/** Something is in the place of a folder of ours that is not safely ours. The message says what to do. */
export class RefusedError extends Error {
  override readonly name = 'RefusedError';
}

/** Hears of what an operator should know. */
export interface DirectoryListener {
  /** @param subject - what it is about; the operator hears of each once */
  warn(subject: string, message: string): void;
  /** Something was not used, because it is not safely ours. */
  refused(message: string): void;
}

/** The directory that all processes share, seen by one exporter: makes, finds, takes over and releases its folders. */
export class SpoolDirectory {
  readonly path: string;
  readonly #exporter: string;
  readonly #files: Files;
  readonly #processes: Processes;
  readonly #listener: DirectoryListener;
  readonly #time: DiskTime;
  /** The folders of this process, and when it last touched them, in Unix milliseconds. */
  readonly #mine = new Map<string, number>();
  #self: ProcessIdentity | undefined;

  constructor(
    path: string,
    exporterName: string,
    { files, processes, time }: { files: Files; processes: Processes; time: DiskTime },
    listener: DirectoryListener,
  ) {
    this.path = path;
    this.#exporter = escapeName(exporterName);
    this.#files = files;
    this.#processes = processes;
    this.#time = time;
    this.#listener = listener;
  }

  /** Makes the directory if it is not there. @throws if it cannot be used; the message says why, and what to do */
  async prepare(): Promise<void> {
    await this.#files.makeFolders(this.path).catch((error: unknown) => {
      if (codeOf(error) === 'EEXIST' || codeOf(error) === 'ENOTDIR') throw notADirectory(this.path);
      throw error;
    });
    await this.#files.checkWritable(this.path);
    // The directory itself may be a link: it is the operator's.
    this.#warnOfOthers(await this.#status(`${this.path}/.`));
  }

  /** Makes a folder that belongs to this process. @param sync - whether its name is to be durable */
  async newFolder(sync: boolean): Promise<string> {
    const path = join(this.path, newFolderName(this.#exporter, await this.#identity()));
    this.#mine.set(path, this.#time.unixMillis());
    try {
      await this.#files.makeFolder(path);
      await this.touch(path);
      if (sync) await this.#files.syncFolder(this.path);
    } catch (error) {
      await this.removeFolder(path).catch(() => {});
      throw error;
    }
    return path;
  }

  /** Takes over the folders of this exporter that nobody owns, or whose owner is dead: one by one, by their new paths. */
  async *takeOver(): AsyncGenerator<string> {
    let now: Promise<number> | undefined;
    const isDead = async (path: string, { owner }: FolderName): Promise<boolean> => {
      if (owner === undefined) return true;
      const state = await this.#processes.stateOf(owner, await this.#identity());
      if (state !== 'unknown') return state === 'dead';
      now ??= this.#timeOfFiles();
      return (await now) - (await this.#lastTouched(path)) >= DEAD_AFTER_MILLIS;
    };
    for (const name of await this.#files.list(this.path)) {
      const parsed = parseFolderName(name);
      const path = join(this.path, name);
      if (parsed?.exporter !== this.#exporter || this.#mine.has(path)) continue;
      let taken: string;
      try {
        if (!(await this.#isSafe(path)) || !(await isDead(path, parsed))) continue;
        taken = await this.#rename(path, await this.#identity());
      } catch (error) {
        // Another process was quicker.
        if (codeOf(error) === 'ENOENT') continue;
        throw error;
      }
      yield taken;
    }
  }

  /** Lets other processes know that the owner of a folder lives. */
  async touch(path: string): Promise<void> {
    await this.#files.touch(join(path, HEARTBEAT_FILE));
    if (this.#mine.has(path)) this.#mine.set(path, this.#time.unixMillis());
  }

  /** Whether others may have taken this process for dead, because it has not touched the folder for so long. */
  seemedDead(path: string): boolean {
    return this.#time.unixMillis() - (this.#mine.get(path) ?? Number.NaN) >= DEAD_AFTER_MILLIS;
  }

  /** Whether a folder still has the name that this process gave it: nobody else ever gives it that name. */
  async isThere(path: string): Promise<boolean> {
    return (await this.#files.status(path))?.kind === 'folder';
  }

  /** Lets anyone have a folder. */
  async release(path: string): Promise<void> {
    await this.#rename(path, undefined);
    this.#mine.delete(path);
  }

  /** Removes a folder that is empty, but for the heartbeat. */
  async removeFolder(path: string): Promise<void> {
    this.#mine.delete(path);
    try {
      await this.#files.remove(join(path, HEARTBEAT_FILE));
    } catch (error) {
      if (codeOf(error) !== 'ENOENT') throw error;
    }
    await this.#files.removeFolder(path);
  }

  /** Gives up a folder that another process has. */
  forget(path: string): void {
    this.#mine.delete(path);
  }

  async #identity(): Promise<ProcessIdentity> {
    this.#self ??= await this.#processes.self();
    return this.#self;
  }

  /** The time of the file system, which need not be this machine's. What a crash leaves of this is an empty folder. */
  async #timeOfFiles(): Promise<number> {
    const path = await this.newFolder(false);
    try {
      return await this.#lastTouched(path);
    } finally {
      await this.removeFolder(path);
    }
  }

  async #lastTouched(path: string): Promise<number> {
    const heartbeat = await this.#files.status(join(path, HEARTBEAT_FILE));
    return (heartbeat ?? (await this.#status(path))).modifiedMillis;
  }

  async #rename(path: string, owner: ProcessIdentity | undefined): Promise<string> {
    const renamed = join(this.path, newFolderName(this.#exporter, owner));
    // First, so that nobody takes it for dead between the renaming and the next heartbeat.
    if (owner !== undefined) await this.touch(path);
    await this.#files.move(path, renamed);
    if (owner !== undefined) this.#mine.set(renamed, this.#time.unixMillis());
    return renamed;
  }

  /** Whether a folder with one of our names is a folder that this user has made. */
  async #isSafe(path: string): Promise<boolean> {
    const status = await this.#files.status(path);
    if (status === undefined) return false;
    if (status.kind !== 'folder') {
      const what = status.kind === 'link' ? 'a symbolic link' : 'no folder';
      this.#listener.refused(
        `${path} is ${what} and is left alone: delete it, or put the folder itself there`,
      );
      return false;
    }
    const uid = process.geteuid?.();
    if (uid === undefined) return true;
    if (status.uid !== uid) {
      this.#listener.refused(
        `${path} belongs to user ${status.uid}, and this process runs as user ${uid}: it is left alone; chown it, or delete it`,
      );
      return false;
    }
    if (status.mode !== FOLDER_MODE) {
      await this.#files.setMode(path, FOLDER_MODE);
      this.#listener.warn(
        'mode',
        `${path} had mode ${octal(status.mode)}; it has ${octal(FOLDER_MODE)} again`,
      );
    }
    return true;
  }

  #warnOfOthers({ uid, mode }: FileStatus): void {
    const own = process.geteuid?.();
    if (own === undefined || (uid === own && (mode & OTHERS_MAY_WRITE) === 0)) return;
    const owner = uid === own ? '' : ` belongs to user ${uid}, not to ${own}, and`;
    this.#listener.warn(
      'parent',
      `${this.path}${owner} has mode ${octal(mode)}: whoever may write to it can delete what is kept there`,
    );
  }

  async #status(path: string): Promise<FileStatus> {
    const status = await this.#files.status(path);
    if (status === undefined) throw Object.assign(new Error(`${path} is gone`), { code: 'ENOENT' });
    return status;
  }
}

function notADirectory(path: string): RefusedError {
  return new RefusedError(`${path} is not a directory: remove the file, or give another directory`);
}

function octal(mode: number): string {
  return `0${mode.toString(8)}`;
}
