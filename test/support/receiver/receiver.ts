import type { Exchange } from './exchange.ts';
import { appendToJournal } from './journal.ts';
import type { LedgerEvent, Outcome, ReceiverStats } from './ledger.ts';
import { Ledger } from './ledger.ts';
import type { Behaviour } from './mode.ts';
import { parseMode } from './mode.ts';
import type { Batch } from './otlp-batch.ts';

/** What the receiver does with requests, whatever the protocol: plays the mode and keeps the ledger. */
export class Receiver {
  readonly #ledger = new Ledger();
  readonly #lowestStatus: number;
  readonly #journal: number | undefined;
  readonly #held: (() => void)[] = [];
  #behaviour: Behaviour = { kind: 'healthy' };

  /**
   * @param lowestStatus - the smallest code that the protocol can answer: 100 for HTTP, 0 for gRPC
   * @param journal - file descriptor of the journal, where there is one
   */
  constructor(mode: string, lowestStatus: number, journal?: number) {
    this.#lowestStatus = lowestStatus;
    this.#journal = journal;
    this.#record({ type: 'started', pid: process.pid });
    this.setMode(mode);
  }

  stats(): ReceiverStats {
    return this.#ledger.stats();
  }

  /** Changes the behaviour for requests read from now on; those already hanging, held or trickling stay so. */
  setMode(mode: string): void {
    const behaviour = parseMode(mode);
    if (behaviour.kind === 'status' && !(behaviour.code >= this.#lowestStatus && behaviour.code <= 599)) {
      throw new RangeError(`no status of this protocol: ${behaviour.code}`);
    }
    this.#behaviour = behaviour;
    this.#record({ type: 'mode', mode });
  }

  /**
   * Stores and answers held requests, the oldest first.
   *
   * @returns how many
   */
  release(count = Number.POSITIVE_INFINITY): number {
    const released = this.#held.splice(0, count);
    for (const release of released) release();
    return released.length;
  }

  connectionOpened(): void {
    this.#record({ type: 'connection-opened' });
  }

  connectionClosed(): void {
    this.#record({ type: 'connection-closed' });
  }

  /** Deals with one request; never rejects. */
  async serve(exchange: Exchange): Promise<void> {
    this.#record({ type: 'request' });
    if (this.#behaviour.kind === 'reset') {
      this.#reset(exchange);
      return;
    }
    let batch: Batch | undefined;
    try {
      batch = await exchange.read();
    } catch {
      this.#end(String(exchange.invalidStatus));
      exchange.refuse(exchange.invalidStatus);
      return;
    }
    if (batch === undefined) this.#end('gone');
    else if (exchange.gone) this.#end('gone', 'unanswered', batch);
    else this.#play(this.#behaviour, exchange, batch);
  }

  #play(behaviour: Behaviour, exchange: Exchange, batch: Batch): void {
    switch (behaviour.kind) {
      case 'healthy':
        this.#succeed(exchange, batch);
        break;
      case 'latency':
        setTimeout(() => this.#succeed(exchange, batch), behaviour.millis);
        break;
      case 'hold':
        this.#hold(exchange, batch);
        break;
      case 'slow-trickle':
        this.#trickle(exchange, batch, behaviour.millis);
        break;
      case 'poison':
        if (batch.poisoned) this.#refuse(exchange, batch, exchange.invalidStatus);
        else this.#succeed(exchange, batch);
        break;
      case 'status':
        this.#refuse(exchange, batch, behaviour.code, behaviour.retryAfter);
        break;
      case 'hang':
        this.#end('unanswered', 'unanswered', batch);
        break;
      case 'reset-after-request':
        this.#end('unanswered', 'unanswered', batch);
        exchange.reset();
        break;
      case 'reset-after-headers':
        this.#end('unanswered', 'unanswered', batch);
        exchange.closeAfterHeaders();
        break;
      case 'reset':
        this.#reset(exchange);
        break;
    }
  }

  #succeed(exchange: Exchange, batch: Batch): void {
    if (exchange.gone) {
      this.#end('gone', 'unanswered', batch);
      return;
    }
    this.#end(String(exchange.successStatus), 'received', batch);
    exchange.succeed();
  }

  #trickle(exchange: Exchange, batch: Batch, millis: number): void {
    let received = false;
    exchange.onGone(() => {
      if (!received) this.#end('gone', 'unanswered', batch);
    });
    exchange.trickle(millis, () => {
      received = true;
      this.#end(String(exchange.successStatus), 'received', batch);
    });
  }

  #refuse(exchange: Exchange, batch: Batch, status: number, retryAfter?: string): void {
    this.#end(String(status), 'refused', batch);
    exchange.refuse(status, retryAfter);
  }

  #hold(exchange: Exchange, batch: Batch): void {
    this.#record({ type: 'held' });
    this.#held.push(() => {
      this.#record({ type: 'released' });
      this.#succeed(exchange, batch);
    });
  }

  #reset(exchange: Exchange): void {
    this.#end('reset');
    exchange.reset();
  }

  #end(status: string, outcome?: Outcome, batch?: Batch): void {
    this.#record({ type: 'ended', status, ...(outcome && batch && { outcome, batch }) });
  }

  #record(event: LedgerEvent): void {
    // First the journal: what is answered after this survives a SIGKILL.
    if (this.#journal !== undefined) appendToJournal(this.#journal, event);
    this.#ledger.apply(event);
  }
}
