import type { Classification } from '../breaker/snapshot.ts';
import type { ExportResultLike } from './exporter-contract.ts';
import { SUCCESS } from './exporter-contract.ts';

/** Says what a result means; one that the exporter did not give is a failure unasked. */
export type Judge = (result: ExportResultLike, given: boolean) => Classification;

/** Whether the backend has the batch: it answered with SUCCESS, or with what is classified as a success. */
export function isDelivered(result: ExportResultLike, classification: Classification): boolean {
  return classification === 'success' || result.code === SUCCESS;
}
