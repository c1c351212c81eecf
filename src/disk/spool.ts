import { setImmediate } from 'node:timers/promises';
import type { Dropped, StoredBatch } from '../delivery/batch-store.ts';
import { completeResources, decodeBatch, encodeBatch } from './codec/batch-codec.ts';
import { Repeated, waitFor } from './disk-time.ts';
import { messageOf } from './files.ts';
import type { BatchInMemory } from './held-batches.ts';
import { HeldBatches } from './held-batches.ts';
import { Lane, suppressed } from './lane.ts';
import { listed } from './listed.ts';
import { batchRecord, SEGMENT_HEAD_LENGTH } from './segment/record.ts';
import type { HeldBatch, Segment } from './segment/segment.ts';
import { SEGMENT_BYTES } from './segment/segment.ts';
import { Segments } from './segment/segments.ts';
import { RefusedError, SpoolDirectory } from './spool-directory.ts';
import { SpoolLog } from './spool-log.ts';
import type { System } from './system.ts';

/** What a spool is made with. */
export interface SpoolOptions {
  readonly directory: string;
  readonly maxBytes: number;
  readonly sync: 'batch' | 'none';
  /** The exporter's name. */
  readonly name: string;
  onFound(more: readonly StoredBatch[]): void;
  readonly onTaken?: ((ids: readonly string[]) => void) | undefined;
}

const LOOK_MILLIS = 60_000;
const HEARTBEAT_MILLIS = 10_000;
const RESOURCE_PATIENCE_MILLIS = 500;

/**
 * The batches of one exporter. An index in memory answers at once; one thing after the other, files follow. While they
 * cannot, batches stay in memory.
 */
export class Spool {
  readonly #options: SpoolOptions;
  readonly #system: System;
  readonly #log: SpoolLog;
  readonly #directory: SpoolDirectory;
  readonly #segments: Segments;
  readonly #encoding = new Lane();
  /** Taking over can take long; it touches none of the folders that are written to. */
  readonly #takingOver = new Lane();
  readonly #writing = new Lane();
  readonly #batches = new HeldBatches();
  readonly #looking: Repeated;
  readonly #heartbeat: Repeated;
  readonly #refusals: string[] = [];
  /** Whether the disk cannot be written to. */
  #isDown = false;
  #isClosed = false;

  constructor(options: SpoolOptions, system: System) {
    const { directory, maxBytes, sync, name } = options;
    this.#options = options;
    this.#system = system;
    const log = new SpoolLog(name, system.logger);
    this.#log = log;
    this.#directory = new SpoolDirectory(directory, name, system, {
      warn: (subject, message) => log.warnOnce(subject, message),
      refused: (message) => this.#refusals.push(message),
    });
    this.#segments = new Segments(this.#directory, {
      files: system.files,
      sync: sync === 'batch',
      segmentBytes: Math.min(SEGMENT_BYTES, Math.ceil(maxBytes / 16)),
      warn: (subject, message) => log.warnOnce(subject, message),
      onTaken: (ids) => this.#taken(ids),
    });
    const { time } = system;
    this.#looking = new Repeated(time, LOOK_MILLIS, () => this.#takingOver.run(() => this.#lookAgain()));
    this.#heartbeat = new Repeated(time, HEARTBEAT_MILLIS, () => this.#writing.run(() => this.#beat()));
  }

  /** @returns what earlier processes have left, oldest first. @throws RefusedError */
  open(): Promise<StoredBatch[]> {
    return this.#takingOver.run(async () => {
      this.#looking.start();
      const { found, error } = await this.#look();
      if (error !== undefined) this.#goDown(error);
      const refusals = this.#refusals.splice(0);
      if (error instanceof RefusedError) refusals.push(error.message);
      const [first, ...others] = refusals;
      if (first === undefined) return found;
      // What is safely ours is delivered all the same.
      if (found.length > 0) this.#options.onFound(found);
      for (const other of others) this.#log.errorOnce(other);
      throw new RefusedError(this.#log.line(first));
    });
  }

  /** Takes a batch: on disk, or in memory while that cannot be. @returns the ids of those that went to make room */
  async put(entry: StoredBatch, batch: unknown): Promise<Dropped> {
    if (this.#isClosed) throw new Error('the store is closed');
    const { dropped, written } = await this.#encoding.run(async () => {
      // Not on the caller's turn.
      await setImmediate();
      await waitFor(this.#system.time, RESOURCE_PATIENCE_MILLIS, completeResources(batch));
      const { signal, payload } = await encodeBatch(batch);
      const header = { ...entry, signal };
      return this.#hold({ header, ...batchRecord(header, payload) });
    });
    await written;
    return dropped;
  }

  /** @returns `undefined` if it cannot be read, and never will be. @throws if it cannot be read now */
  async get(id: string): Promise<unknown> {
    const held = this.#batches.get(id);
    if (held === undefined) return undefined;
    const { record, payload: place } = held;
    const payload =
      record !== undefined && place !== undefined
        ? record.subarray(place.offset, place.offset + place.length)
        : await suppressed(() => this.#segments.read(held));
    if (payload === undefined) return undefined;
    try {
      return (await decodeBatch(payload)).batch;
    } catch (error) {
      this.#log.warnOnce(
        'decode',
        `a batch cannot be decoded, and counts as unreadable: ${messageOf(error)}`,
      );
      return undefined;
    }
  }

  /** Forgets batches at once, and deletes them soon. */
  async delete(ids: readonly string[]): Promise<void> {
    const bySegment = new Map<Segment, string[]>();
    for (const id of ids) {
      const segment = this.#batches.remove(id)?.segment;
      if (segment === undefined) continue;
      const others = bySegment.get(segment);
      if (others === undefined) bySegment.set(segment, [id]);
      else others.push(id);
    }
    if (bySegment.size === 0) return;
    await this.#writing.run(async () => {
      for (const [segment, some] of bySegment) await this.#erase(segment, some);
    });
  }

  /** Writes what is still in memory, if that can be, and lets anyone have the folders. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#looking.stop();
    await this.#encoding.idle();
    await this.#takingOver.idle();
    await this.#writing.run(async () => {
      this.#heartbeat.stop();
      const error = await this.#catchUp();
      await this.#segments.release();
      if (error === undefined) return;
      this.#log.warn(
        `${this.#batches.itemsInMemory} items cannot be written to disk, and are lost: ${messageOf(error)}`,
      );
    });
  }

  #hold(held: BatchInMemory): { dropped: Dropped; written: Promise<void> } {
    const dropped = this.#makeRoom(held.record.length + SEGMENT_HEAD_LENGTH);
    this.#batches.addInMemory(held);
    const written = this.#writing.run(async () => {
      if (this.#isDown) return;
      const error = await this.#write(held);
      if (error !== undefined) this.#goDown(error);
    });
    return { dropped, written };
  }

  /** @returns why it stays in memory, if it does */
  async #write(held: BatchInMemory): Promise<unknown> {
    if (!this.#batches.isInMemory(held)) return undefined;
    const bytes = held.record.length;
    try {
      await this.#segments.append(held);
    } catch (error) {
      return error;
    }
    this.#heartbeat.start();
    if (this.#batches.isInMemory(held)) this.#batches.leftMemory(held, bytes);
    // It was deleted meanwhile.
    else await this.#discard(held);
    return undefined;
  }

  /** Writes what had to stay in memory. @returns why that cannot be */
  async #catchUp(): Promise<unknown> {
    for (const held of this.#batches.inMemory()) {
      const error = await this.#write(held);
      if (error !== undefined) return error;
    }
    return undefined;
  }

  /** Deletes a batch that is not to be held. */
  async #discard({ header, segment }: HeldBatch): Promise<void> {
    if (segment === undefined) return;
    segment.live.delete(header.id);
    await this.#erase(segment, [header.id]);
  }

  /** A deletion that fails means at worst that a batch is sent once more. */
  async #erase(segment: Segment, ids: readonly string[]): Promise<void> {
    await this.#segments.erase(segment, ids).catch(() => {});
  }

  /** Takes over what dead processes have left. @returns also the reason if that could not be finished */
  async #look(): Promise<{ found: StoredBatch[]; error?: unknown }> {
    const found: HeldBatch[] = [];
    let error: unknown;
    try {
      await this.#directory.prepare();
      for await (const folder of this.#directory.takeOver()) await this.#takeIn(folder, found);
    } catch (thrown) {
      error = thrown;
    }
    if (found.length > 0) this.#heartbeat.start();
    return { found: listed(found, this.#system, this.#log), error };
  }

  async #takeIn(folder: string, found: HeldBatch[]): Promise<void> {
    try {
      for (const held of await this.#segments.adopt(folder)) {
        const added = this.#batches.addStored(held);
        if (added === 'new') found.push(held);
        // It was written twice: by a process that was taken for dead, and lived.
        if (added === 'twice') await this.#discard(held);
      }
    } catch (error) {
      this.#log.warnOnce('adopt', `${folder} cannot be read, and is tried again: ${messageOf(error)}`);
    }
  }

  /** Another process has taken this one for dead. */
  #taken(ids: readonly string[]): void {
    for (const id of ids) this.#batches.remove(id);
    this.#log.warn(
      `${ids.length} batches were taken over by another process, because this one did not run for a minute; they count as kept here`,
    );
    this.#options.onTaken?.(ids);
  }

  /** The oldest go first, a segment at a time. */
  #makeRoom(bytes: number): Dropped {
    const { maxBytes } = this.#options;
    if (bytes > maxBytes) {
      throw new RangeError(`a batch of ${bytes} bytes is larger than maxBytes, which is ${maxBytes}`);
    }
    const dropped: string[] = [];
    while (this.#segments.bytes + this.#batches.bytesInMemory + bytes > maxBytes) {
      const victims = this.#oldest();
      for (const id of victims) this.#batches.remove(id);
      dropped.push(...victims);
    }
    return dropped;
  }

  /** The ids of the oldest segment, which goes, or of the oldest batch in memory. */
  #oldest(): string[] {
    const segment = this.#segments.oldest;
    const inMemory = this.#batches.oldestInMemory;
    if (inMemory !== undefined && (segment === undefined || inMemory.header.keptAt < segment.since)) {
      return [inMemory.header.id];
    }
    if (segment === undefined) throw new Error('nothing is held, and there is no room');
    const victims = [...segment.live.keys()];
    this.#segments.detach(segment);
    this.#writing.run(() => this.#segments.removeFile(segment)).catch(() => {});
    return victims;
  }

  async #lookAgain(): Promise<void> {
    if (this.#isClosed) return;
    const looked = await this.#look();
    if (looked.found.length > 0) this.#options.onFound(looked.found);
    const error = looked.error ?? (await this.#writing.run(() => this.#catchUp()));
    if (error === undefined) this.#comeUp();
    else this.#goDown(error);
    for (const refusal of this.#refusals.splice(0)) this.#log.errorOnce(refusal);
  }

  async #beat(): Promise<void> {
    await this.#segments.touch();
    if (!this.#segments.hasFolders) this.#heartbeat.stop();
  }

  #goDown(error: unknown): void {
    if (this.#isDown) return;
    this.#isDown = true;
    if (error instanceof RefusedError) return;
    this.#log.warn(
      `the disk cannot be used: ${messageOf(error)}; new batches are kept in memory, and the disk is tried again each minute`,
    );
  }

  #comeUp(): void {
    if (!this.#isDown) return;
    this.#isDown = false;
    this.#log.info('the disk can be used again');
  }
}
