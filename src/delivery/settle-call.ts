import type { Classification } from '../breaker/snapshot.ts';
import type { AnswerKind, ExportCall } from './export-call.ts';
import type { ExportResultLike } from './exporter-contract.ts';
import { SUCCESS } from './exporter-contract.ts';
import type { RecentAnswers } from './recent-answers.ts';

/** What it needs of the exporter that the call belongs to. */
export interface SettleHost {
  classify(result: ExportResultLike, durationMillis: number, items: number): Classification;
}

/**
 * Classifies the answer to a call of the inner exporter, whether it was live or not, and tells the circuit.
 *
 * @param told - the same result with an error, if it is a FAILED
 */
export function settleCall<T>(
  host: SettleHost,
  recent: RecentAnswers,
  { permit, items }: ExportCall<T>,
  result: ExportResultLike,
  told: ExportResultLike,
  kind: AnswerKind,
  at: number,
): Classification {
  if (kind === 'unsent') {
    permit.settleUnsent(told.error, at);
    return 'invalid';
  }
  const classification =
    kind === 'result' ? host.classify(result, Math.max(0, at - permit.startedAt), items) : 'failure';
  permit.settle(classification, told.error, at);
  // An ignored result says nothing about the backend.
  if (classification !== 'ignored') recent.answered(kind === 'timeout' ? recent.lastAt : at, classification);
  return classification;
}

/** Whether the backend has the batch: it answered with SUCCESS, or with a result that is classified as a success. */
export function isDelivered(result: ExportResultLike, classification: Classification): boolean {
  return classification === 'success' || result.code === SUCCESS;
}
