import { CircuitBreaker } from '../breaker/circuit-breaker.ts';
import { CircuitBreakerExporter } from '../exporter/circuit-breaker-exporter.ts';
import type {
  CircuitBreakerExporterOptions,
  CircuitBreakerOptions,
  CircuitState,
  CircuitTransition,
  Clock,
  ExportResultLike,
  ProbeContext,
  ProbePolicy,
  TripPolicy,
} from '../index.ts';
import type { Meddling } from './circuit-breaker-model.ts';
import { DetectorLog } from './circuit-model-expectations.ts';
import type { RandomBehaviour } from './circuit-users-code-model.ts';
import { ManualClock } from './manual-clock.ts';

/** A permit, as far as the commands use it. */
export interface PermitUnderTest {
  readonly probe: boolean;
  succeed(): void;
  invalid(error?: unknown): void;
  fail(error?: unknown): void;
  ignore(): void;
}

/** A breaker, as far as the commands use it. */
interface BreakerUnderTest {
  readonly state: CircuitState;
  tryAcquire(items?: number): PermitUnderTest | undefined;
  forceOpen(): void;
  forceClosed(): void;
  reset(): void;
  snapshot(): object;
  onTransition(listener: (transition: CircuitTransition) => void): () => void;
}

/** What the commands test: a `CircuitBreakerExporter`, or whatever has these parts of it. */
export interface ExporterUnderTest {
  readonly breaker: BreakerUnderTest;
  export(batch: unknown[], resultCallback: (result: ExportResultLike) => void): void;
  snapshot(): object;
}

/** The inner exporter that the commands drive. */
export interface DrivenExporter {
  export(batch: unknown[], resultCallback: (result: never) => void): void;
  shutdown(): Promise<void>;
}

/** The names of what the thing under test is made with. */
export const OPTIONS_UNDER_TEST = [
  'name',
  'tripPolicy',
  'probePolicy',
  'successThreshold',
  'exportTimeoutMillis',
  'reportRejectedAs',
  'classify',
  'probeTimeoutMillis',
] as const satisfies readonly (keyof CircuitBreakerExporterOptions | keyof CircuitBreakerOptions)[];

/** What the thing under test is made with. */
export type ExporterUnderTestOptions = Pick<
  CircuitBreakerExporterOptions,
  Exclude<(typeof OPTIONS_UNDER_TEST)[number], 'probeTimeoutMillis'>
> &
  Pick<CircuitBreakerOptions, 'probeTimeoutMillis'>;

/** What the kit injects. */
export interface InjectedOptions {
  readonly clock: Clock;
  readonly random: () => number;
  readonly onTransition: (transition: CircuitTransition) => void;
  readonly onError: (message: string, error: unknown) => void;
}

/** Makes the thing under test. */
export type CreateExporter = (
  inner: DrivenExporter,
  options: ExporterUnderTestOptions & InjectedOptions,
) => ExporterUnderTest;

/** The real exporter; with `probeTimeoutMillis`, which is an option of a breaker alone, over a breaker of its own. */
export const createRealExporter: CreateExporter = (inner, options) => {
  const { probeTimeoutMillis, ...rest } = options;
  if (probeTimeoutMillis === undefined) return new CircuitBreakerExporter<unknown[]>(inner, rest);
  const { exportTimeoutMillis, reportRejectedAs, classify, ...ofBreaker } = rest;
  const breaker = new CircuitBreaker({ ...ofBreaker, probeTimeoutMillis });
  const { onError } = options;
  const ofExporter = { exportTimeoutMillis, reportRejectedAs, classify, onError };
  return new CircuitBreakerExporter<unknown[]>(inner, { ...ofExporter, breaker });
};

/** One thing that the inner exporter does with an export. */
export type Step =
  | { readonly kind: 'answer'; readonly result: unknown }
  | { readonly kind: 'throw'; readonly error: unknown }
  | { readonly kind: 'reject'; readonly error: unknown };

/** What became visible since it was last looked at. */
export interface Observations {
  transitions: CircuitTransition[];
  visitorHeard: CircuitTransition[];
  reports: string[];
  draws: number;
  asked: ProbeContext[];
  detector: string[];
  callbacks: number;
}

const nothingObserved = (): Observations => ({
  transitions: [],
  visitorHeard: [],
  reports: [],
  draws: 0,
  asked: [],
  detector: [],
  callbacks: 0,
});

type InnerCallback = (result: never) => void;

/** The thing under test with everything around it: clock, random, inner exporter, callers, listeners. */
export class CircuitSystem {
  readonly clock: ManualClock = new ManualClock();
  readonly exporter: ExporterUnderTest;
  /** What the caller of each export was told. */
  readonly results: unknown[][] = [];
  readonly permits: PermitUnderTest[] = [];
  /** Whether there is a policy of the user's whose calls can be watched. */
  readonly watchesTripPolicy: boolean;
  readonly watchesProbePolicy: boolean;
  /** The result that rejected callers got, by the generation in which they were rejected. */
  readonly rejections: Map<number, unknown> = new Map();
  armed: Meddling | undefined;
  random: RandomBehaviour = { answer: 0.5 };
  onErrorThrows = false;

  #observed: Observations = nothingObserved();
  readonly #held: Map<number, InnerCallback> = new Map();
  #arriving: { readonly id: number; readonly batch: unknown[]; readonly steps: readonly Step[] } | undefined;
  #reachedInner = 0;
  #callbacksMayThrow = false;
  readonly #detectorLog: DetectorLog = new DetectorLog();
  #stopVisiting: (() => void) | undefined;

  constructor(options: ExporterUnderTestOptions, create: CreateExporter) {
    this.watchesTripPolicy = options.tripPolicy !== undefined;
    this.watchesProbePolicy = options.probePolicy !== undefined;
    const watched = {
      ...(options.tripPolicy === undefined ? {} : { tripPolicy: this.#watchTrip(options.tripPolicy) }),
      ...(options.probePolicy === undefined ? {} : { probePolicy: this.#watchProbe(options.probePolicy) }),
    };
    this.exporter = create(
      { export: (batch, callback) => this.#innerExport(batch, callback), shutdown: async () => {} },
      {
        ...options,
        ...watched,
        clock: this.clock,
        random: () => this.#draw(),
        onTransition: (transition) => this.#observed.transitions.push(transition),
        onError: (message, error) => this.#report(message, error),
      },
    );
    this.exporter.breaker.onTransition(() => this.#meddle());
    this.toggleVisitor();
  }

  /** What became visible since the last call. */
  takeObservations(): Observations {
    const observed = this.#observed;
    this.#observed = nothingObserved();
    return observed;
  }

  /** Exports a batch to which the inner exporter reacts with these steps; says what reached it, and what was thrown. */
  export(
    items: number,
    steps: readonly Step[],
    callbackThrows: boolean,
  ): { reached: number; thrown: unknown } {
    const id = this.results.length;
    const batch = Array.from({ length: items }, (_, item) => ({ export: id, item }));
    const results: unknown[] = [];
    this.results.push(results);
    this.#arriving = { id, batch, steps };
    this.#reachedInner = 0;
    const thrown = this.#thrownBy(() =>
      this.exporter.export(batch, (result) => {
        this.#observed.callbacks += 1;
        results.push(result);
        if (callbackThrows && this.#callbacksMayThrow) throw new CallerError(id);
      }),
    );
    this.#arriving = undefined;
    return { reached: this.#reachedInner, thrown };
  }

  /** Calls back for the inner exporter; says what the callback threw. */
  answer(id: number, result: unknown): unknown {
    const callback = this.#held.get(id);
    return this.#thrownBy(() => callback?.(result as never));
  }

  /** Lets the listener that comes and goes come, or go. */
  toggleVisitor(): void {
    if (this.#stopVisiting === undefined) {
      const listener = (heard: CircuitTransition) => this.#observed.visitorHeard.push(heard);
      this.#stopVisiting = this.exporter.breaker.onTransition(listener);
    } else {
      this.#stopVisiting();
      this.#stopVisiting = undefined;
    }
  }

  /** Runs something in which a caller's callback may throw; answers what came out. */
  #thrownBy(act: () => void): unknown {
    this.#callbacksMayThrow = true;
    try {
      act();
      return undefined;
    } catch (thrown) {
      return thrown ?? new Error(`threw ${String(thrown)}`);
    } finally {
      this.#callbacksMayThrow = false;
    }
  }

  #innerExport(batch: unknown[], callback: InnerCallback): unknown {
    const arriving = this.#arriving;
    if (arriving?.batch !== batch) return undefined;
    this.#reachedInner += 1;
    this.#held.set(arriving.id, callback);
    for (const step of arriving.steps) {
      if (step.kind === 'throw') throw step.error;
      if (step.kind === 'reject') return Promise.reject(step.error);
      callback(step.result as never);
    }
    return undefined;
  }

  #meddle(): void {
    const { armed } = this;
    this.armed = undefined;
    if (armed === 'throw') throw new Error('a listener threw');
    if (armed !== undefined) this.exporter.breaker[armed]();
  }

  #report(message: string, error: unknown): void {
    this.#observed.reports.push(`${message} ${String(error)}`);
    if (this.onErrorThrows) throw new Error('onError threw');
  }

  #draw(): number {
    this.#observed.draws += 1;
    if (this.random === 'throws') throw new Error('random threw');
    return this.random.answer as number;
  }

  #watchProbe(policy: ProbePolicy): ProbePolicy {
    return (context) => {
      const { attempt, elapsedMillis, failedProbes, random } = context;
      this.#observed.asked.push({ attempt, elapsedMillis, failedProbes, random });
      return policy(context);
    };
  }

  #watchTrip(policy: TripPolicy): TripPolicy {
    return {
      createDetector: () => {
        const detector = policy.createDetector();
        const watch = (method: 'onSuccess' | 'onFailure') => (at: number, durationMillis: number) => {
          this.#observed.detector.push(this.#detectorLog.line(method, at, durationMillis));
          return detector[method](at, durationMillis);
        };
        return {
          onSuccess: watch('onSuccess'),
          onFailure: watch('onFailure'),
          reset: () => {
            this.#detectorLog.reset();
            detector.reset();
          },
        };
      },
    };
  }
}

/** What a caller's callback throws when it is told to. */
export class CallerError extends Error {
  override readonly name = 'CallerError';

  constructor(id: number) {
    super(`the callback of export ${id} threw`);
  }
}
