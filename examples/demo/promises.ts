import type { Screen } from './screen.ts';

/** What the demo promises, in the order in which it is seen to. */
export const PROMISES = {
  opensUnreachable:
    'a collector that is not there from the start opens the circuit, after three failures in a row',
  closesUnreachable: 'the circuit closes by itself when the collector comes',
  opensKilled: 'a collector that is killed opens it, after three failures in a row',
  closesKilled: 'the circuit closes by itself when the collector is started again on its port',
  losesWithout: 'without retention, spans are lost in the outage',
  losesNothingWith: 'with retention: {}, not one span is lost in the same outage',
  countsRight:
    'the exporters count lost spans as the collector does, but for the batch in flight at the kill',
  opensSilent: 'a collector that accepts and never answers opens it, after three failures in a row',
  closesSilent: 'the circuit closes by itself when the collector answers again',
  health: 'health says unhealthy (503) while the circuit is open, and healthy (200) before and after',
  probes: 'while the circuit is open, nothing but probes reaches the exporter',
  prometheus: 'the numbers are there for Prometheus',
  shutsDownSlow: 'without the breaker, shutdown() with a dead collector takes longer than 5 s',
  shutsDownFast: 'with the breaker, it takes less than 0.25 s',
} as const;

export type PromiseName = keyof typeof PROMISES;

/** What is seen to again and again, to the end. */
const THROUGHOUT: readonly PromiseName[] = ['health', 'probes'];

/** Keeps account of the promises. What nobody has seen to is broken. */
export class Promises {
  readonly #kept = new Map<PromiseName, boolean>();

  /** One that is seen to several times is kept only if it is each time. */
  see(name: PromiseName, kept: boolean): void {
    this.#kept.set(name, kept && this.#kept.get(name) !== false);
  }

  /** The demo has ended before its time: what was to be seen to throughout has not been. */
  breakOff(): void {
    for (const name of THROUGHOUT) this.see(name, false);
  }

  get allKept(): boolean {
    return Object.keys(PROMISES).every((name) => this.#kept.get(name as PromiseName) === true);
  }

  /** One line each. */
  print(screen: Screen): void {
    for (const [name, text] of Object.entries(PROMISES)) {
      const kept = this.#kept.get(name as PromiseName) === true;
      screen.print(`  ${kept ? screen.style('green', '✓') : screen.style('red', '✗')} ${text}`);
    }
  }
}
