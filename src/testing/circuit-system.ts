import type { CircuitTransition, ProbeContext, ProbePolicy, TripDetector, TripPolicy } from '../index.ts';
import type { Meddling } from './circuit-breaker-model.ts';
import { DetectorLog } from './circuit-model-expectations.ts';
import type {
  CreateExporter,
  ExporterUnderTest,
  ExporterUnderTestOptions,
  PermitUnderTest,
} from './circuit-under-test.ts';
import type { RandomBehaviour } from './circuit-users-code-model.ts';
import { ManualClock } from './manual-clock.ts';

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
  failures: unknown[];
  callbacks: number;
}

const nothingObserved = (): Observations => ({
  transitions: [],
  visitorHeard: [],
  reports: [],
  draws: 0,
  asked: [],
  detector: [],
  failures: [],
  callbacks: 0,
});

type InnerCallback = (result: never) => void;

/** The thing under test with everything around it: clock, random, inner exporter, callers, listeners. */
export class CircuitSystem {
  readonly clock: ManualClock = new ManualClock();
  /** The time of day minus `clock.now()`. */
  timeOfDayAhead = 0;
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
        clock: {
          now: () => this.clock.now(),
          unixMillis: () => this.clock.now() + this.timeOfDayAhead,
          schedule: (callback, delayMillis) => this.clock.schedule(callback, delayMillis),
        },
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
        const watched: TripDetector = {
          onSuccess: (at, durationMillis) => {
            this.#observed.detector.push(this.#detectorLog.line('onSuccess', at, durationMillis));
            return detector.onSuccess(at, durationMillis);
          },
          onFailure: (at, durationMillis, error) => {
            this.#observed.detector.push(this.#detectorLog.line('onFailure', at, durationMillis));
            this.#observed.failures.push(error);
            return detector.onFailure(at, durationMillis, error);
          },
          reset: () => {
            this.#detectorLog.reset();
            return detector.reset();
          },
        };
        const { isTooSlow } = detector;
        if (isTooSlow !== undefined)
          watched.isTooSlow = (durationMillis) => isTooSlow.call(detector, durationMillis);
        return watched;
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
