/** What a cell found out. */
export interface CellReport {
  /** Read at run time from what really ran: `node`, `sdk`, `api`, `exporter`, `manager`, … */
  readonly versions: Readonly<Record<string, string>>;
  /** One line about what was seen. */
  readonly detail?: string;
}

/** One combination that has to work. */
export interface Cell {
  /** Unique, and on the committed list `cells.txt`. */
  readonly name: string;
  /** @throws whatever is wrong; `CannotRun` where this machine lacks something */
  run(): Promise<CellReport>;
}

/** What became of a cell. */
export interface CellResult {
  readonly name: string;
  readonly outcome: 'passed' | 'failed' | 'skipped';
  readonly seconds: number;
  readonly report?: CellReport;
  /** Why it did not pass. */
  readonly problem?: string;
}

/** This machine lacks what the cell needs: a failure in CI, a visible skip elsewhere. */
export class CannotRun extends Error {
  override readonly name = 'CannotRun';
}

/** Does it once, at the first call; all callers wait for the same result, or for the same error. */
export function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => {
    made ??= make();
    return made;
  };
}

/** The same, once for each key. */
export function onceForEach<K, T>(make: (key: K) => Promise<T>): (key: K) => Promise<T> {
  const made = new Map<K, Promise<T>>();
  return (key) => {
    const before = made.get(key);
    if (before !== undefined) return before;
    const now = make(key);
    made.set(key, now);
    return now;
  };
}
