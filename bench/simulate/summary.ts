import { mean } from '../support/table.ts';
import type { FleetResult } from './fleet.ts';
import { AFTER_SECONDS } from './fleet.ts';
import type { Protocol } from './otlp-like-exporter.ts';
import type { TaskResult } from './scenarios.ts';
import { scenarios } from './scenarios.ts';

type Measure = Exclude<keyof FleetResult, 'load' | 'closedAt' | 'peakCauses'>;

/** What the outages of one scenario and protocol came to: of each number its mean and its worst. */
export interface Summary {
  readonly scenario: string;
  readonly protocol: Protocol;
  readonly results: readonly TaskResult[];
  /** Those that did not close in time count as the whole time that they were watched. */
  mean(measure: Measure): number;
  worst(measure: Measure): number;
}

/** Puts the results together, in the order of the scenarios. */
export function summarize(results: readonly TaskResult[], protocol: Protocol): Summary[] {
  return scenarios.map(({ name: scenario }) => {
    const own = results.filter(({ task }) => task.scenario === scenario && task.protocol === protocol);
    const values = (measure: Measure): number[] => own.map(({ result }) => result[measure]);
    return {
      scenario,
      protocol,
      results: own,
      mean: (measure) => mean(values(measure).map((value) => Math.min(value, capOf(measure)))),
      worst: (measure) => Math.max(...values(measure)),
    };
  });
}

function capOf(measure: Measure): number {
  return measure.startsWith('closed') ? AFTER_SECONDS : Number.POSITIVE_INFINITY;
}
