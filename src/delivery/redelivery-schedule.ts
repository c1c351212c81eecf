import type { TimedPermit } from '../breaker/breaker-internals.ts';
import type { Clock } from '../breaker/clock.ts';
import type { CircuitState } from '../breaker/snapshot.ts';
import type { OpenPromise } from '../internal/open-promise.ts';
import { openPromise } from '../internal/open-promise.ts';
import { IdleTicks } from './idle-ticks.ts';
import { RedeliveryGrants } from './redelivery-grants.ts';
import type { Entry, RetentionIndex } from './retention-index.ts';
import type { CompleteRetentionOptions } from './retention-options.ts';

/** What the schedule needs of the exporter that it belongs to. */
export interface ScheduleHost {
  readonly clock: Clock;
  readonly index: RetentionIndex;
  state(): CircuitState;
  forced(): 'OPEN' | 'CLOSED' | null;
  acquireProbe(items: number): TimedPermit | undefined;
  /** How many batches are handed over and unanswered. */
  handedOver(): number;
  /** Gives up what was kept for too long. */
  dropExpired(): void;
  /** Sends a batch that has been moved to `sending`. {@link RedeliverySchedule.settled} follows, at once or later. */
  send(entry: Entry, probe: TimedPermit | undefined): void;
}

/** What a redelivery came to: the next one may follow, it failed, or there was nothing left to send. */
export type RedeliveryOutcome = 'went on' | 'failed' | 'failed probe' | 'nothing to send';

/** So many failures in a row end a drain. */
const FAILURES_OF_A_DRAIN = 3;

/** A demand to send all that is kept, as fast as it is answered; each batch once. */
interface Drain {
  readonly over: OpenPromise;
  /** The position of the newest batch that is meant. */
  readonly upTo: number;
  /** Batches tried after this try are done with. */
  readonly since: number;
  /** Failures in a row. */
  failures: number;
}

/** The drain at shutdown. It goes past the circuit, unless that is forced open. */
interface FinalDrain extends Drain {
  readonly isTimeOver: () => boolean;
}

/**
 * Decides which kept batch is sent next, and when: the oldest first, one at a time, and no faster than live traffic gets
 * through, so that a backend that has just recovered sees at most 1 + `pace` times its usual load. A batch that fails
 * lets all others go first, in a round, so that one poisoned batch starves none.
 */
export class RedeliverySchedule {
  readonly #host: ScheduleHost;
  readonly #ticks: IdleTicks;
  readonly #grants: RedeliveryGrants;
  #drains: Drain[] = [];
  #finalDrain: FinalDrain | undefined;
  #sending: Entry | undefined;
  /** Whether a grant or a tick has paid for what is being sent. */
  #isPaid = false;
  #pumping = false;
  #ended = false;
  #tries = 0;
  /** How often the circuit has left CLOSED: ever, and when the last batch was taken to be sent. */
  #openings = 0;
  #openingsAtSend = 0;
  /** Positions of the batches that failed last: the round goes on behind them. */
  #failedAt = Number.NEGATIVE_INFINITY;
  #failedProbeAt = Number.NEGATIVE_INFINITY;

  constructor(host: ScheduleHost, options: Pick<CompleteRetentionOptions, 'pace' | 'idleMillis'>) {
    this.#host = host;
    this.#grants = new RedeliveryGrants(options.pace, host.index);
    this.#ticks = new IdleTicks(host.clock, options.idleMillis, () => this.#tick());
  }

  /** A live batch was offered. */
  offered(at: number): void {
    this.#ticks.offered(at);
  }

  /** The number of kept batches has changed. */
  changed(): void {
    if (this.#ended) return;
    if (this.#host.index.kept === 0) this.#ticks.stop();
    else this.#ticks.start(this.#host.clock.now());
  }

  /** A live batch got through, in so many milliseconds. {@link pump} follows when its caller has been told. */
  liveSucceeded(durationMillis: number): void {
    if (!this.#ended && this.#host.state() === 'CLOSED') this.#grants.liveSucceeded(durationMillis);
  }

  /**
   * A live batch is about to be sent, or a tick stands in for one: sends what late successes have granted.
   *
   * @returns whether there was any
   */
  payLate(): boolean {
    if (!this.#grants.payLate()) return false;
    this.pump();
    return true;
  }

  /** The circuit has left CLOSED. */
  circuitOpened(): void {
    this.#openings++;
    this.#grants.limit(0);
    this.#failedProbeAt = Number.NEGATIVE_INFINITY;
    this.#endDrains(() => true);
  }

  /** Sends what is kept now, as fast as it is answered, until nothing is left or three in a row have failed; only while CLOSED. */
  drain(): Promise<void> {
    if (this.#host.state() !== 'CLOSED') return Promise.resolve();
    const drain = this.#newDrain(this.#host.index.lastPosition);
    this.#drains.push(drain);
    this.pump();
    return drain.over.promise;
  }

  /** Nothing is sent by grants or ticks from now on; what is being sent goes on. */
  end(): void {
    this.#ended = true;
    this.#ticks.stop();
    this.#grants.limit(0);
    this.#endDrains(() => true);
  }

  /**
   * Sends what is kept past the circuit, until nothing is left, three in a row have failed, or the time is over.
   *
   * @returns resolves when that is so, and nothing is being sent or handed over
   */
  drainFinally(isTimeOver: () => boolean): Promise<void> {
    // What the drain before has waited for in vain holds up nothing.
    if (this.#finalDrain !== undefined) this.#sending = undefined;
    this.#finalDrain = { ...this.#newDrain(Number.POSITIVE_INFINITY), isTimeOver };
    const { promise } = this.#finalDrain.over;
    this.pump();
    return promise;
  }

  /** Sends nothing more. */
  stop(): void {
    this.#finalDrain = undefined;
    this.#sending = undefined;
  }

  /** Sends what may be sent now. */
  pump(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    try {
      // A loop, because an exporter may answer at once, ten thousand times.
      while (this.#sending === undefined) {
        const next =
          this.#finalDrain === undefined ? this.#nextDue() : this.#nextOfFinalDrain(this.#finalDrain);
        if (next === undefined) break;
        this.#send(next);
      }
      this.#grants.limit();
    } finally {
      this.#pumping = false;
    }
  }

  /**
   * Whether a batch that is `sending` may still be sent, now that its content has been read.
   *
   * @param probe - its permit, if it is a probe
   */
  mayStillSend(entry: Entry, probe: TimedPermit | undefined): boolean {
    if (this.#sending !== entry) return false;
    if (probe !== undefined) return this.#host.state() === 'HALF_OPEN';
    if (this.#finalDrain !== undefined) return this.#host.forced() !== 'OPEN';
    return this.#host.state() === 'CLOSED' && this.#openings === this.#openingsAtSend;
  }

  /** A sending has ended; its entry has its new state. */
  settled(entry: Entry, outcome: RedeliveryOutcome): void {
    // Otherwise it was given up at shutdown.
    if (this.#sending !== entry) return;
    this.#sending = undefined;
    if (outcome === 'failed probe') {
      this.#failedProbeAt = entry.position;
    } else if (outcome === 'failed') {
      this.#failedAt = entry.position;
      this.#grants.limit(0);
      for (const drain of this.#allDrains()) drain.failures++;
      this.#endDrains(({ failures }) => failures >= FAILURES_OF_A_DRAIN);
    } else if (outcome === 'nothing to send') {
      // The next one is sent for it, unless the circuit has left CLOSED since, or the shutdown has begun.
      if (this.#isPaid && this.#openings === this.#openingsAtSend && !this.#ended) this.#grants.due++;
    } else {
      for (const drain of this.#allDrains()) drain.failures = 0;
    }
    this.pump();
  }

  #nextDue(): Entry | undefined {
    if (this.#grants.due === 0 && this.#drains.length === 0) return undefined;
    if (this.#host.state() !== 'CLOSED') return undefined;
    this.#host.dropExpired();
    this.#isPaid = false;
    const drained = this.#nextOfDrains();
    if (drained !== undefined || this.#grants.due === 0) return drained;
    const next = this.#nextInRound(this.#isDue());
    // A grant that finds nothing to send is void.
    if (next === undefined) this.#grants.due = 0;
    else this.#grants.due--;
    this.#isPaid = true;
    return next;
  }

  #nextOfDrains(): Entry | undefined {
    for (;;) {
      const [drain] = this.#drains;
      if (drain === undefined) return undefined;
      const next = this.#nextInRound((entry) => isOf(drain, entry));
      if (next !== undefined) return next;
      this.#endDrains((each) => each === drain);
    }
  }

  #nextOfFinalDrain(drain: FinalDrain): Entry | undefined {
    const { failures, isTimeOver } = drain;
    const isOver = failures >= FAILURES_OF_A_DRAIN || this.#host.forced() === 'OPEN' || isTimeOver();
    if (!isOver) this.#host.dropExpired();
    const next = isOver ? undefined : this.#nextInRound((entry) => isOf(drain, entry));
    if (next === undefined && this.#host.handedOver() === 0) drain.over.resolve();
    return next;
  }

  #nextInRound(meets: (entry: Entry) => boolean, behind = this.#failedAt): Entry | undefined {
    return this.#sendableAfter(behind, meets) ?? this.#sendableAfter(Number.NEGATIVE_INFINITY, meets);
  }

  /** What is sent without a demand waits for its time; a drain does not. */
  #isDue(): (entry: Entry) => boolean {
    const at = this.#host.clock.now();
    return ({ notBefore }) => notBefore <= at;
  }

  #sendableAfter(position: number, meets: (entry: Entry) => boolean): Entry | undefined {
    return this.#host.index.oldestAfter(position, (entry) => entry.state === 'waiting' && meets(entry));
  }

  /** Stands in for an export while the service is silent. */
  #tick(): void {
    if (this.#host.forced() !== null) return;
    this.#host.dropExpired();
    if (this.#sending === undefined) {
      if (this.#host.state() !== 'CLOSED') this.#tryProbe();
      else if (!this.payLate()) this.#sendOne();
    }
    this.pump();
  }

  #sendOne(): void {
    const next = this.#nextInRound(this.#isDue());
    this.#isPaid = true;
    if (next !== undefined) this.#send(next);
  }

  #tryProbe(): void {
    const next = this.#nextInRound(this.#isDue(), this.#failedProbeAt);
    if (next === undefined) return;
    this.#isPaid = false;
    // Held before the permit is asked for: a listener that hears of the probe may offer batches, which push others out.
    this.#hold(next);
    const permit = this.#host.acquireProbe(next.items);
    // No probe: a listener has closed the circuit by hand meanwhile, and only live traffic counts there.
    if (permit?.probe === true) {
      this.#host.send(next, permit);
    } else {
      permit?.ignore();
      this.#host.index.move(next, 'waiting');
      this.#sending = undefined;
    }
  }

  #send(entry: Entry): void {
    this.#hold(entry);
    this.#host.send(entry, undefined);
  }

  #hold(entry: Entry): void {
    this.#tries++;
    entry.lastTry = this.#tries;
    this.#sending = entry;
    this.#openingsAtSend = this.#openings;
    this.#host.index.move(entry, 'sending');
  }

  #newDrain(upTo: number): Drain {
    return { over: openPromise(), upTo, since: this.#tries, failures: 0 };
  }

  #allDrains(): readonly Drain[] {
    return this.#finalDrain === undefined ? this.#drains : [...this.#drains, this.#finalDrain];
  }

  #endDrains(ends: (drain: Drain) => boolean): void {
    const ended = this.#drains.filter(ends);
    this.#drains = this.#drains.filter((drain) => !ended.includes(drain));
    for (const { over } of ended) over.resolve();
  }
}

function isOf({ upTo, since }: Drain, entry: Entry): boolean {
  return entry.position <= upTo && entry.lastTry <= since;
}
