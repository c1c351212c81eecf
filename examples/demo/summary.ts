import type { Outcome } from './acts.ts';
import type { Screen } from './screen.ts';

/** The last flush may wait 1 s for its batch to be handed over, and then `closedShutdownTimeoutMillis` is the bound. */
const EXIT_MILLIS = 1_000 + 5_000 + 1_000;

/** What is not as the demo promises; empty when all is. */
export function broken({ without, guarded, exitMillis }: Outcome): string[] {
  return [
    without.lost > 0 ? [] : ['without the library, spans are lost in the outage'],
    guarded.made > 0 && guarded.lost === 0 ? [] : ['with the library, no span is lost in the outage'],
    exitMillis.guarded <= EXIT_MILLIS ? [] : ['with the library, the process exits promptly'],
    exitMillis.guarded < exitMillis.without ? [] : ['without the library, the process takes longer to exit'],
  ].flat();
}

/** The table at the end. */
export function printSummary(screen: Screen, outcome: Outcome): void {
  const { without, guarded, openedAfterMillis, closedAfterMillis, exitMillis } = outcome;
  const rows = [
    ['', 'without', 'with the library'],
    ['spans made', number(without.made), number(guarded.made)],
    ['spans that arrived', number(without.arrived), number(guarded.arrived)],
    ['spans lost', number(without.lost), number(guarded.lost)],
    ['circuit opened after', '', seconds(openedAfterMillis)],
    ['closed after the return of the collector', '', seconds(closedAfterMillis)],
    ['SIGTERM to exit, collector down', seconds(exitMillis.without), seconds(exitMillis.guarded)],
  ];
  const widths = [0, 1, 2].map((column) => Math.max(...rows.map((row) => (row[column] ?? '').length)));
  screen.print('');
  for (const [index, [label = '', left = '', right = '']] of rows.entries()) {
    const [first = 0, second = 0, third = 0] = widths;
    const line = `  ${label.padEnd(first)}   ${left.padStart(second)}   ${right.padStart(third)}`;
    screen.print(index === 0 ? screen.style('bold', line) : line);
  }
}

function number(value: number): string {
  return value.toLocaleString('en-US');
}

function seconds(millis: number): string {
  return `${(millis / 1_000).toFixed(1)} s`;
}
