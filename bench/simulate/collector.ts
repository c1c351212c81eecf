import type { Clock } from 'otel-circuit-breaker';

const LATENCY_MILLIS = 20;
const SLOT_MILLIS = 100;
const SLOTS_A_SECOND = 1_000 / SLOT_MILLIS;

/**
 * Why a request comes: a live batch as the service makes it; one that had to wait in the processor's queue, which is sent
 * at once when the export before it has ended; a kept batch; a retry inside the exporter.
 */
export const CAUSES = ['live', 'queued', 'redelivery', 'retry'] as const;
export type Cause = (typeof CAUSES)[number];

/** What becomes of a request. One that hangs is never answered. */
export type Answer = 'served' | 'refused' | 'hangs';

/**
 * A backend with a capacity: what comes beyond it is refused, and refusing costs it too, so that twice the capacity
 * offered is half of it served. Counts the requests of each second.
 */
export class SimulatedCollector {
  /** What becomes of every request; of one that is `'served'`: if there is room for it. */
  answer: Answer = 'served';
  /** After how long a request is answered. */
  latencyMillis: () => number = () => LATENCY_MILLIS;
  /** Requests by second of the clock. */
  readonly requestsBySecond: number[] = [];
  /** The same by cause. */
  readonly causesBySecond: Readonly<Record<Cause, number[]>> = {
    live: [],
    queued: [],
    redelivery: [],
    retry: [],
  };
  readonly #clock: Clock;
  readonly #capacity: number;
  /** Offered by slot, and their sum: the last second. */
  readonly #offered: number[] = new Array<number>(SLOTS_A_SECOND).fill(0);
  #slot = 0;
  #offeredInSecond = 0;
  #room = 0;

  /** @param capacity - requests a second */
  constructor(clock: Clock, capacity: number) {
    this.#clock = clock;
    this.#capacity = capacity;
    this.#room = capacity / SLOTS_A_SECOND;
  }

  /** One request. */
  receive(cause: Cause): Answer {
    const nowMillis = this.#clock.now();
    const second = Math.floor(nowMillis / 1_000);
    this.requestsBySecond[second] = (this.requestsBySecond[second] ?? 0) + 1;
    const ofCause = this.causesBySecond[cause];
    ofCause[second] = (ofCause[second] ?? 0) + 1;
    this.#turnTo(Math.floor(nowMillis / SLOT_MILLIS));
    const index = this.#slot % SLOTS_A_SECOND;
    this.#offered[index] = (this.#offered[index] ?? 0) + 1;
    this.#offeredInSecond += 1;
    if (this.answer !== 'served') return this.answer;
    if (this.#room < 1) return 'refused';
    this.#room -= 1;
    return 'served';
  }

  #turnTo(slot: number): void {
    if (slot === this.#slot) return;
    const passed = Math.min(slot - this.#slot, SLOTS_A_SECOND);
    // Before the oldest of it is forgotten: this is the load that the new slot has to bear.
    const strain = Math.max(1, this.#offeredInSecond / this.#capacity);
    for (let step = 0; step < passed; step += 1) {
      const index = (slot - step) % SLOTS_A_SECOND;
      this.#offeredInSecond -= this.#offered[index] ?? 0;
      this.#offered[index] = 0;
    }
    this.#slot = slot;
    this.#room = this.#capacity / SLOTS_A_SECOND / strain;
  }
}
