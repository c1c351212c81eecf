import { diag } from '@opentelemetry/api';
import { afterEach, beforeEach, expect } from 'vitest';
import type { ExportResultLike } from '../../../src/delivery/exporter-contract.ts';
import type {
  CircuitBreakerExporterOptions,
  Loss,
} from '../../../src/exporter/circuit-breaker-exporter-options.ts';
import type { DeliverySnapshot, RetentionOptions } from '../../../src/index.ts';
import { CircuitBreakerExporter, consecutiveFailures } from '../../../src/index.ts';
import type { ScriptedOutcome } from '../../../src/testing/index.ts';
import { ManualClock, ScriptedExporter } from '../../../src/testing/index.ts';

/** A batch is its name, once an item. */
export type Batch = readonly string[];

export function batch(name: string, items = 1): Batch {
  return Array.from({ length: items }, () => name);
}

/** A manual clock that knows which timers are pending, and can lose them. */
export class CountingClock extends ManualClock {
  readonly pending = new Set<{ readonly keepAlive: boolean }>();
  /** The most timers that were ever pending together. */
  most = 0;
  /** Timers that are made now never fire. */
  losesTimers = false;

  override schedule(callback: () => void, delayMillis: number, keepAlive = false): () => void {
    const timer = { keepAlive };
    this.pending.add(timer);
    this.most = Math.max(this.most, this.pending.size);
    if (this.losesTimers) return () => void this.pending.delete(timer);
    const cancel = super.schedule(() => {
      this.pending.delete(timer);
      callback();
    }, delayMillis);
    return () => {
      this.pending.delete(timer);
      cancel();
    };
  }
}

/** An exporter whose behaviour can be changed at any time. */
export class Backend extends ScriptedExporter<Batch> {
  /** What becomes of the next batches. */
  does: ScriptedOutcome | ((batch: Batch) => ScriptedOutcome) = 'success';
  /** Called before it answers. */
  onExport: (batch: Batch) => void = () => {};

  constructor() {
    super(
      new Array<(given: Batch) => ScriptedOutcome>(20_000).fill((given) => {
        this.onExport(given);
        return typeof this.does === 'function' ? this.does(given) : this.does;
      }),
    );
  }

  /** The names of what it was given, in order. */
  get names(): string[] {
    return this.batches.map((given) => given[0] ?? '');
  }
}

export const REFUSED: ExportResultLike = {
  code: 1,
  error: Object.assign(new Error('Bad Request'), { code: 400 }),
};
export const NOT_SENT: ExportResultLike = { code: 1, error: new Error('Concurrent export limit reached') };
export const FAILURE: ExportResultLike = { code: 1, error: new Error('down') };

export interface RigOptions extends Omit<CircuitBreakerExporterOptions<Batch>, 'fallback' | 'retention'> {
  /** `false`: none. */
  readonly retention?: RetentionOptions<Batch> | false;
  readonly fallback?: boolean;
}

/** An exporter with retention that opens at the first failure, and probes when it is told to. */
export class Rig {
  readonly clock = new CountingClock(1_000_000);
  readonly inner = new Backend();
  readonly fallback = new Backend();
  readonly exporter: CircuitBreakerExporter<Batch>;
  /** What the probe policy says. */
  mayProbe = false;
  /** How often it was asked. */
  asked = 0;
  /** What callers were told, by batch. */
  readonly told: Record<string, ExportResultLike[]> = {};
  readonly problems: string[] = [];
  readonly losses: Loss[] = [];

  constructor({ retention = {}, fallback = false, ...options }: RigOptions = {}) {
    this.exporter = new CircuitBreakerExporter<Batch>(this.inner, {
      clock: this.clock,
      tripPolicy: consecutiveFailures(1),
      probePolicy: () => {
        this.asked++;
        return this.mayProbe;
      },
      onError: (message) => void this.problems.push(message),
      onLoss: (loss) => void this.losses.push(loss),
      ...(retention !== false && { retention }),
      ...(fallback && { fallback: this.fallback }),
      ...options,
    });
  }

  get breaker() {
    return this.exporter.breaker;
  }

  get state() {
    return this.exporter.breaker.state;
  }

  get delivery(): DeliverySnapshot {
    return this.exporter.snapshot().delivery;
  }

  /** What is kept, in items. */
  get kept(): number {
    return this.delivery.kept.items;
  }

  export(name: string, items = 1): void {
    this.told[name] ??= [];
    this.exporter.export(batch(name, items), (result) => void this.told[name]?.push(result));
  }

  /** Has batches kept by a circuit that this opens; it stays open. */
  keep(...names: string[]): void {
    if (this.state === 'CLOSED') this.breaker.forceOpen();
    for (const name of names) this.export(name);
  }

  /** Has batches kept, and closes the circuit; nothing of that reaches the inner exporter. */
  keepAndClose(...names: string[]): void {
    this.keep(...names);
    this.breaker.reset();
  }

  /** Opens the circuit by a failure of the inner exporter. */
  trip(name = 'trip'): void {
    const does = this.inner.does;
    this.inner.does = FAILURE;
    this.export(name);
    this.inner.does = does;
  }
}

/** Lets promises settle. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** The processor's view of a batch: its caller has no answer yet, or this one. */
export const SUCCESS: ExportResultLike = { code: 0 };
export const NOTHING = { batches: 0, items: 0 };

/** Moves a clock on in small steps, and lets promises settle in between. */
export async function pass(clock: ManualClock, millis: number, stepMillis = 100): Promise<void> {
  await settled();
  for (let rest = millis; rest > 0; rest -= stepMillis) {
    clock.advance(Math.min(rest, stepMillis));
    await settled();
  }
  // What is scheduled for now, once something else is over.
  for (let i = 0; i < 5; i++) {
    clock.advance(0);
    await settled();
  }
}

/** Whether a promise has settled. */
export function watch(promise: Promise<unknown>): { done: boolean; rejected: unknown } {
  const seen: { done: boolean; rejected: unknown } = { done: false, rejected: undefined };
  promise.then(
    () => {
      seen.done = true;
    },
    (error: unknown) => {
      seen.done = true;
      seen.rejected = error;
    },
  );
  return seen;
}

/** What is watched settles after so much time, and not 100 ms earlier. */
export async function endsAfter(seen: { done: boolean }, clock: ManualClock, millis: number): Promise<void> {
  await pass(clock, millis - 100);
  expect(seen.done).toBe(false);
  await pass(clock, 100);
  expect(seen.done).toBe(true);
}

/** Collects what is said to `diag.warn` in each test of a file: the lines that have a text in them. */
export function recordWarnings(text = ''): string[] {
  const warnings: string[] = [];
  beforeEach(() => {
    warnings.length = 0;
    const ignore = (): void => {};
    diag.setLogger(
      {
        error: ignore,
        warn: (message) => void (message.includes(text) && warnings.push(message)),
        info: ignore,
        debug: ignore,
        verbose: ignore,
      },
      { suppressOverrideMessage: true },
    );
  });
  afterEach(() => diag.disable());
  return warnings;
}

/** `offered = delivered + fallback + lost + kept + inFlight` */
export function balance({ offered, delivered, fallback, lost, kept, inFlight }: DeliverySnapshot): number[] {
  const rest = (unit: 'batches' | 'items'): number =>
    offered[unit] - delivered[unit] - fallback[unit] - lost[unit] - kept[unit] - inFlight[unit];
  return [rest('batches'), rest('items')];
}

/** A trip policy under which failures open nothing. */
export function neverTrips() {
  return { createDetector: () => ({ onSuccess: () => false, onFailure: () => false, reset() {} }) };
}
