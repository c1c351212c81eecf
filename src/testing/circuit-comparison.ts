import type { CircuitTransition } from '../index.ts';
import type { CircuitModel } from './circuit-model.ts';
import type { ExpectedResult, ExpectedTransition, Failure, Span } from './circuit-model-expectations.ts';
import { ANYTHING } from './circuit-model-totals.ts';
import type { CircuitSystem } from './circuit-system.ts';

/** A text that is in the errors of the inner exporter, and must not be in those that the library makes. */
export const SECRET = 'https://user:secret@collector';

/** One command can be thousands of exports. */
const MOST_PROBLEMS = 20;

/**
 * @param found - disagreements that are already known
 * @throws Error that lists every difference between the thing under test and the model
 */
export function compare(
  command: string,
  model: CircuitModel,
  system: CircuitSystem,
  found: readonly string[],
): void {
  const problems = [
    ...found,
    ...differences('snapshot.', model.breaker.snapshot(), system.exporter.breaker.snapshot()),
    ...differences('breaker.state', model.breaker.state, system.exporter.breaker.state),
    ...compareEvents(model, system),
  ];
  if (problems.length === 0) return;
  const shown = problems.slice(0, MOST_PROBLEMS);
  if (problems.length > MOST_PROBLEMS) shown.push(`and ${problems.length - MOST_PROBLEMS} more`);
  throw new Error(
    `after command ${model.commandsRun}, ${command}, at ${model.breaker.now} ms:\n  ${shown.join('\n  ')}`,
  );
}

function compareEvents(model: CircuitModel, system: CircuitSystem): string[] {
  const expected = model.takeExpectations();
  const seen = system.takeObservations();
  const transitions = (list: readonly ExpectedTransition[]) => list.map((one) => transitionOf(model, one));
  return [
    ...differences('onTransition heard', transitions(expected.transitions), seen.transitions.map(shown)),
    ...differences(
      'breaker.onTransition() heard',
      transitions(expected.visitorHeard),
      seen.visitorHeard.map(shown),
    ),
    ...compareErrors(expected.transitions, seen.transitions),
    ...within('reports to onError', expected.reports, seen.reports.length, seen.reports),
    ...within('numbers drawn from random', expected.draws, seen.draws),
    ...(system.watchesProbePolicy
      ? differences('the probe policy was asked', expected.asked, seen.asked)
      : []),
    ...(system.watchesTripPolicy
      ? differences('the trip policy was asked', expected.detector, seen.detector)
      : []),
    ...(system.watchesTripPolicy ? compareFailures(expected.failures, seen.failures) : []),
    ...differences('callbacks called', expected.answered.length, seen.callbacks),
    ...expected.answered.flatMap(({ id, result }) => compareResult(id, result, model, system)),
  ];
}

function transitionOf(model: CircuitModel, { from, to, at }: ExpectedTransition) {
  return { name: model.name, from, to, at };
}

function shown({ name, from, to, at }: CircuitTransition) {
  return { name, from, to, at };
}

/** The failures that opened the circuit, as the transitions name them. */
function compareErrors(
  expected: readonly ExpectedTransition[],
  seen: readonly CircuitTransition[],
): string[] {
  return expected.flatMap(({ from, to, error }, index) => {
    const given = seen[index]?.error as unknown;
    const label = `error of ${from}->${to}`;
    return error === undefined ? differences(label, undefined, given) : compareError(label, error, given);
  });
}

/** The errors that the trip policy was given. */
function compareFailures(expected: readonly Failure[], seen: readonly unknown[]): string[] {
  return expected.flatMap((failure, index) =>
    compareError('onFailure of the trip policy: error', failure, seen[index]),
  );
}

function compareError(label: string, { given, expected }: Failure, seen: unknown): string[] {
  if (given !== ANYTHING) return given === seen ? [] : [disagree(label, given, seen)];
  if (expected.name === ANYTHING) return [];
  return differences(`${label}: name`, expected.name, (seen as Error | undefined)?.name);
}

function compareResult(
  id: number,
  expected: ExpectedResult,
  model: CircuitModel,
  system: CircuitSystem,
): string[] {
  const told = system.results[id] as unknown[];
  const label = `the caller of export ${id}`;
  if (told.length !== 1) return [`${label} was answered ${told.length} times, by the contract exactly once`];
  const result = told[0];
  switch (expected.kind) {
    case 'same':
      return result === expected.result
        ? []
        : [`${disagree(`${label} was told`, expected.result, result)}, the inner exporter's own object`];
    case 'failed':
      return compareFailed(label, result, expected.error);
    case 'rejected':
      return compareRejected(label, result, expected.generation, model, system);
    case 'any':
      return [];
  }
}

function compareFailed(label: string, result: unknown, expected: object): string[] {
  const { code, error } = (result ?? {}) as { code?: unknown; error?: unknown };
  if (typeof code !== 'number' || code === 0)
    return [`${label} was told ${display(result)}, by the contract FAILED`];
  if (!(error instanceof Error)) return [`${label} was told FAILED without an Error: ${display(result)}`];
  const { name, message } = error;
  const facts = { name, code: (error as { code?: unknown }).code ?? null, message };
  return differences(`${label} was told an error with `, expected, facts);
}

function compareRejected(
  label: string,
  result: unknown,
  generation: number,
  model: CircuitModel,
  system: CircuitSystem,
): string[] {
  const problems: string[] = [];
  const shared = system.rejections.get(generation);
  system.rejections.set(generation, result);
  if (shared !== undefined && shared !== result)
    problems.push(`${label} got a rejection of its own, not the shared one`);
  if (!Object.isFrozen(result)) problems.push(`${label} got a rejection that is not frozen`);
  const { code, error } = (result ?? {}) as { code?: unknown; error?: Error & { circuit?: unknown } };
  if (model.reportRejectedAs === 'success') return [...problems, ...differences(`${label}: code`, 0, code)];
  const wanted = { name: 'CircuitOpenError', code: 'ERR_CIRCUIT_OPEN', message: ANYTHING };
  problems.push(...compareFailed(label, result, wanted));
  problems.push(...differences(`${label}: error.circuit`, model.name, error?.circuit));
  if (error?.message.includes(SECRET))
    problems.push(`${label} was told another error's message: ${error.message}`);
  return problems;
}

function within(label: string, { least, most }: Span, seen: number, list: readonly string[] = []): string[] {
  if (seen >= least && seen <= most) return [];
  const wanted = least === most ? `${least}` : `${least} to ${most}`;
  return [`${label}: ${seen}, by the contract ${wanted}${list.map((text) => `\n    ${text}`).join('')}`];
}

/** The differences between two values, one line for each leaf. */
export function differences(label: string, expected: unknown, actual: unknown): string[] {
  const found: string[] = [];
  collect(label, expected, actual, found);
  return found;
}

/** Runs over all of a snapshot after every command, so it creates nothing but labels unless something differs. */
function collect(label: string, expected: unknown, actual: unknown, found: string[]): void {
  if (expected === ANYTHING || Object.is(expected, actual) || areClose(expected, actual)) return;
  if (!isObject(expected) || !isObject(actual) || lengthOf(expected) !== lengthOf(actual)) {
    found.push(disagree(label, expected, actual));
    return;
  }
  const prefix = /[. ]$/.test(label) ? label : `${label}.`;
  for (const key of Object.keys(expected)) collect(prefix + key, expected[key], actual[key], found);
  for (const key of Object.keys(actual)) {
    if (!(key in expected)) found.push(`${prefix}${key} is there, but not in the contract`);
  }
}

/** Equal, except for the order in which the same numbers were added up. */
function areClose(expected: unknown, actual: unknown): boolean {
  if (typeof expected !== 'number' || typeof actual !== 'number') return false;
  return Math.abs(expected - actual) <= 1e-9 * Math.max(1, Math.abs(expected));
}

function lengthOf(value: object): number | undefined {
  return Array.isArray(value) ? value.length : undefined;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

function disagree(label: string, expected: unknown, actual: unknown): string {
  return `${label}: ${display(actual)}, by the contract ${display(expected)}`;
}

function display(value: unknown): string {
  if (value instanceof Error) return `${value.name}(${JSON.stringify(value.message)})`;
  if (!isObject(value)) return typeof value === 'string' ? JSON.stringify(value) : String(value);
  return JSON.stringify(value, (_key, part: unknown) => (part instanceof Error ? display(part) : part));
}
