import type { CircuitState } from 'otel-circuit-breaker';
import type { Screen } from './screen.ts';
import type { ServiceProcess } from './service-process.ts';
import type { TransitionReport } from './service-protocol.ts';

const COLOURS = { CLOSED: 'green', OPEN: 'red', HALF_OPEN: 'yellow' } as const;

/** How a service stands now. */
export function statusLine({ label, report }: ServiceProcess): string {
  const { state, made, delivered, rejected, kept, probes } = report;
  const sent = probes.success + probes.failure;
  const numbers = `made ${made}  delivered ${delivered}  rejected ${rejected}  probes ${sent}`;
  return `${label}: ${state.padEnd(9)}  ${numbers}${kept === 0 ? '' : `  kept ${kept}`}`;
}

/** `3.21 s  with retention  CLOSED -> OPEN (ECONNREFUSED)` */
export function transitionLine(
  screen: Screen,
  seconds: number,
  label: string,
  { from, to, cause, consecutiveFailures }: TransitionReport,
): string {
  const because =
    to === 'OPEN' ? `  after ${plural(consecutiveFailures, 'failure')} in a row: ${cause ?? 'unknown'}` : '';
  return `  ${seconds.toFixed(2).padStart(5)} s  ${label}: ${state(screen, from)} -> ${state(screen, to)}${because}`;
}

/** `1 probe`, `2 probes` */
export function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

function state(screen: Screen, state: CircuitState): string {
  return screen.style(COLOURS[state], state);
}
