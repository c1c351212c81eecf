import type { Classification, ExportFacts, ProbeContext, ProbePolicy, TripPolicy } from '../index.ts';
import type { PermitModel } from './circuit-breaker-model.ts';
import { BreakerModel, failureOf, NO_ERROR } from './circuit-breaker-model.ts';
import {
  classifyAsTheContract,
  everyTenthOrAfterAPause,
  threeFailuresInARow,
} from './circuit-model-defaults.ts';
import type { Expectations, ExpectedResult, Failure } from './circuit-model-expectations.ts';
import { noExpectations } from './circuit-model-expectations.ts';
import type { ExpectedError, Outcome } from './circuit-model-totals.ts';
import { ANYTHING, SOME_ERROR } from './circuit-model-totals.ts';

/** The options of exporter and breaker that decide what the model predicts. */
export interface CircuitModelOptions {
  readonly name?: string | undefined;
  readonly tripPolicy?: TripPolicy | undefined;
  readonly probePolicy?: ProbePolicy | undefined;
  readonly successThreshold?: number | undefined;
  readonly exportTimeoutMillis?: number | undefined;
  readonly reportRejectedAs?: 'failure' | 'success' | undefined;
  // biome-ignore lint/suspicious/noExplicitAny: whatever type of result the user's classifier takes
  readonly classify?: ((result: any, facts: ExportFacts) => Classification) | undefined;
}

/** An export as the model sees it. */
export interface ExportModel {
  readonly id: number;
  /** Undefined if the open circuit rejected the batch: the inner exporter never saw it. */
  readonly permit: PermitModel | undefined;
  /** Whether its caller's callback throws. */
  readonly callbackThrows: boolean;
  /** When it times out. */
  readonly deadline: number;
  /** Whether it has been answered, or has timed out. */
  done: boolean;
  /** Whether the caller has been answered. */
  told: boolean;
  /** Whether the inner exporter has given an answer of some kind. */
  innerAnswered: boolean;
}

const CLASSIFICATIONS: readonly unknown[] = ['success', 'failure', 'invalid', 'ignored'];
const TIMED_OUT: ExpectedError = {
  name: 'ExportTimeoutError',
  code: 'ERR_EXPORT_TIMEOUT',
  message: ANYTHING,
};
/** The caller of a probe is answered after this time. */
const PROBE_ANSWER_MILLIS = 1_000;

/**
 * The independent model of a circuit breaker and its exporter: it follows the contract, and uses nothing of the code.
 * `circuitCommands` moves it and the real thing through the same steps, and compares them after each.
 */
export class CircuitModel {
  readonly breaker: BreakerModel;
  readonly exports: ExportModel[] = [];
  readonly permits: PermitModel[] = [];
  readonly reportRejectedAs: 'failure' | 'success';
  readonly name: string;
  /** How many commands have run. */
  commandsRun = 0;

  readonly #timeoutMillis: number;
  readonly #classify: (result: never, facts: ExportFacts) => unknown;
  /** Exports whose inner exporter returned a promise that is rejected, but not heard of yet. */
  #rejecting: { readonly call: ExportModel; readonly error: unknown }[] = [];

  constructor(options: CircuitModelOptions, now: number) {
    this.name = options.name ?? 'otlp';
    this.reportRejectedAs = options.reportRejectedAs ?? 'failure';
    this.#timeoutMillis = options.exportTimeoutMillis || Number.POSITIVE_INFINITY;
    if (options.exportTimeoutMillis === undefined) this.#timeoutMillis = 15_000;
    this.#classify = options.classify ?? classifyAsTheContract;
    this.breaker = new BreakerModel(
      {
        name: this.name,
        tripPolicy: options.tripPolicy ?? threeFailuresInARow,
        probePolicy: options.probePolicy ?? ((context: ProbeContext) => everyTenthOrAfterAPause(context)),
        successThreshold: options.successThreshold ?? 1,
        probeTimeoutMillis: Math.max(30_000, options.exportTimeoutMillis ?? 15_000),
      },
      now,
    );
  }

  /** What must have become visible since the last call. */
  takeExpectations(): Expectations {
    const { expected } = this.breaker.usersCode;
    this.breaker.usersCode.expected = noExpectations();
    return expected;
  }

  /** Exports that the inner exporter still holds: in flight, or timed out and not answered even late. */
  get held(): ExportModel[] {
    return this.exports.filter((call) => call.permit !== undefined && !call.innerAnswered);
  }

  /** Exports that the inner exporter has answered: it may answer them once more. */
  get answered(): ExportModel[] {
    return this.exports.filter((call) => call.innerAnswered);
  }

  /** An export arrives. */
  export(items: number, callbackThrows: boolean): ExportModel {
    const { breaker } = this;
    const permit = breaker.tryAcquire(items);
    const call: ExportModel = {
      id: this.exports.length,
      permit,
      callbackThrows,
      deadline: breaker.now + this.#timeoutMillis,
      done: permit === undefined,
      told: false,
      innerAnswered: false,
    };
    this.exports.push(call);
    if (permit === undefined) this.#tell(call, { kind: 'rejected', generation: breaker.generation });
    return call;
  }

  /** The inner exporter calls back. Returns whether the caller's callback is called by that. */
  innerAnswers(call: ExportModel, result: unknown): boolean {
    call.innerAnswered = true;
    if (call.done || call.permit === undefined) return false;
    if (result === undefined || result === null) return this.#fail(call, 'failure', undefined);
    const { code, error } = result as { code: unknown; error?: unknown };
    const carriesError = typeof (error as { message?: unknown } | undefined)?.message === 'string';
    const failure = code === 0 && !carriesError ? NO_ERROR : failureOf(error);
    this.#settle(call, this.#classified(result, call.permit), failure);
    const untouched = code === 0 || carriesError;
    return this.#tell(call, untouched ? { kind: 'same', result } : { kind: 'failed', error: SOME_ERROR });
  }

  /** The inner exporter throws: nothing was sent, unless it has answered before. */
  innerThrows(call: ExportModel, error: unknown): boolean {
    call.innerAnswered = true;
    // A throw after an answer can only be reported to `onError`.
    if (call.done) this.breaker.usersCode.mayReport();
    return this.#fail(call, 'unsent', error);
  }

  /** The inner exporter returns a promise that is rejected: nobody can know before the promise says so. */
  innerRejects(call: ExportModel, error: unknown): void {
    call.innerAnswered = true;
    this.#rejecting.push({ call, error });
  }

  /** The rejected promises are heard of. */
  settleRejections(): void {
    for (const { call, error } of this.#rejecting) this.#fail(call, 'failure', error);
    this.#rejecting = [];
  }

  /** Time passes. Exports time out, and callers of probes are answered, each at its own moment. */
  advance(millis: number): void {
    const until = this.breaker.now + millis;
    for (const { at, happens } of this.#events(until)) {
      this.breaker.now = at;
      happens();
    }
    this.breaker.now = until;
  }

  #events(until: number): { readonly at: number; happens(): void }[] {
    const events = this.exports.flatMap((call) => {
      if (call.permit === undefined || call.done) return [];
      const probeAnswerAt = call.permit.probe
        ? call.permit.startedAt + PROBE_ANSWER_MILLIS
        : Number.POSITIVE_INFINITY;
      return [
        { at: call.deadline, happens: () => this.#timeOut(call, probeAnswerAt) },
        { at: probeAnswerAt, happens: () => this.#answerProbe(call) },
      ];
    });
    return events.filter(({ at }) => at <= until).sort((a, b) => a.at - b.at);
  }

  #timeOut(call: ExportModel, probeAnswerAt: number): void {
    if (call.done) return;
    this.#settle(call, 'failure', { given: ANYTHING, expected: TIMED_OUT });
    if (call.deadline === probeAnswerAt) this.#tell(call, { kind: 'any' });
    else this.#tell(call, { kind: 'failed', error: TIMED_OUT });
  }

  #answerProbe(call: ExportModel): void {
    if (!call.done) this.#tell(call, { kind: 'rejected', generation: this.breaker.generation });
  }

  #fail(call: ExportModel, outcome: 'failure' | 'unsent', error: unknown): boolean {
    if (call.done || call.permit === undefined) return false;
    this.#settle(call, outcome, failureOf(error));
    return this.#tell(call, { kind: 'failed', error: SOME_ERROR });
  }

  #settle(call: ExportModel, outcome: Outcome, failure: Failure): void {
    call.done = true;
    if (call.permit !== undefined) this.breaker.settle(call.permit, outcome, failure);
  }

  #classified(result: unknown, { startedAt, items }: PermitModel): Classification {
    const { usersCode, now } = this.breaker;
    try {
      const classification = this.#classify(result as never, { durationMillis: now - startedAt, items });
      if (CLASSIFICATIONS.includes(classification)) return classification as Classification;
    } catch {
      // The same as no answer.
    }
    usersCode.mustReport();
    return 'failure';
  }

  /** @returns whether the callback is called: a caller is answered once */
  #tell(call: ExportModel, result: ExpectedResult): boolean {
    if (call.told) return false;
    call.told = true;
    this.breaker.usersCode.expected.answered.push({ id: call.id, result });
    return true;
  }
}
