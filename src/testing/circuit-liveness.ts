import { show } from '../internal/validate-options.ts';
import type { CircuitCommand } from './circuit-command.ts';
import { advanceBoth, exportOnce } from './circuit-command.ts';
import { compare } from './circuit-comparison.ts';
import type { CircuitModel } from './circuit-model.ts';
import type { Reaction } from './circuit-reactions.ts';
import { FAILS, SUCCEEDS } from './circuit-reactions.ts';
import type { CircuitSystem } from './circuit-system.ts';
import type { ExporterUnderTestOptions } from './circuit-under-test.ts';

/** How soon a circuit must close once the backend has recovered. */
export interface RecoversWithin {
  /** Exports from then on, evenly spread over `millis`; a positive integer. @defaultValue 1_000 */
  readonly attempts?: number | undefined;
  /** Milliseconds from then on; above 0. @defaultValue 3_600_000 */
  readonly millis?: number | undefined;
}

/** How soon a circuit must open once the backend fails every export. */
export interface OpensWithin {
  /** Failed exports in a row; a positive integer. @defaultValue 100 */
  readonly failures?: number | undefined;
}

export type Complete<T> = { readonly [K in keyof T]-?: NonNullable<T[K]> };

/** Between those failures that are not at one moment. */
const PAUSE_MILLIS = 1_000;

/** The end of every run: the circuit closes when the backend has recovered, opens when it fails, and closes again. */
export function livenessCommands(
  options: ExporterUnderTestOptions,
  recovery: Complete<RecoversWithin>,
  opening: Complete<OpensWithin>,
): CircuitCommand[] {
  const recovers = () =>
    liveness(
      `Recovers(within ${recovery.attempts} attempts and ${recovery.millis} ms)`,
      (label, model, real) => recover(label, model, real, options, recovery),
    );
  const opens = liveness(`FailsEveryExport(opens within ${opening.failures})`, (label, model, real) =>
    open(label, model, real, options, opening),
  );
  return [recovers(), opens, recovers()];
}

function liveness(
  label: string,
  act: (label: string, model: CircuitModel, real: CircuitSystem) => string | undefined,
): CircuitCommand {
  return {
    check: () => true,
    run(model, real) {
      model.commandsRun += 1;
      letGo(label, model, real);
      const problem = act(label, model, real);
      if (problem !== undefined) compare(label, model, real, [problem]);
    },
    toString: () => label,
  };
}

/** Nobody holds the circuit in a state any longer. */
function letGo(label: string, model: CircuitModel, real: CircuitSystem): void {
  model.breaker.armed = undefined;
  real.armed = undefined;
  if (model.breaker.forced === null) return;
  model.breaker.reset();
  real.exporter.breaker.reset();
  compare(label, model, real, []);
}

function recover(
  label: string,
  model: CircuitModel,
  real: CircuitSystem,
  options: ExporterUnderTestOptions,
  { attempts, millis }: Complete<RecoversWithin>,
): string | undefined {
  const { breaker } = model;
  const startedAt = breaker.now;
  const seenBefore = model.exports.length;
  const before = countsOf(model);
  for (let attempt = 1; attempt <= attempts && breaker.state !== 'CLOSED'; attempt++) {
    // Whole milliseconds, because sums of fractions drift.
    advanceBoth(model, real, startedAt + Math.round((attempt * millis) / attempts) - breaker.now);
    exportQuickly(label, model, real, SUCCEEDS);
  }
  compare(label, model, real, []);
  if (breaker.state === 'CLOSED') return undefined;
  const probes = model.exports.slice(seenBefore).filter(({ permit }) => permit?.probe).length;
  const why = probes === 0 ? undefined : whyProbesDoNotClose(before, countsOf(model), options);
  const nothing = `the probe policy${named(options.probePolicy)} let none of ${attempts} attempts through`;
  return `the backend has recovered, but the circuit did not close in ${millis} ms: ${why ?? nothing}`;
}

function whyProbesDoNotClose(before: Counts, after: Counts, options: ExporterUnderTestOptions): string {
  const { classify, tripPolicy, successThreshold = 1 } = options;
  for (const result of ['failure', 'ignored'] as const) {
    if (after[result] > before[result]) return `classify${named(classify)} called SUCCESS '${result}'`;
  }
  const succeeded = after.probes - before.probes;
  if (succeeded < successThreshold)
    return `${succeeded} probes succeeded, successThreshold is ${successThreshold}`;
  return `isTooSlow() of the trip policy${named(tripPolicy)} called probes too slow that took 0 ms`;
}

function open(
  label: string,
  model: CircuitModel,
  real: CircuitSystem,
  options: ExporterUnderTestOptions,
  { failures }: Complete<OpensWithin>,
): string | undefined {
  const { breaker } = model;
  const before = countsOf(model);
  for (let failed = 1; failed <= failures && breaker.state === 'CLOSED'; failed++) {
    if (failed > failures / 2) advanceBoth(model, real, PAUSE_MILLIS);
    exportQuickly(label, model, real, FAILS);
  }
  compare(label, model, real, []);
  if (breaker.state !== 'CLOSED') return undefined;
  const { tripPolicy, classify } = options;
  const counted = countsOf(model).failure - before.failure;
  const why =
    counted < failures
      ? `classify${named(classify)} called only ${counted} of them a failure`
      : `the trip policy${named(tripPolicy)} did not open it`;
  return `the backend failed ${failures} exports in a row, but the circuit is still CLOSED: ${why}`;
}

/** Exports once. Everything is compared only at the end, because there may be thousands of these. */
function exportQuickly(label: string, model: CircuitModel, real: CircuitSystem, reaction: Reaction): void {
  const problems = exportOnce(model, real, 1, reaction, false);
  if (problems.length > 0 || real.exporter.breaker.state !== model.breaker.state)
    compare(label, model, real, problems);
}

interface Counts {
  readonly failure: number;
  readonly ignored: number;
  /** Probes that succeeded. */
  readonly probes: number;
}

function countsOf({ breaker: { totals } }: CircuitModel): Counts {
  const { failure, ignored } = totals.exports;
  return { failure, ignored, probes: totals.probes.success };
}

/** The name of a function of the user's, if it has one. */
function named(value: unknown): string {
  return typeof value === 'function' && value.name !== '' ? ` (${show(value)})` : '';
}
