import type { ReceiverMode } from '../../test/support/receiver/mode.ts';

/** A change of the receiver's behaviour. */
interface Step {
  /** Since the service began to make spans. */
  readonly atSeconds: number;
  /** `'dead'`: killed, so that connections are refused. */
  readonly mode: ReceiverMode | 'dead';
}

/** What happens to the receiver while a service runs; it is healthy until the first step. */
export interface Outage {
  readonly name: string;
  readonly steps: readonly Step[];
}

/** The service has delivered something by then. */
export const HEALTHY_SECONDS = 3;
/** How long the receiver is away in the outage that has an end. */
const AWAY_SECONDS = 20;
const FLAPPING_SECONDS = 5;

/** The outages of the tables, for cells of so many seconds. */
export function outages(seconds: number): readonly Outage[] {
  const at = Math.min(HEALTHY_SECONDS, seconds / 4);
  const lasting = (name: string, mode: Step['mode']): Outage => ({ name, steps: [{ atSeconds: at, mode }] });
  return [
    { name: 'healthy', steps: [] },
    lasting('refused', 'dead'),
    { name: 'refused from the start', steps: [{ atSeconds: 0, mode: 'dead' }] },
    lasting('hang', 'hang'),
    lasting('503', 'status:503'),
    lasting('503 + Retry-After: 5', 'status:503:5'),
    lasting('400', 'status:400'),
    { name: `flapping ${FLAPPING_SECONDS} s / ${FLAPPING_SECONDS} s`, steps: flapping(at, seconds) },
    away(`back after ${AWAY_SECONDS} s`, 'dead', at, Math.min(AWAY_SECONDS, seconds / 3)),
  ];
}

/** An outage with an end. */
export function away(name: string, mode: Step['mode'], atSeconds: number, seconds: number): Outage {
  return {
    name,
    steps: [
      { atSeconds, mode },
      { atSeconds: atSeconds + seconds, mode: 'healthy' },
    ],
  };
}

function flapping(at: number, seconds: number): Step[] {
  const steps: Step[] = [];
  for (let atSeconds = at; atSeconds < seconds; atSeconds += FLAPPING_SECONDS) {
    steps.push({ atSeconds, mode: steps.length % 2 === 0 ? 'status:503' : 'healthy' });
  }
  return steps;
}
