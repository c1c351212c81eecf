import type { CircuitState } from '../../../src/index.ts';
import type { RecordedTransition } from '../simulation/lanes.ts';
import type { Run } from '../simulation/run-simulation.ts';

/** A stretch of the strip, in columns. */
export interface Stretch {
  readonly state: CircuitState;
  readonly from: number;
  readonly to: number;
}

/** A probe, and what came of it; `undefined`: it is not answered yet. */
export interface ProbeMark {
  readonly column: number;
  readonly succeeded: boolean | undefined;
}

/** The strip is so many columns wide, whatever the length of the run: a run can have thousands of transitions. */
export const COLUMNS = 600;

/** The circuit's state over time. A column in which it probed is HALF_OPEN, otherwise OPEN if it was open at all. */
export function stateStretches({ untilMillis, guarded }: Run): readonly Stretch[] {
  const columns = new Array<CircuitState>(COLUMNS).fill('CLOSED');
  const fill = (state: CircuitState, fromMillis: number, toMillis: number): void => {
    const last = Math.min(COLUMNS - 1, columnOf(toMillis, untilMillis));
    for (let column = columnOf(fromMillis, untilMillis); column <= last; column++) {
      if (rank(state) > rank(columns[column] as CircuitState)) columns[column] = state;
    }
  };
  let state: CircuitState = 'CLOSED';
  let since = 0;
  for (const { to, at } of guarded.transitions) {
    fill(state, since, at);
    state = to;
    since = at;
  }
  fill(state, since, untilMillis);
  return merged(columns);
}

/** Where it probed. A column that has several probes shows one that succeeded, if there is one. */
export function probeMarks({ untilMillis, guarded }: Run): readonly ProbeMark[] {
  const marks = new Map<number, ProbeMark>();
  for (const [index, { to, at }] of guarded.transitions.entries()) {
    if (to !== 'HALF_OPEN') continue;
    const column = columnOf(at, untilMillis);
    const succeeded = outcome(guarded.transitions[index + 1]);
    if (marks.get(column)?.succeeded !== true) marks.set(column, { column, succeeded });
  }
  return [...marks.values()];
}

/** The column of a moment. */
export function columnOf(millis: number, untilMillis: number): number {
  return Math.min(COLUMNS - 1, Math.floor((millis / untilMillis) * COLUMNS));
}

function outcome(next: RecordedTransition | undefined): boolean | undefined {
  return next === undefined ? undefined : next.to === 'CLOSED';
}

function merged(columns: readonly CircuitState[]): readonly Stretch[] {
  const stretches: Stretch[] = [];
  for (const [column, state] of columns.entries()) {
    const last = stretches.at(-1);
    if (last?.state === state) stretches[stretches.length - 1] = { ...last, to: column + 1 };
    else stretches.push({ state, from: column, to: column + 1 });
  }
  return stretches;
}

function rank(state: CircuitState): number {
  return state === 'HALF_OPEN' ? 2 : state === 'OPEN' ? 1 : 0;
}
