import type { Batch } from './otlp-batch.ts';
import type { SeenRun } from './seen.ts';
import { SeenNumbers } from './seen.ts';

/**
 * What became of the content of a request: `received` = stored and the success answered; `unanswered` = read, but the client
 * got no whole answer, so that a real backend may have stored it; `refused` = answered with an error.
 */
export type Outcome = 'received' | 'unanswered' | 'refused';

/** Something that happened to the receiver. The journal is a list of these, the statistics are their sum. */
export type LedgerEvent =
  | { readonly type: 'started'; readonly pid: number }
  | { readonly type: 'mode'; readonly mode: string }
  | { readonly type: 'connection-opened' | 'connection-closed' | 'request' | 'held' | 'released' }
  | { readonly type: 'ended'; readonly status: string; readonly outcome?: Outcome; readonly batch?: Batch };

/** Totals of what arrived with one {@link Outcome}. */
interface BatchStats {
  /** Requests whose content could be read. */
  readonly batches: number;
  readonly spans: number;
  readonly logs: number;
  readonly dataPoints: number;
  /** How often each attribute `n` of a span arrived, see {@link expandSeen}. */
  readonly seen: readonly SeenRun[];
  /** Different `n` of spans. */
  readonly distinct: number;
  /** Arrivals of spans' `n` beyond the first of each. */
  readonly duplicates: number;
  /** The same as `seen`, of log records. */
  readonly seenLogs: readonly SeenRun[];
  /** Items by span name, body of the log record, or metric name: the first 1,000 of them. */
  readonly names: Readonly<Record<string, number>>;
  /** Data points by `delta`, `cumulative`, and `none` for gauges and summaries. */
  readonly temporalities: Readonly<Record<string, number>>;
}

/** Everything the receiver knows, over all its lives; the fields of {@link BatchStats} at the top are what was received. */
export interface ReceiverStats extends BatchStats {
  readonly mode: string;
  /** Process id of the present or last life. */
  readonly pid: number;
  /** How often it was started. */
  readonly starts: number;
  /** Connections ever accepted. */
  readonly connections: number;
  readonly openConnections: number;
  /** Requests that began. */
  readonly requests: number;
  /** Requests waiting for `release`. */
  readonly held: number;
  /**
   * Requests that ended, by how: the HTTP status or gRPC code that was answered; `reset`; `unanswered` (by will);
   * `gone` (the client left before its answer). A request lost with a killed process is in none of them.
   */
  readonly byStatus: Readonly<Record<string, number>>;
  readonly unanswered: BatchStats;
  readonly refused: BatchStats;
}

const MAX_NAMES = 1_000;

class BatchTotals {
  #batches = 0;
  readonly #items = { traces: 0, logs: 0, metrics: 0 };
  readonly #spans = new SeenNumbers();
  readonly #logs = new SeenNumbers();
  readonly #names = new Map<string, number>();
  readonly #temporalities = new Map<string, number>();

  add({ signal, items, numbers, names, temporalities }: Batch): void {
    this.#batches += 1;
    this.#items[signal] += items;
    const seen = signal === 'traces' ? this.#spans : this.#logs;
    for (const number of numbers) seen.add(number);
    for (const [name, count] of Object.entries(names)) {
      if (this.#names.has(name) || this.#names.size < MAX_NAMES) increase(this.#names, name, count);
    }
    for (const [name, count] of Object.entries(temporalities)) increase(this.#temporalities, name, count);
  }

  stats(): BatchStats {
    return {
      batches: this.#batches,
      spans: this.#items.traces,
      logs: this.#items.logs,
      dataPoints: this.#items.metrics,
      seen: this.#spans.runs(),
      distinct: this.#spans.distinct,
      duplicates: this.#spans.duplicates,
      seenLogs: this.#logs.runs(),
      names: Object.fromEntries(this.#names),
      temporalities: Object.fromEntries(this.#temporalities),
    };
  }
}

/** Adds up events to statistics. */
export class Ledger {
  #mode = 'healthy';
  #pid = 0;
  #starts = 0;
  #connections = 0;
  #openConnections = 0;
  #requests = 0;
  #held = 0;
  readonly #byStatus = new Map<string, number>();
  readonly #totals = {
    received: new BatchTotals(),
    unanswered: new BatchTotals(),
    refused: new BatchTotals(),
  };

  apply(event: LedgerEvent): void {
    switch (event.type) {
      case 'started':
        this.#pid = event.pid;
        this.#starts += 1;
        // What the last life held open went with it.
        this.#openConnections = 0;
        this.#held = 0;
        break;
      case 'mode':
        this.#mode = event.mode;
        break;
      case 'connection-opened':
        this.#connections += 1;
        this.#openConnections += 1;
        break;
      case 'connection-closed':
        this.#openConnections -= 1;
        break;
      case 'request':
        this.#requests += 1;
        break;
      case 'held':
        this.#held += 1;
        break;
      case 'released':
        this.#held -= 1;
        break;
      case 'ended':
        increase(this.#byStatus, event.status, 1);
        if (event.outcome !== undefined && event.batch !== undefined)
          this.#totals[event.outcome].add(event.batch);
        break;
    }
  }

  stats(): ReceiverStats {
    return {
      mode: this.#mode,
      pid: this.#pid,
      starts: this.#starts,
      connections: this.#connections,
      openConnections: this.#openConnections,
      requests: this.#requests,
      held: this.#held,
      byStatus: Object.fromEntries(this.#byStatus),
      ...this.#totals.received.stats(),
      unanswered: this.#totals.unanswered.stats(),
      refused: this.#totals.refused.stats(),
    };
  }
}

function increase(counts: Map<string, number>, key: string, count: number): void {
  counts.set(key, (counts.get(key) ?? 0) + count);
}
