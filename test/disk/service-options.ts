/** What a service of these tests does, in its environment as JSON. */
export interface ServiceOptions {
  /** The directory of the disk store. */
  readonly directory: string;
  /** Where the spans go. */
  readonly url: string;
  /** The attribute `n` of its first span. */
  readonly firstSpan: number;
  /** Makes a batch of so many spans every `everyMillis`; 0: makes none, and delivers what it finds. */
  readonly batchSize: number;
  readonly everyMillis: number;
  readonly sync?: 'batch' | 'none';
  readonly maxBytes?: number;
  readonly handOverMillis?: number;
  /** @defaultValue 'traces' */
  readonly name?: string;
}

/** The variable that has the options. */
export const OPTIONS_VARIABLE = 'DISK_SERVICE';
