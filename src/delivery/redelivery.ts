import type { BreakerInternals, TimedPermit } from '../breaker/breaker-internals.ts';
import type { Clock } from '../breaker/clock.ts';
import type { CircuitState } from '../breaker/snapshot.ts';
import type { AnswerKind, CallTarget } from './export-call.ts';
import { ExportCall } from './export-call.ts';
import type { ExportResultLike } from './exporter-contract.ts';
import { SUCCESS, withError } from './exporter-contract.ts';
import type { RecentAnswers } from './recent-answers.ts';
import type { RedeliveryOutcome } from './redelivery-schedule.ts';
import { RedeliverySchedule } from './redelivery-schedule.ts';
import type { Retention } from './retention.ts';
import type { Entry } from './retention-index.ts';
import type { CompleteRetentionOptions } from './retention-options.ts';
import type { SettleHost } from './settle-call.ts';
import { isDelivered, settleCall } from './settle-call.ts';
import { withTracingSuppressed } from './suppress-tracing.ts';

/** What redelivery needs of the exporter that it belongs to. */
export interface RedeliveryHost<T> extends SettleHost {
  readonly clock: Clock;
  readonly circuit: BreakerInternals;
  readonly retention: Retention<T>;
  readonly recent: RecentAnswers;
  /** The inner exporter. */
  readonly target: Omit<CallTarget<T>, 'answered'>;
  state(): CircuitState;
  /** How many batches are handed over and unanswered. */
  handedOver(): number;
}

/** Sends kept batches again, as its schedule says. */
export class Redelivery<T> {
  readonly schedule: RedeliverySchedule;
  readonly #host: RedeliveryHost<T>;
  readonly #target: CallTarget<T>;

  constructor(host: RedeliveryHost<T>, options: Pick<CompleteRetentionOptions<T>, 'pace' | 'idleMillis'>) {
    const { clock, circuit, retention } = host;
    this.#host = host;
    this.#target = {
      ...host.target,
      answered: (call, result, kind) => this.#answered(call, result, kind),
    };
    this.schedule = new RedeliverySchedule(
      {
        clock,
        index: retention.index,
        state: host.state,
        forced: () => circuit.forced(),
        acquireProbe: (items) => circuit.acquireUnasked(items, clock.now()),
        handedOver: host.handedOver,
        dropExpired: () => retention.dropExpired(),
        send: (entry, probe) => this.#send(entry, probe),
      },
      options,
    );
  }

  /** @param probe - its permit, if it is a probe on behalf of an idle service */
  #send(entry: Entry, probe: TimedPermit | undefined): void {
    const { circuit, clock, retention } = this.#host;
    retention.read(
      entry,
      (batch) => {
        // Much may have happened while the store was busy.
        if (!this.schedule.mayStillSend(entry, probe)) {
          probe?.ignore();
          retention.putBack(entry, batch);
          this.schedule.settled(entry, 'went on');
          return;
        }
        const at = clock.now();
        const permit = probe ?? circuit.acquirePast(entry.items, at);
        // The store's time is not the backend's.
        permit.startedAt = at;
        entry.wasSent = true;
        const call = new ExportCall<T>(this.#target, batch, entry.items, permit, undefined, entry);
        withTracingSuppressed(() => call.start());
      },
      (outcome) => {
        probe?.ignore();
        this.schedule.settled(entry, outcome);
      },
    );
  }

  #answered(call: ExportCall<T>, result: ExportResultLike, kind: AnswerKind): void {
    const { retention, recent, clock } = this.#host;
    const { permit, batch } = call;
    const entry = call.entry as Entry;
    const told = result.code === SUCCESS ? result : withError(result, this.#target.who);
    const classification = settleCall(this.#host, recent, call, result, told, kind, clock.now());
    let outcome: RedeliveryOutcome = 'went on';
    // Otherwise it has been delivered by a late answer, or given up at shutdown.
    if (entry.state === 'sending') {
      if (isDelivered(result, classification)) {
        retention.redelivered(entry);
      } else if (classification === 'invalid') {
        retention.evictAtHand(entry, batch, 'invalid');
      } else if (permit.probe) {
        retention.putBack(entry, batch);
        if (classification === 'failure') outcome = 'failed probe';
      } else {
        retention.redeliveryFailed(entry, batch);
        outcome = 'failed';
      }
    }
    this.schedule.settled(entry, outcome);
  }
}
