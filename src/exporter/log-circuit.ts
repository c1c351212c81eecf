import { diag } from '@opentelemetry/api';
import type { CircuitBreaker } from '../breaker/circuit-breaker.ts';
import { describeOpenCircuit } from './rejected-result.ts';

/** One `diag.warn` when the circuit leaves CLOSED, one `diag.info` when it comes back. */
export function logCircuit(breaker: CircuitBreaker): void {
  // Where the circuit is not CLOSED yet, this is the outage under way, as far as we can know it.
  const { notClosedSince, since, items } = breaker.snapshot();
  let openedAt = notClosedSince ?? since;
  let rejectedBefore = items.rejected;
  breaker.onTransition(({ from, to, at }) => {
    if (from === 'CLOSED') {
      openedAt = at;
      const opened = breaker.snapshot();
      rejectedBefore = opened.items.rejected;
      const next = opened.forced === 'OPEN' ? 'it is released' : 'a probe gets through';
      diag.warn(`${describeOpenCircuit(breaker)}; exports are rejected until ${next}`);
    } else if (to === 'CLOSED') {
      const rejected = breaker.snapshot().items.rejected - rejectedBefore;
      const seconds = ((at - openedAt) / 1000).toFixed(1);
      diag.info(
        `circuit ${JSON.stringify(breaker.name)} is closed again after ${seconds} s; ${rejected} items were rejected`,
      );
    }
  });
}
