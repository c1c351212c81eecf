import type { Clock } from '../breaker/clock.ts';
import { openPromise } from '../internal/open-promise.ts';
import { Deadlines } from './deadlines.ts';
import type { ExportCall } from './export-call.ts';
import type { RecentAnswers } from './recent-answers.ts';

/** The caller of a probe is answered after this time: a probe must not hold up a processor. */
export const PROBE_ANSWER_MILLIS = 1_000;
/** With so many batches handed over, and nothing answered for so long, the backend hangs. */
const MOST_HANDED_OVER = 3;
const SILENCE_MILLIS = 1_000;

/** What becomes of a call whose caller has waited for long enough. */
export interface CallerListener<T> {
  /** The call takes longer than usual: it is to be handed over. */
  longerThanUsual(call: ExportCall<T>): void;
  /** The call is a probe that takes too long. */
  probeTooLong(call: ExportCall<T>): void;
}

/**
 * Live calls that the exporter has not answered: how long their callers wait for it, and which batches are handed over,
 * so that their callers wait no more.
 */
export class WaitingCallers<T> {
  readonly #recent: RecentAnswers;
  readonly #handOverMillis: number;
  readonly #handOvers: Deadlines<ExportCall<T>>;
  readonly #probes: Deadlines<ExportCall<T>>;
  readonly #handedOver = new Set<ExportCall<T>>();
  /** Each waits for the handed-over calls of its time. */
  readonly #flushes = new Set<(answered: ExportCall<T>) => void>();

  /** @param handOverMillis - the shortest time after which a call is handed over; 0 = never */
  constructor(clock: Clock, recent: RecentAnswers, handOverMillis: number, listener: CallerListener<T>) {
    this.#recent = recent;
    this.#handOverMillis = handOverMillis;
    this.#handOvers = new Deadlines<ExportCall<T>>(
      clock,
      () => (this.#handedOver.size > 0 ? handOverMillis : recent.longerThanUsual(handOverMillis)),
      (call) => listener.longerThanUsual(call),
    );
    this.#probes = new Deadlines<ExportCall<T>>(
      clock,
      () => PROBE_ANSWER_MILLIS,
      (call) => listener.probeTooLong(call),
    );
  }

  /** How many batches are handed over. */
  get handedOver(): number {
    return this.#handedOver.size;
  }

  /** Finds what is overdue. */
  look(at: number): void {
    this.#handOvers.look(at);
    this.#probes.look(at);
  }

  /** A call has no answer yet. */
  add(call: ExportCall<T>): void {
    const { startedAt, probe } = call.permit;
    if (this.#handOverMillis > 0) call.handOverWait = this.#handOvers.add(call, startedAt);
    if (probe) call.probeWait = this.#probes.add(call, startedAt);
  }

  /** A call has been answered. */
  remove(call: ExportCall<T>): void {
    if (call.handOverWait !== undefined) this.#handOvers.remove(call.handOverWait);
    if (call.probeWait !== undefined) this.#probes.remove(call.probeWait);
    if (this.#handedOver.size > 0) this.#handedOver.delete(call);
    if (this.#flushes.size > 0) for (const answered of [...this.#flushes]) answered(call);
  }

  /** A batch is handed over: from now on, the others are handed over sooner. */
  handOver(call: ExportCall<T>): void {
    this.#handedOver.add(call);
  }

  /** Whether the backend hangs, so that nothing more should be sent. */
  isBackendSilent(at: number): boolean {
    if (this.#handedOver.size < MOST_HANDED_OVER) return false;
    const [oldest] = this.#handedOver;
    return at - Math.max(this.#recent.lastAt, oldest?.permit.startedAt ?? at) >= SILENCE_MILLIS;
  }

  /** Resolves when all that is handed over now has been answered. */
  handedOverAnswered(): Promise<void> {
    const pending = new Set(this.#handedOver);
    if (pending.size === 0) return Promise.resolve();
    const { promise, resolve } = openPromise();
    const answered = (call: ExportCall<T>): void => {
      pending.delete(call);
      if (pending.size > 0) return;
      this.#flushes.delete(answered);
      resolve();
    };
    this.#flushes.add(answered);
    return promise;
  }

  /** Some of what is handed over is not waited for any more. */
  forgetHandedOver(isMeant: (call: ExportCall<T>) => boolean): void {
    for (const call of [...this.#handedOver]) if (isMeant(call)) this.#handedOver.delete(call);
  }

  /** Nothing is handed over from now on. */
  end(): void {
    this.#handOvers.end();
    this.#probes.end();
  }
}
