import type { Screen } from './screen.ts';

/** How long a service's shutdown took, and what the SDK's own part of it came to. */
export interface Shutdown {
  readonly service: string;
  readonly millis: number;
  readonly outcome: string;
}

/** What the scenes have measured. */
export interface Summary {
  readonly outages: {
    readonly collector: string;
    readonly openedAfterMillis: number;
    readonly failedProbes: number;
    readonly closedAfterMillis: number;
  }[];
  readonly counts: {
    readonly service: string;
    readonly made: number;
    readonly arrived: number;
    readonly lost: number;
    readonly twice: number;
  }[];
  readonly shutdowns: Shutdown[];
}

/** The tables at the end. */
export function printSummary(screen: Screen, { outages, counts, shutdowns }: Summary): void {
  screen.title('What happened');
  printTable(screen, [
    ['the collector is', 'opened after', 'probes in vain', 'closed after its return'],
    ...outages.map((outage) => [
      outage.collector,
      seconds(outage.openedAfterMillis),
      String(outage.failedProbes),
      seconds(outage.closedAfterMillis),
    ]),
  ]);
  printTable(screen, [
    ['one outage, spans counted at the collector', 'made', 'arrived', 'lost', 'arrived twice'],
    ...counts.map(({ service, made, arrived, lost, twice }) => [
      service,
      ...[made, arrived, lost, twice].map(String),
    ]),
  ]);
  printTable(screen, [
    ['shutdown() with a dead collector', 'took', 'sdk.shutdown()'],
    ...shutdowns.map(({ service, millis, outcome }) => [service, seconds(millis), outcome]),
  ]);
}

function seconds(millis: number): string {
  return `${(millis / 1_000).toFixed(2)} s`;
}

/** The first row is the head. */
function printTable(screen: Screen, rows: readonly (readonly string[])[]): void {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  screen.print('');
  for (const [index, row] of rows.entries()) {
    const line = row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('   ')
      .trimEnd();
    screen.print(`  ${index === 0 ? screen.style('bold', line) : line}`);
  }
}
