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
   * The worst peak, what the bare fleet brings with it excluded: of each outage the peak, less what the bare fleet of the
   * same seed has above the usual load in its own busiest second after the same outage.
   */
  worstPeakOfItsOwn(): number;
}

/** Puts the results together, in the order of the scenarios. */
export function summarize(results: readonly TaskResult[], part: Part): Summary[] {
  const inPart = results.filter(({ task }) => task.kind === part.kind && task.failure === part.failure);
  const cap = (measure: Measure): number =>
    measure.startsWith('closed') ? FLEET_KINDS[part.kind].afterSeconds : Number.POSITIVE_INFINITY;
  const ownPeak = ({ task, result }: TaskResult): number => {
    const bare = inPart.find(
      (other) => other.task.scenario === BARE && other.task.outageSeconds === task.outageSeconds,
    );
    return result.peakAfter - Math.max(0, (bare?.result.peakAfter ?? Number.NaN) - 1);
  };
  return scenariosOf(part).map(({ name: scenario }) => {
    const own = inPart.filter(({ task }) => task.scenario === scenario);
    const values = (measure: Measure): number[] => own.map(({ result }) => result[measure]);
    return {
      scenario,
      part,
      results: own,
      mean: (measure) => mean(values(measure).map((value) => Math.min(value, cap(measure)))),
      worst: (measure) => Math.max(...values(measure)),
      worstPeakOfItsOwn: () => Math.max(...own.map(ownPeak)),
    };
  });
}
