import type { Clock } from '../../../src/breaker/clock.ts';
import type { ExporterLike } from '../../../src/delivery/exporter-contract.ts';
import type { CircuitTransition, ProbeContext } from '../../../src/index.ts';
import { CircuitBreakerExporter } from '../../../src/index.ts';
import type { Batch } from './batch.ts';
import type { Amount } from './batch-processor.ts';
import { BatchProcessor } from './batch-processor.ts';
import { exporterOptions } from './exporter-options.ts';
import type { Settings } from './settings.ts';
import { SimulatedBackend } from './simulated-backend.ts';

/** Where the spans are that were made so far. `offered` is the sum of the others. */
export interface Account {
  readonly offered: Amount;
  readonly delivered: Amount;
  readonly fallback: Amount;
  readonly kept: Amount;
  readonly lost: Amount;
  /** In the processor's queue, or with the exporter. */
  readonly waiting: Amount;
}

/** One way from the application to the backend. */
export interface Lane {
  /** Exports that have reached the backend. */
  readonly requests: number;
  add(batch: Batch): void;
  account(): Account;
}

/** A state change, with what is needed to say why it happened. */
export interface RecordedTransition extends CircuitTransition {
  /** What the probe policy was asked when it said yes. */
  readonly question: ProbeContext | undefined;
  /** Whether a batch of the application was being exported; otherwise a timer brought it about. */
  readonly live: boolean;
  /** Failures in a row up to now. */
  readonly failures: number;
  readonly account: Account;
}

/** A batch processor, the exporter and the backend, without a circuit breaker. */
export class BareLane implements Lane {
  readonly #backend: SimulatedBackend;
  readonly #processor: BatchProcessor;
  readonly #offered: Amount = nothing();
  readonly #itemsOfBatch: number;

  constructor(clock: Clock, settings: Settings) {
    this.#backend = new SimulatedBackend(clock, settings);
    this.#processor = new BatchProcessor(this.#backend, settings.spans, settings.queue);
    this.#itemsOfBatch = settings.spans;
  }

  get requests(): number {
    return this.#backend.requests;
  }

  add(batch: Batch): void {
    count(this.#offered, this.#itemsOfBatch);
    this.#processor.add(batch);
  }

  account(): Account {
    const { succeeded, failed, dropped } = this.#processor;
    return balanced(this.#offered, {
      delivered: { ...succeeded },
      fallback: nothing(),
      kept: nothing(),
      lost: sum(failed, dropped),
    });
  }
}

/** The same with the exporter in a circuit breaker: the library itself, on the clock of the simulation. */
export class GuardedLane implements Lane {
  readonly exporter: CircuitBreakerExporter<Batch>;
  readonly transitions: RecordedTransition[] = [];
  readonly #backend: SimulatedBackend;
  readonly #processor: BatchProcessor;
  readonly #offered: Amount = nothing();
  readonly #itemsOfBatch: number;
  #question: ProbeContext | undefined;
  #exporting = 0;

  constructor(clock: Clock, settings: Settings) {
    this.#itemsOfBatch = settings.spans;
    this.#backend = new SimulatedBackend(clock, settings);
    const { tripPolicy, probePolicy, retention } = exporterOptions(settings);
    this.exporter = new CircuitBreakerExporter<Batch>(this.#backend, {
      clock,
      random: () => 0.5,
      tripPolicy,
      probePolicy: (context) => {
        const answer = probePolicy(context);
        // A copy, because the breaker uses one object for all questions.
        if (answer) this.#question = { ...context };
        return answer;
      },
      retention,
      fallback: settings.fallback ? accepting : undefined,
    });
    this.exporter.breaker.onTransition((transition) => this.#record(transition));
    const live: Pick<ExporterLike<Batch>, 'export'> = {
      export: (batch, resultCallback) => {
        this.#exporting++;
        this.exporter.export(batch, resultCallback);
        this.#exporting--;
      },
    };
    this.#processor = new BatchProcessor(live, settings.spans, settings.queue);
  }

  get requests(): number {
    return this.#backend.requests;
  }

  /** Whether retention has given something up to make room. */
  get hasOverflowed(): boolean {
    return this.exporter.snapshot().delivery.evicted.full > 0;
  }

  add(batch: Batch): void {
    count(this.#offered, this.#itemsOfBatch);
    this.#processor.add(batch);
  }

  account(): Account {
    const { delivered, fallback, kept, lost } = this.exporter.snapshot().delivery;
    return balanced(this.#offered, {
      delivered,
      fallback,
      kept,
      lost: sum(lost, this.#processor.dropped),
    });
  }

  #record(transition: CircuitTransition): void {
    this.transitions.push({
      ...transition,
      question: transition.to === 'HALF_OPEN' ? this.#question : undefined,
      live: this.#exporting > 0,
      failures: this.exporter.snapshot().consecutiveFailures,
      account: this.account(),
    });
  }
}

const accepting: ExporterLike<Batch> = {
  export: (_batch, resultCallback) => resultCallback({ code: 0 }),
  async shutdown() {},
};

/** Whatever is in no other account waits. */
function balanced(offered: Amount, parts: Omit<Account, 'offered' | 'waiting'>): Account {
  const waiting = { ...offered };
  for (const { batches, items } of Object.values(parts)) {
    waiting.batches -= batches;
    waiting.items -= items;
  }
  return { offered: { ...offered }, ...parts, waiting };
}

function nothing(): Amount {
  return { batches: 0, items: 0 };
}

function count(amount: Amount, items: number): void {
  amount.batches++;
  amount.items += items;
}

function sum(a: Amount, b: Amount): Amount {
  return { batches: a.batches + b.batches, items: a.items + b.items };
}
