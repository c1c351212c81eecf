/** The course that most scenarios take: all is well, a fault, circuits open and probe, the fault ends, circuits close. */
import { waitFor } from '../support/wait-for.ts';
import type { ClientReport, LaneReport } from './client/messages.ts';
import type { ClientProcess } from './client-process.ts';
import { makeRow, numbers, operatorSees } from './rows.ts';
import type { Row } from './scenario.ts';

const WARM_MILLIS = 60_000;
const OPEN_MILLIS = 120_000;
const CLOSE_MILLIS = 240_000;
const ARRIVE_MILLIS = 20_000;
const POLL_MILLIS = 100;

export interface Outage {
  readonly scenario: string;
  readonly clients: readonly ClientProcess[];
  /** The numbers of the spans that have arrived, with repetitions. */
  spans(): readonly number[];
  /** Whether clients start with a Collector that takes what they send. @defaultValue true */
  readonly healthyFirst?: boolean;
  /** Begins the fault. @returns when it began, where that is not when this is over */
  hurt(): Promise<number | undefined> | Promise<void> | void;
  /** While the circuits are open. */
  during?(reports: readonly ClientReport[]): Promise<void> | void;
  /** Ends the fault. */
  heal(): Promise<void> | void;
  /** More to hold against the last report. */
  check?(last: LaneReport, open: LaneReport): readonly string[];
}

/** Runs it. @returns a row for each lane of each client */
export async function outage(plan: Outage): Promise<readonly Row[]> {
  const { clients } = plan;
  await all(clients, (client) => client.tell({ command: 'traffic' }));
  if (plan.healthyFirst !== false)
    await eachLane(
      clients,
      'spans to be delivered',
      WARM_MILLIS,
      (lane) => lane.snapshot.delivery.delivered.items > 0,
    );

  const hurtAt = Date.now();
  const beganAt = (await plan.hurt()) ?? Date.now();
  await eachLane(clients, 'the circuits to open and a probe to fail', OPEN_MILLIS, (lane) => {
    const opened = lane.transitions.some(({ to, at }) => to === 'OPEN' && at >= hurtAt);
    return opened && lane.snapshot.failedProbes > 0 && lane.snapshot.state !== 'CLOSED';
  });
  const open = await all(clients, (client) => client.tell({ command: 'report' }));
  await plan.during?.(open);

  await plan.heal();
  const endedAt = Date.now();
  await eachLane(
    clients,
    'the circuits to close and to send what they kept',
    CLOSE_MILLIS,
    ({ snapshot }) => {
      return snapshot.state === 'CLOSED' && snapshot.delivery.kept.items === 0;
    },
  );
  const last = await settle(clients);
  const kept = last.flatMap(({ lanes }) => lanes.filter(({ lane }) => lane === 'retention'));
  await arrival(plan.spans, kept);

  const arrived = plan.spans();
  return clients.flatMap((client, index) =>
    (last[index]?.lanes ?? []).map((lane, at) => {
      const whileOpen = open[index]?.lanes[at] as LaneReport;
      const row = makeRow({
        scenario: plan.scenario,
        client,
        lane,
        arrived,
        sees: operatorSees(whileOpen),
        fault: { beganAt: Math.min(beganAt, openedAt(lane, hurtAt)), endedAt },
      });
      return {
        ...row,
        problems: [
          ...row.problems,
          ...problemsOf(row, lane, whileOpen),
          ...(plan.check?.(lane, whileOpen) ?? []),
        ],
      };
    }),
  );
}

function openedAt({ transitions }: LaneReport, from: number): number {
  return transitions.find(({ to, at }) => to === 'OPEN' && at >= from)?.at ?? Number.POSITIVE_INFINITY;
}

function problemsOf(row: Row, last: LaneReport, open: LaneReport): string[] {
  const problems: string[] = [];
  if (row.lane === 'retention' && row.lost > 0) problems.push(`${row.lost} spans lost with retention`);
  if (row.openedMillis === undefined) problems.push('did not open');
  if (row.closedMillis === undefined) problems.push('did not close');
  if (last.snapshot.state !== 'CLOSED') problems.push(`ended ${last.snapshot.state}`);
  if (last.health.body.status !== 'healthy') problems.push(`ended ${last.health.body.status}`);
  if (open.health.httpStatus !== 503) problems.push(`health answered ${open.health.httpStatus} while open`);
  return problems;
}

/** Ends the traffic, lets the processors run dry and the exporters send what they keep, and shuts down. @returns the last reports */
export async function settle(clients: readonly ClientProcess[]): Promise<readonly ClientReport[]> {
  await all(clients, (client) => client.tell({ command: 'rest' }));
  await all(clients, (client) => client.tell({ command: 'flush' }));
  // On a busy machine a time-out may have put one more batch into retention: ticks bring it out.
  await eachLane(clients, 'everything to be sent', CLOSE_MILLIS, ({ snapshot: { delivery } }) => {
    return delivery.kept.items === 0 && delivery.inFlight.items === 0;
  });
  return await all(clients, (client) => client.tell({ command: 'shutdown' }));
}

/** Waits until all spans of these lanes have arrived, or it is clear that they do not. */
export async function arrival(spans: () => readonly number[], lanes: readonly LaneReport[]): Promise<void> {
  const wanted = lanes.flatMap(({ first, made }) => numbers(first, made));
  const deadline = Date.now() + ARRIVE_MILLIS;
  await waitFor(
    () => {
      const arrived = new Set(spans());
      return wanted.every((n) => arrived.has(n)) || Date.now() > deadline;
    },
    { what: 'spans to arrive', timeoutMillis: 2 * ARRIVE_MILLIS, intervalMillis: POLL_MILLIS },
  );
}

export async function eachLane(
  clients: readonly ClientProcess[],
  what: string,
  timeoutMillis: number,
  is: (lane: LaneReport) => boolean,
): Promise<void> {
  await all(clients, async (client) => {
    let last: readonly LaneReport[] = [];
    try {
      await waitFor(
        async () => {
          last = await client.lanes();
          return last.every(is);
        },
        { what, timeoutMillis, intervalMillis: POLL_MILLIS },
      );
    } catch (error) {
      const states = last.map(
        ({ lane, health }) => `${lane}: ${JSON.stringify(health.body.circuit_breaker)}`,
      );
      throw new Error(
        `${client.protocol}, SDK ${client.sdk}: ${(error as Error).message}\n${states.join('\n')}`,
      );
    }
  });
}

export async function all<T, R>(things: readonly T[], act: (thing: T) => Promise<R>): Promise<R[]> {
  return await Promise.all(things.map(act));
}
