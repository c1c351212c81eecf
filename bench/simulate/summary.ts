import { mean } from '../support/table.ts';
import type { FleetResult } from './fleet.ts';
import { FLEET_KINDS } from './fleet-kinds.ts';
import type { Part, TaskResult } from './scenarios.ts';
import { BARE, scenariosOf } from './scenarios.ts';

type Measure = Exclude<keyof FleetResult, 'load' | 'closedAt' | 'peakCauses'>;

/** What the outages of one scenario and part came to: of each number its mean and its worst. */
export interface Summary {
  readonly scenario: string;
  readonly part: Part;
  readonly results: readonly TaskResult[];
  /** Those that did not close in time count as the whole time that they were watched. */
  mean(measure: Measure): number;
  worst(measure: Measure): number;
  /**
   * A peak, what the bare fleet brings with it excluded: less what the bare fleet of the same seed has above the usual load in
   * its own busiest second after the same outage.
   */
  ownPeak(of: TaskResult): number;
  /** The outage after which that is highest. */
  worstOwn(): TaskResult;
  /** The largest ratio of a peak to that of the bare fleet of the same seed, after the same outage. */
  worstPeakTimesBare(): number;
}

/** Puts the results together, in the order of the scenarios. */
export function summarize(results: readonly TaskResult[], part: Part): Summary[] {
  const inPart = results.filter(({ task }) => task.kind === part.kind && task.failure === part.failure);
  const cap = (measure: Measure): number =>
    measure.startsWith('closed') ? FLEET_KINDS[part.kind].afterSeconds : Number.POSITIVE_INFINITY;
  /** At least the usual load: less of the bare fleet excuses nothing. */
  const barePeak = ({ task }: TaskResult): number => {
    const bare = inPart.find(
      (other) => other.task.scenario === BARE && other.task.outageSeconds === task.outageSeconds,
    );
    return Math.max(1, bare?.result.peakAfter ?? Number.NaN);
  };
  const ownPeak = (of: TaskResult): number => of.result.peakAfter - (barePeak(of) - 1);
  return scenariosOf(part).map(({ name: scenario }) => {
    const own = inPart.filter(({ task }) => task.scenario === scenario);
    const values = (measure: Measure): number[] => own.map(({ result }) => result[measure]);
    return {
      scenario,
      part,
      results: own,
      mean: (measure) => mean(values(measure).map((value) => Math.min(value, cap(measure)))),
      worst: (measure) => Math.max(...values(measure)),
      ownPeak,
      worstOwn: () => own.reduce((worst, each) => (ownPeak(each) > ownPeak(worst) ? each : worst)),
      worstPeakTimesBare: () => Math.max(...own.map((each) => each.result.peakAfter / barePeak(each))),
    };
  });
}
