import type { Exporter } from './exporters.ts';
import type { Seen } from './measure.ts';
import type { Mode } from './receiver.ts';

/** What was seen of an exporter. */
export interface Row {
  readonly exporter: Exporter;
  readonly version: string;
  readonly seen: ReadonlyMap<Mode, Seen>;
}

/** What must be the same at every run: `failure, timed out, opens and closes`. */
export function outcomeOf({ classification, cause, opened, closed }: Seen): string {
  const circuit = opened ? (closed === true ? 'opens and closes' : 'opens and stays open') : 'stays closed';
  return [classification, ...(cause === null ? [] : [cause]), circuit].join(', ');
}

/** An outage that the exporter calls a success. */
export function isBlind({ answer }: Seen): boolean {
  return answer === 'SUCCESS';
}

/** `0.3 s`; `at once` for what takes less than a tenth of a second. */
export function seconds(millis: number | null): string {
  if (millis === null) return 'never';
  return millis < 100 ? 'at once' : `${(millis / 1_000).toFixed(1)} s`;
}
