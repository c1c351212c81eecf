import type { BreakerInternals } from '../breaker/breaker-internals.ts';
import type { Clock } from '../breaker/clock.ts';
import type { CircuitState, Classification } from '../breaker/snapshot.ts';
import type { ProblemListener } from '../internal/report-problem.ts';
import type { Deadlines } from '../sending/deadlines.ts';
import type { ExporterLike, ExportResultLike } from '../sending/exporter-contract.ts';
import { ACCEPTED, SUCCESS, withError } from '../sending/exporter-contract.ts';
import type { Judge } from '../sending/judge.ts';
import { isDelivered } from '../sending/judge.ts';
import type { Route } from '../sending/sending.ts';
import { Sending } from '../sending/sending.ts';
import { withTracingSuppressed } from '../sending/suppress-tracing.ts';
import { settledWithin } from '../sending/within.ts';
import type { DeliverySnapshot } from './delivery-snapshot.ts';
import { Fallback } from './fallback.ts';
import { Ledger } from './ledger.ts';
import type { RedeliveryListener } from './redelivery.ts';
import { Redelivery } from './redelivery.ts';
import { Retention } from './retention.ts';
import type { CompleteRetentionOptions } from './retention-options.ts';

/** What the delivery needs of the exporter that it belongs to. */
export interface DeliveryHost<T> {
  readonly inner: ExporterLike<T>;
  /** What errors call it. */
  readonly who: string;
  readonly fallback: ExporterLike<T> | undefined;
  readonly retention: CompleteRetentionOptions | undefined;
  readonly clock: Clock;
  readonly circuit: BreakerInternals;
  readonly deadlines: Deadlines;
  readonly judge: Judge;
  readonly onError: ProblemListener;
  state(): CircuitState;
  /** One line for the operator. */
  warn(message: string): void;
}

/**
 * What becomes of a batch that does not get through: retention takes it, else the fallback, else it is lost. Each step is
 * there only when its option is.
 */
export class Delivery<T> {
  readonly #host: DeliveryHost<T>;
  readonly #ledger = new Ledger();
  readonly #fallback: Fallback<T> | undefined;
  readonly #retention: Retention<T> | undefined;
  readonly #redelivery: Redelivery<T> | undefined;

  constructor(host: DeliveryHost<T>) {
    this.#host = host;
    const { who, clock, circuit, deadlines, onError } = host;
    if (host.fallback !== undefined) {
      this.#fallback = new Fallback(
        host.fallback,
        `the fallback of ${who}`,
        clock,
        deadlines,
        this.#ledger,
        onError,
      );
    }
    if (host.retention === undefined) return;
    const retention = new Retention<T>(
      {
        clock,
        ledger: this.#ledger,
        passOn: (batch, items) => this.#passOn(batch, items, ACCEPTED, nobody),
        warn: (message) => host.warn(message),
      },
      host.retention,
    );
    this.#retention = retention;
    const route = redeliveryRoute(host);
    this.#redelivery = new Redelivery<T>(
      {
        clock,
        circuit,
        state: () => host.state(),
        send({ batch, items }, permit, settled) {
          const sending = new Sending(route, batch, items, permit.startedAt, permit, settled);
          withTracingSuppressed(() => sending.start());
        },
      },
      retention,
      host.retention,
    );
  }

  /** @param exporter - the exporter's name */
  snapshot(exporter: string): DeliverySnapshot {
    return this.#ledger.snapshot(exporter);
  }

  /** A batch was given to the exporter. */
  offer(items: number): void {
    this.#ledger.offer(items);
    this.#redelivery?.offered();
  }

  /** Gives up a batch that nothing is to be done for. */
  lose(items: number): void {
    this.#ledger.lose(items);
  }

  /**
   * A live batch was answered by the inner exporter. {@link resume} follows when its caller has been told.
   *
   * @param delivered - whether the backend has it; else {@link notDelivered} follows
   */
  settled(items: number, delivered: boolean, classification: Classification): void {
    if (delivered) this.#ledger.deliver(items);
    this.#redelivery?.liveSettled(classification);
  }

  /**
   * A batch did not get through: down the cascade.
   *
   * @param mayHelp - whether it may help to send it again
   * @param result - what its caller is told when there is nowhere to go with it
   * @param callback - its caller, who is told once, at once or when the fallback has answered
   */
  notDelivered(
    batch: T,
    items: number,
    mayHelp: boolean,
    result: ExportResultLike,
    callback: (result: ExportResultLike) => void,
  ): void {
    if (mayHelp && this.#retention !== undefined) {
      const kept = this.#retention.keep(batch, items);
      this.#redelivery?.keptChanged();
      if (kept) {
        callback(ACCEPTED);
        return;
      }
    }
    this.#passOn(batch, items, result, callback);
  }

  /** Sends what may be sent now. */
  resume(): void {
    this.#redelivery?.pump();
  }

  /** The circuit has left CLOSED. */
  circuitOpened(): void {
    this.#retention?.circuitOpened();
    this.#redelivery?.cancel();
  }

  /** Sends what is kept now, while CLOSED. */
  redeliver(): Promise<void> {
    return this.#redelivery?.redeliver() ?? Promise.resolve();
  }

  /** Nothing is kept from now on, and nothing sent again by itself. */
  end(): void {
    this.#retention?.end();
    this.#redelivery?.end();
  }

  /** Whether something is kept that {@link lastChance} could see to. */
  get leftover(): boolean {
    return this.#retention !== undefined && this.#retention.batches > 0;
  }

  /**
   * At shutdown: sends what is kept past the circuit; what is then left goes to the fallback, or is lost.
   *
   * @param millis - milliseconds for all of it
   */
  async lastChance(millis: number): Promise<void> {
    const endsAt = this.#host.clock.now() + millis;
    // A backend that hangs would otherwise use up the time of the fallback that is there for just that.
    await this.#sendLastChance(this.#fallback === undefined ? millis : millis / 2);
    const lost = await this.#surrender(endsAt);
    if (lost > 0) this.#host.warn(`${lost} items could not be delivered before the shutdown, and are lost`);
  }

  /** Resolves when the fallback has answered all that it was given. */
  fallbackIdle(): Promise<void> {
    return this.#fallback?.idle() ?? Promise.resolve();
  }

  async #sendLastChance(millis: number): Promise<void> {
    const { clock, circuit } = this.#host;
    const redelivery = this.#redelivery;
    if (redelivery === undefined) return;
    if (circuit.forced() !== 'OPEN') {
      await settledWithin(clock, millis, new Promise<void>((over) => redelivery.lastChance(over)));
    }
    redelivery.giveUp();
  }

  /** @returns how many items were lost */
  async #surrender(endsAt: number): Promise<number> {
    let fallback = this.#fallback;
    let lost = 0;
    for (const { batch, items } of this.#retention?.surrender() ?? []) {
      if (fallback === undefined) {
        this.#ledger.lose(items);
        lost += items;
        continue;
      }
      const answer = await fallback.sendUntil(endsAt, batch, items);
      if (answer?.code !== SUCCESS) lost += items;
      // One that was not answered has used up what time was left.
      if (answer === undefined) fallback = undefined;
    }
    return lost;
  }

  #passOn(
    batch: T,
    items: number,
    result: ExportResultLike,
    callback: (result: ExportResultLike) => void,
  ): void {
    if (this.#fallback === undefined) {
      this.#ledger.lose(items);
      callback(result);
    } else {
      this.#fallback.send(batch, items, callback);
    }
  }
}

/** Where kept batches go: to the inner exporter, on nobody's behalf. */
function redeliveryRoute<T>({
  inner,
  who,
  deadlines,
  onError,
  judge,
}: DeliveryHost<T>): Route<T, RedeliveryListener> {
  return {
    exporter: inner,
    who,
    deadlines,
    onError,
    settled({ permit, told }, result, given) {
      const classification = judge(result, given);
      const error = result.code === SUCCESS ? undefined : withError(result, who).error;
      permit?.settle(classification, error);
      told(isDelivered(result, classification), classification);
    },
  };
}

/** Whoever gave the batch was told long ago. */
function nobody(): void {}
