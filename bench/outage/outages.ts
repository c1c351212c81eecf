import type { ReceiverMode } from '../../test/support/receiver/mode.ts';

/** A change of the receiver's behaviour. */
interface Step {
  /** Since the service began to make spans. */
  readonly atSeconds: number;
  readonly mode: ReceiverMode;
}

/** How the receiver behaves in a row of the table. */
export interface Outage {
  readonly name: string;
  /** Nobody listens on the port. */
  readonly refused?: true;
  /** What it begins with. */
  readonly mode: ReceiverMode;
  readonly steps: readonly Step[];
}

/** All of them, for cells of so many seconds. */
export function outages(seconds: number): readonly Outage[] {
  return [
    { name: 'healthy', mode: 'healthy', steps: [] },
    { name: 'refused', mode: 'healthy', refused: true, steps: [] },
    { name: 'hang', mode: 'hang', steps: [] },
    { name: '503', mode: 'status:503', steps: [] },
    { name: '503 + Retry-After: 5', mode: 'status:503:5', steps: [] },
    { name: '400', mode: 'status:400', steps: [] },
    { name: 'flapping 5 s / 5 s', mode: 'status:503', steps: flapping(seconds) },
    {
      name: 'back after 20 s',
      mode: 'status:503',
      steps: [{ atSeconds: Math.min(20, seconds / 2), mode: 'healthy' }],
    },
  ];
}

function flapping(seconds: number): Step[] {
  const steps: Step[] = [];
  for (let atSeconds = 5; atSeconds < seconds; atSeconds += 5) {
    steps.push({ atSeconds, mode: steps.length % 2 === 0 ? 'healthy' : 'status:503' });
  }
  return steps;
}
