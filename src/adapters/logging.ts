import { diag } from '@opentelemetry/api';
import type { CircuitSnapshot, CircuitState } from '../breaker/snapshot.ts';
import { knownCause } from '../internal/known-cause.ts';
import { reportProblem } from '../internal/report-problem.ts';
import { objectWith } from '../internal/validate-options.ts';
import { noteTold } from './told-errors.ts';

export { quietGlobalErrorHandler } from './quiet-global-error-handler.ts';

/** What `logTransitions` reads of a state change: `CircuitTransition` has it. */
export interface LoggedTransition {
  readonly from: CircuitState;
  readonly to: CircuitState;
  /** Unix milliseconds. */
  readonly at: number;
  /** The failure that opened the circuit. */
  readonly error?: unknown;
}

/** What `logTransitions` listens to: `CircuitBreaker` is one. */
export interface LoggedBreaker {
  readonly name: string;
  snapshot(): CircuitSnapshot;
  onTransition(listener: (transition: LoggedTransition) => void): () => void;
}

/** Where the lines go: `console`, `diag`, pino, winston and their like fit. */
export interface TransitionLogger {
  warn(message: string): unknown;
  info(message: string): unknown;
  debug(message: string): unknown;
}

/**
 * Logs an outage in two lines: one `warn` when the circuit opens (why, and what happens next), one `info` when it closes
 * (after how long, and how many items were rejected); each probe is a `debug`. Errors appear by their code, or else
 * their name: messages can hold URLs and credentials. With `quietGlobalErrorHandler`, an outage stays a handful of lines
 * however long it is.
 *
 * @param breaker - an exporter's is `exporter.breaker`
 * @param logger - what it throws or rejects with goes to `diag.error`, and harms nothing
 * @returns unsubscribes
 * @throws TypeError for what is no breaker or no logger
 * @example
 * ```ts
 * import { CircuitBreaker } from 'otel-circuit-breaker';
 * import { logTransitions } from 'otel-circuit-breaker/logging';
 *
 * const breaker = new CircuitBreaker({ name: 'collector' });
 * const unsubscribe = logTransitions(breaker, console);
 * breaker.forceOpen(); // warns: circuit "collector" was opened by hand; …
 * unsubscribe();
 * ```
 */
export function logTransitions(breaker: LoggedBreaker, logger: TransitionLogger): () => void {
  objectWith<LoggedBreaker>('onTransition', 'snapshot')(breaker, 'logTransitions: breaker');
  objectWith<TransitionLogger>('warn', 'info', 'debug')(logger, 'logTransitions: logger');
  const log = (level: keyof TransitionLogger, what: string): void => {
    writeLine(logger, level, `circuit ${JSON.stringify(breaker.name)} ${what}`);
  };
  // Where the circuit is not CLOSED yet, this is the outage under way, as far as we can know it.
  const { notClosedSince, since, items } = breaker.snapshot();
  let outageBeganAt = notClosedSince ?? since;
  let rejectedBefore = items.rejected;
  let lastToldCause: string | undefined;

  return breaker.onTransition(({ from, to, at, error }) => {
    const snapshot = breaker.snapshot();
    if (from === 'CLOSED') {
      outageBeganAt = at;
      rejectedBefore = snapshot.items.rejected;
      lastToldCause = label(error ?? snapshot.lastFailure);
      log('warn', opening(snapshot, error));
    } else if (to === 'CLOSED') {
      const byHand = from === 'OPEN' || snapshot.forced === 'CLOSED';
      log('info', closing(byHand, at - outageBeganAt, snapshot.items.rejected - rejectedBefore));
    } else if (to === 'HALF_OPEN') {
      log('debug', 'lets a probe through');
    } else {
      // The same cause again is no news; another one is left to the global error handler.
      const cause = label(error);
      if (cause === lastToldCause) noteTold(error);
      lastToldCause = cause;
      log('debug', `is open again: ${failedProbe(snapshot, error)}`);
    }
  });
}

function opening(snapshot: CircuitSnapshot, error: unknown): string {
  if (snapshot.forced === 'OPEN')
    return 'was opened by hand; everything is rejected until somebody closes it';
  return `opened ${cause(snapshot, error)}; exports are rejected until a probe succeeds`;
}

function cause({ consecutiveFailures, lastFailure }: CircuitSnapshot, error: unknown): string {
  // Exports that were too slow open a circuit without a failure.
  if (consecutiveFailures === 0) return 'as its trip policy demanded';
  const failures = consecutiveFailures === 1 ? '1 failure' : `${consecutiveFailures} failures in a row`;
  return `after ${failures}, last ${label(error ?? lastFailure)}`;
}

function closing(byHand: boolean, notClosedMillis: number, rejected: number): string {
  const how = byHand ? 'was closed by hand' : 'closed again';
  const seconds = Math.round(notClosedMillis / 100) / 10;
  return `${how} after ${seconds} s; ${rejected} ${rejected === 1 ? 'item was' : 'items were'} rejected meanwhile`;
}

function failedProbe(snapshot: CircuitSnapshot, error: unknown): string {
  return snapshot.forced === 'OPEN'
    ? 'held by hand'
    : `the probe failed, ${label(error ?? snapshot.lastFailure)}`;
}

/** An error by its code, else by what is known to be behind its message, else by its name; never by its message. */
function label(error: unknown): string {
  try {
    const { code, message, name } = error as { code?: unknown; message?: unknown; name?: unknown };
    if (typeof code === 'number' || (typeof code === 'string' && code !== '')) return String(code);
    const cause = knownCause(message);
    if (cause !== undefined) return cause;
    if (typeof name === 'string' && name !== '') return name;
  } catch {
    // No error object, or one with hostile getters.
  }
  return 'without a code';
}

function writeLine(logger: TransitionLogger, level: keyof TransitionLogger, line: string): void {
  const report = (error: unknown): void =>
    reportProblem(
      (message, thrown) => diag.error(message, thrown),
      'logTransitions: the logger threw',
      error,
    );
  try {
    // An async logger that rejects would end the process.
    Promise.resolve(logger[level](line)).catch(report);
  } catch (error) {
    report(error);
  }
}
