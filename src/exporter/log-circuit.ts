import { diag } from '@opentelemetry/api';
import { internalsOf } from '../breaker/breaker-internals.ts';
import type { CircuitBreaker } from '../breaker/circuit-breaker.ts';
import type { ExporterSnapshot } from '../delivery/delivery-snapshot.ts';
import type { ExporterInternals } from '../delivery/exporter-internals.ts';
import { closing, lossesSince, opening } from '../internal/outage-lines.ts';

/**
 * One `diag.warn` when the circuit leaves CLOSED, one `diag.info` when it comes back. Neither while `logTransitions`
 * listens to this breaker.
 */
export function logCircuit(
  exporter: { readonly breaker: CircuitBreaker; snapshot(): ExporterSnapshot },
  ledger: ExporterInternals['ledger'],
): void {
  const { breaker } = exporter;
  const circuit = `circuit ${JSON.stringify(breaker.name)}`;
  let beganAt = 0;
  let lost = 0;
  breaker.onTransition(({ from, to, at }) => {
    if (from !== 'CLOSED' && to !== 'CLOSED') return;
    const now = exporter.snapshot();
    const isLogged = internalsOf(breaker)?.logListeners;
    if (from === 'CLOSED') {
      beganAt = at;
      lost = ledger.lostBefore;
      if (!isLogged) diag.warn(`${circuit} ${opening(now)}`);
    } else if (!isLogged) {
      const byHand = from === 'OPEN' || now.forced === 'CLOSED';
      diag.info(`${circuit} ${closing(byHand, at - beganAt, lossesSince(lost, now.delivery))}`);
    }
  });
}
