import type { BreakerInternals } from '../breaker/breaker-internals.ts';
import type { Clock } from '../breaker/clock.ts';
import type { CircuitState, Classification } from '../breaker/snapshot.ts';
import type { ProblemListener } from '../internal/report-problem.ts';
import { Deadlines } from './deadlines.ts';
import type { DeliverySnapshot, LossReason } from './delivery-snapshot.ts';
import { detachedClock } from './detached-clock.ts';
import type { AnswerKind, CallTarget } from './export-call.ts';
import { ExportCall } from './export-call.ts';
import type { ExporterLike, ExportResultLike, ResultCallback } from './exporter-contract.ts';
import { ACCEPTED, failure, owned, SUCCESS, withError } from './exporter-contract.ts';
import type { ExporterInternals, Signal } from './exporter-internals.ts';
import { signalOf } from './exporter-internals.ts';
import type { Fallback } from './fallback.ts';
import { Ledger } from './ledger.ts';
import { RecentAnswers } from './recent-answers.ts';
import { Redelivery } from './redelivery.ts';
import type { RedeliverySchedule } from './redelivery-schedule.ts';
import type { RetentionHost } from './retention.ts';
import { Retention } from './retention.ts';
import type { Entry } from './retention-index.ts';
import type { CompleteRetentionOptions } from './retention-options.ts';
import { isDelivered, settleCall } from './settle-call.ts';
import { Undelivered } from './undelivered.ts';
import { PROBE_ANSWER_MILLIS, WaitingCallers } from './waiting-callers.ts';

/** What the delivery needs of the exporter that it belongs to. */
export interface DeliveryHost<T> {
  readonly inner: ExporterLike<T>;
  /** The breaker's and the exporter's name. */
  readonly name: string;
  /** The exporter's name in errors. */
  readonly who: string;
  readonly retention: CompleteRetentionOptions<T> | undefined;
  readonly fallback: Fallback<T> | undefined;
  readonly exportTimeoutMillis: number;
  readonly clock: Clock;
  readonly circuit: BreakerInternals;
  readonly onError: ProblemListener;
  state(): CircuitState;
  uniqueId(): string;
  classify(result: ExportResultLike, durationMillis: number, items: number): Classification;
  /** The result for the caller of a rejected batch. */
  rejectedResult(): ExportResultLike;
  onLoss(reason: LossReason, batches: number, items: number, error: unknown): void;
  warn(message: string): void;
  report(message: string, error: unknown): void;
}

/**
 * What becomes of each batch, from the offer to its last account. A batch is sent, rejected or kept at once:
 *
 * | it is | and then | it goes |
 * | --- | --- | --- |
 * | sent | success | delivered |
 * | | failure, ignored, rejected | to retention; without room there, to the fallback; else it is lost |
 * | | invalid | to the fallback; else it is lost |
 * | | unanswered for longer than usual | it is handed over: its caller is answered, and it has a place in retention |
 * | handed over | success | delivered |
 * | | failure, ignored | kept in its place |
 * | | invalid | to the fallback; else it is lost |
 * | kept | sent again: success, also a late one | delivered |
 * | | sent again: failure, ignored | kept in its place; evicted after `maxAttempts` |
 * | | sent again: invalid | evicted |
 * | | too old, or in the way of a newer one | evicted |
 * | evicted | | to the fallback; else it is lost |
 * | with the fallback | accepted; not accepted | accepted; lost |
 */
export class Delivery<T> {
  readonly recent = new RecentAnswers();
  readonly #host: DeliveryHost<T>;
  readonly #ledger = new Ledger();
  readonly #undelivered: Undelivered<T>;
  readonly #live: CallTarget<T>;
  readonly #retention: Retention<T> | undefined;
  readonly #schedule: RedeliverySchedule | undefined;
  readonly #callers: WaitingCallers<T>;
  /** Calls that failed while the store had not yet taken their batch for a hand-over. */
  readonly #failedWhileStoring = new Map<ExportCall<T>, { reason: LossReason; result: ExportResultLike }>();
  /** `-Infinity` before the first offer. Always a number, so that V8 can update it in place. */
  #lastOfferedAt = Number.NEGATIVE_INFINITY;
  #signal: Signal | undefined;
  #ended = false;
  /** `shutdown()` has given up what was left, or leaves it in the store. */
  #isSurrendered = false;

  /** @throws what a store throws when it is opened */
  constructor(host: DeliveryHost<T>) {
    this.#host = host;
    this.#undelivered = new Undelivered<T>(host, this.#ledger);
    const { inner: exporter, who, onError, retention: options } = host;
    const clock = detachedClock(host.clock);
    const limitMillis = host.exportTimeoutMillis || Number.POSITIVE_INFINITY;
    const unanswered = new Deadlines<ExportCall<T>>(
      clock,
      () => limitMillis,
      (call) => call.expire(limitMillis),
    );
    const target = {
      exporter,
      who,
      onError,
      unanswered,
      deliveredLate: (call: ExportCall<T>) => this.#deliveredLate(call),
    };
    this.#live = { ...target, answered: (call, result, kind) => this.#liveAnswered(call, result, kind) };
    this.#callers = new WaitingCallers<T>(clock, this.recent, options?.handOverMillis ?? 0, {
      longerThanUsual: (call) => this.#tryHandOver(call),
      probeTooLong: (call) => this.#answerProbe(call),
    });
    if (options === undefined) return;
    const retention = new Retention<T>(this.#retentionHost(clock), options);
    this.#retention = retention;
    const { circuit, state } = host;
    const handedOver = (): number => this.#callers.handedOver;
    const { recent } = this;
    const { schedule } = new Redelivery<T>(
      { ...{ clock, circuit, retention, target, recent, state, handedOver }, classify: host.classify },
      options,
    );
    this.#schedule = schedule;
    schedule.changed();
  }

  /** When the oldest call began that the inner exporter has not answered, as a reading of the clock. */
  get oldestUnansweredAt(): number | undefined {
    return this.#live.unanswered.oldestStartedAt;
  }

  /** What the adapters for OpenTelemetry's own metrics need. */
  get internals(): ExporterInternals {
    return { signal: () => this.#signal, ledger: this.#ledger };
  }

  snapshot(): DeliverySnapshot {
    const at = this.#lastOfferedAt;
    return this.#ledger.snapshot(
      this.#host.name,
      at === Number.NEGATIVE_INFINITY ? null : this.#host.circuit.toUnixMillis(at),
    );
  }

  /** Finds what is overdue: no timer is trusted to fire. */
  look(at: number): void {
    // A caller waits only for a call that is unanswered.
    if (!this.#live.unanswered.isEmpty) {
      this.#live.unanswered.look(at);
      this.#callers.look(at);
    }
    this.#retention?.look(at);
    this.#host.fallback?.look(at);
  }

  /** A batch is offered after the shutdown: it is lost. */
  refuse(batch: T, items: number, at: number, error: Error): void {
    this.#offered(batch, items, at);
    this.#undelivered.lose(items, 'ended', error, false);
  }

  /** A batch is offered: it is sent, rejected, or kept at once. */
  offer(batch: T, items: number, at: number, callback: ResultCallback): void {
    this.#offered(batch, items, at);
    const isHeldBack = this.#callers.isBackendSilent(at) && this.#host.state() === 'CLOSED';
    if (isHeldBack) {
      this.#keepAtOnce(batch, items, callback);
    } else {
      this.#schedule?.payLate();
      this.#send(batch, items, at, callback);
    }
  }

  #send(batch: T, items: number, at: number, callback: ResultCallback): void {
    const permit = this.#host.circuit.acquire(items, at);
    if (permit === undefined) {
      this.#notDelivered(batch, items, 'rejected', this.#host.rejectedResult(), callback);
      return;
    }
    const call = new ExportCall<T>(this.#live, batch, items, permit, callback, undefined);
    call.start();
    if (!call.isConcluded) this.#callers.add(call);
  }

  /** The circuit has left CLOSED. */
  circuitOpened(): void {
    this.#retention?.circuitOpened();
    this.#schedule?.circuitOpened();
  }

  /** Sends what is kept now, while CLOSED. */
  async redeliver(): Promise<void> {
    await this.#schedule?.drain();
  }

  /** Resolves when all that is handed over now has been answered. */
  handedOverAnswered(): Promise<void> {
    return this.#callers.handedOverAnswered();
  }

  /** `shutdown()` has begun: nothing is handed over or kept from now on, and nothing sent again by itself. */
  end(): void {
    this.#ended = true;
    this.#undelivered.end();
    this.#retention?.end();
    this.#schedule?.end();
    this.#live.unanswered.end();
    this.#callers.end();
  }

  /** Whether what is kept outlives the process. */
  get isPersistent(): boolean {
    return this.#retention?.isPersistent ?? false;
  }

  /** Whether something is kept. */
  get hasKept(): boolean {
    return this.#retention !== undefined && this.#retention.index.kept > 0;
  }

  /** Whether any batch has a place: it is kept, handed over, or the store has not answered yet. */
  get hasLeftover(): boolean {
    return this.#retention !== undefined && this.#retention.index.batches > 0;
  }

  /** What is handed over is not waited for any more: it is kept, and can be sent again. */
  keepHandedOver(): void {
    // What is too old cannot be sent again, and is waited for to the end.
    this.#retention?.keepHandedOver((entry) => !this.#retention?.isExpired(entry));
    this.#callers.forgetHandedOver(({ entry }) => entry?.state !== 'handed over');
  }

  /** Sends what is kept past the circuit, and waits for what is handed over. */
  drainFinally(isTimeOver: () => boolean): Promise<void> {
    return this.#schedule?.drainFinally(isTimeOver) ?? Promise.resolve();
  }

  /**
   * Gives up what is left, to the fallback where there is one. A persistent store keeps it.
   *
   * @param isTimeOver - whether the fallback has had its time
   * @param inTime - waits for a promise until then
   */
  async surrender(
    isTimeOver: () => boolean,
    inTime: (answered: Promise<void>) => Promise<boolean>,
  ): Promise<void> {
    this.#schedule?.stop();
    this.#isSurrendered = true;
    if (this.isPersistent) {
      this.#retention?.keepHandedOver();
      return;
    }
    await this.#retention?.takeAll((entry, read) =>
      this.#undelivered.giveUp(entry, read, isTimeOver, inTime),
    );
  }

  /**
   * Gives up the live sendings that are unanswered and have no place in retention.
   *
   * @param withCaller - also those whose caller still waits; otherwise only probes whose caller has been answered
   */
  giveUpUnanswered(withCaller: boolean): void {
    for (const call of this.#live.unanswered.waiting()) {
      // A caller that was told of another one may have had it answered.
      if (call.isConcluded || call.entry !== undefined) continue;
      if (call.callback !== undefined && !withCaller) continue;
      call.abandon();
      this.#callers.remove(call);
      const result = failure(`${this.#host.who} gave no answer before the shutdown`);
      try {
        this.#notDelivered(call.batch, call.items, 'shutdown', result, undefined, call);
      } catch (error) {
        this.#host.report('a result callback threw', error);
      }
    }
  }

  /** Tells what the shutdown has given up, and releases the store. */
  async close(): Promise<void> {
    this.#undelivered.sumUp();
    await this.#retention?.close();
  }

  /** The store has not been released in time: what it has not taken is given up. */
  abandonStore(): void {
    this.#retention?.abandonStore();
    this.giveUpUnanswered(true);
  }

  #offered(batch: T, items: number, at: number): void {
    this.#signal ??= signalOf(batch);
    this.#ledger.offer(items);
    this.#lastOfferedAt = at;
    this.#schedule?.offered(at);
    this.look(at);
  }

  /** Keeps a batch without sending it: what a hanging backend sees stays bounded. */
  #keepAtOnce(given: T, items: number, callback: ResultCallback): void {
    const batch = owned(given);
    this.#retention?.place(
      batch,
      items,
      undefined,
      (entry) => this.#keep(entry, batch, callback),
      () => {
        const result = failure(`${this.#host.who} was shut down`);
        if (this.#ended) this.#undelivered.passOn(batch, items, 'shutdown', result, callback, false);
        else this.#send(given, items, this.#host.clock.now(), callback);
      },
    );
  }

  /** A probe must not hold up a processor: its caller is answered as that of a rejected batch. */
  #answerProbe(call: ExportCall<T>): void {
    this.#tryHandOver(call);
    // No retention, or no room.
    if (call.entry !== undefined || call.callback === undefined) return;
    call.ownBatch();
    call.tellCallerAlone(this.#host.rejectedResult());
  }

  /** The sending takes longer than usual: its caller is answered, and the batch gets its place. */
  #tryHandOver(call: ExportCall<T>): void {
    if (this.#retention === undefined || this.#ended) return;
    if (call.callback === undefined || call.entry !== undefined || call.items === 0) return;
    const { items } = call;
    const batch = call.ownBatch();
    this.#retention.place(
      batch,
      items,
      call,
      (entry) => {
        this.#failedWhileStoring.delete(call);
        // After the shutdown nobody waits for what is handed over.
        if (call.isConcluded || this.#isSurrendered) this.#keep(entry, batch, call.takeCallback());
        else this.#handOver(call, entry);
      },
      () => {
        const failure = this.#failedWhileStoring.get(call);
        this.#failedWhileStoring.delete(call);
        if (failure !== undefined) {
          this.#undelivered.passOn(batch, items, failure.reason, failure.result, call.takeCallback(), true);
        } else if (call.permit.probe && this.#hasWaitedAsProbe(call)) {
          call.tellCallerAlone(this.#host.rejectedResult());
        }
      },
    );
  }

  #hasWaitedAsProbe({ permit }: ExportCall<T>): boolean {
    return this.#host.clock.now() - permit.startedAt >= PROBE_ANSWER_MILLIS;
  }

  #handOver(call: ExportCall<T>, entry: Entry): void {
    this.#retention?.index.move(entry, 'handed over');
    this.#callers.handOver(call);
    call.tellCallerAlone(ACCEPTED);
    // The others are handed over sooner from now on.
    this.#callers.look(this.#host.clock.now());
  }

  /** The inner exporter has answered a live sending, or its time is over. */
  #liveAnswered(call: ExportCall<T>, result: ExportResultLike, kind: AnswerKind): void {
    const { permit, items, entry } = call;
    const at = this.#host.clock.now();
    const told = result.code === SUCCESS ? result : withError(result, this.#host.who);
    // First of all, because a listener of the circuit may offer batches, which look for callers that wait too long.
    this.#callers.remove(call);
    const classification = settleCall(this.#host, this.recent, call, result, told, kind, at);
    const delivered = isDelivered(result, classification);
    if (classification === 'success') {
      const durationMillis = Math.max(0, at - permit.startedAt);
      this.recent.liveSucceeded(durationMillis);
      this.#undelivered.liveSucceeded();
      this.#schedule?.liveSucceeded(durationMillis);
    }
    try {
      if (entry !== undefined) this.#placedAnswered(call, entry, told, delivered, classification);
      else if (delivered) this.#delivered(call, told);
      else this.#notDelivered(call.batch, items, lossReason(classification), told, undefined, call);
    } finally {
      // The others may wait for less than before.
      if (classification === 'success' && !this.#live.unanswered.isEmpty) this.#callers.look(at);
      this.#schedule?.pump();
    }
  }

  #delivered(call: ExportCall<T>, result: ExportResultLike): void {
    this.#ledger.deliver(call.items);
    call.tellCaller(result);
  }

  /** The same for a batch that has a place: handed over, or `storing`, where the caller waits for the store's answer. */
  #placedAnswered(
    call: ExportCall<T>,
    entry: Entry,
    result: ExportResultLike,
    delivered: boolean,
    classification: Classification,
  ): void {
    if (entry.state === 'gone') return;
    if (entry.state === 'waiting' || entry.state === 'sending') {
      // It was not waited for at shutdown, and kept.
      if (delivered) this.#deliveredLate(call);
    } else if (delivered) {
      this.#retention?.release(entry);
      this.#delivered(call, result);
    } else if (classification === 'invalid') {
      this.#retention?.release(entry);
      this.#undelivered.passOn(call.batch, call.items, 'invalid', result, call.takeCallback(), true);
    } else if (entry.state === 'handed over') {
      this.#retention?.keep(entry, call.batch);
    } else {
      this.#failedWhileStoring.set(call, { reason: lossReason(classification), result });
    }
  }

  /** A call that had timed out was answered with SUCCESS after all. */
  #deliveredLate(call: ExportCall<T>): void {
    const { entry } = call;
    this.recent.answered(this.#host.clock.now(), 'success');
    if (entry === undefined || entry.state === 'gone') return;
    if (entry.state === 'storing') {
      this.#failedWhileStoring.delete(call);
      this.#retention?.release(entry);
      this.#ledger.deliver(call.items);
      call.tellCallerAlone(ACCEPTED);
    } else {
      this.#retention?.redelivered(entry);
    }
    this.#schedule?.pump();
  }

  /**
   * A batch did not get through: down the cascade.
   *
   * @param callback - the caller of a batch that was not sent
   * @param call - the call of one that was, with its caller
   */
  #notDelivered(
    given: T,
    items: number,
    reason: LossReason,
    result: ExportResultLike,
    callback: ResultCallback | undefined,
    call?: ExportCall<T>,
  ): void {
    if (reason !== 'invalid' && this.#retention !== undefined) {
      this.#keepIfRoom(this.#retention, owned(given), items, reason, result, callback, call);
      return;
    }
    const wasSent = call !== undefined;
    this.#undelivered.passOn(given, items, reason, result, callback ?? call?.takeCallback(), wasSent);
  }

  /** Apart from the above, because its closures would cost a batch something that is not kept. */
  #keepIfRoom(
    retention: Retention<T>,
    batch: T,
    items: number,
    reason: LossReason,
    result: ExportResultLike,
    callback: ResultCallback | undefined,
    call: ExportCall<T> | undefined,
  ): void {
    const takeCallback = (): ResultCallback | undefined => callback ?? call?.takeCallback();
    retention.place(
      batch,
      items,
      call,
      (entry) => this.#keep(entry, batch, takeCallback()),
      () => this.#undelivered.passOn(batch, items, reason, result, takeCallback(), call !== undefined),
    );
  }

  #keep(entry: Entry, batch: T, callback: ResultCallback | undefined): void {
    this.#retention?.keep(entry, batch);
    callback?.(ACCEPTED);
  }

  #retentionHost(clock: Clock): RetentionHost<T> {
    const { name, circuit, fallback, uniqueId, warn, report } = this.#host;
    return {
      name,
      clock,
      ledger: this.#ledger,
      hasFallback: fallback !== undefined,
      toUnixMillis: (at) => circuit.toUnixMillis(at),
      uniqueId,
      passOn: (batch, items, reason, wasSent) =>
        this.#undelivered.passOn(batch, items, reason, ACCEPTED, undefined, wasSent),
      changed: () => this.#schedule?.changed(),
      warn,
      report,
    };
  }
}

/** A batch that was answered with `'success'` is not lost. */
function lossReason(classification: Classification): LossReason {
  return classification === 'success' ? 'failure' : classification;
}
