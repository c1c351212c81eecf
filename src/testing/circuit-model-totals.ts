/** Stands in an expectation where the contract leaves the value open. */
export const ANYTHING: unique symbol = Symbol('anything');

/** How a sending ended. */
export type Outcome = 'success' | 'failure' | 'invalid' | 'ignored';

/** An error as a snapshot shows it, as far as the contract says it. */
export interface ExpectedError {
  readonly name: unknown;
  readonly code: unknown;
  readonly message: unknown;
}

/** An error about which the contract says nothing but that there is one. */
export const SOME_ERROR: ExpectedError = { name: ANYTHING, code: ANYTHING, message: ANYTHING };

/** What a snapshot shows of an error that was given. */
export function expectedError(error: Error): ExpectedError {
  const code = (error as { code?: unknown }).code;
  return { name: error.name, code: code ?? null, message: error.message };
}

const DURATION_BOUNDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
const SIZE_BOUNDS = [1, 4, 16, 64, 256, 512, 1024, 4096];

function histogram(bounds: readonly number[]) {
  return { bounds, counts: new Array<number>(bounds.length + 1).fill(0), sum: 0, count: 0 };
}

function observe(into: ReturnType<typeof histogram>, value: number): void {
  const bucket = into.bounds.filter((bound) => bound < value).length;
  into.counts[bucket] = Number(into.counts[bucket]) + 1;
  into.sum += value;
  into.count += 1;
}

const noCounts = () => ({ success: 0, failure: 0, invalid: 0, ignored: 0, rejected: 0 });

/** The part of the model that only ever counts: nothing here is cleared by anything, and nothing decides anything. */
export class TotalsModel {
  readonly exports = noCounts();
  readonly items = noCounts();
  readonly probes = { success: 0, failure: 0 };
  readonly transitions: Record<string, number> = {
    'CLOSED->OPEN': 0,
    'OPEN->HALF_OPEN': 0,
    'HALF_OPEN->CLOSED': 0,
    'HALF_OPEN->OPEN': 0,
    'OPEN->CLOSED': 0,
  };
  readonly exportDurations = histogram(DURATION_BOUNDS);
  readonly batchSizes = histogram(SIZE_BOUNDS);
  lastFailure: (ExpectedError & { readonly at: number }) | null = null;
  lastInvalid: (ExpectedError & { readonly at: number }) | null = null;
  lastSuccessAt: number | null = null;

  /** A batch that the open circuit turned away. */
  rejected(items: number): void {
    this.exports.rejected += 1;
    this.items.rejected += items;
  }

  /** A batch that reached the inner exporter, once its end is known. */
  ended(outcome: Outcome, items: number, at: number, durationMillis: number, error: ExpectedError): void {
    this.exports[outcome] += 1;
    this.items[outcome] += items;
    observe(this.exportDurations, durationMillis / 1_000);
    observe(this.batchSizes, items);
    if (outcome === 'success') this.lastSuccessAt = at;
    if (outcome === 'failure') this.lastFailure = { ...error, at };
    if (outcome === 'invalid') this.lastInvalid = { ...error, at };
  }

  /** A probe, besides what {@link ended} counts; one that was ignored says nothing. */
  probed(outcome: Outcome): void {
    if (outcome === 'failure') this.probes.failure += 1;
    else if (outcome !== 'ignored') this.probes.success += 1;
  }

  /** A change of state. */
  changed(from: string, to: string): void {
    const key = `${from}->${to}`;
    this.transitions[key] = Number(this.transitions[key]) + 1;
  }
}
