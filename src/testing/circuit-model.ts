import type { Classification, ProbeContext, ProbePolicy, TripPolicy } from '../index.ts';
import type { PermitModel } from './circuit-breaker-model.ts';
import { BreakerModel, failureOf } from './circuit-breaker-model.ts';
import {
  classifyAsTheContract,
  everyTenthOrAfterAPause,
  threeFailuresInARow,
} from './circuit-model-defaults.ts';
import type { Expectations, ExpectedResult } from './circuit-model-expectations.ts';
import { noExpectations } from './circuit-model-expectations.ts';
import type { ExpectedError } from './circuit-model-totals.ts';
import { ANYTHING, SOME_ERROR } from './circuit-model-totals.ts';

/** The options of exporter and breaker that decide what the model predicts. */
export interface CircuitModelOptions {
  readonly name?: string | undefined;
  readonly tripPolicy?: TripPolicy | undefined;
  readonly probePolicy?: ProbePolicy | undefined;
  readonly successThreshold?: number | undefined;
  readonly exportTimeoutMillis?: number | undefined;
  readonly probeTimeoutMillis?: number | undefined;
  readonly reportRejectedAs?: 'failure' | 'success' | undefined;
  // biome-ignore lint/suspicious/noExplicitAny: whatever type of result the user's classifier takes
  readonly classify?: ((result: any) => Classification) | undefined;
}

/** An export as the model sees it. */
export interface ExportModel {
  readonly id: number;
  /** Undefined where the open circuit turned the batch away: the inner exporter never saw it. */
  readonly permit: PermitModel | undefined;
  /** Whether its caller's callback throws. */
  readonly callbackThrows: boolean;
  readonly deadline: number;
  /** Whether the caller has been answered. */
  done: boolean;
  /** Whether the inner exporter has given an answer of some kind. */
  innerAnswered: boolean;
}

const CLASSIFICATIONS: readonly unknown[] = ['success', 'failure', 'invalid', 'ignored'];
const TIMED_OUT: ExpectedError = {
  name: 'ExportTimeoutError',
  code: 'ERR_EXPORT_TIMEOUT',
  message: ANYTHING,
};

/**
 * The independent model of a circuit breaker and its exporter: what the contract says, and nothing taken from the code.
 * `circuitCommands` moves it and the real thing through the same steps and compares them after each.
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
  readonly #classify: (result: never) => unknown;
  /** Exports whose inner exporter returned a promise that is rejected, but not heard of yet. */
  #rejecting: { readonly call: ExportModel; readonly error: unknown }[] = [];

  constructor(options: CircuitModelOptions, now: number) {
    this.name = options.name ?? 'otlp';
    this.reportRejectedAs = options.reportRejectedAs ?? 'failure';
    this.#timeoutMillis = options.exportTimeoutMillis ?? 15_000;
    this.#classify = options.classify ?? classifyAsTheContract;
    this.breaker = new BreakerModel(
      {
        name: this.name,
        tripPolicy: options.tripPolicy ?? threeFailuresInARow,
        probePolicy: options.probePolicy ?? ((context: ProbeContext) => everyTenthOrAfterAPause(context)),
        successThreshold: options.successThreshold ?? 1,
        probeTimeoutMillis: options.probeTimeoutMillis ?? Math.max(30_000, this.#timeoutMillis),
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

  /** Exports of which the caller has no answer yet. */
  get inFlight(): ExportModel[] {
    return this.exports.filter((call) => !call.done);
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
    const startedAt = breaker.now;
    const permit = breaker.tryAcquire(items);
    const call: ExportModel = {
      id: this.exports.length,
      permit,
      callbackThrows,
      deadline: this.#timeoutMillis === 0 ? Number.POSITIVE_INFINITY : startedAt + this.#timeoutMillis,
      done: false,
      innerAnswered: false,
    };
    this.exports.push(call);
    if (permit === undefined) this.#tell(call, { kind: 'rejected', generation: breaker.generation });
    return call;
  }

  /** The inner exporter calls back. Answers whether the caller's callback is called by that. */
  innerAnswers(call: ExportModel, result: unknown): boolean {
    call.innerAnswered = true;
    if (call.done || call.permit === undefined) return false;
    if (result === undefined || result === null) return this.#fail(call, undefined);
    const { code, error } = result as { code: unknown; error?: unknown };
    this.breaker.settle(call.permit, this.#judge(result), failureOf(error));
    const tellsWhy = typeof (error as { message?: unknown } | undefined)?.message === 'string';
    const untouched = code === 0 || tellsWhy;
    return this.#tell(call, untouched ? { kind: 'same', result } : { kind: 'failed', error: SOME_ERROR });
  }

  /** The inner exporter throws. */
  innerThrows(call: ExportModel, error: unknown): boolean {
    call.innerAnswered = true;
    // A throw after an answer has nobody to tell but `onError`, if that.
    if (call.done) this.breaker.usersCode.mayReport();
    return this.#fail(call, error);
  }

  /** The inner exporter returns a promise that is rejected: nobody can know before the promise says so. */
  innerRejects(call: ExportModel, error: unknown): void {
    call.innerAnswered = true;
    this.#rejecting.push({ call, error });
  }

  /** The rejected promises are heard of. */
  settleRejections(): void {
    for (const { call, error } of this.#rejecting) this.#fail(call, error);
    this.#rejecting = [];
  }

  /** Time passes, and exports time out, each at its own moment. */
  advance(millis: number): void {
    const until = this.breaker.now + millis;
    for (const call of this.inFlight) {
      if (call.deadline > until || call.permit === undefined) continue;
      this.breaker.now = call.deadline;
      this.breaker.settle(call.permit, 'failure', { given: ANYTHING, expected: TIMED_OUT });
      this.#tell(call, { kind: 'failed', error: TIMED_OUT });
    }
    this.breaker.now = until;
  }

  #fail(call: ExportModel, error: unknown): boolean {
    if (call.done || call.permit === undefined) return false;
    this.breaker.settle(call.permit, 'failure', failureOf(error));
    return this.#tell(call, { kind: 'failed', error: SOME_ERROR });
  }

  #judge(result: unknown): Classification {
    try {
      const classification = this.#classify(result as never);
      if (CLASSIFICATIONS.includes(classification)) return classification as Classification;
      this.breaker.usersCode.mayReport();
    } catch {
      this.breaker.usersCode.mustReport();
    }
    return 'failure';
  }

  #tell(call: ExportModel, result: ExpectedResult): true {
    call.done = true;
    this.breaker.usersCode.expected.answered.push({ id: call.id, result });
    return true;
  }
}
