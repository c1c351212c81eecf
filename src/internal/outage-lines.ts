import type { LabelledFailure } from './failure-label.ts';
import { failureLabel } from './failure-label.ts';

/** The part of a breaker's snapshot that the lines need. */
export interface OutageView {
  readonly forced: 'OPEN' | 'CLOSED' | null;
  readonly consecutiveFailures: number;
  readonly lastFailure: LabelledFailure | null;
}

/** The part of a delivery snapshot that the lines need. */
export interface ToldDelivery {
  readonly lost: { readonly items: number };
  readonly kept: { readonly items: number };
}

/** Why a circuit has left CLOSED, and what happens next. */
export function opening({ forced, consecutiveFailures, lastFailure }: OutageView): string {
  if (forced === 'OPEN') return 'was opened by hand; nothing is sent until somebody closes it';
  const why =
    consecutiveFailures === 0 || lastFailure === null
      ? // Exports that were too slow open a circuit without a failure.
        'as its trip policy demanded'
      : `after ${failuresInARow(consecutiveFailures)}, last ${failureLabel(lastFailure)}`;
  return `opened ${why}; only probes are sent until one succeeds`;
}

export function failuresInARow(count: number): string {
  return count === 1 ? '1 failure' : `${count} failures in a row`;
}

/**
 * How long a circuit was not closed, and what that has cost.
 *
 * @param byHand - whether somebody closed it
 * @param millis - since it left CLOSED
 * @param toll - see {@link lossesSince}
 */
export function closing(byHand: boolean, millis: number, toll: string): string {
  return `${byHand ? 'was closed by hand' : 'closed again'} after ${Math.round(millis / 100) / 10} s; ${toll}`;
}

/** @param lostBefore - how many items had been lost before the outage */
export function lossesSince(lostBefore: number, { lost, kept }: ToldDelivery): string {
  return `${counted(lost.items - lostBefore, 'lost')}, ${kept.items} ${kept.items === 1 ? 'is' : 'are'} kept`;
}

export function counted(items: number, fate: string): string {
  return `${items === 1 ? '1 item was' : `${items} items were`} ${fate} meanwhile`;
}
