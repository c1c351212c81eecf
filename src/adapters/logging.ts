import { internalsOf } from '../breaker/breaker-internals.ts';
import type { CircuitSnapshot, CircuitState } from '../breaker/snapshot.ts';
import type { ExporterSnapshot } from '../delivery/delivery-snapshot.ts';
import { exporterInternalsOf } from '../delivery/exporter-internals.ts';
import { failureLabel } from '../internal/failure-label.ts';
import { closing, counted, lossesSince, opening } from '../internal/outage-lines.ts';
import { callUserFunction } from '../internal/report-problem.ts';
import { objectWith } from '../internal/validate-options.ts';
import { tellDiag } from './tell-diag.ts';
import { ToldErrors } from './told-errors.ts';

export { quietGlobalErrorHandler } from './quiet-global-error-handler.ts';

/** The part of a state change that `logTransitions` reads: `CircuitTransition` has it. */
export interface LoggedTransition {
  readonly from: CircuitState;
  readonly to: CircuitState;
  /** Unix milliseconds. */
  readonly at: number;
  /** The failure that opened the circuit. */
  readonly error?: unknown;
}

/** A breaker that `logTransitions` can listen to: `CircuitBreaker` is one. */
export interface LoggedBreaker {
  readonly name: string;
  snapshot(): CircuitSnapshot;
  onTransition(listener: (transition: LoggedTransition) => void): () => void;
}

/** An exporter that `logTransitions` can listen to: `CircuitBreakerExporter` is one. */
export interface LoggedExporter {
  readonly breaker: LoggedBreaker;
  snapshot(): ExporterSnapshot;
}

/** The logger of `logTransitions`: `console`, `diag`, pino, winston and others fit. */
export interface TransitionLogger {
  warn(message: string): unknown;
  info(message: string): unknown;
  debug(message: string): unknown;
}

/**
 * Logs an outage in two lines: one `warn` when the circuit opens (why, and what happens next), one `info` when it closes
 * (after how long, how many items were lost since the last one that got through, and how many are kept; of a bare breaker,
 * how many were rejected).
 * Each probe is a `debug`. Errors appear by their code and cause, or else their name: messages can hold URLs and
 * credentials. With `quietGlobalErrorHandler`, an outage stays two lines however long it is, and `debug` hears of each probe. While it listens,
 * the exporter's own two lines through `diag` are silent.
 *
 * @param source - an exporter, a breaker, or an array of them
 * @param logger - receives the lines; what it throws or rejects with goes to `diag.error`, and harms nothing
 * @returns unsubscribes
 * @throws TypeError for anything that is not an exporter, a breaker or a logger
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
export function logTransitions(
  source: LoggedBreaker | LoggedExporter | readonly (LoggedBreaker | LoggedExporter)[],
  logger: TransitionLogger,
): () => void {
  objectWith<TransitionLogger>('warn', 'info', 'debug')(logger, 'logTransitions: logger');
  const sources: readonly (LoggedBreaker | LoggedExporter)[] = Array.isArray(source) ? source : [source];
  const checked = [...new Set(sources)].map(checkedSource);
  const unsubscribers = checked.map((each) => logOne(each, logger));
  return () => {
    for (const unsubscribe of unsubscribers.splice(0)) unsubscribe();
  };
}

/** A source of which it is known that it can be listened to. */
interface Logged {
  readonly breaker: LoggedBreaker;
  snapshot(): CircuitSnapshot | ExporterSnapshot;
  /** The items that were lost before the outage that begins now; of a bare breaker, those that were rejected. */
  before(): number;
}

function checkedSource(source: LoggedBreaker | LoggedExporter): Logged {
  const label = 'logTransitions: source';
  const { snapshot } = objectWith<Logged>('snapshot')(source, label);
  const breaker = 'breaker' in source ? source.breaker : source;
  objectWith<LoggedBreaker>('onTransition', 'snapshot')(breaker, label);
  return {
    breaker,
    snapshot: () => snapshot.call(source),
    before: () => exporterInternalsOf(source)?.ledger.lostBefore ?? lostOrRejected(snapshot.call(source)),
  };
}

function lostOrRejected(now: CircuitSnapshot | ExporterSnapshot): number {
  return 'delivery' in now ? now.delivery.lost.items : now.items.rejected;
}

/** Of a bare breaker only the rejections are known. */
function tollOf(now: CircuitSnapshot | ExporterSnapshot, before: number): string {
  return 'delivery' in now
    ? lossesSince(before, now.delivery)
    : counted(now.items.rejected - before, 'rejected');
}

function logOne({ breaker, snapshot, before }: Logged, logger: TransitionLogger): () => void {
  const log = (level: keyof TransitionLogger, text: string): void => {
    writeLine(logger, level, `circuit ${JSON.stringify(breaker.name)} ${text}`);
  };
  const told = new ToldErrors();
  // Where the circuit is not CLOSED yet, its outage is under way, as far as it is known here.
  const atFirst = snapshot();
  let outageBeganAt = atFirst.notClosedSince ?? atFirst.since;
  let countBefore = before();

  const unsubscribe = breaker.onTransition(({ from, to, at, error }) => {
    const now = snapshot();
    if (from === 'CLOSED') {
      outageBeganAt = at;
      countBefore = before();
      log('warn', opening(now));
      told.outageBegan(error);
    } else if (to === 'CLOSED') {
      const byHand = from === 'OPEN' || now.forced === 'CLOSED';
      log('info', closing(byHand, at - outageBeganAt, tollOf(now, countBefore)));
      told.outageEnded();
    } else if (to === 'HALF_OPEN') {
      log('debug', 'lets a probe through');
    } else {
      log('debug', `is open again: ${failedProbe(now)}`);
      told.probeFailed(error);
    }
  });
  const internals = internalsOf(breaker);
  if (internals !== undefined) internals.logListeners++;
  return () => {
    unsubscribe();
    told.outageEnded();
    if (internals !== undefined) internals.logListeners--;
  };
}

function failedProbe({ forced, lastFailure }: CircuitSnapshot): string {
  if (forced === 'OPEN') return 'held by hand';
  return lastFailure === null ? 'the probe failed' : `the probe failed, ${failureLabel(lastFailure)}`;
}

function writeLine(logger: TransitionLogger, level: keyof TransitionLogger, line: string): void {
  callUserFunction(
    () => logger[level](line),
    (error) => tellDiag('error', 'logTransitions: the logger threw', error),
  );
}
