import type { Meddling } from './circuit-breaker-model.ts';
import { failureOf, NO_ERROR } from './circuit-breaker-model.ts';
import { compare, differences } from './circuit-comparison.ts';
import type { CircuitModel, ExportModel } from './circuit-model.ts';
import type { Outcome } from './circuit-model-totals.ts';
import type { Answer, Reaction } from './circuit-reactions.ts';
import type { CircuitSystem, Step } from './circuit-system.ts';
import { CallerError } from './circuit-system.ts';
import type { PermitUnderTest } from './circuit-under-test.ts';
import type { RandomBehaviour } from './circuit-users-code-model.ts';

/** A command for `fc.modelRun`: moves the model and the thing under test one step, and compares them. */
export interface CircuitCommand {
  check(model: Readonly<CircuitModel>): boolean;
  run(model: CircuitModel, real: CircuitSystem): void;
  toString(): string;
}

/** Which of several: the oldest, the newest, or one by a number that is taken modulo their count. */
export type Which = 'oldest' | 'newest' | number;

/** @param act - moves both; returns differences that the comparison afterwards would not see */
function command(
  label: string,
  act: (model: CircuitModel, real: CircuitSystem) => readonly string[] | undefined,
): CircuitCommand {
  return {
    check: () => true,
    run(model, real) {
      model.commandsRun += 1;
      compare(label, model, real, act(model, real) ?? []);
    },
    toString: () => label,
  };
}

/** How an export arrives. */
export interface Arrival {
  readonly items: number;
  readonly reaction: Reaction;
  /** How many such exports, one after the other. */
  readonly times: number;
  readonly callbackThrows: boolean;
}

export function exportCommand({ items, reaction, times, callbackThrows }: Arrival): CircuitCommand {
  const spans = items === 1 ? '1 span' : `${items} spans`;
  const rest = `${callbackThrows ? ', callback throws' : ''})${times === 1 ? '' : ` × ${times}`}`;
  const label = `Export(${spans}, ${reaction.label}${rest}`;
  return command(label, (model, real) => {
    for (let n = 1; n < times; n++) {
      compare(label, model, real, exportOnce(model, real, items, reaction, callbackThrows));
    }
    return exportOnce(model, real, items, reaction, callbackThrows);
  });
}

/** Exports one batch. @returns differences that a comparison afterwards would not see */
export function exportOnce(
  model: CircuitModel,
  real: CircuitSystem,
  items: number,
  reaction: Reaction,
  callbackThrows: boolean,
): string[] {
  const steps = reaction.steps();
  const { reached, thrown } = real.export(items, steps, callbackThrows);
  const call = model.export(items, callbackThrows);
  const calledBack = call.permit === undefined || follow(model, call, steps);
  return [
    ...differences('calls of the inner exporter with this batch', call.permit === undefined ? 0 : 1, reached),
    ...compareThrown('export()', calledBack ? call : undefined, thrown),
  ];
}

/** Moves the model through what the inner exporter does; returns whether the caller was called back. */
function follow(model: CircuitModel, call: ExportModel, steps: readonly Step[]): boolean {
  let calledBack = false;
  for (const step of steps) {
    if (step.kind === 'answer') calledBack = model.innerAnswers(call, step.result) || calledBack;
    else if (step.kind === 'throw') calledBack = model.innerThrows(call, step.error) || calledBack;
    else model.innerRejects(call, step.error);
    // An error that the callback throws passes through the inner exporter, and ends it.
    if (calledBack && call.callbackThrows) break;
  }
  return calledBack;
}

/** An error that a caller's callback throws comes out where the callback was called, and no other error does. */
function compareThrown(where: string, calledBack: ExportModel | undefined, thrown: unknown): string[] {
  const wanted = calledBack?.callbackThrows ? new CallerError(calledBack.id).message : undefined;
  const isTheCallers = thrown instanceof CallerError;
  if (thrown === undefined || isTheCallers) {
    return differences(`${where} threw`, wanted, isTheCallers ? thrown.message : undefined);
  }
  return [`${where} threw ${String(thrown)}`];
}

export function answerCommand(which: Which, answer: Answer, again: boolean): CircuitCommand {
  const label = `${again ? 'AnswerAgain' : 'Answer'}(${which}, ${answer.label})`;
  return command(label, (model, real) => {
    const call = pick(again ? model.answered : model.held, which);
    if (call === undefined) return undefined;
    const result = answer.result();
    const thrown = real.answer(call.id, result);
    const calledBack = model.innerAnswers(call, result);
    return compareThrown('the callback given to the inner exporter', calledBack ? call : undefined, thrown);
  });
}

export function acquireCommand(items: number | undefined): CircuitCommand {
  return command(`TryAcquire(${items ?? ''})`, (model, real) => {
    const { breaker } = real.exporter;
    const given = items === undefined ? breaker.tryAcquire() : breaker.tryAcquire(items);
    const permit = model.breaker.tryAcquire(items ?? 1);
    if (permit !== undefined) model.permits.push(permit);
    if (given !== undefined) real.permits.push(given);
    return differences('permit.probe', permit?.probe, given?.probe);
  });
}

/** How a permit can be settled. */
export type Settlement = readonly [method: 'succeed' | 'invalid' | 'fail' | 'ignore', withError: boolean];

const OUTCOMES = { succeed: 'success', invalid: 'invalid', fail: 'failure', ignore: 'ignored' } as const;

export function settleCommand(which: Which, [method, withError]: Settlement, again: boolean): CircuitCommand {
  const outcome: Outcome = OUTCOMES[method];
  return command(`${again ? 'SettleAgain' : 'Settle'}(${which}, ${outcome})`, (model, real) => {
    const permits = model.permits.filter((permit) => permit.settled === again);
    const permit = pick(permits, which);
    if (permit === undefined) return undefined;
    const error = withError ? new Error(`settled as ${outcome}`) : undefined;
    // The model knows of permits that the breaker gave up; a caller does not.
    settle(real.permits[model.permits.indexOf(permit)], method, error);
    model.breaker.settle(permit, outcome, error === undefined ? NO_ERROR : failureOf(error));
    return undefined;
  });
}

function settle(permit: PermitUnderTest | undefined, method: Settlement[0], error: Error | undefined): void {
  if (method === 'succeed') permit?.succeed();
  else if (error === undefined) permit?.[method]();
  else permit?.[method](error);
}

export function advanceCommand(millis: number): CircuitCommand {
  return command(`Advance(${millis} ms)`, (model, real) => {
    advanceBoth(model, real, millis);
    return undefined;
  });
}

export function advanceBoth(model: CircuitModel, real: CircuitSystem, millis: number): void {
  real.clock.advance(millis);
  model.advance(millis);
}

/** Somebody sets the time of day: nothing but displayed times may follow. */
export function setTimeOfDayCommand(stepMillis: number): CircuitCommand {
  return command(`SetTimeOfDay(${stepMillis > 0 ? '+' : ''}${stepMillis} ms)`, (model, real) => {
    real.timeOfDayAhead += stepMillis;
    model.breaker.timeOfDayAhead += stepMillis;
    return undefined;
  });
}

/** What moves the state by hand. */
export type ByHand = 'forceOpen' | 'forceClosed' | 'reset';

export function byHandCommand(method: ByHand): CircuitCommand {
  return command(`${method.charAt(0).toUpperCase()}${method.slice(1)}`, (model, real) => {
    real.exporter.breaker[method]();
    model.breaker[method]();
    return undefined;
  });
}

/** The next transition makes a listener do something. */
export function meddleCommand(meddling: Meddling): CircuitCommand {
  const label = `OnNextTransition(${meddling === 'throw' ? 'throws' : meddling})`;
  return command(label, (model, real) => {
    model.breaker.armed = meddling;
    real.armed = meddling;
    return undefined;
  });
}

export function randomCommand(random: RandomBehaviour): CircuitCommand {
  return command(`Random(${random === 'throws' ? 'throws' : String(random.answer)})`, (model, real) => {
    model.breaker.usersCode.random = random;
    real.random = random;
    return undefined;
  });
}

export function visitorCommand(): CircuitCommand {
  return command('SubscribeOrUnsubscribe', (model, real) => {
    model.breaker.visiting = !model.breaker.visiting;
    real.toggleVisitor();
    return undefined;
  });
}

export function onErrorCommand(throws: boolean): CircuitCommand {
  return command(`OnError(${throws ? 'throws' : 'works'})`, (_model, real) => {
    real.onErrorThrows = throws;
    return undefined;
  });
}

/** Reads everything twice, and scribbles over what it got: that must change nothing. */
export function readCommand(): CircuitCommand {
  return command('ReadSnapshot', (model, real) => {
    const { exporter } = real;
    const first = exporter.breaker.snapshot();
    const expected = model.breaker.snapshot();
    const ofExporter = Object.entries(exporter.snapshot()).filter(([key]) => key in expected);
    const problems = [
      ...differences('JSON of snapshot.', first, JSON.parse(JSON.stringify(first))),
      ...differences('exporter.snapshot().', expected, Object.fromEntries(ofExporter)),
    ];
    if (first === exporter.breaker.snapshot()) problems.push('snapshot() gave the same object twice');
    scribble(first);
    return problems;
  });
}

function scribble(value: object): void {
  for (const key of Object.keys(value)) {
    const part: unknown = Reflect.get(value, key);
    if (typeof part === 'object' && part !== null) scribble(part);
    Reflect.set(value, key, 'scribbled');
  }
}

function pick<T>(list: readonly T[], which: Which): T | undefined {
  if (which === 'oldest') return list[0];
  if (which === 'newest') return list.at(-1);
  return list[which % Math.max(1, list.length)];
}
