/** Consecutive numbers that arrived equally often: first, last, times. */
export type SeenRun = readonly [first: number, last: number, times: number];

/** Counts how often each number arrived. */
export class SeenNumbers {
  readonly #times = new Map<number, number>();
  #runs: readonly SeenRun[] | undefined;
  #duplicates = 0;

  add(number: number): void {
    const times = this.#times.get(number) ?? 0;
    this.#times.set(number, times + 1);
    if (times > 0) this.#duplicates += 1;
    this.#runs = undefined;
  }

  /** How many different numbers arrived. */
  get distinct(): number {
    return this.#times.size;
  }

  /** Arrivals beyond the first of each number. */
  get duplicates(): number {
    return this.#duplicates;
  }

  /** All of it, in order of the numbers. */
  runs(): readonly SeenRun[] {
    this.#runs ??= toRuns(this.#times);
    return this.#runs;
  }
}

/** How often each number arrived, one by one. */
export function expandSeen(runs: readonly SeenRun[]): Map<number, number> {
  const times = new Map<number, number>();
  for (const [first, last, count] of runs) {
    for (let number = first; number <= last; number += 1) times.set(number, count);
  }
  return times;
}

/** Which of the numbers from `first` to `last` never arrived. */
export function missingNumbers(runs: readonly SeenRun[], first: number, last: number): number[] {
  const seen = expandSeen(runs);
  const missing: number[] = [];
  for (let number = first; number <= last; number += 1) if (!seen.has(number)) missing.push(number);
  return missing;
}

function toRuns(times: ReadonlyMap<number, number>): SeenRun[] {
  const runs: [number, number, number][] = [];
  for (const [number, count] of [...times].sort(([a], [b]) => a - b)) {
    const run = runs.at(-1);
    if (run !== undefined && run[1] === number - 1 && run[2] === count) run[1] = number;
    else runs.push([number, number, count]);
  }
  return runs;
}
