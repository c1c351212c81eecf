import { join } from 'node:path';
import { codeOf } from '../files.ts';
import type { SpoolDirectory } from '../spool-directory.ts';
import { crc32 } from './crc32.ts';
import type { SegmentReading } from './read-segments.ts';
import { readSegments } from './read-segments.ts';
import { deletionRecord, MAX_DELETED_IDS, segmentHead } from './record.ts';
import type { HeldBatch } from './segment.ts';
import { Segment, segmentName } from './segment.ts';

/** How often a batch is written again because its folder is another process's by now. */
const MAX_ATTEMPTS = 5;

/** What {@link Segments} are made with. */
export interface SegmentsOptions extends SegmentReading {
  /** Whether an answer waits until the bytes are durable. */
  readonly sync: boolean;
  readonly segmentBytes: number;
  /** Another process has taken over batches. */
  onTaken(ids: readonly string[]): void;
}

/**
 * The segments in all folders of one exporter: those that this process writes, and those that it has taken over.
 *
 * Asynchronous functions must be called one at a time, but for `read`, and for `adopt` besides one of the others.
 */
export class Segments {
  readonly #directory: SpoolDirectory;
  readonly #options: SegmentsOptions;
  /** Oldest first. */
  #segments: Segment[] = [];
  readonly #folders = new Set<string>();
  #ownFolder: string | undefined;
  #active: Segment | undefined;
  #lastNumber = 0;

  constructor(directory: SpoolDirectory, options: SegmentsOptions) {
    this.#directory = directory;
    this.#options = options;
  }

  /** The size of all files. */
  get bytes(): number {
    return this.#segments.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  get oldest(): Segment | undefined {
    return this.#segments[0];
  }

  /** Whether there are folders that other processes must not take for abandoned. */
  get hasFolders(): boolean {
    return this.#folders.size > 0;
  }

  /** Writes a batch. When this resolves, it is durable, in a folder that is ours. */
  async append(held: HeldBatch & { readonly record: Buffer }): Promise<void> {
    const { record } = held;
    for (let attempt = 1; ; attempt++) {
      try {
        if (await this.#tryToAppend(held, record)) return;
      } catch (error) {
        // The folder, or the file, is gone.
        if (codeOf(error) !== 'ENOENT' || attempt === MAX_ATTEMPTS) throw error;
      }
      if (attempt === MAX_ATTEMPTS) throw new Error('the folder was taken away again and again');
    }
  }

  /** Reads the payload of a batch. @returns `undefined` if it is damaged, or gone */
  async read({ segment, offset, payload }: HeldBatch): Promise<Buffer | undefined> {
    if (payload === undefined || segment === undefined || offset === undefined || segment.isGone)
      return undefined;
    try {
      const bytes = await this.#options.files.read(segment.path, offset + payload.offset, payload.length);
      return bytes.length === payload.length && crc32(bytes) === payload.crc ? bytes : undefined;
    } catch (error) {
      if (codeOf(error) !== 'ENOENT') throw error;
      await this.#loseIfGone(segment.folder);
      return undefined;
    }
  }

  /** Makes the deletion of batches durable. They are not in `segment.live` any more. */
  async erase(segment: Segment, ids: readonly string[]): Promise<void> {
    if (segment.isGone) return;
    if (segment.live.size === 0) {
      await this.removeFile(this.detach(segment));
      return;
    }
    for (let i = 0; i < ids.length; i += MAX_DELETED_IDS) {
      const record = deletionRecord(ids.slice(i, i + MAX_DELETED_IDS));
      try {
        await this.#options.files.append(segment.path, record, { create: false, sync: false });
        segment.bytes += record.length;
      } catch (error) {
        await this.#abandon(segment, false);
        throw error;
      }
    }
  }

  /** Takes a segment out of the list at once; `removeFile` is to follow. */
  detach(segment: Segment): Segment {
    segment.isGone = true;
    this.#segments = this.#segments.filter((each) => each !== segment);
    if (this.#active === segment) this.#active = undefined;
    return segment;
  }

  /** Removes the file of a detached segment, and its folder if that was the last. */
  async removeFile({ path, folder }: Segment): Promise<void> {
    try {
      await this.#options.files.remove(path);
    } catch (error) {
      if (codeOf(error) !== 'ENOENT') throw error;
    }
    await this.#removeIfEmpty(folder);
  }

  /**
   * Takes in what is in a folder that now belongs to this process.
   *
   * @returns the batches in it, oldest first
   * @throws if it could not be read now; then anyone may have it again
   */
  async adopt(folder: string): Promise<HeldBatch[]> {
    this.#folders.add(folder);
    try {
      const segments = await readSegments(folder, this.#options);
      this.#segments.push(...segments);
      this.#segments.sort((a, b) => a.since - b.since);
      const empty = segments.filter(({ live }) => live.size === 0);
      for (const segment of empty) await this.removeFile(this.detach(segment));
      await this.#removeIfEmpty(folder);
      return segments.flatMap(({ live }) => [...live.values()]);
    } catch (error) {
      this.#lose(folder);
      await this.#directory.release(folder).catch(() => {});
      throw error;
    }
  }

  /** Tells other processes that the owner of the folders lives. */
  async touch(): Promise<void> {
    for (const folder of [...this.#folders]) {
      try {
        await this.#directory.touch(folder);
      } catch (error) {
        // Any other error is no reason to give it up: while the disk is full, for example.
        if (codeOf(error) === 'ENOENT') await this.#loseIfGone(folder);
      }
    }
  }

  /** Lets anyone have what is left. */
  async release(): Promise<void> {
    for (const folder of [...this.#folders]) {
      try {
        await this.#removeIfEmpty(folder);
        if (this.#folders.has(folder)) await this.#directory.release(folder);
      } catch {
        // Whoever looks for it finds its owner dead, a little later.
      }
      this.#lose(folder);
    }
  }

  /** @returns whether the batch is where it is to be */
  async #tryToAppend(held: HeldBatch, record: Buffer): Promise<boolean> {
    const { files, sync, segmentBytes } = this.#options;
    const folder = await this.#folderToWrite();
    const isNew = this.#active === undefined;
    const segment = this.#active ?? this.#newSegment(folder, held);
    const bytes = isNew ? Buffer.concat([segmentHead(), record]) : record;
    try {
      await files.append(segment.path, bytes, { create: isNew, sync });
      if (isNew && sync) await files.syncFolder(folder);
      if (!(await this.#directory.isThere(folder))) {
        // Another process took this one for dead, and may have read the file before this batch was in it.
        this.#lose(folder);
        return false;
      }
    } catch (error) {
      await this.#abandon(segment, isNew);
      throw error;
    }
    // It was given up for want of room while this was written.
    if (segment.isGone) return false;
    segment.add(held, segment.bytes + bytes.length - record.length);
    segment.bytes += bytes.length;
    if (isNew) this.#segments.push(segment);
    this.#active = segment.bytes < segmentBytes ? segment : undefined;
    return true;
  }

  async #folderToWrite(): Promise<string> {
    if (this.#ownFolder === undefined) {
      this.#ownFolder = await this.#directory.newFolder(this.#options.sync);
      this.#folders.add(this.#ownFolder);
    }
    return this.#ownFolder;
  }

  #newSegment(folder: string, { header }: HeldBatch): Segment {
    this.#lastNumber++;
    return new Segment(folder, join(folder, segmentName(this.#lastNumber)), header.keptAt, 0);
  }

  /** Writes no more to a segment that may end in half a record. What was in it before stays. */
  async #abandon(segment: Segment, isNew: boolean): Promise<void> {
    const { files } = this.#options;
    if (this.#active === segment) this.#active = undefined;
    // Best effort: a reader gets along with half a record.
    const tidied = isNew ? files.remove(segment.path) : files.truncate(segment.path, segment.bytes);
    await tidied.catch(() => {});
    await this.#loseIfGone(segment.folder);
    await this.#removeIfEmpty(segment.folder).catch(() => {});
  }

  async #loseIfGone(folder: string): Promise<void> {
    const isThere = await this.#directory.isThere(folder).catch(() => true);
    if (!isThere) this.#lose(folder);
  }

  async #removeIfEmpty(folder: string): Promise<void> {
    if (!this.#folders.has(folder)) return;
    if (this.#segments.some((segment) => segment.folder === folder)) return;
    if (folder === this.#ownFolder && this.#active !== undefined) return;
    try {
      await this.#directory.removeFolder(folder);
    } catch (error) {
      // Something in it is not ours.
      if (codeOf(error) === 'ENOTEMPTY' || codeOf(error) === 'EEXIST') return;
      if (codeOf(error) !== 'ENOENT') throw error;
    }
    this.#lose(folder);
  }

  /** A folder is gone, or another process's. */
  #lose(folder: string): void {
    const wasTaken = this.#directory.seemedDead(folder);
    this.#directory.forget(folder);
    this.#folders.delete(folder);
    if (folder === this.#ownFolder) {
      this.#ownFolder = undefined;
      this.#active = undefined;
    }
    const lost = this.#segments.filter((segment) => segment.folder === folder);
    for (const segment of lost) this.detach(segment);
    const ids = lost.flatMap(({ live }) => [...live.keys()]);
    if (wasTaken && ids.length > 0) this.#options.onTaken(ids);
  }
}
