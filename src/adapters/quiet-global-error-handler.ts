import { diag } from '@opentelemetry/api';
import { aFunction } from '../internal/validate-options.ts';
import { takeTold } from './told-errors.ts';

const CODE = 'ERR_CIRCUIT_OPEN';

/** How a `CircuitOpenError` begins where only its text is left. */
const TEXT = 'CircuitOpenError: ';

/** All that a metric reader leaves of the error of a rejected export. */
const METRIC_READER_TEXT = `PeriodicExportingMetricReader: metrics export failed (error ${TEXT}`;

/** Errors within errors within errors: deeper than this nobody nests them, but for a cycle. */
const MAX_DEPTH = 8;

/** Stands for an error of which nothing is left to tell. */
const NOTHING = Symbol('nothing');

/**
 * Makes a handler for `setGlobalErrorHandler` of `@opentelemetry/core` that keeps silent about batches which an open
 * circuit rejected: there is one every few seconds, and `logTransitions`, or the exporter itself, has told already.
 *
 * Swallows errors with the code `ERR_CIRCUIT_OPEN`: alone, within arrays of errors and `AggregateError`s (what else is in
 * them is passed on), in the string that core's own handler makes of an error, and in the error that a
 * `PeriodicExportingMetricReader` makes of one. Also the error of a failed probe whose cause, as `logTransitions` names it, is the
 * one that it told of last: there is one every half minute of an outage. Another cause is passed on.
 *
 * @param next - hears of everything else. By default one `diag.error` line
 * @throws TypeError where `next` is no function
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
    const rest = withoutOpenCircuits(error, 0);
    if (rest !== NOTHING) tell(rest);
  };
}

/** What is left of an error to tell: the same object where nothing had to go. */
function withoutOpenCircuits(error: unknown, depth: number): unknown {
  if (isOpenCircuit(error) || takeTold(error)) return NOTHING;
  if (depth === MAX_DEPTH) return error;
  if (Array.isArray(error)) return filtered(error, depth, (rest) => rest, error);
  if (error instanceof AggregateError) {
    return filtered(error.errors, depth, (rest) => new AggregateError(rest, error.message), error);
  }
  return error;
}

function filtered(
  errors: readonly unknown[],
  depth: number,
  rebuild: (rest: readonly unknown[]) => unknown,
  original: unknown,
): unknown {
  const left = errors.map((each) => withoutOpenCircuits(each, depth + 1)).filter((each) => each !== NOTHING);
  if (left.length === errors.length && left.every((each, index) => each === errors[index])) return original;
  return left.length === 0 ? NOTHING : rebuild(left);
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
  diag.error(
    parts
      .map(describe)
      .join('; ')
      .replace(/\s*\n\s*/g, ' '),
  );
}

function describe(error: unknown): string {
  if (typeof error !== 'object' || error === null) return String(error);
  const { name = 'Error', message = '', code } = error as Record<string, unknown>;
  const text = `${name}: ${message}`;
  return code === undefined ? text : `${text} [${code}]`;
}
