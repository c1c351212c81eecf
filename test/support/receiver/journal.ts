import { readSync, writeSync } from 'node:fs';
import type { Ledger, LedgerEvent } from './ledger.ts';

/**
 * Appends an event, in one system call, to a file opened with `a+`. What is written outlives a SIGKILL the moment after:
 * the receiver writes before it answers, so that whatever a client saw answered is in the journal.
 */
export function appendToJournal(fileDescriptor: number, event: LedgerEvent): void {
  // Begins with the line break as well: a life that was killed while it wrote may have left half a line.
  const prefix = event.type === 'started' ? '\n' : '';
  writeSync(fileDescriptor, `${prefix}${JSON.stringify(event)}\n`);
}

/** Reads what a journal holds, as it grows, into a ledger. */
export class JournalReader {
  readonly #fileDescriptor: number;
  readonly #ledger: Ledger;
  readonly #chunk = Buffer.allocUnsafe(64 * 1024);
  #position = 0;
  #rest: Buffer = Buffer.alloc(0);

  constructor(fileDescriptor: number, ledger: Ledger) {
    this.#fileDescriptor = fileDescriptor;
    this.#ledger = ledger;
  }

  /** Applies all events written since the last call. */
  catchUp(): void {
    for (;;) {
      const length = readSync(this.#fileDescriptor, this.#chunk, 0, this.#chunk.length, this.#position);
      if (length === 0) return;
      this.#position += length;
      const bytes = Buffer.concat([this.#rest, this.#chunk.subarray(0, length)]);
      const end = bytes.lastIndexOf('\n') + 1;
      for (const line of bytes.toString('utf8', 0, end).split('\n')) this.#read(line);
      this.#rest = Buffer.from(bytes.subarray(end));
    }
  }

  #read(line: string): void {
    if (line === '') return;
    let event: LedgerEvent;
    try {
      event = JSON.parse(line) as LedgerEvent;
    } catch {
      // Half a line of a life that was killed.
      return;
    }
    this.#ledger.apply(event);
  }
}
