import type { LabelledFailure } from './failure-label.ts';
import { failureLabel } from './failure-label.ts';

/** The part of a snapshot that the lines need: that of an exporter, or of a bare breaker. */
export interface OutageView {
  readonly forced: 'OPEN' | 'CLOSED' | null;
  readonly consecutiveFailures: number;
  readonly lastFailure: LabelledFailure | null;
  readonly items: { readonly rejected: number };
  readonly delivery?: {
    readonly lost: { readonly items: number };
    readonly kept: { readonly items: number };
  };
}

/** Why a circuit has left CLOSED, and what happens next. */
export function opening({ forced, consecutiveFailures, lastFailure }: OutageView): string {
  if (forced === 'OPEN') return 'was opened by hand; nothing is sent until somebody closes it';
  const until = 'only probes are sent until one succeeds';
  // Exports that were too slow open a circuit without a failure.
  if (consecutiveFailures === 0 || lastFailure === null)
    return `opened as its trip policy demanded; ${until}`;
  const failures = consecutiveFailures === 1 ? '1 failure' : `${consecutiveFailures} failures in a row`;
  return `opened after ${failures}, last ${failureLabel(lastFailure)}; ${until}`;
}

/**
 * How long a circuit was not closed, and what that has cost.
 *
 * @param byHand - whether somebody closed it
 * @param millis - since it left CLOSED
 */
export function closing(byHand: boolean, millis: number, before: OutageView, after: OutageView): string {
  const how = byHand ? 'was closed by hand' : 'closed again';
  return `${how} after ${Math.round(millis / 100) / 10} s; ${toll(before, after)}`;
}

/** Of a bare breaker only the rejections are known. */
function toll(before: OutageView, after: OutageView): string {
  if (before.delivery === undefined || after.delivery === undefined) {
    return `${counted(after.items.rejected - before.items.rejected, 'rejected')} meanwhile`;
  }
  const { items: kept } = after.delivery.kept;
  const lost = counted(after.delivery.lost.items - before.delivery.lost.items, 'lost');
  return `${lost} meanwhile, ${kept} ${kept === 1 ? 'is' : 'are'} kept`;
}

function counted(items: number, fate: string): string {
  return items === 1 ? `1 item was ${fate}` : `${items} items were ${fate}`;
}
