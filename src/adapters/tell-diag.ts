import { diag } from '@opentelemetry/api';
import { callUserFunction } from '../internal/report-problem.ts';

/** Tells OpenTelemetry's own logger. If that logger throws or rejects, nobody is left to tell. */
export function tellDiag(level: 'error' | 'warn', message: string, ...details: unknown[]): void {
  callUserFunction(
    () => diag[level](message, ...details),
    () => {},
  );
}
