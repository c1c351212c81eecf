import { diag } from '@opentelemetry/api';
import { escapeText } from '../internal/escape-text.ts';
import { callUserFunction } from '../internal/report-problem.ts';
import { aFunction } from '../internal/validate-options.ts';
import { tellDiag } from './tell-diag.ts';
import { takeTold } from './told-errors.ts';

const CODE = 'ERR_CIRCUIT_OPEN';

/** The begin of a `CircuitOpenError` where only its text is left. */
const TEXT = 'CircuitOpenError: ';

/** All that a metric reader leaves of the error of a rejected export. */
const METRIC_READER_TEXT = `PeriodicExportingMetricReader: metrics export failed (error ${TEXT}`;

/** Nobody nests errors deeper than this. */
const MAX_DEPTH = 8;

/** The default handler cuts messages here, and names and codes sooner: a server can put a whole page into them. */
const LONGEST_MESSAGE = 1_000;
const LONGEST_NAME = 100;

/** Stands for an error of which nothing is left to tell. */
const NOTHING = Symbol('nothing');

/**
 * Makes a handler for `setGlobalErrorHandler` of `@opentelemetry/core` that is silent about batches which an open circuit
 * rejected: there is one every few seconds, and the exporter or `logTransitions` has told of the outage already.
 *
 * Swallows errors with the code `ERR_CIRCUIT_OPEN`: alone, within arrays of errors and `AggregateError`s (the others in
 * them are passed on), in the string that core's own handler makes of an error, and in the error that a
 * `PeriodicExportingMetricReader` makes of one. While `logTransitions` listens, it also swallows the error of a failed
 * probe that has the same `code` as the one that was told of last, once: there is one every half minute of an outage.
 * Another code, and an error without one, is passed on.
 *
 * @param next - receives everything else; what it throws or rejects with goes to `diag.error`. By default it writes one
 * `diag.error` line
 * @throws TypeError if `next` is not a function
 * @example
 * ```ts
 * import { setGlobalErrorHandler } from '@opentelemetry/core'; // the copy that your SDK uses
 * import { quietGlobalErrorHandler } from 'otel-circuit-breaker/logging';
 *
 * setGlobalErrorHandler(quietGlobalErrorHandler());
 * ```
 */
export function quietGlobalErrorHandler(next?: (error: unknown) => void): (error: unknown) => void {
  const tell = next === undefined ? logLine : aFunction<typeof next>(next, 'quietGlobalErrorHandler: next');
  return (error) => {
    const rest = withoutOpenCircuits(error, 0, new Set());
    if (rest === NOTHING) return;
    callUserFunction(
      () => tell(rest),
      (thrown) => tellDiag('error', 'quietGlobalErrorHandler: next threw', thrown),
    );
  };
}

/**
 * What is left of an error to tell: the same object where nothing had to go.
 *
 * @param seen - the arrays and aggregates that were looked at: each is looked at once, however often it is contained
 */
function withoutOpenCircuits(error: unknown, depth: number, seen: Set<unknown>): unknown {
  if (isOpenCircuit(error) || takeTold(error)) return NOTHING;
  const isAggregate = error instanceof AggregateError;
  if (depth === MAX_DEPTH || seen.has(error) || !(isAggregate || Array.isArray(error))) return error;
  seen.add(error);
  const errors: readonly unknown[] = isAggregate ? error.errors : error;
  const left = errors
    .map((each) => withoutOpenCircuits(each, depth + 1, seen))
    .filter((each) => each !== NOTHING);
  if (left.length === errors.length && left.every((each, index) => each === errors[index])) return error;
  if (left.length === 0) return NOTHING;
  return isAggregate ? new AggregateError(left, error.message) : left;
}

function isOpenCircuit(error: unknown): boolean {
  if (typeof error === 'string') return isFlattenedOpenCircuit(error);
  if (typeof error !== 'object' || error === null) return false;
  const { code, message } = error as { code?: unknown; message?: unknown };
  return code === CODE || (typeof message === 'string' && message.startsWith(METRIC_READER_TEXT));
}

/** Core's own handler makes JSON of an error's properties, as strings; of an array, with the indexes as keys. */
function isFlattenedOpenCircuit(text: string): boolean {
  // Most strings need no parsing.
  if (!text.startsWith('{') || !(text.includes(CODE) || text.includes(TEXT))) return false;
  try {
    const flat = JSON.parse(text) as Record<string, unknown>;
    if (isOpenCircuit(flat)) return true;
    const elements = Object.keys(flat).filter((key) => /^\d+$/.test(key));
    return elements.length > 0 && elements.every((key) => String(flat[key]).startsWith(TEXT));
  } catch {
    return false;
  }
}

function logLine(error: unknown): void {
  const parts: readonly unknown[] = Array.isArray(error)
    ? error
    : error instanceof AggregateError
      ? [error, ...error.errors]
      : [error];
  diag.error(parts.map(describe).join('; '));
}

function describe(error: unknown): string {
  if (typeof error !== 'object' || error === null) return onOneLine(String(error));
  const { name = 'Error', message = '', code } = error as Record<string, unknown>;
  const text = `${escapeText(String(name), LONGEST_NAME)}: ${onOneLine(String(message))}`;
  return code === undefined ? text : `${text} [${escapeText(String(code), LONGEST_NAME)}]`;
}

function onOneLine(message: string): string {
  return escapeText(message.replace(/\s+/g, ' '), LONGEST_MESSAGE);
}
