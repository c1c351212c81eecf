import { showHealth } from '../health.ts';
import { plural } from '../lines.ts';
import type { PromiseName } from '../promises.ts';
import type { ServiceProcess } from '../service-process.ts';
import type { TransitionReport } from '../service-protocol.ts';
import type { Stage } from '../stage.ts';

/** An outage from its beginning to the circuits' closing. */
export interface Outage {
  /** For the table: "killed". */
  readonly collector: string;
  /** Go through it together; numbers and health are shown of the first. */
  readonly services: readonly [ServiceProcess, ...ServiceProcess[]];
  readonly opens: PromiseName;
  readonly closes: PromiseName;
  begin(): Promise<void>;
  end(): Promise<void>;
}

/** Plays an outage; measures the time to open and to close again. */
export async function playOutage(stage: Stage, outage: Outage): Promise<void> {
  const { services, collector } = outage;
  const [first] = services;
  const before = services.map(({ transitions }) => transitions.length);
  stage.watch(...services);
  await showHealth(stage, first, 'healthy');

  const begin = performance.now();
  await outage.begin();
  await waitForTransition(services, before, 'OPEN');
  const openedAfterMillis = performance.now() - begin;
  stage.note(...services);
  await showHealth(stage, first, 'unhealthy');

  const probesBefore = first.transitions[before[0] ?? 0]?.probes ?? 0;
  await first.until('a probe that fails', ({ state, probes }) => {
    return state === 'OPEN' && probes.success + probes.failure > probesBefore;
  });
  stage.note(...services);
  await outage.end();
  const end = performance.now();
  await waitForTransition(services, before, 'CLOSED');
  const closedAfterMillis = performance.now() - end;
  stage.note(...services);
  await showHealth(stage, first, 'healthy');

  for (const [index, service] of services.entries()) {
    const since = service.transitions.slice(before[index]);
    const opened = since[0];
    const closed = since.at(-1);
    const threeFailures = opened?.to === 'OPEN' && opened.consecutiveFailures === 3;
    stage.promises.see(outage.opens, threeFailures);
    stage.promises.see(outage.closes, closed?.to === 'CLOSED');
    stage.promises.see('probes', onlyProbes(opened, closed));
  }
  const failedProbes = first.transitions
    .slice(before[0])
    .filter(({ from, to }) => from === 'HALF_OPEN' && to === 'OPEN').length;
  stage.summary.outages.push({ collector, openedAfterMillis, failedProbes, closedAfterMillis });
  stage.say(`the circuit is closed again; ${plural(failedProbes, 'probe')} had been in vain`);
}

async function waitForTransition(
  services: readonly ServiceProcess[],
  before: readonly number[],
  to: 'OPEN' | 'CLOSED',
): Promise<void> {
  for (const [index, service] of services.entries()) {
    await service.until(`the circuit to be ${to}`, () =>
      service.transitions.slice(before[index]).some((transition) => transition.to === to),
    );
  }
}

/** Whether all that was sent between opening and closing were probes. */
function onlyProbes(opened: TransitionReport | undefined, closed: TransitionReport | undefined): boolean {
  if (opened === undefined || closed === undefined) return false;
  const probes = closed.probes - opened.probes;
  return probes > 0 && closed.sent - opened.sent === probes;
}
