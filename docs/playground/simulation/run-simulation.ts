import type { ExporterSnapshot } from '../../../src/index.ts';
import { ManualClock } from '../../../src/testing/manual-clock.ts';
import { batchesOf } from './batch.ts';
import type { Account, RecordedTransition } from './lanes.ts';
import { BareLane, GuardedLane } from './lanes.ts';
import type { Settings } from './settings.ts';

/** What a lane came to. */
export interface LaneResult {
  readonly account: Account;
  /** Exports that reached the backend. */
  readonly requests: number;
  readonly series: LaneSeries;
}

/** What is plotted of a lane; one number for each time in `Run.times`. */
export interface LaneSeries {
  /** Exports a second that reached the backend since the time before. */
  readonly load: number[];
  /** Spans so far. */
  readonly delivered: number[];
  readonly lost: number[];
  /** Spans now. */
  readonly kept: number[];
}

/** A simulated outage, with the library and without. */
export interface Run {
  readonly settings: Settings;
  readonly untilMillis: number;
  /** Seconds since the start, evenly spaced. */
  readonly times: readonly number[];
  readonly guarded: LaneResult & {
    readonly transitions: readonly RecordedTransition[];
    readonly snapshot: ExporterSnapshot;
    /** Milliseconds from the start of the incident until the circuit opened; `null` if it never did. */
    readonly openedAfterMillis: number | null;
    /** Milliseconds from the end of the incident until the circuit closed; `null` if it never did. */
    readonly closedAfterMillis: number | null;
    /** When retention was full, to the next of `times`; `undefined` if it never was. */
    readonly fullAt: number | undefined;
  };
  readonly bare: LaneResult;
}

/** Plotted at most. */
const MOST_SAMPLES = 360;
const SAMPLE_SECONDS = [1, 2, 5, 10];

/** Plays the settings to the real exporter, and to a bare one, on one manual clock. The same settings give the same run. */
export function runSimulation(settings: Settings): Run {
  const clock = new ManualClock();
  const guarded = new GuardedLane(clock, settings);
  const bare = new BareLane(clock, settings);
  const lanes = [guarded, bare];
  const samplers = lanes.map((lane) => new Sampler(lane));
  const untilMillis = settings.minutes * 60_000;
  const sampleMillis = sampleSeconds(settings.minutes * 60) * 1_000;
  const times: number[] = [];
  let nextSampleAt = sampleMillis;
  let fullAt: number | undefined;

  const advanceTo = (at: number): void => {
    for (; nextSampleAt <= at; nextSampleAt += sampleMillis) {
      clock.advance(Math.max(0, nextSampleAt - clock.now()));
      times.push(nextSampleAt / 1_000);
      for (const sampler of samplers) sampler.sample(sampleMillis / 1_000);
      if (fullAt === undefined && guarded.hasOverflowed) fullAt = nextSampleAt / 1_000;
    }
    clock.advance(Math.max(0, at - clock.now()));
  };

  const makeBatch = batchesOf(settings.spans);
  for (const { at, batches } of traffic(settings, untilMillis)) {
    advanceTo(at);
    for (let i = 0; i < batches; i++) {
      const batch = makeBatch();
      for (const lane of lanes) lane.add(batch);
    }
  }
  advanceTo(untilMillis);

  const { transitions } = guarded;
  const [guardedSampler, bareSampler] = samplers as [Sampler, Sampler];
  const { start, length } = settings;
  return {
    settings,
    untilMillis,
    times,
    guarded: {
      ...guardedSampler.result(),
      transitions,
      snapshot: guarded.exporter.snapshot(),
      openedAfterMillis: millisUntil(transitions, 'OPEN', start * 1_000),
      closedAfterMillis: millisUntil(transitions, 'CLOSED', (start + length) * 1_000),
      fullAt,
    },
    bare: bareSampler.result(),
  };
}

/** When batches come, and how many, in order of time. */
function* traffic(
  { rate, burst, every }: Settings,
  untilMillis: number,
): Generator<{ readonly at: number; readonly batches: number }> {
  const everyMillis = 1_000 / rate;
  const burstMillis = burst > 0 ? every * 1_000 : Number.POSITIVE_INFINITY;
  let bursts = 1;
  // Multiplied, because sums of fractions drift.
  for (let batch = 0; batch * everyMillis < untilMillis; batch++) {
    const at = batch * everyMillis;
    for (; bursts * burstMillis <= at; bursts++) yield { at: bursts * burstMillis, batches: burst };
    yield { at, batches: 1 };
  }
  for (; bursts * burstMillis < untilMillis; bursts++) yield { at: bursts * burstMillis, batches: burst };
}

function sampleSeconds(seconds: number): number {
  return SAMPLE_SECONDS.find((each) => seconds / each <= MOST_SAMPLES) ?? seconds / MOST_SAMPLES;
}

class Sampler {
  readonly #lane: GuardedLane | BareLane;
  readonly #series: LaneSeries = { load: [], delivered: [], lost: [], kept: [] };
  #requestsBefore = 0;

  constructor(lane: GuardedLane | BareLane) {
    this.#lane = lane;
  }

  sample(seconds: number): void {
    const { requests } = this.#lane;
    const { delivered, lost, kept } = this.#lane.account();
    this.#series.load.push((requests - this.#requestsBefore) / seconds);
    this.#series.delivered.push(delivered.items);
    this.#series.lost.push(lost.items);
    this.#series.kept.push(kept.items);
    this.#requestsBefore = requests;
  }

  result(): LaneResult {
    return { account: this.#lane.account(), requests: this.#lane.requests, series: this.#series };
  }
}

function millisUntil(
  transitions: readonly RecordedTransition[],
  state: 'OPEN' | 'CLOSED',
  sinceMillis: number,
): number | null {
  const reached = transitions.find(({ to, at }) => to === state && at >= sinceMillis);
  return reached === undefined ? null : reached.at - sinceMillis;
}
