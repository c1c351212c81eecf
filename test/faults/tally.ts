import { expandSeen, SeenNumbers } from '../support/receiver/seen.ts';
import type { Cell, CellOutcome } from './cell.ts';

/** Numbers of spans. */
type Reasons = Readonly<Record<string, number>>;

/** What became of a cell's spans, one by one. */
export interface Tally {
  readonly made: number;
  /** Spans for which the processor's queue had no room: never offered. */
  readonly dropped: number;
  /** Spans whose delivery the service knows of. */
  readonly delivered: number;
  /** Arrivals at the receiver beyond the first of each span, those that it did not answer included. */
  readonly duplicated: number;
  /** Spans in exports without an answer: those in flight while the fault lasted. */
  readonly unanswered: number;
  /** The most that was kept at a time. */
  readonly mostKept: number;
  /** Spans in the fallback's file. */
  readonly fallback: number;
  /** Given up, as the service says. */
  readonly lost: number;
  /** The same by reason, and what went to the fallback by reason. */
  readonly reasons: Reasons;
  readonly peakMegabytes: number;
  /** Numbers of the spans that the receiver has read and may have stored. */
  readonly arrived: ReadonlySet<number>;
  /** Numbers of the spans that the receiver answered with success. */
  readonly accepted: ReadonlySet<number>;
  /** Numbers of the spans in the file. */
  readonly inFile: ReadonlySet<number>;
}

/** Adds up what the processes said. */
export function tallyOf({ variant }: Cell, { report, stats, file }: CellOutcome): Tally {
  const { made, snapshot, sendings, mostKept, peakMegabytes } = report;
  const { delivery } = snapshot;
  const arrivals = new SeenNumbers();
  // Worst case: what was read and not answered has been stored.
  for (const runs of [stats.seen, stats.unanswered.seen]) {
    for (const [number, times] of expandSeen(runs)) {
      for (let time = 0; time < times; time += 1) arrivals.add(number);
    }
  }
  return {
    made,
    dropped: made - delivery.offered.items,
    delivered: delivery.delivered.items,
    duplicated: arrivals.duplicates,
    unanswered: sendings.unanswered.spans,
    mostKept,
    fallback: delivery.fallback.items,
    lost: delivery.lost.items,
    reasons: reasonsOf(report, variant !== 'none'),
    peakMegabytes,
    arrived: new Set(expandSeen(arrivals.runs()).keys()),
    accepted: new Set(expandSeen(sendings.accepted).keys()),
    inFile: new Set(file.flat()),
  };
}

/** Why spans were given up: retention's evictions, and of what it never kept, what the sending came to. */
function reasonsOf({ snapshot: { delivery, items } }: CellOutcome['report'], retains: boolean): Reasons {
  const { evicted, lost, fallback } = delivery;
  let reasons: Reasons;
  if (retains) {
    const evictions = Object.values(evicted).reduce((sum, count) => sum + count, 0);
    const refusedAlive = items.invalid - evicted.invalid;
    // What else it did not keep was answered when the shutdown had begun.
    const shutdown = lost.items + fallback.items - evictions - refusedAlive + evicted.shutdown;
    reasons = { ...evicted, invalid: items.invalid, shutdown };
  } else {
    reasons = { rejected: items.rejected, failed: items.failure, invalid: items.invalid };
  }
  return Object.fromEntries(Object.entries(reasons).filter(([, count]) => count !== 0));
}
