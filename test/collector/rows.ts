/** From what a client reports and what arrived at the Collector to a row of the table. */
import type { LaneReport } from './client/messages.ts';
import type { ClientProcess } from './client-process.ts';
import type { Row } from './scenario.ts';

/** When the fault was, by this machine's clock. */
interface FaultTimes {
  readonly beganAt: number;
  readonly endedAt: number;
}

/** How the spans of a lane fared. */
interface Count {
  readonly made: number;
  readonly missing: readonly number[];
  readonly duplicated: number;
}

function countSpans({ first, made }: LaneReport, arrived: readonly number[]): Count {
  const times = new Map<number, number>();
  for (const n of arrived) if (n >= first && n < first + made) times.set(n, (times.get(n) ?? 0) + 1);
  const missing = numbers(first, made).filter((n) => !times.has(n));
  const duplicated = [...times.values()].filter((count) => count > 1).length;
  return { made, missing, duplicated };
}

export function numbers(first: number, made: number): number[] {
  return Array.from({ length: made }, (_, index) => first + index);
}

export interface RowParts {
  readonly scenario: string;
  readonly client: ClientProcess;
  readonly lane: LaneReport;
  readonly arrived: readonly number[];
  readonly sees: string;
  readonly fault?: FaultTimes | undefined;
  readonly problems?: readonly string[];
}

export function makeRow({ scenario, client, lane, arrived, sees, fault, problems = [] }: RowParts): Row {
  const { made, missing, duplicated } = countSpans(lane, arrived);
  return {
    scenario,
    protocol: client.protocol,
    sdk: client.sdk,
    lane: lane.lane,
    made,
    arrived: made - missing.length,
    duplicated,
    lost: missing.length,
    ...(fault && times(lane, fault)),
    sees,
    problems: [...problems, ...bookProblems(lane, missing)],
  };
}

function times(
  { transitions }: LaneReport,
  { beganAt, endedAt }: FaultTimes,
): Pick<Row, 'openedMillis' | 'closedMillis'> {
  const opened = transitions.find(({ to, at }) => to === 'OPEN' && at >= beganAt)?.at;
  const closed = transitions.findLast(({ to }) => to === 'CLOSED')?.at;
  return {
    openedMillis: opened === undefined ? undefined : opened - beganAt,
    // The Collector may answer before our look at its health says so.
    closedMillis:
      opened === undefined || closed === undefined || closed < opened
        ? undefined
        : Math.max(0, closed - endedAt),
  };
}

/** What the exporter says of its spans, held against what the Collector has. */
function bookProblems({ lane, made, snapshot }: LaneReport, missing: readonly number[]): string[] {
  const { offered, delivered, fallback, lost, kept, inFlight } = snapshot.delivery;
  const problems: string[] = [];
  // What the processor has no room for reaches nobody; with retention it is never held up so long.
  const dropped = made - offered.items;
  if (dropped < 0 || (dropped > 0 && lane === 'retention'))
    problems.push(`made ${made}, the exporter was given ${offered.items}`);
  const rest = fallback.items + lost.items + kept.items + inFlight.items;
  if (offered.items !== delivered.items + rest) problems.push('the books do not add up');
  // What timed out may have arrived: lost is what is not known to be delivered.
  const givenUp = dropped + (lane === 'file' ? rest : lost.items + kept.items + inFlight.items);
  if (missing.length > givenUp)
    problems.push(
      `${missing.length} missing, the exporter knows of ${givenUp} (${missing.slice(0, 5).join(', ')} …)`,
    );
  return problems;
}

/** What an operator sees of a lane: health, and why. */
export function operatorSees({ health, openHealth }: LaneReport): string {
  const { circuit_breaker: circuit } = openHealth.body;
  if (!('name' in circuit)) return 'nothing';
  const { state, last_failure, last_invalid, consecutive_invalid } = circuit;
  const degraded = state === 'CLOSED' && consecutive_invalid > 0;
  const cause = degraded ? last_invalid : last_failure;
  const label = degraded ? 'last_invalid' : 'last_failure';
  const why = cause === null ? '' : `; ${label} ${cause.name} ${cause.code ?? 'without code'}`;
  return `${health.httpStatus} ${health.body.status}, ${state}${why}`;
}

const MESSAGE_LENGTH = 200;

/** A failure as the snapshot has it, for the document. */
export function describeFailure(failure: LaneReport['snapshot']['lastFailure']): string {
  if (failure === null) return 'none';
  const message = failure.message.slice(0, MESSAGE_LENGTH).replaceAll('`', "'").trim();
  return `${failure.name}, code ${failure.code}, \`${message}\``;
}
