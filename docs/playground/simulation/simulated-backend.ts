import type { Clock } from '../../../src/breaker/clock.ts';
import type { ExporterLike, ExportResultLike } from '../../../src/delivery/exporter-contract.ts';
import type { Batch } from './batch.ts';
import type { Settings } from './settings.ts';

type Answer = (result: ExportResultLike) => void;

const ACCEPTED: ExportResultLike = Object.freeze({ code: 0 });

// Made once: a stack trace for each failure would be most of the cost of a run.
const REFUSED = failed(Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' }));
const TIMED_OUT = failed(new Error('Request timed out'));
const BAD_REQUEST = failed(Object.assign(new Error('Bad Request'), { code: 400 }));

/** Whether exports that begin now meet the incident, in milliseconds since the start of the run. */
export function isIncident({ backend, start, length }: Settings, at: number): boolean {
  return backend !== 'healthy' && at >= start * 1_000 && at < (start + length) * 1_000;
}

/** Whether the backend is down for an export that begins now; a slow one is up. */
export function isDown(settings: Settings, at: number): boolean {
  if (!isIncident(settings, at)) return false;
  const { backend, start, flap } = settings;
  if (backend === 'flapping') return Math.floor((at - start * 1_000) / (flap * 1_000)) % 2 === 0;
  return backend === 'refuses' || backend === 'hangs';
}

/** An exporter and the backend behind it, as the settings have it. An export is judged when it begins. */
export class SimulatedBackend implements ExporterLike<Batch> {
  /** Exports that have reached it. */
  requests = 0;
  readonly #clock: Clock;
  readonly #settings: Settings;
  /** Unanswered, in the order in which they are due. */
  readonly #pending: {
    readonly dueAt: number;
    readonly answer: Answer;
    readonly result: ExportResultLike;
  }[] = [];
  #first = 0;
  #scheduled = false;

  constructor(clock: Clock, settings: Settings) {
    this.#clock = clock;
    this.#settings = settings;
  }

  export(batch: Batch, resultCallback: Answer): void {
    this.requests++;
    const { fail, timeout, slow } = this.#settings;
    const at = this.#clock.now();
    if (!isIncident(this.#settings, at)) {
      resultCallback(ACCEPTED);
      return;
    }
    switch (this.#settings.backend) {
      case 'refuses':
        this.#answerAfter(fail, REFUSED, resultCallback);
        return;
      case 'flapping':
        if (isDown(this.#settings, at)) this.#answerAfter(fail, REFUSED, resultCallback);
        else resultCallback(ACCEPTED);
        return;
      case 'hangs':
        this.#answerAfter(timeout, TIMED_OUT, resultCallback);
        return;
      case 'slow':
        this.#answerAfter(Math.min(slow, timeout), slow < timeout ? ACCEPTED : TIMED_OUT, resultCallback);
        return;
      default:
        resultCallback(this.#isPoisoned(batch) ? BAD_REQUEST : ACCEPTED);
    }
  }

  async shutdown(): Promise<void> {}

  /** Evenly spread, and the same at every sending: the fault is the batch's. */
  #isPoisoned({ number }: Batch): boolean {
    const share = this.#settings.share / 100;
    return Math.floor(number * share) > Math.floor((number - 1) * share);
  }

  #answerAfter(seconds: number, result: ExportResultLike, answer: Answer): void {
    if (seconds === 0) {
      answer(result);
      return;
    }
    this.#pending.push({ dueAt: this.#clock.now() + seconds * 1_000, answer, result });
    this.#schedule();
  }

  // One timer for all, because all take the same time: a manual clock looks at each of its timers at each step.
  #schedule(): void {
    const next = this.#pending[this.#first];
    if (this.#scheduled || next === undefined) return;
    this.#scheduled = true;
    this.#clock.schedule(() => {
      this.#scheduled = false;
      this.#answerDue();
      this.#schedule();
    }, next.dueAt - this.#clock.now());
  }

  #answerDue(): void {
    for (;;) {
      const next = this.#pending[this.#first];
      if (next === undefined) {
        this.#pending.length = 0;
        this.#first = 0;
        return;
      }
      if (next.dueAt > this.#clock.now()) return;
      this.#first++;
      next.answer(next.result);
    }
  }
}

function failed(error: Error): ExportResultLike {
  return Object.freeze({ code: 1, error });
}
